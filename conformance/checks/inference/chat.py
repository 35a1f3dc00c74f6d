"""Checks of chat completions that are not streamed: what the request forces must be in the answer."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from conformance.evidence.trace import Observation
from conformance.judging.check import Needs, check
from conformance.judging.counterexamples import asked, on_json
from conformance.requests.case import Case
from conformance.requests.request import Request
from conformance.requests.selectors import streams
from conformance.schema.given import misfits
from conformance.spec.spec import Spec
from conformance.streams.chunks import choices_in
from conformance.verdict import Finding, Level

CHAT = ("chat.completions.create",)
#: The end of the path of chat requests.
CHAT_PATH = r"/chat/completions"
posted = asked("POST", CHAT_PATH)


def body_of(case: Case) -> Mapping[str, Any]:
    """The JSON object of the request; empty if the body isn't one."""
    return case.json if isinstance(case.json, dict) else {}


def number(body: Mapping[str, Any], name: str, default: int) -> int:
    """An integer field of a body, or the default. ``1.0`` counts as an integer: RFC 8259 makes no difference."""
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        return default
    return int(value)


def plain_object(spec: Spec, case: Case) -> bool:
    """The case sends a JSON object and doesn't ask for a stream."""
    return not streams(spec, case) and isinstance(case.json, dict)


def choices_of(seen: Observation) -> list[dict[str, Any]]:
    """The choices that are objects."""
    return [choice for _, choice in choices_in(seen.json)]


def message_of(choice: Mapping[str, Any]) -> Mapping[str, Any]:
    """The message of a choice; empty if there is none."""
    message = choice.get("message")
    return message if isinstance(message, dict) else {}


def unfiltered(seen: Observation) -> list[tuple[int, dict[str, Any]]]:
    """The choices with their positions, except those that the content filter cut off.

    A filtered choice need not keep any promise on length, tools or log probabilities; that is documented.
    """
    return [(n, choice) for n, choice in enumerate(choices_of(seen)) if choice.get("finish_reason") != "content_filter"]


def _one_more(value: Any, _request: Request) -> Any:
    """Counterexample: there is one choice more than requested."""
    choices = value.get("choices")
    if not choices:
        return None
    # With the next free index, so that only the number of choices is wrong.
    value["choices"] = [*choices, {**choices[-1], "index": len(choices)}]
    return value


def _about_n(spec: Spec, case: Case) -> bool:
    """The number of choices is known."""
    return plain_object(spec, case) and isinstance(body_of(case).get("n", 1), int)


@check(
    "chat.choices.count",
    Level.MUST,
    clause="chat-n-choices",
    counterexample=on_json(_one_more, when=posted),
    operations=CHAT,
    about=_about_n,
    needs=Needs.SUCCESS,
    entails=("stream.equals-plain",),
)
def choices_count(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """The answer has ``n`` choices; one without ``n``."""
    wanted = number(body_of(seen.case), "n", 1)
    found = choices_of(seen)
    if len(found) != wanted:
        yield seen.finding(f"{len(found)} choices", place="/choices", expected=f"{wanted} choices", actual=len(found))


def _same_index(value: Any, _request: Request) -> Any:
    """Counterexample: all choices have the same index."""
    choices = value.get("choices")
    if not choices:
        return None
    for choice in choices:
        # An index beyond the last: with a single choice, index 0 would still be right.
        choice["index"] = len(choices)
    return value


@check(
    "chat.choices.index",
    Level.MUST,
    clause="chat-choice-index",
    counterexample=on_json(_same_index, when=posted),
    operations=CHAT,
    about=plain_object,
    needs=Needs.SUCCESS,
    entails=("stream.equals-plain",),
)
def choices_index(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """The choices have the indices 0, 1, 2 … Clients tell the choices apart by them."""
    indexes = [choice.get("index") for choice in choices_of(seen)]
    # Sorted as texts: a missing index is None, which Python can't compare with a number. The order of the choices is
    # free.
    if sorted(map(str, indexes)) != sorted(map(str, range(len(indexes)))):
        yield seen.finding(
            "indexes are not 0 … n-1", place="/choices", expected=list(range(len(indexes))), actual=indexes
        )


def _stops(body: Mapping[str, Any]) -> list[str]:
    """The stop sequences of a request."""
    stop = body.get("stop")
    return (
        [stop] if isinstance(stop, str) else [s for s in stop if isinstance(s, str)] if isinstance(stop, list) else []
    )


def _with_stop(value: Any, request: Request) -> Any:
    """Counterexample: the output ends with the stop sequence."""
    stops = _stops(request.json or {})
    # JSON with something behind it is no JSON any more.
    if (request.json or {}).get("response_format") is not None:
        return None
    for _, choice in choices_in(value):
        if stops and isinstance(message_of(choice).get("content"), str):
            # One choice is enough to break the rule.
            choice["message"]["content"] += stops[0]
            return value
    return None


@check(
    "chat.stop",
    Level.MUST,
    clause="chat-stop-not-in-output",
    counterexample=on_json(_with_stop, when=posted),
    operations=CHAT,
    about=lambda spec, case: plain_object(spec, case) and bool(_stops(body_of(case))),
    needs=Needs.SUCCESS,
)
def stop_absent(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """A stop sequence is not part of the output."""
    for index, choice in enumerate(choices_of(seen)):
        content = message_of(choice).get("content")
        for stop in _stops(body_of(seen.case)):
            if stop and isinstance(content, str) and stop in content:
                yield seen.finding(
                    f"the output holds the stop sequence {stop!r}", place=f"/choices/{index}/message/content"
                )


def format_of(body: Mapping[str, Any]) -> str:
    """The type of the requested response format, or ""."""
    wanted = body.get("response_format")
    return str(wanted.get("type", "")) if isinstance(wanted, dict) else ""


def _as_prose(value: Any, request: Request) -> Any:
    """Counterexample: prose stands before the JSON."""
    if format_of(request.json or {}) not in ("json_object", "json_schema"):
        return None
    for _, choice in choices_in(value):
        if isinstance(message_of(choice).get("content"), str):
            choice["message"]["content"] = "Here you are: " + choice["message"]["content"]
    return value


def _wants_json(spec: Spec, case: Case) -> bool:
    """The request asks for JSON."""
    return plain_object(spec, case) and format_of(body_of(case)) in ("json_object", "json_schema")


def _formed(seen: Observation) -> Iterator[tuple[int, str]]:
    """Yield (index, text) of the messages that ended normally and aren't refusals."""
    for index, choice in enumerate(choices_of(seen)):
        content = message_of(choice).get("content")
        # A limit or a filter may cut the JSON anywhere, and a refusal is prose.
        if choice.get("finish_reason") == "stop" and isinstance(content, str) and not message_of(choice).get("refusal"):
            yield index, content


@check(
    "chat.json.parses",
    Level.MUST,
    clause="chat-json-mode",
    counterexample=on_json(_as_prose, when=posted),
    operations=CHAT,
    about=_wants_json,
    needs=Needs.SUCCESS,
    entails=("chat.json.schema",),
)
def json_mode(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """With the ``response_format`` json_object or json_schema, a finished message is one JSON text.

    Clients parse the message.
    """
    for index, content in _formed(seen):
        try:
            json.loads(content)
        except ValueError:
            yield seen.finding(
                "the message is not JSON", place=f"/choices/{index}/message/content", actual=content[:80]
            )


def _empty_object(value: Any, request: Request) -> Any:
    """Counterexample: the JSON doesn't fit the schema."""
    if not _strict_schema(request.json or {}):
        return None
    for _, choice in choices_in(value):
        if isinstance(message_of(choice).get("content"), str):
            choice["message"]["content"] = '{"unheard_of": 1}'
    return value


def _strict_schema(body: Mapping[str, Any]) -> Any:
    """The schema of a strict json_schema format, or None."""
    wanted = body.get("response_format")
    inner = wanted.get("json_schema") if isinstance(wanted, dict) and wanted.get("type") == "json_schema" else None
    return inner.get("schema") if isinstance(inner, dict) and inner.get("strict") else None


@check(
    "chat.json.schema",
    Level.MUST,
    clause="chat-json-schema",
    counterexample=on_json(_empty_object, when=posted),
    operations=CHAT,
    about=lambda spec, case: plain_object(spec, case) and isinstance(_strict_schema(body_of(case)), dict),
    needs=Needs.SUCCESS,
)
def json_schema(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """With a strict json_schema format, a finished message is valid against that schema."""
    schema = _strict_schema(body_of(seen.case))
    for index, content in _formed(seen):
        try:
            value = json.loads(content)
        except ValueError:
            yield seen.finding(
                "the message is not JSON", place=f"/choices/{index}/message/content", actual=content[:80]
            )
            continue
        for message in misfits(schema, value):
            yield seen.finding(message, place=f"/choices/{index}/message/content", actual=content[:80])


def _no_logprobs(value: Any, request: Request) -> Any:
    """Counterexample: the log probabilities are missing."""
    if (request.json or {}).get("logprobs") is not True:
        return None
    for _, choice in choices_in(value):
        choice["logprobs"] = None
    return value


@check(
    "chat.logprobs",
    Level.MUST,
    clause="chat-logprobs",
    counterexample=on_json(_no_logprobs, when=posted),
    operations=CHAT,
    about=lambda spec, case: plain_object(spec, case) and body_of(case).get("logprobs") is True,
    needs=Needs.SUCCESS,
)
def logprobs(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """With ``logprobs: true`` every token of a text message has a log probability.

    Each has at most ``top_logprobs`` alternatives. One empty token may be real; if all are, nobody knows whose
    probabilities these are.
    """
    most = number(body_of(seen.case), "top_logprobs", 0)
    for index, choice in unfiltered(seen):
        # A message that only calls tools has no text whose tokens could be listed.
        if not message_of(choice).get("content"):
            continue
        given = choice.get("logprobs")
        tokens = given.get("content") if isinstance(given, dict) else None
        if not isinstance(tokens, list) or not tokens:
            yield seen.finding(
                "no log probabilities", place=f"/choices/{index}/logprobs", expected="content: […]", actual=given
            )
            continue
        named = [token.get("token") or token.get("bytes") for token in tokens if isinstance(token, dict)]
        if named and not any(named):
            place = f"/choices/{index}/logprobs/content"
            yield seen.finding(f"each of {len(named)} tokens is empty", place=place, expected="the tokens of the text")
            continue
        # Fewer alternatives than requested are allowed: there may be no more.
        others = [token.get("top_logprobs") if isinstance(token, dict) else None for token in tokens]
        crowded = [n for n, given in enumerate(others) if isinstance(given, list) and len(given) > most]
        if crowded:
            yield seen.finding(
                "more alternatives than asked for",
                place=f"/choices/{index}/logprobs/content/{crowded[0]}/top_logprobs",
                expected=f"at most {most}",
                actual=len(others[crowded[0]] or ()),
            )


def _as_user(value: Any, _request: Request) -> Any:
    """Counterexample: the message has the role ``user``."""
    for _, choice in choices_in(value):
        if "message" in choice:
            choice["message"]["role"] = "user"
    return value


@check(
    "chat.role",
    Level.MUST,
    clause="chat-role-assistant",
    counterexample=on_json(_as_user, when=posted),
    operations=CHAT,
    about=plain_object,
    needs=Needs.SUCCESS,
    entails=("schema.response",),
)
def role_assistant(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """The role of the message is ``assistant``. Clients append the message to the conversation as it is."""
    for index, choice in unfiltered(seen):
        if message_of(choice).get("role") != "assistant":
            yield seen.finding(
                "another role",
                place=f"/choices/{index}/message/role",
                expected="assistant",
                actual=message_of(choice).get("role"),
            )
