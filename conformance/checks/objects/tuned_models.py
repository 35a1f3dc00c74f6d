"""Checks of what a job leaves: permissions to use its checkpoints, and copies of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from conformance.checks.objects.lifecycle import one, sent_in
from conformance.checks.objects.lists import items_of
from conformance.evidence.created_ids import created_ids
from conformance.evidence.exchange import Exchange
from conformance.evidence.trace import Observation, Trace
from conformance.judging.check import trace_check
from conformance.judging.counterexamples import asked, on_json, path_of, query_of
from conformance.requests.request import Request
from conformance.scenarios.tuned_models import COPIED, DESTINATION, PROJECTS
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level

PERMISSIONS, COPIES = ("fine_tuning.permissions",), ("fine_tuning.copies",)

_PERMITTED, _LISTED = asked("POST", r"/permissions"), asked("GET", r"/permissions")
_WITHDRAWN = asked("DELETE", r"/permissions/[^/]+")


def _projects(page: Observation) -> list[Any]:
    return [item.get("project_id") for item in items_of(page)]


def _other_project(value: Any, request: Request) -> Any:
    """Counterexample: a permission is given to another project."""
    data = value.get("data")
    return {**value, "data": [{**item, "project_id": "proj_of_another"} for item in data]} if data else None


@trace_check(
    "permissions.given",
    Level.SHOULD,
    clause="checkpoint-permission-given",
    counterexample=on_json(_other_project, when=_PERMITTED),
    scenarios=PERMISSIONS,
)
def given(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """The answer has one permission for each project that was named."""
    for role in ("first", "second"):
        seen = one(trace, role)
        wanted = sent_in(seen).get("project_ids") if seen is not None else None
        if seen is not None and _projects(seen) != wanted:
            yield seen.finding("other projects", place="/data", expected=wanted, actual=_projects(seen))


def _nothing(value: Any, request: Request) -> Any:
    """Counterexample: no permission is listed."""
    if not value.get("data") or query_of(request).keys() & {"after", "limit", "order"}:
        return None
    ends = {name: None for name in ("first_id", "last_id") if name in value}
    return {**value, "data": [], **ends, "has_more": False}


def _ids(trace: Trace, role: str) -> set[str]:
    seen = one(trace, role)
    return set(created_ids(seen.case, seen.exchange).values()) if seen is not None else set()


@trace_check(
    "permissions.listed",
    Level.SHOULD,
    clause="checkpoint-permissions",
    counterexample=on_json(_nothing, when=_LISTED),
    scenarios=PERMISSIONS,
    entails=("permissions.withdrawn", "permissions.project"),
)
def listed(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """Permissions that were given are listed."""
    page = one(trace, "list")
    shown = [item.get("id") for item in items_of(page)] if page is not None else []
    missing = sorted((_ids(trace, "first") | _ids(trace, "second")) - set(map(str, shown)))
    if page is not None and missing:
        yield page.finding("a permission is not listed", place="/data", expected=missing, actual=shown)


def _every_project(exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: the permissions of one project are those of all."""
    if not _LISTED(exchange) or "project_id" not in query_of(exchange.request):
        return None
    same = (x for x in earlier if _LISTED(x) and path_of(x.request) == path_of(exchange.request) and x.ok)
    whole = next((x.response for x in same if not query_of(x.request).keys() & {"project_id", "limit"}), None)
    return exchange.answered(whole) if whole is not None else None


def _strangers(value: Any, request: Request) -> Any:
    """Witness: the permissions of one project are those of another."""
    return _other_project(value, request) if "project_id" in query_of(request) else None


@trace_check(
    "permissions.project",
    Level.SHOULD,
    clause="checkpoint-permission-project",
    counterexample=_every_project,
    witness=on_json(_strangers, when=_LISTED),
    scenarios=PERMISSIONS,
)
def of_project(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A list that is asked for one project shows the permissions of this project, and no others."""
    page = one(trace, "list.project")
    shown = _projects(page) if page is not None else []
    if page is not None and (not shown or any(project != PROJECTS[0] for project in shown)):
        yield page.finding("permissions of other projects", place="/data", expected=PROJECTS[:1], actual=shown)


def _kept(exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: a permission that was withdrawn is still listed."""
    if not _LISTED(exchange) or not any(_WITHDRAWN(x) and x.ok for x in earlier):
        return None
    before = next((x.response for x in earlier if x.request.url == exchange.request.url and x.ok), None)
    return exchange.answered(before) if before is not None and "limit=" not in exchange.request.url else None


def _emptied(value: Any, request: Request) -> Any:
    """Witness: no permission is left."""
    return {**value, "data": []} if value.get("data") else None


@trace_check(
    "permissions.withdrawn",
    Level.SHOULD,
    clause="checkpoint-permissions",
    counterexample=_kept,
    witness=on_json(_emptied, when=_LISTED),
    scenarios=PERMISSIONS,
)
def withdrawn(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A permission that was withdrawn is listed no more, and the other one still is."""
    page = one(trace, "list-after")
    if page is None:
        return
    shown = {str(item.get("id")) for item in items_of(page)}
    for id in sorted(_ids(trace, "first") & shown):
        yield page.finding("the permission is still listed", place="/data", actual=id)
    for id in sorted(_ids(trace, "second") - shown):
        yield page.finding("another permission is gone too", place="/data", expected=id, actual=sorted(shown))


def _places(value: Any) -> list[Any]:
    found = value.get("copiedAccountDetails") if isinstance(value, dict) else None
    return [detail for detail in found if isinstance(detail, dict)] if isinstance(found, list) else []


def _elsewhere(value: Any, request: Request) -> Any:
    """Counterexample: the copy goes to another region."""
    found = _places(value)
    return {**value, "copiedAccountDetails": [{**detail, "region": "nowhere"} for detail in found]} if found else None


@trace_check(
    "copies.place",
    Level.SHOULD,
    clause="checkpoint-copy-place",
    counterexample=on_json(_elsewhere),
    scenarios=COPIES,
)
def place(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A copy names the job, and the resource and the region that were asked for."""
    for role in ("copy", "copy.get"):
        seen = one(trace, role)
        if seen is None:
            continue
        job = seen.case.bindings.get("job.0")
        if seen.json.get("fineTuningJobId") != job:
            yield seen.finding(
                "another job", place="/fineTuningJobId", expected=job, actual=seen.json.get("fineTuningJobId")
            )
        found = [{name: detail.get(name) for name in DESTINATION} for detail in _places(seen.json)]
        if DESTINATION not in found:
            yield seen.finding(
                "the destination is missing", place="/copiedAccountDetails", expected=DESTINATION, actual=found
            )


def _states(seen: Observation) -> list[Any]:
    return [detail.get("status") for detail in _places(seen.json)]


def _unfinished(exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: a finished copy is in progress again."""
    response = exchange.response
    before = [x for x in earlier if x.ok and x.response and x.request.method == "GET"
              and x.request.url == exchange.request.url]  # fmt: skip
    if response is None or not before or not exchange.ok or exchange.request.method != "GET":
        return None
    found = _places(response.json)
    ended = _places(before[-1].response.json if before[-1].response else None)
    if not found or [detail.get("status") for detail in ended] != [detail.get("status") for detail in found]:
        return None
    again = [{**detail, "status": "InProgress"} for detail in found]
    return exchange.answered(response.with_json({**response.json, "copiedAccountDetails": again}))


@trace_check(
    "copies.end.stays",
    Level.SHOULD,
    clause="checkpoint-copy-ends",
    counterexample=_unfinished,
    scenarios=COPIES,
)
def end_stays(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A copy that has ended keeps its state."""
    last, again = one(trace, "copy.get"), one(trace, "copy.again")
    if last is None or again is None:
        return
    before, after = _states(last), _states(again)
    if before and all(state in COPIED for state in before) and after != before:
        yield again.finding("the state changed", place="/copiedAccountDetails", expected=before, actual=after)
