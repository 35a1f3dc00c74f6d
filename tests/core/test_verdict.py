"""How outcomes fold, and what a whole run concludes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.verdict import Conclusion, Outcome, Verdict, conclude, fold

OUTCOMES = st.sampled_from(list(Outcome))


def verdict(outcome: Outcome) -> Verdict:
    return Verdict("c", "s", outcome)


@given(st.lists(OUTCOMES))
def test_folding_is_the_heaviest_and_order_does_not_matter(outcomes: list[Outcome]) -> None:
    assert fold(outcomes) == fold(reversed(outcomes))
    assert all(list(Outcome).index(fold(outcomes)) <= list(Outcome).index(one) for one in outcomes)


def test_nothing_folds_to_not_applicable() -> None:
    assert Outcome.NOT_APPLICABLE == fold([])


@pytest.mark.parametrize(
    ("conclusion", "code", "outcomes"),
    [
        (Conclusion.ERROR, 70, [Outcome.ERROR, Outcome.FAIL]),
        (Conclusion.NOT_CONFORMANT, 1, [Outcome.FAIL, Outcome.UNAVAILABLE, Outcome.PASS]),
        (Conclusion.INCONCLUSIVE, 3, [Outcome.UNAVAILABLE, Outcome.NOT_TESTABLE]),
        (Conclusion.INCONCLUSIVE, 3, [Outcome.INCONCLUSIVE, Outcome.PASS]),
        (Conclusion.PARTIAL, 3, [Outcome.NOT_TESTABLE, Outcome.WARN, Outcome.PASS]),
        (Conclusion.CONFORMANT, 0, [Outcome.WARN, Outcome.PASS, Outcome.NOT_APPLICABLE]),
    ],
)
def test_conclusions(conclusion: Conclusion, code: int, outcomes: list[Outcome]) -> None:
    made = conclude(map(verdict, outcomes), executed=1)
    assert (conclusion, code) == (made, made.exit_code)


def test_a_run_that_sent_nothing_proves_nothing() -> None:
    assert Conclusion.INCONCLUSIVE == conclude([verdict(Outcome.NOT_APPLICABLE)], executed=0)


def test_a_waived_failure_does_not_decide() -> None:
    assert Conclusion.CONFORMANT == conclude([verdict(Outcome.WAIVED), verdict(Outcome.PASS)], executed=1)
