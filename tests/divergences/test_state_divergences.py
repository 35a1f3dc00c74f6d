"""Divergences of files, stores and lists that were seen in the wild: caught where wrong, quiet where right."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import offline
import pytest
from attrs import field, frozen
from wild_answers import (
    DATED,
    EITHER,
    V1,
    Wild,
    error,
    failures,
    form,
    in_newest,
    named_with_version,
    objections,
    observed,
    plain,
    spec_of,
)

from conformance.checks.catalogue import all_checks
from conformance.emulator.app import App
from conformance.emulator.store import Clock
from conformance.evidence.exchange import Exchange, Response
from conformance.judging.judge import judge
from conformance.requests.case import Case
from conformance.requests.profile import Profile
from conformance.requests.request import Request
from conformance.run.selection import items_of
from conformance.scenarios.registry import scenarios_of
from conformance.verdict import Outcome

AREAS = ("pagination", "files-batches")

Change = Callable[[Case, Exchange], Response | None]


@frozen
class Lived:
    """A divergence that only a whole scenario can show: the emulator's answers with some of them changed."""

    id: str
    what: str
    scenario: str
    change: Change = field(repr=False)
    by: tuple[str, ...]
    version: str = V1

    @property
    def name(self) -> str:
        """For test ids."""
        return f"{self.id}-{self.what.replace(' ', '-')}"


def _late(case: Case, exchange: Exchange) -> Response | None:
    """A store that the other worker doesn't know."""
    return error(404, "404", "No vector store found") if case.role == "get" else None


def _nameless(case: Case, exchange: Exchange) -> Response | None:
    """A file whose name got lost on the way."""
    response = exchange.response
    if response is None or not exchange.ok or "filename" not in (response.json or {}):
        return None
    return response.with_json({**response.json, "filename": "upload"})


def _elsewhere(case: Case, exchange: Exchange) -> Response | None:
    """Files under another path."""
    return error(404, "404", "Resource not found") if case.operation == "files.upload" else None


LIVED = (
    Lived("DIV-166", "files under deployments", "files.content", _elsewhere, ("http.accepted",)),
    Lived("DIV-169", "not found after creation", "lifecycle.vector_stores", _late, ("lifecycle.get.same",)),
    Lived("DIV-173", "name lost", "files.content", _nameless, ("files.as-sent",)),
)


def _pending() -> Change:
    """A file that is processed at the third look; until then no batch can be made of it."""
    looks = 0

    def change(case: Case, exchange: Exchange) -> Response | None:
        nonlocal looks
        response = exchange.response
        looks += case.role == "rows.file"
        if response is None or not exchange.ok or looks > 2:
            return None
        if case.operation == "batches.create":
            return error(400, "invalid_request", "the file is not processed")
        return response.with_json({**response.json, "status": "pending"}) if case.role.startswith("rows.") else None

    return change


def _other_endpoint() -> Change:
    """A batch that tells its endpoint in the other of two spellings."""

    def change(case: Case, exchange: Exchange) -> Response | None:
        response = exchange.response
        if response is None or not exchange.ok or not case.operation.startswith("batches."):
            return None
        return response.with_json({**response.json, "endpoint": response.json["endpoint"].removeprefix("/v1")})

    return change


#: The true service in whole scenarios of v1: divergence → (scenario, what makes the change for each play).
RIGHT_LIVES: Mapping[str, tuple[str, Callable[[], Change]]] = {
    # A file is processed before its batch.
    "DIV-165": ("batches.results", _pending),
    # The endpoint is told without its version.
    "DIV-167": ("batches.results", _other_endpoint),
}

BARE = {"object": "list", "data": []}
UPLOAD = form(purpose="assistants", file=("a.txt", b"hello", ""))
PAGE = {
    "object": "list",
    "data": [
        {"id": f"file-{n}", "object": "vector_store.file", "created_at": 1_700_000_000 - n, "usage_bytes": 1,
         "vector_store_id": "vect_1", "status": "completed", "last_error": None}
        for n in range(20)
    ],
    "first_id": "file-0", "last_id": "file-19", "has_more": True,
}  # fmt: skip

#: The true service, and forms that are both right.
RIGHT = (
    Wild("DIV-171", "part without a type", "files.upload", UPLOAD,
         right=error(400, "invalidPayload", "no content type"), version=V1, more=EITHER),
    Wild("DIV-172", "part with a length", "files.upload", UPLOAD,
         right=error(400, "invalidPayload", "an invalid purpose"), version=V1, more=EITHER),
    Wild("DIV-175", "nulls on an empty list", "assistants.list",
         right=plain({**BARE, "first_id": None, "last_id": None, "has_more": False})),
    Wild("DIV-177", "twenty by default", "vector_stores.files.list", right=plain(PAGE)),
)  # fmt: skip

#: A list without the fields that clients page by: wrong where they are documented.
BARE_LIST = Wild("DIV-176", "no ends", "assistants.list", bad=plain(BARE), by=("schema.response",))


def _judged(id: str, version: str, change: Change | None) -> dict[str, Outcome]:
    spec = spec_of(version)
    app = App([spec], clock=Clock.fixed())
    good = offline.answering(app, spec)

    def answer(case: Case, request: Request) -> Exchange:
        exchange = good(case, request)
        made = change(case, exchange) if change is not None else None
        return exchange if made is None else exchange.answered(made)

    (scenario,) = [one for one in scenarios_of(spec, Profile.STANDARD) if one.id == id]
    trace = offline.play(spec, scenario, answer, wait=app.clock.advance)
    items = items_of(spec, (scenario,), all_checks().values())
    return {item.check.id: judge(spec, item.check, trace).outcome for item in items}


@pytest.mark.parametrize("lived", LIVED, ids=lambda lived: lived.name)
def test_a_wrong_state_is_caught(lived: Lived) -> None:
    outcomes = _judged(lived.scenario, lived.version, lived.change)
    assert dict.fromkeys(lived.by, Outcome.FAIL) == {name: outcomes[name] for name in lived.by}


@pytest.mark.parametrize("lived", LIVED, ids=lambda lived: lived.name)
def test_the_right_state_raises_nothing(lived: Lived) -> None:
    outcomes = _judged(lived.scenario, lived.version, None)
    assert {} == {k: v for k, v in outcomes.items() if v not in (Outcome.PASS, Outcome.NOT_APPLICABLE)}


@pytest.mark.parametrize("id", RIGHT_LIVES)
def test_the_true_service_raises_no_failure(id: str) -> None:
    scenario, change = RIGHT_LIVES[id]
    outcomes = _judged(scenario, "v1", change())
    loud = (Outcome.FAIL, Outcome.WARN, Outcome.ERROR, Outcome.NOT_TESTABLE)
    assert {} == {name: outcome for name, outcome in outcomes.items() if outcome in loud}


@pytest.mark.parametrize("wild", RIGHT, ids=lambda wild: wild.name)
def test_the_right_answer_raises_no_failure(wild: Wild) -> None:
    assert {} == failures(wild)


@pytest.mark.prove
@pytest.mark.parametrize("wild", in_newest(RIGHT), ids=named_with_version)
def test_the_right_answer_raises_no_failure_in_the_newest_versions(wild: Wild) -> None:
    assert {} == failures(wild)


def test_a_list_without_its_fields_is_caught_where_they_are_documented() -> None:
    assert set(BARE_LIST.by) <= set(objections(observed(BARE_LIST, BARE_LIST.bad), DATED))
    assert {} == failures(BARE_LIST)


def test_every_divergence_of_these_areas_is_played_or_listed() -> None:
    file = Path(__file__).resolve().parents[3] / "shared" / "reference" / "divergences.json"
    if not file.is_file():
        pytest.skip("the catalogue does not come with the checkout")
    wanted = {one["id"] for one in json.loads(file.read_text("utf-8")) if one["area"] in AREAS}
    caught, right = {one.id for one in LIVED} | {BARE_LIST.id}, {one.id for one in RIGHT} | set(RIGHT_LIVES)
    counts = f"{len(wanted)} divergences: {len(caught)} caught, {len(right)} right and quiet"
    print("\n" + counts)  # noqa: T201 - pytest -s shows the count
    assert wanted == caught | right
