"""A response that ended joins its conversation; one that failed need not."""

from __future__ import annotations

from collections.abc import Callable

import offline
import pytest

from conformance.checks.catalogue import all_checks
from conformance.emulator.app import App
from conformance.emulator.call import Call
from conformance.emulator.edits import with_fields
from conformance.emulator.handlers import Handler
from conformance.emulator.mutants import mutants
from conformance.emulator.store import Clock
from conformance.emulator.variants import wrap
from conformance.evidence.exchange import Response
from conformance.judging.judge import judge
from conformance.requests.profile import Profile
from conformance.scenarios.registry import scenarios_of
from conformance.spec.loading import load, versions
from conformance.verdict import Outcome

VERSIONS = [name for name in versions(drafts=True) if load(name).has("responses.conversation")]

Change = Callable[[Call, Handler], Response]


def ended_as(status: str) -> Change:
    def change(call: Call, answer: Handler) -> Response:
        return with_fields(answer(call), status=status)

    return change


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("status", "outcome"),
    [("completed", Outcome.FAIL), ("incomplete", Outcome.FAIL), ("failed", Outcome.NOT_APPLICABLE)],
)
def test_only_a_response_that_ended_must_be_in_the_conversation(version: str, status: str, outcome: Outcome) -> None:
    spec = load(version)
    app = mutants()["conversations.response-not-added"].apply(App([spec], clock=Clock.fixed()))
    app = wrap(app, ("responses.create",), ended_as(status))
    scenario = next(one for one in scenarios_of(spec, Profile.STANDARD) if one.id == "conversations.response")
    trace = offline.play(spec, scenario, offline.answering(app, spec), wait=app.clock.advance)
    assert outcome is judge(spec, all_checks()["conversations.response.joined"], trace).outcome
