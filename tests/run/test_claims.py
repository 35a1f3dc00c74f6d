"""Claims: which requests are not sent, and which checks don't apply."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.requests.case import Case
from conformance.run.claims import Claims
from conformance.scenarios.scenario import Scenario, Script, Settings
from conformance.settings.configuration import Config, Target
from conformance.spec.loading import load
from conformance.spec.spec import Spec
from conformance.target.preflight import Preflight

SPEC = load("2024-05-01-preview")


def script(spec: Spec, settings: Settings) -> Script:
    yield ()


def claims(unsupported: Any = (), found: Preflight | None = None, *, auth: str = "api-key") -> Claims:
    target = Target(url="http://127.0.0.1:1", auth=auth, unsupported=dict(unsupported))
    return Claims(SPEC, Config(target), found or Preflight())


@pytest.mark.parametrize(
    ("reason", "unsupported", "found"),
    [
        (None, {}, {}),
        ("assistants.delete is not claimed: why", {"assistants.delete": "why"}, {}),
        ("assistants.list is not claimed: why", {"assistants": "why"}, {}),
        ("assistants.list is not claimed: why", {"assistants.*": "why"}, {}),
        (None, {"threads.*": "why", "assistants.get": "why"}, {}),
        ("assistants.list is not served (judged once): gone", {}, {"resources": {"assistants": "gone"}}),
        ("assistants.delete is not served (judged once): gone", {}, {"operations": {"assistants.delete": "gone"}}),
        (None, {}, {"resources": {"threads": "gone"}}),
        ("assistants.list is not claimed: why", {"assistants": "why"}, {"resources": {"assistants": "gone"}}),
    ],
)
def test_a_scenario_needs_all_its_operations(reason: str | None, unsupported: Any, found: Any) -> None:
    made = claims(unsupported, Preflight(**found))
    assert reason == made.not_run(Scenario("s", ("assistants.list", "assistants.delete"), script))


def test_operations_that_no_document_knows_belong_to_the_scenario_or_to_their_first_word() -> None:
    made = claims({"mine": "why"})
    assert "x.y is not claimed: why" == made.not_run(Scenario("s", ("x.y",), script, resource="mine"))
    assert None is made.not_run(Scenario("s", ("x.y",), script, resource="other"))
    assert "mine.y is not claimed: why" == made.withheld(Case("mine.y", "GET", "/x"))
    assert None is made.withheld(Case("x.mine", "GET", "/x"))


@pytest.mark.parametrize(
    ("reason", "unsupported", "operation"),
    [
        ("assistants.list is not claimed: why", {"assistants": "why"}, "assistants.list"),
        (None, {"assistants": "why"}, "threads.create"),
        ("threads.messages.list is not claimed: why", {"threads": "why"}, "threads.messages.list"),
    ],
)
def test_a_request_of_a_set_up_is_not_sent_either(reason: str | None, unsupported: Any, operation: str) -> None:
    assert reason == claims(unsupported).withheld(Case(operation, "GET", "/x"))


@pytest.mark.parametrize(
    ("reason", "auth", "features"),
    [
        (None, "api-key", ["auth", "n"]),
        ("target.auth is none: the target asks for no key", "none", ["auth"]),
        (None, "none", ["n", "authors"]),
        ("logprobs is not claimed: why", "api-key", ["n", "logprobs"]),
        (None, "none", []),
    ],
)
def test_a_check_of_a_feature_that_is_not_claimed_does_not_apply(
    reason: str | None, auth: str, features: list[str]
) -> None:
    assert reason == claims({"logprobs": "why"}, auth=auth).unclaimed(features)
