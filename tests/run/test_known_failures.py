"""Waivers and baselines: what they cover, and that none outlives its reason."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from conformance.run.choice import Chosen
from conformance.run.known_failures import Baseline, KnownFailures
from conformance.run.notes import claims
from conformance.run.opening import Opened
from conformance.run.selection import fits_elsewhere
from conformance.settings.configuration import Config, Target, Waiver
from conformance.settings.options import Options
from conformance.spec.loading import load
from conformance.target.preflight import Preflight
from conformance.verdict import Outcome, Verdict, Waived

TODAY = date(2026, 5, 1)
WAIVER = Waiver("a.*", "ann", "known", date(2026, 6, 1), link="https://b/1")
OPERATIONS = {"corpus.x": ("x",), "corpus.y": ("y",)}


def known(*waivers: Waiver, since: dict[tuple[str, str], str] | None = None) -> KnownFailures:
    return KnownFailures("v", TODAY, waivers, Baseline("2026-04-01", "standard", 0, since or {}))


def verdict(outcome: Outcome, check: str = "a.one", scenario: str = "corpus.x") -> Verdict:
    return Verdict(check, scenario, outcome)


def outdated(failures: KnownFailures, *verdicts: Verdict, **more: Any) -> list[str]:
    """What should go, after the waivers and the baseline were applied."""
    applied = [failures.applied(one, OPERATIONS[one.scenario]) for one in verdicts]
    return list(failures.outdated(applied, OPERATIONS, **{"whole": True, **more}))


@pytest.mark.parametrize("outcome", [Outcome.FAIL, Outcome.WARN, Outcome.NOT_TESTABLE, Outcome.UNAVAILABLE])
def test_a_waived_verdict_keeps_what_it_was(outcome: Outcome) -> None:
    made = known(WAIVER).applied(verdict(outcome), ("x",))
    assert Outcome.WAIVED is made.outcome
    assert Waived(outcome, "ann", "known", "https://b/1", "2026-06-01") == made.waived


@pytest.mark.parametrize("outcome", [Outcome.PASS, Outcome.NOT_APPLICABLE, Outcome.ERROR])
def test_what_is_right_and_our_own_errors_are_never_waived(outcome: Outcome) -> None:
    assert verdict(outcome) == known(WAIVER).applied(verdict(outcome), ("x",))


@pytest.mark.parametrize(
    "waiver",
    [
        Waiver("b.*", "ann", "r", date(2026, 6, 1)),
        Waiver("a.*", "ann", "r", date(2026, 4, 30)),
        Waiver("a.*", "ann", "r", date(2026, 6, 1), operation="y"),
        Waiver("a.*", "ann", "r", date(2026, 6, 1), scenario="corpus.y"),
        Waiver("a.*", "ann", "r", date(2026, 6, 1), api_version="other"),
    ],
)
def test_a_waiver_covers_what_it_names_and_no_more(waiver: Waiver) -> None:
    assert verdict(Outcome.FAIL) == known(waiver).applied(verdict(Outcome.FAIL), ("x",))


def test_a_baseline_knows_failures_and_nothing_else() -> None:
    failures = known(since={("corpus.x", "a.one"): "2026-04-01"})
    assert Waived(Outcome.FAIL, since="2026-04-01") == failures.applied(verdict(Outcome.FAIL), ("x",)).waived
    for outcome in set(Outcome) - {Outcome.FAIL, Outcome.WAIVED}:
        assert verdict(outcome) == failures.applied(verdict(outcome), ("x",))
    assert verdict(Outcome.FAIL, "a.two") == failures.applied(verdict(Outcome.FAIL, "a.two"), ("x",))


def test_a_waiver_that_ended_is_named_with_what_to_do_even_where_a_part_was_judged() -> None:
    ended = Waiver("a.*", "ann", "r", date(2026, 4, 30), operation="x")
    (line,) = outdated(known(ended), verdict(Outcome.FAIL), whole=False)
    assert line.startswith("the waiver of a.*, operation x (owner ann) ended on 2026-04-30: remove it")


@pytest.mark.parametrize(
    ("outcome", "lines"),
    [(Outcome.PASS, 1), (Outcome.NOT_APPLICABLE, 1), (Outcome.FAIL, 0), (Outcome.NOT_TESTABLE, 0), (Outcome.ERROR, 0)],
)
def test_a_waiver_that_covers_nothing_is_named(outcome: Outcome, lines: int) -> None:
    """What could not be judged is no proof that the failure is gone."""
    assert lines == len(outdated(known(WAIVER), verdict(outcome)))


def test_what_a_part_of_a_run_shows_is_no_proof_for_the_rest() -> None:
    failures = known(WAIVER, since={("corpus.y", "b"): "2026-04-01", ("corpus.x", "a.one"): "2026-04-01"})
    assert [] == outdated(failures, verdict(Outcome.PASS), whole=False)
    assert 3 == len(outdated(failures, verdict(Outcome.PASS)))


def test_a_scenario_of_which_something_was_left_out_proves_nothing() -> None:
    failures = known(WAIVER, since={("corpus.x", "a.one"): "2026-04-01"})
    assert [] == outdated(failures, verdict(Outcome.PASS), undecided={"corpus.x"})


def test_a_baseline_of_another_profile_may_have_sent_more() -> None:
    failures = known(since={("corpus.x", "a.one"): "2026-04-01"})
    assert [] == outdated(failures, verdict(Outcome.PASS), comparable=False)


@pytest.mark.parametrize(
    ("found", "state"),
    [([verdict(Outcome.PASS)], "no longer fails (pass)"), ([], "is no longer part of the run")],
)
def test_an_entry_of_the_baseline_that_is_gone_is_named(found: list[Verdict], state: str) -> None:
    (line,) = outdated(known(since={("corpus.x", "a.one"): "2026-04-01"}), *found)
    expected = f"the baseline's a.one in corpus.x (known since 2026-04-01) {state}: take the folder of this run"
    assert line.startswith(expected)


def test_a_waiver_for_another_api_version_stays() -> None:
    assert [] == outdated(known(WAIVER), verdict(Outcome.PASS, "b"), elsewhere={WAIVER})
    spec, day = load("2024-06-01"), date(2026, 6, 1)
    assert fits_elsewhere(Waiver("assistants.*", "ann", "r", day, operation="threads.*"), spec, None)
    assert fits_elsewhere(Waiver("*", "ann", "r", day, operation="responses.create", api_version="v1-*"), spec, None)
    assert not fits_elsewhere(Waiver("embeddings.*", "ann", "r", day, operation="chat.*"), spec, None)


def waiver(**values: Any) -> Waiver:
    return Waiver(**{"check": "a.*", "owner": "ann", "reason": "known", "expires": TODAY, **values})


@pytest.mark.parametrize(
    ("told", "waivers"),
    [
        ("", []),
        ("", [waiver(check="b.*")]),
        ("", [waiver(expires=date(2026, 4, 30))]),
        ("bob: known (until 2026-05-01)", [waiver(check="b.*"), waiver(owner="bob"), waiver(owner="cy")]),
        ("ann: known (until 2026-05-01, http://t.example/1)", [waiver(link="http://t.example/1")]),
        ("ann: known (until 2026-05-01)", [waiver(operation="chat.*")]),
        ("", [waiver(operation="files.*")]),
    ],
)
def test_the_first_waiver_in_force_is_told(told: str, waivers: list[Waiver]) -> None:
    """Operations may come as an iterator: each waiver is asked about all of them."""
    made = known(*waivers).applied(verdict(Outcome.FAIL), iter(["chat.completions.create"]))
    assert told == (made.waived.text if made.waived is not None else "")


@pytest.mark.parametrize("chosen", [(), ("corpus.embeddings.create",)])
def test_a_wrong_claim_is_judged_once_and_may_be_waived(chosen: tuple[str, ...]) -> None:
    """The claims of a run's part are judged with it; whoever chose another part hears nothing of them."""
    found = Preflight(resources={"embeddings": "404"}, operations={"chat.completions.create": "404"})
    options = Options(scenarios=chosen, selection={"--scenario": [*chosen]} if chosen else {})
    spec = load("2024-06-01")
    excused = waiver(check="*", operation="chat.*", expires=date(2999, 1, 1))
    config = Config(Target(url="http://127.0.0.1:1"), waivers=(excused,))
    failures = KnownFailures(spec.version, TODAY, config.waivers)
    run = Opened(Chosen(spec, options, config, failures), config, embedded=False, found=found)
    told = [(one.scenario, one.outcome) for one in claims(run)]
    mine = [("resource.embeddings", Outcome.FAIL)]
    rest = [] if chosen else [("operation.chat.completions.create", Outcome.WAIVED)]
    assert [*mine, *rest] == told
