"""Preflight: what it sends, what stops it, and what it finds out."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from served import nobody

from conformance.errors import Unreachable, UsageError
from conformance.spec.spec import Spec
from conformance.target.guards import with_undo
from conformance.target.preflight import Preflight, preflight, probes
from conformance.target.target import Target
from conformance.verdict import Outcome

from .conftest import Board

Open = Callable[..., Target]
BAD = (400, {"error": {"code": "BadRequest", "message": "messages is missing"}})


def error(status: int, code: str) -> Callable[[str, str, Any, int], tuple[int, Any]]:
    return lambda method, path, body, number: (status, {"error": {"code": code, "message": "no"}})


def good(method: str, path: str, body: Any, number: int) -> tuple[int, Any]:
    return BAD if method == "POST" else (200, {"object": "list", "data": []})


def test_probes_create_nothing_and_spend_nothing(spec: Spec) -> None:
    made = probes(spec, frozenset({"chat", "completions", "embeddings"}))
    assert {case.operation for case in made} >= {"chat.completions.create", "embeddings.create", "assistants.list"}
    assert all(case.method == "GET" or case.json == {} for case in made)
    assert all(with_undo(case, spec) is case for case in made)
    assert sum(case.cost.tokens for case in made) == 0


def test_a_good_target_has_nothing_missing(board: Board, spec: Spec, target_for: Open) -> None:
    board.answer = good
    found = preflight(target_for(), spec)
    assert (found.verdicts(), found.requests) == ((), len(board.seen))
    assert found.control is not None


def test_no_connection_is_unreachable_and_names_the_url(spec: Spec, target_for: Open) -> None:
    with nobody() as url, pytest.raises(Unreachable, match=url) as stop:
        preflight(target_for(url=url), spec)
    assert stop.value.exit_code == 3
    assert "\n" not in str(stop.value)


@pytest.mark.parametrize(("status", "requests"), [(401, 1), (403, 2)])
def test_a_refused_key_stops_at_once(board: Board, spec: Spec, target_for: Open, status: int, requests: int) -> None:
    """A single 403 may concern one resource, so a second one is asked."""
    board.answer = error(status, str(status))
    with pytest.raises(UsageError, match=f"refused the key with {status}") as stop:
        preflight(target_for(), spec)
    assert stop.value.exit_code == 2
    assert requests == len(board.seen)


@pytest.mark.parametrize("forbidden", ["assistants", "chat", "files", "models"])
def test_a_forbidden_resource_stops_no_run(board: Board, spec: Spec, target_for: Open, forbidden: str) -> None:
    """Wherever it stands among the others, whose answers show that the key is accepted."""
    board.answer = lambda m, p, b, n: (403, {"error": {"code": "403"}}) if forbidden in p else good(m, p, b, n)
    found = preflight(target_for(), spec)
    assert (True, ()) == (found.accepted, found.verdicts())


def test_a_target_that_wants_a_key_and_gets_none_stops_after_one_request(
    board: Board, spec: Spec, target_for: Open
) -> None:
    board.answer = error(401, "401")
    with pytest.raises(UsageError, match="wants a key") as stop:
        preflight(target_for(auth="none"), spec)
    assert stop.value.exit_code == 2
    assert len(board.seen) == 1


def test_a_missing_deployment_is_named(board: Board, spec: Spec, target_for: Open) -> None:
    board.answer = error(404, "DeploymentNotFound")
    with pytest.raises(UsageError, match="no deployment 'model'"):
        preflight(target_for(), spec)


@pytest.mark.parametrize("status", [200, 429, 500])
def test_any_other_answer_goes_on(board: Board, spec: Spec, target_for: Open, status: int) -> None:
    board.answer = lambda method, path, body, number: (status, "anything")
    assert preflight(target_for(retries=0), spec).verdicts() == ()


def test_a_resource_that_is_not_served_is_one_failure(board: Board, spec: Spec, target_for: Open) -> None:
    board.answer = lambda m, p, b, n: (404, {"error": {"code": "404"}}) if "assistants" in p else good(m, p, b, n)
    found = preflight(target_for(), spec)
    assert [(v.scenario, v.outcome) for v in found.verdicts()] == [("resource.assistants", Outcome.FAIL)]
    assert found.missing("assistants.get", "assistants") is not None
    assert found.missing("chat.completions.create", "chat") is None


def test_a_listed_resource_may_be_missing(board: Board, spec: Spec, target_for: Open) -> None:
    board.answer = lambda m, p, b, n: (404, {}) if "assistants" in p else good(m, p, b, n)
    assert preflight(target_for(unsupported={"assistants": "retired"}), spec).verdicts() == ()


@pytest.mark.parametrize("glob", ["assistants", "assistants.*", "assistants*", "*"])
@pytest.mark.parametrize(
    "answer",
    [
        (404, {"error": {"code": "404", "message": "Resource not found"}}),
        (404, {}),
        (405, {}),
        (410, {}),
        (501, {}),
        (500, {}),
        (503, {}),
        (429, {}),
        (400, {"error": {"code": "BadRequest", "message": "Assistants are not supported in this region"}}),
        (400, {"error": {"code": "OperationNotSupported", "message": "no"}}),
    ],
)
def test_a_listed_resource_is_not_held_against_the_target_whatever_its_form(
    board: Board, spec: Spec, target_for: Open, glob: str, answer: tuple[int, Any]
) -> None:
    """``"x"`` and ``"x.*"`` mean the resource; no refusal of a whole resource is taken for serving it."""
    board.answer = lambda m, p, b, n: answer if "assistants" in p else good(m, p, b, n)
    found = preflight(target_for(unsupported={glob: "retired"}, retries=0), spec)
    assert [] == [v.scenario for v in found.verdicts() if "assistants" in v.scenario]


def test_a_single_listed_operation_leaves_the_rest_of_its_resource_claimed(
    board: Board, spec: Spec, target_for: Open
) -> None:
    board.answer = lambda m, p, b, n: (404, {"error": {"code": "404"}}) if "assistants" in p else good(m, p, b, n)
    found = preflight(target_for(unsupported={"assistants.delete": "never"}), spec)
    (verdict,) = found.verdicts()
    assert ("resource.assistants", Outcome.FAIL) == (verdict.scenario, verdict.outcome)
    assert '"assistants.*" = ' in verdict.reason


def test_a_listed_operation_that_is_served_warns(board: Board, spec: Spec, target_for: Open) -> None:
    board.answer = good
    found = preflight(target_for(unsupported={"assistants*": "retired"}), spec)
    assert [(v.scenario, v.outcome) for v in found.verdicts()] == [("served.assistants.list", Outcome.WARN)]


def test_what_was_found_travels_as_json(board: Board, spec: Spec, target_for: Open) -> None:
    board.answer = lambda m, p, b, n: (404, {}) if "assistants" in p else good(m, p, b, n)
    found = preflight(target_for(), spec)
    assert Preflight.from_json(found.to_json()) == found


def test_requests_are_in_flight_together_once_an_answer_shows_that_the_key_is_accepted(
    board: Board, spec: Spec, target_for: Open
) -> None:
    """The first is answered alone; of the next four none is answered before all four have arrived."""
    together = threading.Barrier(4)

    def answer(method: str, path: str, body: Any, number: int) -> tuple[int, Any]:
        if 2 <= number <= 5:
            together.wait(30)
        return good(method, path, body, number)

    board.answer = answer
    found = preflight(target_for(), spec, 4)
    assert ((), len(board.seen), 4) == (found.verdicts(), found.requests, board.most)


@pytest.mark.parametrize(("status", "requests"), [(401, 1), (403, 2)])
def test_a_refused_key_stops_at_once_however_many_may_be_in_flight(
    board: Board, spec: Spec, target_for: Open, status: int, requests: int
) -> None:
    """More requests with a wrong key could lock an account."""
    board.answer = error(status, str(status))
    with pytest.raises(UsageError, match=f"refused the key with {status}"):
        preflight(target_for(), spec, 8)
    assert requests == len(board.seen)


def test_what_is_found_is_the_same_however_many_are_in_flight(board: Board, spec: Spec, target_for: Open) -> None:
    """Also what is missing, in which order, and which request showed it."""
    board.answer = lambda m, p, b, n: (404, None) if "assistants" in p else good(m, p, b, n)
    assert preflight(target_for(), spec).to_json() == preflight(target_for(), spec, 8).to_json()
