"""Pages, paginations and lifecycles made by hand, which need no target."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from conformance.checks.catalogue import find_check
from conformance.evidence.exchange import Exchange, Response
from conformance.evidence.trace import Observation, Trace
from conformance.judging.judge import judge
from conformance.requests.case import Case, Expect
from conformance.requests.request import Request
from conformance.spec.loading import load
from conformance.verdict import Finding, Outcome

SPEC = load("2024-05-01-preview")
LIST = "assistants.list"

Query = dict[str, str]


def asked(query: Query | None = None, method: str = "GET", path: str = "/assistants") -> Request:
    """A request with a query."""
    pairs = "".join(f"&{name}={value}" for name, value in (query or {}).items())
    return Request(method, f"http://t.example/openai{path}?api-version=v{pairs}")


def answered(value: Any, query: Query | None = None, *, status: int = 200, method: str = "GET") -> Exchange:
    """An exchange with a JSON answer; None for an answer without a body."""
    bare = Response(status, (("content-type", "application/json"),))
    return Exchange(asked(query, method), bare if value is None else bare.with_json(value))


def objects(ids: str, times: Sequence[Any] = (), **more: Any) -> list[dict[str, Any]]:
    """One object for each letter, with its time of creation where one is given."""
    stamps = [{"created_at": stamp} for stamp in times] or [{}] * len(ids)
    return [{"id": id, **stamp, **more} for id, stamp in zip(ids, stamps, strict=True)]


def page(ids: str, times: Sequence[Any] = (), **more: Any) -> dict[str, Any]:
    """A whole page of objects, its ends told."""
    ends = {"first_id": ids[0] if ids else None, "last_id": ids[-1] if ids else None}
    return {"object": "list", "data": objects(ids, times), **ends, "has_more": False, **more}


def seen(
    role: str,
    value: Any = None,
    query: Query | None = None,
    *,
    status: int = 200,
    cursor: str = "",
    expect: Expect = Expect.ACCEPT,
    operation: str = LIST,
    bindings: Query | None = None,
    step: str = "",
    creates: Query | None = None,
) -> Observation:
    """One step of a scenario with its answer. ``step`` tells apart what is sent twice."""
    bound = {**({"cursor": cursor} if cursor else {}), **(bindings or {})}
    pairs = tuple((query or {}).items())
    case = Case(
        operation,
        "GET",
        "/assistants",
        query=pairs,
        role=role,
        expect=expect,
        bindings=bound,
        step=step,
        creates=creates or {},
    )
    return Observation(case, answered(value, query, status=status))


def created(ids: str) -> list[Observation]:
    """The creations of a walk's objects, oldest first."""
    return [
        seen("create", {"id": id}, operation="assistants.create", step=id, creates={"assistant_id": "/id"})
        for id in ids
    ]


def walk(role: str, *pages: str, after: str = "", more: bool = False, query: Query | None = None) -> list[Observation]:
    """The pages of a walk. All but the last say that more follows; ``after`` is the object that it starts after."""
    found = []
    for number, ids in enumerate(pages):
        value = page(ids, has_more=number < len(pages) - 1 or more)
        before = after if number == 0 else pages[number - 1][-1:]
        start = {"after": before} if number or after else {}
        cursor = after if number == 0 else ""
        found.append(seen(role, value, {**(query or {}), **start}, cursor=cursor, step=f"{role}.{number}"))
    return found


def trace(*parts: Sequence[Observation], **more: Any) -> Trace:
    """A scenario of these observations."""
    return Trace("lists.assistants", tuple(one for part in parts for one in part), **more)


def spoken(check: str, story: Trace) -> list[Finding]:
    """What a trace check says."""
    return list(find_check(check).judge(SPEC, story))


def findings(check: str, story: Trace) -> list[tuple[Outcome | None, int]]:
    """What a trace check says: the outcome of each finding, and the number of the observation that it is about."""
    places = {one.case.id: number for number, one in enumerate(story.observations)}
    return [(found.outcome, places.get(found.case_id, -1)) for found in spoken(check, story)]


def unjudged(check: str, story: Trace) -> tuple[Outcome, str]:
    """What the judge says of a story in which a trace check finds nothing: the outcome, and why nothing was judged."""
    assert [] == spoken(check, story)
    verdict = judge(SPEC, find_check(check), story)
    return verdict.outcome, verdict.reason


def outcome(check: str, observation: Observation) -> Outcome:
    """What the rule of an exchange check says by itself: it isn't about the case, it finds something, or nothing."""
    rule = find_check(check)
    if not (rule.covers(observation.case.operation) and rule.about(SPEC, observation.case)):
        return Outcome.NOT_APPLICABLE
    return Outcome.FAIL if list(rule.judge(SPEC, observation)) else Outcome.PASS


def broken(check: str, exchange: Exchange, *earlier: Exchange) -> Any:
    """The JSON answer that the counterexample of a check makes; None where it makes none."""
    made = find_check(check).counterexample(exchange, earlier)
    return made.response.json if made and made.response else None
