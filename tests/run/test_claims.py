"""Claims: what is not sent, what doesn't apply, and which failures somebody answers for."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from conformance.requests.case import Case
from conformance.run.claims import Claims
from conformance.scenarios.scenario import Scenario, Script, Settings
from conformance.settings.configuration import Config, Target, Waiver
from conformance.spec.loading import load
from conformance.spec.spec import Spec
from conformance.target.preflight import Preflight
from conformance.verdict import Outcome, Verdict

SPEC = load("2024-05-01-preview")
TODAY = date(2026, 1, 31)


def script(spec: Spec, settings: Settings) -> Script:
    yield ()


def claims(unsupported: Any = (), found: Preflight | None = None, *waivers: Waiver, auth: str = "api-key") -> Claims:
    target = Target(url="http://127.0.0.1:1", auth=auth, unsupported=dict(unsupported))
    return Claims(SPEC, Config(target, waivers=waivers), found or Preflight(), TODAY)


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


# -- waivers ----------------------------------------------------------------------------------------------------------


def waiver(**values: Any) -> Waiver:
    return Waiver(**{"check": "a.*", "owner": "ann", "reason": "known", "expires": TODAY, **values})


@pytest.mark.parametrize("outcome", list(Outcome))
def test_only_what_speaks_against_the_target_can_be_waived(outcome: Outcome) -> None:
    """What passes needs no waiver, and our own error must stay visible."""
    made = claims({}, None, waiver()).waived(Verdict("a.b", "s", outcome), ["o"])
    needless = outcome in (Outcome.PASS, Outcome.NOT_APPLICABLE, Outcome.ERROR)
    assert ("" if needless else "ann: known (until 2026-01-31)") == made.waiver


@pytest.mark.parametrize(
    ("told", "waivers"),
    [
        ("", []),
        ("", [waiver(check="b.*")]),
        ("", [waiver(expires=date(2026, 1, 30))]),
        ("bob: known (until 2026-01-31)", [waiver(check="b.*"), waiver(owner="bob"), waiver(owner="cy")]),
        ("ann: known (until 2026-01-31, http://t.example/1)", [waiver(link="http://t.example/1")]),
        ("ann: known (until 2026-01-31)", [waiver(operation="chat.*")]),
        ("", [waiver(operation="files.*")]),
    ],
)
def test_the_first_waiver_in_force_is_told(told: str, waivers: list[Waiver]) -> None:
    verdict = Verdict("a.b", "s", Outcome.FAIL)
    assert told == claims({}, None, *waivers).waived(verdict, iter(["chat.completions.create"])).waiver
    assert "" == verdict.waiver


def test_a_wrong_claim_is_judged_once_and_may_be_waived() -> None:
    found = Preflight(resources={"files": "404"}, operations={"threads.create": "404"})
    plain, waived = claims({}, found), claims({}, found, waiver(check="*", operation="threads.*"))
    assert [("resource.files", Outcome.FAIL, False), ("operation.threads.create", Outcome.FAIL, False)] == [
        (one.scenario, one.outcome, bool(one.waiver)) for one in plain.verdicts()
    ]
    assert [False, True] == [bool(one.waiver) for one in waived.verdicts()]
