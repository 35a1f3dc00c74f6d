"""What the document of v1 lets its newest operations answer, and our emulator doesn't, raises nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from typing import Any

import offline
import pytest
from attrs import evolve, field, frozen
from wild_answers import error, plain

from conformance.checks.catalogue import all_checks
from conformance.emulator.app import App
from conformance.emulator.store import Clock
from conformance.evidence.exchange import Exchange, Response
from conformance.judging.judge import judge
from conformance.requests.case import Case
from conformance.requests.profile import Profile
from conformance.requests.request import Request
from conformance.run.selection import corpus_of, items_of
from conformance.scenarios.registry import scenarios_of
from conformance.scenarios.scenario import Scenario
from conformance.settings.options import Options
from conformance.spec.loading import load
from conformance.verdict import Outcome

VERSION = "v1"

PERMISSIONS = "fine_tuning.checkpoints.permissions"
COPIES = "fine_tuning.jobs.checkpoints.copies"

#: Another answer in place of the emulator's, or None where it stays.
Change = Callable[[Response], Response | None]


@frozen
class Neighbour:
    """A legal answer. ``statuses``: only answers with one of them are changed; empty for all that succeed."""

    what: str
    operations: str
    change: Change = field(repr=False)
    statuses: tuple[int, ...] = ()


def edited(change: Callable[[Any], Any]) -> Change:
    """A change of a JSON object, which gets a copy and returns another value."""

    def made(response: Response) -> Response | None:
        return response.with_json(change(dict(response.json))) if response.is_json else None

    return made


def each(change: Callable[[Any], Any]) -> Change:
    """A change of each object of a page."""
    return edited(lambda page: {**page, "data": [change(one) for one in page["data"]]})


def without(*names: str) -> Change:
    return edited(lambda value: {name: held for name, held in value.items() if name not in names})


def with_fields(**more: Any) -> Change:
    return edited(lambda value: {**value, **more})


def details(*states: str) -> Change:
    """The first destination of a copy once for each state, the others in other regions."""

    def change(value: Any) -> Any:
        first = value["copiedAccountDetails"][0]
        kept = [{**first, "status": state} for state in states]
        return {**value, "copiedAccountDetails": [*kept[:1], *({**one, "region": "westus"} for one in kept[1:])]}

    return edited(change)


def refused(status: int, code: str | None) -> Change:
    return lambda _: error(status, code, "It can't be found.")


def headed(name: str, change: Callable[[str], str]) -> Change:
    """A change of a header field."""

    def made(response: Response) -> Response:
        kept = tuple((key, change(text) if key.lower() == name else text) for key, text in response.headers)
        return evolve(response, headers=kept)

    return made


SESSION = {
    "object": "realtime.session",
    "id": "sess_1",
    "model": "gpt-realtime",
    "output_modalities": ["audio"],
    "instructions": "",
    "tools": [],
    "tool_choice": "auto",
    "max_output_tokens": "inf",
    "tracing": "auto",
    "expires_at": 0,
    "include": [],
}


def with_session(value: Any) -> Any:
    """A conversation as the service tells it, with the defaults of all that was not sent."""
    if value["session"]["type"] != "realtime":
        return value
    return {**value, "session": {**SESSION, **value["session"]}}


NEIGHBOURS = (
    Neighbour("a page of permissions without its ends", f"{PERMISSIONS}.list", without("first_id", "last_id")),
    Neighbour("a page of permissions whose ends are null", f"{PERMISSIONS}.list",
              with_fields(first_id=None, last_id=None)),
    Neighbour("permissions that say who gave them", f"{PERMISSIONS}.[cl]*",
              each(lambda one: {**one, "given_by": None})),
    Neighbour("a project that nobody knows", f"{PERMISSIONS}.create", refused(404, "project_not_found")),
    Neighbour("a permission that is withdrawn without a word", f"{PERMISSIONS}.delete", lambda _: Response(204)),
    Neighbour("a copy that is refused", f"{COPIES}.create", refused(400, "InvalidDestination")),
    Neighbour("a copy to a resource that can't be found", f"{COPIES}.create", refused(404, "ResourceNotFound")),
    Neighbour("a copy that failed at once", f"{COPIES}.*", details("Failed")),
    Neighbour("a copy that is completed at once", f"{COPIES}.*", details("Completed")),
    Neighbour("a copy that goes to two regions", f"{COPIES}.*", details("Completed", "InProgress")),
    Neighbour("a copy in a state of a newer service", f"{COPIES}.*", details("Queued")),
    Neighbour("a copy that says more", f"{COPIES}.*", with_fields(createdAt="2026-01-01T00:00:00Z", error=None)),
    Neighbour("a deleted model of another kind of object", "models.delete", with_fields(object="model.deleted")),
    Neighbour("a deleted model that says more", "models.delete", with_fields(owned_by="me", status="deleted")),
    Neighbour("a model that is deleted without a word", "models.delete", lambda _: Response(204)),
    Neighbour("a model that is gone, without a code", "models.*", refused(404, None), (404,)),
    Neighbour("a secret with the session's defaults", "realtime.client_secrets.create", edited(with_session)),
    Neighbour("a secret that ends a second later", "realtime.client_secrets.create",
              edited(lambda one: {**one, "expires_at": one["expires_at"] + 1})),
    Neighbour("a secret of another form", "realtime.client_secrets.create", with_fields(value="a.b-c_d/e+f==")),
    Neighbour("a secret with an id", "realtime.client_secrets.create", with_fields(id="cs_1", object="client_secret")),
    Neighbour("a call with a whole address", "realtime.calls.create",
              headed("location", lambda path: f"https://example.openai.azure.com{path}")),
    Neighbour("a call below another path", "realtime.calls.create",
              headed("location", lambda path: f"/v1/realtime/calls/{path.rpartition('/')[2]}")),
    Neighbour("a call described with line feeds", "realtime.calls.create",
              lambda response: response.with_body(response.body.replace(b"\r\n", b"\n"))),
    Neighbour("a description with its charset", "realtime.calls.create",
              headed("content-type", lambda media: f"{media}; charset=utf-8")),
    Neighbour("a call that ends with an object", "realtime.calls.hangup",
              lambda _: plain({"id": "rtc_1"})),
    Neighbour("a call that is over already", "realtime.calls.hangup", refused(409, "call_ended"), (404,)),
    Neighbour("a call that nobody knows", "realtime.calls.*", refused(400, None), (404,)),
    Neighbour("a container without what is optional", "containers.*",
              without("last_active_at", "expires_after", "memory_limit")),
    Neighbour("a container in a state of a newer service", "containers.get", with_fields(status="warming")),
    Neighbour("a batch with the usage of its rows", "batches.get", with_fields(usage={
        "input_tokens": 3, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 3,
        "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 6})),
    Neighbour("a batch without times between", "batches.*", without("in_progress_at", "finalizing_at", "expires_at")),
)  # fmt: skip

#: Tried with every change; all of them in ``tox -e prove``.
SAMPLED = ("a page of permissions without its ends", "a call with a whole address")


def about(operations: str) -> Iterator[Scenario]:
    """The scripts and the corpora with operations of a pattern."""
    spec = load(VERSION)
    for scenario in scenarios_of(spec, Profile.STANDARD):
        if not scenario.cases and any(fnmatchcase(id, operations) for id in scenario.operations):
            yield scenario
    yield from corpus_of(spec, Options(operations=(operations,)))


@pytest.mark.parametrize(
    "neighbour",
    [
        pytest.param(one, id=one.what.replace(" ", "-"), marks=() if one.what in SAMPLED else pytest.mark.prove)
        for one in NEIGHBOURS
    ],
)
def test_a_legal_answer_raises_nothing(neighbour: Neighbour) -> None:
    spec = load(VERSION)
    app, changed = App([spec], clock=Clock.fixed()), 0
    good = offline.answering(app, spec)

    def answer(case: Case, request: Request) -> Exchange:
        nonlocal changed
        exchange = good(case, request)
        response = exchange.response
        # A probe breaks something else, and what comes of that is not the neighbour's matter.
        if response is None or not fnmatchcase(case.operation, neighbour.operations) or "probe" in case.role:
            return exchange
        if response.status not in neighbour.statuses if neighbour.statuses else not exchange.ok:
            return exchange
        made = neighbour.change(response)
        changed += made is not None
        return exchange if made is None else exchange.answered(made)

    loud = []
    for scenario in about(neighbour.operations):
        trace = offline.play(spec, scenario, answer, wait=app.clock.advance)
        for item in items_of(spec, (scenario,), all_checks().values()):
            verdict = judge(spec, item.check, trace)
            if verdict.outcome in (Outcome.FAIL, Outcome.WARN, Outcome.ERROR):
                loud.append(f"{verdict.check} {scenario.id}: {verdict.reason or verdict.findings[:1]}")
    assert changed
    assert [] == loud
