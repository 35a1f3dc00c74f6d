"""What becomes of an object between its creation and its end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import evolve

from conformance.breaking import on_json, path_of
from conformance.check import trace_check
from conformance.checks.lists import ids_of
from conformance.exchange import Exchange, Request
from conformance.scenarios.kinds import KINDS
from conformance.spec import Spec
from conformance.trace import Observation, Trace
from conformance.verdict import Finding, Level, Outcome

LIVES = ("lifecycle.*",)


def _echoed(trace: Trace) -> tuple[str, ...]:
    return next((k.echoed for k in KINDS if f"lifecycle.{k.prefix}" == trace.scenario), ())


def _one(trace: Trace, role: str) -> Observation | None:
    """The good answer to a step, the last one when it was polled."""
    good = [seen for seen in trace.role(role) if seen.exchange.ok and isinstance(seen.json, dict)]
    return good[-1] if good else None


def _needs(trace: Trace, *roles: str) -> Iterator[Finding]:
    """What a check says when one of its steps is missing: not applicable where it was never sent."""
    for role in roles:
        if _one(trace, role) is None:
            sent = trace.role(role)
            case_id = (sent or trace.observations)[-1].case.id if trace.observations else ""
            never = not sent and _one(trace, "create") is not None
            outcome = Outcome.NOT_APPLICABLE if never else Outcome.NOT_TESTABLE
            yield Finding(f"the step {role!r} has no good answer", case_id, outcome=outcome)
            return


def holds(found: Any, sent: Any) -> bool:
    """True when ``found`` has all of ``sent``: objects may have more members, arrays must match item by item."""
    if isinstance(sent, dict):
        return isinstance(found, dict) and all(key in found and holds(found[key], sent[key]) for key in sent)
    if isinstance(sent, list):
        return isinstance(found, list) and len(found) == len(sent) and all(map(holds, found, sent))
    return bool(found == sent)


def _sent(seen: Observation) -> Mapping[str, Any]:
    body = seen.exchange.request.json
    return body if isinstance(body, dict) else {}


def _differences(
    found: Mapping[str, Any], sent: Mapping[str, Any], names: Sequence[str]
) -> Iterator[tuple[str, Any, Any]]:
    for name in names:
        if name in sent and not holds(found.get(name), sent[name]):
            yield name, sent[name], found.get(name, "absent")


def _is_create(exchange: Exchange) -> bool:
    return exchange.request.method == "POST" and isinstance(exchange.request.json, dict) and _collection(exchange)


def _collection(exchange: Exchange) -> bool:
    last = path_of(exchange.request).rstrip("/").rsplit("/", 1)[-1]
    return "_" not in last or last in ("vector_stores", "fine_tuning", "file_batches")


def _forget(value: Any, request: Request) -> Any:
    if "metadata" not in (request.json or {}) or "metadata" not in value:
        return None
    return {**value, "metadata": {}}


@trace_check(
    "lifecycle.create.echo",
    Level.MUST,
    clause="state-create-echo",
    counterexample=on_json(_forget, when=_is_create),
    scenarios=LIVES,
)
def create_echo(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """The created object shows what was sent: its name, instructions, tools, metadata."""
    yield from _needs(trace, "create")
    seen = _one(trace, "create")
    if seen is not None:
        for name, wanted, found in _differences(seen.json, _sent(seen), _echoed(trace)):
            yield seen.finding(f"{name} did not come back", place=f"/{name}", expected=wanted, actual=found)


def _is_get(exchange: Exchange) -> bool:
    return exchange.request.method == "GET" and not isinstance(
        (exchange.response and exchange.response.json or {}).get("data"), list
    )


def _other_metadata(value: Any, _request: Request) -> Any:
    return {**value, "metadata": {"another": "object"}} if value.get("metadata") else None


@trace_check(
    "lifecycle.get.same",
    Level.MUST,
    clause="state-get-same",
    counterexample=on_json(_other_metadata, when=_is_get),
    scenarios=LIVES,
    entails=("lifecycle.modify.kept", "lifecycle.modify.applies"),
)
def get_same(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A created object can be fetched, and is the one that was created."""
    yield from _needs(trace, "create")
    created, fetched = _one(trace, "create"), _one(trace, "get")
    if created is None:
        return
    if fetched is None:
        yield trace.role("get")[-1].finding("the created object can't be fetched", place="status", expected=200)
        return
    for name in ("id", "object", "created_at"):
        if fetched.json.get(name) != created.json.get(name):
            yield fetched.finding(
                f"{name} differs", place=f"/{name}", expected=created.json.get(name), actual=fetched.json.get(name)
            )
    for name, wanted, found in _differences(fetched.json, _sent(created), _echoed(trace)):
        yield fetched.finding(f"{name} differs", place=f"/{name}", expected=wanted, actual=found)
    late = [seen for seen in trace.role("get") if not seen.exchange.ok]
    if late:
        yield late[0].finding("the object could be fetched only later", place="status", outcome=Outcome.WARN)


def _unlisted(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
    response = exchange.response
    if response is None or not exchange.ok or exchange.request.method != "GET" or not isinstance(response.json, dict):
        return None
    data = response.json.get("data")
    if not isinstance(data, list) or not data or "after=" in exchange.request.url or "limit=" in exchange.request.url:
        return None
    rest = data[1:]
    ends = {"first_id": rest[0].get("id") if rest else None, "last_id": rest[-1].get("id") if rest else None}
    kept = {key: value for key, value in ends.items() if key in response.json}
    return exchange.answered(response.with_json({**response.json, "data": rest, **kept}))


@trace_check(
    "lifecycle.list.holds",
    Level.MUST,
    clause="state-list-holds",
    counterexample=_unlisted,
    scenarios=LIVES,
    entails=("schema.response",),
)
def list_holds(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A list, newest first, shows the object that was just created on its first page, unless others crowd it out."""
    yield from _needs(trace, "create", "list")
    created, page = _one(trace, "create"), _one(trace, "list")
    if created is None or page is None or created.json.get("id") in ids_of(page):
        return
    newer = [i for i in page.json.get("data") or () if isinstance(i, dict)]
    stamp = created.json.get("created_at")
    if page.json.get("has_more") is True and all((i.get("created_at") or 0) >= (stamp or 0) for i in newer):
        yield page.finding("others crowd out our object", outcome=Outcome.NOT_APPLICABLE)
        return
    yield page.finding(
        "the created object is not listed", place="/data", expected=created.json.get("id"), actual=ids_of(page)
    )


def _unmodified(exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange | None:
    response = exchange.response
    if response is None or not exchange.ok or exchange.request.method != "POST" or _collection(exchange):
        return None
    for past in earlier:
        if past.ok and past.response and isinstance(past.response.json, dict) and isinstance(response.json, dict):
            if past.response.json.get("id") == response.json.get("id"):
                return exchange.answered(past.response)
    return None


@trace_check(
    "lifecycle.modify.applies",
    Level.MUST,
    clause="state-modify-applies",
    counterexample=_unmodified,
    scenarios=LIVES,
)
def modify_applies(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A modification shows in its own answer and in the object fetched afterwards."""
    yield from _needs(trace, "create", "modify")
    changed = _one(trace, "modify")
    if changed is None:
        return
    fetched = _one(trace, "modified")
    for seen in (changed, fetched):
        if seen is not None:
            for name, wanted, found in _differences(seen.json, _sent(changed), _echoed(trace)):
                yield seen.finding(f"{name} was not modified", place=f"/{name}", expected=wanted, actual=found)


def _lose_the_rest(exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange | None:
    response = exchange.response
    if response is None or not exchange.ok or exchange.request.method != "POST" or _collection(exchange):
        return None
    if not isinstance(response.json, dict) or not isinstance(response.json.get("created_at"), int):
        return None
    return exchange.answered(response.with_json({**response.json, "created_at": response.json["created_at"] + 7}))


@trace_check(
    "lifecycle.modify.kept",
    Level.MUST,
    clause="state-modify-keeps-rest",
    counterexample=_lose_the_rest,
    scenarios=LIVES,
)
def modify_kept(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A modification leaves alone what it doesn't name: id, created_at and the other fields."""
    yield from _needs(trace, "create", "modify")
    created, changed = _one(trace, "create"), _one(trace, "modify")
    if created is None or changed is None:
        return
    for seen in filter(None, (changed, _one(trace, "modified"))):
        for name in ("id", "object", "created_at"):
            if seen.json.get(name) != created.json.get(name):
                yield seen.finding(
                    f"{name} changed", place=f"/{name}", expected=created.json.get(name), actual=seen.json.get(name)
                )
        rest = [name for name in _echoed(trace) if name not in _sent(changed)]
        for name, wanted, found in _differences(seen.json, _sent(created), rest):
            yield seen.finding(f"{name} changed", place=f"/{name}", expected=wanted, actual=found)


def _not_deleted(value: Any, _request: Request) -> Any:
    return {**value, "deleted": False} if value.get("deleted") is True else None


@trace_check(
    "lifecycle.delete.confirms",
    Level.MUST,
    clause="state-delete-confirms",
    counterexample=on_json(_not_deleted, when=lambda exchange: exchange.request.method == "DELETE"),
    scenarios=LIVES,
)
def delete_confirms(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A deletion's answer names the object and says ``deleted: true``; 204 without a body says it too."""
    created = _one(trace, "create")
    sent = trace.role("delete")
    if created is None or not sent:
        yield from _needs(trace, "create", "delete")
        return
    seen = sent[-1]
    if not seen.exchange.ok:
        yield seen.finding("the deletion was refused", outcome=Outcome.NOT_TESTABLE)
    elif seen.response.status != 204 and isinstance(seen.json, dict):
        for name, wanted in (("id", created.json.get("id")), ("deleted", True)):
            if seen.json.get(name) != wanted:
                yield seen.finding(f"{name} is wrong", place=f"/{name}", expected=wanted, actual=seen.json.get(name))


def _undead(exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange | None:
    response = exchange.response
    if response is None or response.status != 404 or exchange.request.method != "GET":
        return None
    for past in reversed(earlier):
        if past.ok and past.response and past.request.method == "GET" and past.request.url == exchange.request.url:
            return exchange.answered(past.response)
    return None


@trace_check(
    "lifecycle.deleted.gone",
    Level.MUST,
    clause="state-deleted-gone",
    counterexample=_undead,
    scenarios=LIVES,
)
def deleted_gone(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A deleted object is not found any more."""
    sent = trace.role("delete")
    if not sent or not sent[-1].exchange.ok:
        yield from _needs(trace, "create", "delete")
        return
    gone = trace.role("deleted")
    if not gone:
        yield sent[-1].finding("the object was not asked for after its deletion", outcome=Outcome.NOT_TESTABLE)
    elif (gone[-1].exchange.status or 500) >= 500:
        yield gone[-1].finding("the target failed", outcome=Outcome.NOT_TESTABLE)
    elif gone[-1].exchange.status != 404:
        yield gone[-1].finding(
            "the deleted object is still there", place="status", expected=404, actual=gone[-1].exchange.status
        )
    elif len(gone) > 1:
        yield gone[0].finding("the object vanished only later", place="status", outcome=Outcome.WARN)


def _deleted_twice(exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange | None:
    response = exchange.response
    if response is None or exchange.request.method != "DELETE" or response.status != 404:
        return None
    for past in reversed(earlier):
        if past.request.url == exchange.request.url and past.request.method == "DELETE" and past.ok and past.response:
            return exchange.answered(evolve(past.response))
    return None


@trace_check(
    "lifecycle.deleted.again",
    Level.OBS,
    clause="state-delete-again",
    counterexample=_deleted_twice,
    scenarios=LIVES,
)
def deleted_again(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """Deleting a second time is not a success; a repeated success is a note."""
    for seen in trace.role("delete-again"):
        if seen.exchange.ok:
            yield seen.finding(
                "the second deletion succeeded too", place="status", expected="4xx", actual=seen.exchange.status
            )
