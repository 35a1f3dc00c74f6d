"""Checks of what a response holds because its request asked for it: logprobs, results, few calls; and of citations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from conformance.checks.responses.answers import RESPONSES, output_of, posted, texts_in
from conformance.evidence.trace import Observation
from conformance.judging.check import Needs, check
from conformance.judging.counterexamples import on_json
from conformance.pointer import look_up
from conformance.requests.case import Case
from conformance.requests.request import Request
from conformance.requests.selectors import plain, value_at
from conformance.schema.integers import is_integer
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level

LOGPROBS, RESULTS = "message.output_text.logprobs", "file_search_call.results"

#: Calls that the service makes itself. ``computer_call`` and ``local_shell_call`` are made by the client.
_HOSTED = ("web_search_call", "file_search_call", "code_interpreter_call", "image_generation_call", "mcp_call")


def _backwards(value: Any, _request: Request) -> Any:
    """Counterexample: a citation ends before it begins."""
    for _, part in texts_in(value):
        for note in part.get("annotations") or ():
            if is_integer(note.get("end_index")):
                note["start_index"] = note["end_index"] + 5
                return value
    return None


@check(
    "responses.citation.range",
    Level.SHOULD,
    clause="responses-citation-range",
    counterexample=on_json(_backwards),
    operations=("responses.create", "responses.get"),
    needs=Needs.SUCCESS,
)
def citation_range(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """A citation does not end before it begins. Clients cut the cited text out by the two numbers."""
    for place, part in texts_in(seen.json):
        notes = part.get("annotations")
        for number, note in enumerate(notes if isinstance(notes, list) else ()):
            start, end = look_up(note, "/start_index"), look_up(note, "/end_index")
            if is_integer(start) and is_integer(end) and end < start:
                yield seen.finding(
                    "a citation ends before it begins", place=f"{place}/annotations/{number}/end_index",
                    expected=f"at least {start}", actual=end,
                )  # fmt: skip


def _limited(spec: Spec, case: Case) -> bool:
    """The request limits the calls of hosted tools."""
    return plain(spec, case) and is_integer(value_at(case, "/max_tool_calls"))


_SEARCH = {"type": "web_search_call", "status": "completed", "action": {"type": "search", "query": "one more"}}


def _over_limit(value: Any, request: Request) -> Any:
    """Counterexample: one call more than allowed."""
    most = look_up(request.json, "/max_tool_calls")
    if not is_integer(most) or not 0 <= most < 9 or not isinstance(value.get("output"), list):
        return None
    more = [{**_SEARCH, "id": f"ws_{number}"} for number in range(int(most) + 1)]
    return {**value, "output": [*more, *value["output"]]}


@check(
    "responses.tool.calls.limit",
    Level.SHOULD,
    clause="responses-max-tool-calls",
    counterexample=on_json(_over_limit, when=posted),
    operations=RESPONSES,
    about=_limited,
    needs=Needs.SUCCESS,
    entails=("responses.tool.none",),
    features=("responses.max_tool_calls",),
)
def calls_limit(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """There are at most ``max_tool_calls`` calls of hosted tools, over all tools together. Calls cost money."""
    most = value_at(seen.case, "/max_tool_calls")
    found = [item.get("type") for item in output_of(seen.json) if item.get("type") in _HOSTED]
    if len(found) > most:
        yield seen.finding("more calls of hosted tools than allowed", place="/output", expected=most, actual=found)


def _top(case: Case) -> int:
    """The number of alternatives that the request asks for; 0 if it asks for none."""
    many = value_at(case, "/top_logprobs")
    return int(many) if is_integer(many) else 0


def _one_alternative_more(value: Any, request: Request) -> Any:
    """Counterexample: a token has one alternative more than requested."""
    most = look_up(request.json, "/top_logprobs")
    for _, part in texts_in(value):
        for entry in part.get("logprobs") or ():
            listed = entry.get("top_logprobs")
            if is_integer(most) and isinstance(listed, list):
                other = {"token": "x", "logprob": -9.0, "bytes": [120]}
                entry["top_logprobs"] = [*listed, *([other] * (int(most) + 1 - len(listed)))]
                return value
    return None


@check(
    "responses.top-logprobs",
    Level.SHOULD,
    clause="responses-top-logprobs-count",
    counterexample=on_json(_one_alternative_more, when=posted),
    operations=RESPONSES,
    about=plain,
    needs=Needs.SUCCESS,
    features=("responses.logprobs",),
)
def top_logprobs(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """Each token has at most ``top_logprobs`` alternatives."""
    for place, part in texts_in(seen.json):
        entries = part.get("logprobs")
        for number, entry in enumerate(entries if isinstance(entries, list) else ()):
            listed = look_up(entry, "/top_logprobs")
            if isinstance(listed, list) and len(listed) > _top(seen.case):
                yield seen.finding(
                    "more alternatives than requested", place=f"{place}/logprobs/{number}/top_logprobs",
                    expected=f"at most {_top(seen.case)}", actual=len(listed),
                )  # fmt: skip
                return


def _uninvited(value: Any, request: Request) -> Any:
    """Counterexample: log probabilities come exactly where nobody asked for them."""
    wanted = LOGPROBS in (look_up(request.json, "/include") or ())
    entry = {"token": "x", "logprob": -0.1, "bytes": [120], "top_logprobs": []}
    changed = False
    for _, part in texts_in(value):
        part["logprobs"] = [] if wanted else [entry]
        changed = True
    return value if changed else None


@check(
    "responses.include",
    Level.SHOULD,
    clause="responses-include",
    counterexample=on_json(_uninvited, when=posted),
    operations=RESPONSES,
    about=plain,
    needs=Needs.SUCCESS,
)
def include(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """What ``include`` names is in the answer, and only then.

    Log probabilities are judged both ways; search results, which depend on what the model did, only where nobody asked
    for them. Encrypted reasoning is not judged: the service was recorded to send it unasked.
    """
    given = value_at(seen.case, "/include")
    wanted = given if isinstance(given, list) else []
    for place, part in texts_in(seen.json):
        if bool(part.get("logprobs")) is not (LOGPROBS in wanted) and part.get("text"):
            yield seen.finding(
                f"log probabilities are {'not there' if LOGPROBS in wanted else 'there'}", place=f"{place}/logprobs",
                expected="some" if LOGPROBS in wanted else "none, for they were not asked for",
                actual=str(part.get("logprobs", "absent"))[:80],
            )  # fmt: skip
            return
    for number, item in enumerate(output_of(seen.json)):
        if RESULTS not in wanted and item.get("type") == "file_search_call" and item.get("results"):
            yield seen.finding(
                "search results without being asked for", place=f"/output/{number}/results", expected=None,
                actual=str(item["results"])[:80],
            )  # fmt: skip
