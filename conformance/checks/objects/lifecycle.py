"""Checks of an object from its creation to its modification, and helpers for the other checks of objects."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from conformance.checks.objects.lists import answer_page, ids_of, items_of, page_of
from conformance.evidence.exchange import Exchange
from conformance.evidence.trace import Observation, Trace
from conformance.judging.check import Counterexample, trace_check
from conformance.judging.counterexamples import on_json, path_of
from conformance.requests.request import Request
from conformance.scenarios.resource_kinds import KINDS, properties
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level, Outcome

#: All scenarios in which one object is created, read, modified and deleted.
LIFECYCLES = ("lifecycle.*",)


#: Paths of runs in threads. Their lifecycles are judged by the checks of runs.
_RUNS = re.compile(r"/threads/([^/]+/)?runs")


def in_lifecycles(counterexample: Counterexample) -> Counterexample:
    """The counterexample, limited to objects with a lifecycle scenario."""

    def broken(exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange | None:
        # The checks of runs would be broken as well, which the check doesn't list among its consequences.
        return None if _RUNS.search(path_of(exchange.request)) else counterexample(exchange, earlier)

    return broken


def one(trace: Trace, role: str) -> Observation | None:
    """The good answer to the step with a role; the last one if it was polled. None if there is none."""
    good = [x for x in trace if x.case.role == role and x.exchange.ok and isinstance(x.json, dict)]
    return good[-1] if good else None


def holds(found: Any, sent: Any) -> bool:
    """Return True if ``found`` contains all of ``sent``. Objects may have more members; arrays must match item by item.

    A text that was sent as content may come back as parts whose texts add up to it.
    """
    if isinstance(sent, dict):
        return isinstance(found, dict) and all(key in found and holds(found[key], sent[key]) for key in sent)
    if isinstance(sent, list):
        return isinstance(found, list) and len(found) == len(sent) and all(map(holds, found, sent))
    # Messages are sent as a text and come back as a list of parts.
    if isinstance(sent, str) and isinstance(found, list):
        return "".join(map(text_of, found)) == sent
    return bool(found == sent)


def text_of(part: Any) -> str:
    """The text of a message part: ``{"text": {"value": …}}`` or ``{"text": …}``."""
    text = part.get("text") if isinstance(part, dict) else None
    inner = text.get("value") if isinstance(text, dict) else text
    return inner if isinstance(inner, str) else ""


def sent_in(seen: Observation) -> Mapping[str, Any]:
    """The JSON object that was sent; empty if the body is something else."""
    body = seen.exchange.request.json
    return body if isinstance(body, dict) else {}


def differences(
    found: Mapping[str, Any], sent: Mapping[str, Any], names: Sequence[str]
) -> Iterator[tuple[str, Any, Any]]:
    """Yield (name, sent value, received value) of the fields that came back differently."""
    for name in names:
        if name in sent and not holds(found.get(name), sent[name]):
            yield name, sent[name], found.get(name, "absent")


def echoed(spec: Spec, trace: Trace) -> tuple[str, ...]:
    """The fields of a kind that come back as sent, as far as the version documents them in its answers.

    None for recorded objects: who publishes a recording replaces texts in requests and in answers, not always alike.
    """
    item = next((k for k in KINDS if f"lifecycle.{k.prefix}" == trace.scenario), None)
    if item is None or not item.has(spec, "get"):
        return ()
    operation = operations_of(spec)[item.operation("get")]
    media = (operation.answer(200) or {}).get("application/json")
    shown = properties(spec, media.schema) if media else frozenset()
    return tuple(name for name in item.echoed if name in shown)


def _is_create(exchange: Exchange) -> bool:
    """Return True for a request that creates an object."""
    return exchange.request.method == "POST" and isinstance(exchange.request.json, dict) and _collection(exchange)


def _collection(exchange: Exchange) -> bool:
    """Return True if the path is that of a collection."""
    # A POST to a collection creates; a POST to an object modifies it.
    return bool(_WORD.fullmatch(path_of(exchange.request).rstrip("/").rsplit("/", 1)[-1]))


#: The last segment of a collection's path. Ids contain digits or capitals.
_WORD = re.compile(r"[a-z_]+")


def _forget(value: Any, request: Request) -> Any:
    """Counterexample: the created object has no metadata."""
    if "metadata" not in (request.json or {}) or "metadata" not in value:
        return None
    return {**value, "metadata": {}}


def _another_echo(value: Any, request: Request) -> Any:
    """Witness: one text of the created object differs from what was sent."""
    sent = request.json if isinstance(request.json, dict) else {}
    same = [name for name in sent if value.get(name) == sent[name]]
    return {**value, **dict.fromkeys(same, "something else")} if same else None


@trace_check(
    "lifecycle.create.echo",
    Level.MUST,
    clause="state-create-echo",
    counterexample=in_lifecycles(on_json(_forget, when=_is_create)),
    witness=on_json(_another_echo, when=_is_create),
    scenarios=LIFECYCLES,
    needs=("create",),
)
def create_echo(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A created object contains what was sent: its name, instructions, tools, metadata."""
    seen = one(trace, "create")
    if seen is not None:
        for name, wanted, found in differences(seen.json, sent_in(seen), echoed(spec, trace)):
            yield seen.finding(f"{name} did not come back", place=f"/{name}", expected=wanted, actual=found)


def _is_get(exchange: Exchange) -> bool:
    """Return True for a request that reads one object."""
    value = exchange.response.json if exchange.response else None
    return exchange.request.method == "GET" and isinstance(value, dict) and not isinstance(value.get("data"), list)


def _other_metadata(value: Any, _request: Request) -> Any:
    """Counterexample: the object that is read has other metadata."""
    return {**value, "metadata": {"another": "object"}} if value.get("metadata") else None


def _another_object(value: Any, _request: Request) -> Any:
    """Witness: the object that is read has another id."""
    return {**value, "id": "of_another_object"} if "id" in value else None


@trace_check(
    "lifecycle.get.same",
    Level.MUST,
    clause="state-get-same",
    counterexample=in_lifecycles(on_json(_other_metadata, when=_is_get)),
    witness=on_json(_another_object, when=_is_get),
    scenarios=LIFECYCLES,
    needs=("create", "get"),
    entails=("lifecycle.modify.kept", "lifecycle.modify.applies", "lifecycle.list.same"),
)
def get_same(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A created object can be read, and is the one that was created."""
    created, fetched, tried = one(trace, "create"), one(trace, "get"), trace.role("get")
    if created is None or not tried:
        return
    if fetched is None:
        last = tried[-1].exchange.status or 500
        # Throttling and server errors say nothing about the object; other checks report them.
        if last != 429 and last < 500:
            yield tried[-1].finding("the created object can't be fetched", place="status", expected=200, actual=last)
        return
    for name in ("id", "object", "created_at"):
        if fetched.json.get(name) != created.json.get(name):
            yield fetched.finding(
                f"{name} differs", place=f"/{name}", expected=created.json.get(name), actual=fetched.json.get(name)
            )
    for name, wanted, found in differences(fetched.json, sent_in(created), echoed(spec, trace)):
        yield fetched.finding(f"{name} differs", place=f"/{name}", expected=wanted, actual=found)
    # The object was read in the end, so an earlier refusal is a delay and only a warning.
    late = [seen for seen in trace.role("get") if not seen.exchange.ok]
    if late:
        yield late[0].finding("the object could be fetched only later", place="status", outcome=Outcome.WARN)


def _unlisted(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: the list is empty."""
    response = exchange.response
    if response is None or not exchange.ok or exchange.request.method != "GET" or not isinstance(response.json, dict):
        return None
    data = response.json.get("data")
    # Pages of walks are left alone: an empty page there would break the rules on lists.
    if not isinstance(data, list) or not data or "after=" in exchange.request.url or "limit=" in exchange.request.url:
        return None
    kept = {key: None for key in ("first_id", "last_id") if key in response.json}
    return exchange.answered(response.with_json({**response.json, "data": [], **kept}))


def _emptied(exchange: Exchange, _others: Sequence[Exchange]) -> Exchange | None:
    """Witness: a page of the list, whatever its size, shows nothing."""
    value = page_of(exchange)
    return answer_page(exchange, {**value, "data": []}) if value is not None else None


def pages_of(trace: Trace) -> list[Observation]:
    """The good pages of the list after the creation: the first one, and further ones if others filled it."""
    return [seen for seen in trace.role("list") if seen.exchange.ok and isinstance(seen.json, dict)]


def _listed(trace: Trace) -> bool:
    created = one(trace, "create")
    return created is not None and any(created.json.get("id") in ids_of(page) for page in pages_of(trace))


def crowded_out(trace: Trace) -> str:
    """The reason why a list need not show the object that was just created; "" if the list must show it.

    The only reason is that all pages are full of objects that are not older, created by others.
    """
    created, page = one(trace, "create"), next(reversed(pages_of(trace)), None)
    if created is None or page is None or _listed(trace) or page.json.get("has_more") is not True:
        return ""
    stamp, others = created.json.get("created_at") or 0, items_of(page)
    newer = all((item.get("created_at") or 0) >= stamp for item in others)
    return "others crowd out our object: the page is full of newer ones" if others and newer else ""


@trace_check(
    "lifecycle.list.holds",
    Level.MUST,
    clause="state-list-holds",
    counterexample=in_lifecycles(_unlisted),
    witness=_emptied,
    scenarios=LIFECYCLES,
    needs=("create", "list"),
    unless=(crowded_out,),
    entails=(
        "schema.response",
        "run-steps.message",
        "runs.message.kept",
        "runs.stream.kept",
        "threads.first-messages",
        "runs.additional-messages",
        "assistants.files.attached",
        "stores.batch.files",
        "stores.total",
        "evals.items",
        "responses.input-items",
        "models.list",
        "tuning.events.first",
    ),
)
def list_holds(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """The first page of a list, newest first, contains the object that was just created, unless newer ones fill it.

    Then a later page contains it.
    """
    created, page = one(trace, "create"), next(reversed(pages_of(trace)), None)
    if created is None or page is None or _listed(trace) or crowded_out(trace):
        return
    yield page.finding(
        "the created object is not listed", place="/data", expected=created.json.get("id"), actual=ids_of(page)
    )


def _unmodified(exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: a modification is answered with the old object."""
    response = exchange.response
    if response is None or not exchange.ok or exchange.request.method != "POST" or _collection(exchange):
        return None
    path = path_of(exchange.request)
    for past in earlier:
        if path_of(past.request) not in (path, path.rsplit("/", 1)[0]):
            continue
        old = past.response.json if past.ok and past.response else None
        if past.response and isinstance(old, dict) and old.get("id") == response.json.get("id"):
            return exchange.answered(past.response)
    return None


@trace_check(
    "lifecycle.modify.applies",
    Level.MUST,
    clause="state-modify-applies",
    counterexample=in_lifecycles(_unmodified),
    scenarios=LIFECYCLES,
    needs=("create", "modify"),
)
def modify_applies(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A modification is visible in its answer and in the object when it is read afterwards."""
    changed = one(trace, "modify")
    if changed is None:
        return
    fetched = one(trace, "modified")
    for seen in (changed, fetched):
        if seen is not None:
            for name, wanted, found in differences(seen.json, sent_in(changed), echoed(spec, trace)):
                yield seen.finding(f"{name} was not modified", place=f"/{name}", expected=wanted, actual=found)


def _lose_the_rest(exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: a modification changes ``created_at``."""
    response = exchange.response
    if response is None or not exchange.ok or exchange.request.method != "POST" or _collection(exchange):
        return None
    if not isinstance(response.json, dict) or not isinstance(response.json.get("created_at"), int):
        return None
    # Seven seconds: another time that is still plausible for every other rule.
    return exchange.answered(response.with_json({**response.json, "created_at": response.json["created_at"] + 7}))


@trace_check(
    "lifecycle.modify.kept",
    Level.MUST,
    clause="state-modify-keeps-rest",
    counterexample=in_lifecycles(_lose_the_rest),
    scenarios=LIFECYCLES,
    needs=("create", "modify"),
)
def modify_kept(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A modification doesn't change what it doesn't contain: id, created_at and the other fields."""
    created, changed = one(trace, "create"), one(trace, "modify")
    if created is None or changed is None:
        return
    for seen in filter(None, (changed, one(trace, "modified"))):
        for name in ("id", "object", "created_at"):
            if seen.json.get(name) != created.json.get(name):
                yield seen.finding(
                    f"{name} changed", place=f"/{name}", expected=created.json.get(name), actual=seen.json.get(name)
                )
        rest = [name for name in echoed(spec, trace) if name not in sent_in(changed)]
        for name, wanted, found in differences(seen.json, sent_in(created), rest):
            yield seen.finding(f"{name} changed", place=f"/{name}", expected=wanted, actual=found)
