"""Every check accepts correct traffic and reports its counterexample; no other check fails but those that it
entails.
"""

from __future__ import annotations

import pytest
from proof_stage import first_stage, order, shows, stage, unproven

from conformance.checks.catalogue import all_checks
from conformance.judging.check import Check
from conformance.run.selection import default_versions
from conformance.spec.loading import versions
from conformance.verdict import Outcome

CHECKS = tuple(all_checks().values())


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_counterexample_fails_its_check_and_what_it_entails(check: Check) -> None:
    """The rule is broken where its own counterexample is applied, and nothing else is."""
    found = first_stage(check)
    if found is None:
        pytest.fail(unproven(check), pytrace=False)
    allowed = {check.id, *check.entails}
    shown, dragged = False, {}
    for broken in found.broken(check):
        shown = shown or shows(check, broken.verdicts.get(check.id))
        if not broken.failed <= allowed:
            dragged[broken.scenario] = sorted(broken.failed - allowed)
    if not shown:
        pytest.fail(unproven(check), pytrace=False)
    if dragged:
        pytest.fail(
            f"{check.id}: in {found.spec.version} its counterexample makes other checks fail too: {dragged}. Name in "
            "entails those that fail by logic; for any other reason, let the counterexample break less.",
            pytrace=False,
        )


def test_entailed_checks_exist() -> None:
    """A name in ``entails`` is that of a check, and not its own."""
    wrong = {check.id: set(check.entails) - set(all_checks()) for check in CHECKS}
    assert {} == {name: missing for name, missing in wrong.items() if missing}
    assert [] == [check.id for check in CHECKS if check.id in check.entails]


@pytest.mark.parametrize(
    "version",
    [pytest.param(name, marks=() if name in default_versions() else pytest.mark.prove) for name in versions()],
)
def test_good_traffic_passes_every_check(version: str) -> None:
    """No check finds fault with the emulator: everything passes or does not apply."""
    assert [] == [
        f"{name}: {verdict.outcome} {verdict.reason} {[finding.message for finding in verdict.findings[:2]]}"
        for name, verdict in stage(version).verdicts.items()
        if verdict.outcome not in (Outcome.PASS, Outcome.NOT_APPLICABLE)
    ]


def test_default_version_comes_first() -> None:
    """The walk begins with the api-version that is judged by default."""
    assert default_versions()[0] == order()[0]
