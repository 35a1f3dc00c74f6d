"""Every check accepts correct traffic and reports its counterexample; no other check fails but those that it
entails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

import pytest
from attrs import evolve
from proof_stage import LARGE, Broken, Stage, first_stage, shows, size_of, stage, stages, unproven
from served import ORDINARY
from wild_answers import NEWEST

from conformance.checks.catalogue import all_checks
from conformance.evidence.exchange import Exchange
from conformance.judging.check import Check, Counterexample
from conformance.spec.loading import versions
from conformance.verdict import Outcome

CHECKS = tuple(all_checks().values())


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_counterexample_fails_its_check_and_what_it_entails(check: Check) -> None:
    """The rule is broken where its own counterexample is applied, and nothing else is: in some of the scenarios."""
    proved(check, Stage.some_broken)


@pytest.mark.prove
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_counterexample_does_so_in_every_scenario(check: Check) -> None:
    proved(check, Stage.broken)


@pytest.mark.prove
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
@pytest.mark.parametrize("version", NEWEST)
def test_counterexample_does_so_in_the_newest_versions(version: str, check: Check) -> None:
    """A rule may be proved in an older version, and be blind to what only a newer one sends."""
    if not stage(version).exercises(check):
        pytest.skip(f"{check.id} judges nothing of {version}")
    proved(check, Stage.broken, stage(version))


@pytest.mark.parametrize("most", [30, pytest.param(None, marks=pytest.mark.prove)])
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_what_a_broken_answer_gives_as_json_is_what_its_bytes_say(check: Check, most: int | None) -> None:
    """The value of an answer that was made by us is not parsed again, so it must be what a parser would give."""
    found = first_stage(check)
    for exchange, others in islice(found.offered(check), most) if found is not None else ():
        if most is not None and size_of(exchange) > LARGE:
            continue
        for change in filter(None, (check.counterexample, check.witness)):
            made = changed(change, exchange, others)
            if made is not None and made.response is not None:
                again = evolve(made.response)  # computes everything anew
                # As texts, because 1 equals True and 1.0, and a tuple is written as an array.
                assert repr((again.is_json, again.json)) == repr((made.response.is_json, made.response.json))


def changed(change: Counterexample, exchange: Exchange, others: tuple[Exchange, ...]) -> Exchange | None:
    """The broken answer; None where this one can't be broken, as the judge has it too."""
    try:
        return change(exchange, others)
    except (AttributeError, LookupError, TypeError, ValueError):
        return None


def proved(check: Check, broken_by: Callable[[Stage, Check], Iterator[Broken]], found: Stage | None = None) -> None:
    """Fail unless the rule shows as broken, and in each of these scenarios nothing else does."""
    found = found or first_stage(check)
    if found is None:
        pytest.fail(unproven(check), pytrace=False)
    allowed = {check.id, *check.entails}
    shown, dragged = False, {}
    for broken in broken_by(found, check):
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


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_good_traffic_passes_each_check_with_a_witness(check: Check) -> None:
    """In some api-version an answer of the emulator could have broken the rule, and was seen not to."""
    assert any(
        verdict.outcome is Outcome.PASS and verdict.witness for good in stages() for verdict in good.of(check)
    ), "no answer in any api-version could have broken it: the check needs a scenario, or a wider witness"


def test_entailed_checks_exist() -> None:
    """A name in ``entails`` is that of a check, and not its own."""
    wrong = {check.id: set(check.entails) - set(all_checks()) for check in CHECKS}
    assert {} == {name: missing for name, missing in wrong.items() if missing}
    assert [] == [check.id for check in CHECKS if check.id in check.entails]


@pytest.mark.parametrize(
    "version",
    [pytest.param(name, marks=() if name == ORDINARY else pytest.mark.prove) for name in versions()],
)
def test_good_traffic_passes_every_check(version: str) -> None:
    """No check finds fault with the emulator: everything passes or does not apply."""
    assert [] == [
        f"{name}: {verdict.outcome} {verdict.reason} {[finding.message for finding in verdict.findings[:2]]}"
        for name, verdict in stage(version).verdicts.items()
        if verdict.outcome not in (Outcome.PASS, Outcome.NOT_APPLICABLE)
    ]
