"""The order of evals is judged however many evals other clients make in the meantime."""

from __future__ import annotations

import offline
import pytest

from conformance.checks.catalogue import find_check
from conformance.emulator.app import App
from conformance.emulator.store import Clock
from conformance.evidence.exchange import Exchange
from conformance.evidence.trace import Trace
from conformance.judging.judge import judge
from conformance.requests.case import Case
from conformance.requests.profile import Profile
from conformance.requests.request import Request
from conformance.scenarios.registry import scenarios_of
from conformance.spec.loading import load, versions
from conformance.spec.operations import operations_of
from conformance.verdict import Outcome

CHECK = find_check("evals.order-by")
VERSIONS = [name for name in versions() if "evals.list" in operations_of(load(name))]


def crowded(version: str, *, ignored: bool = False) -> Trace:
    """The scenario's trace, where others have made 150 evals before its lists are asked for.

    ``ignored``: the target takes no notice of ``order_by``.
    """
    spec = load(version)
    app = App([spec], clock=Clock.fixed())
    answer = offline.answering(app, spec)

    def among_others(case: Case, request: Request) -> Exchange:
        if case.role == "by.created_at.older":
            for name in ("evals", "evals-by-change"):
                first = next(iter(app.store.collection(name)))
                for number in range(150):
                    app.store.collection(name).put(f"eval_{number}", {**first, "id": f"eval_{number}"})
        if ignored and case.role.startswith("by."):
            request = Request(request.method, request.url.replace("updated_at", "created_at"), request.headers)
        return answer(case, request)

    (scenario,) = [one for one in scenarios_of(spec, Profile.STANDARD) if one.id == "evals.order-by"]
    return offline.play(spec, scenario, among_others, wait=app.clock.advance)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_crowd_of_evals_hides_nothing(version: str) -> None:
    verdict = judge(load(version), CHECK, crowded(version))
    assert (Outcome.PASS, True) == (verdict.outcome, bool(verdict.witness))


@pytest.mark.parametrize("version", VERSIONS)
def test_an_order_that_is_ignored_is_noticed_in_the_crowd(version: str) -> None:
    (finding,) = judge(load(version), CHECK, crowded(version, ignored=True)).findings
    assert "not ordered by updated_at" == finding.message
