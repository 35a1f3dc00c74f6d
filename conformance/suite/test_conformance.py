"""Each item asks whether the target keeps one rule in one scenario."""

from __future__ import annotations

import pytest

from conformance.plugin import Judged
from conformance.verdict import Outcome


def test_rule(aoai_verdict: Judged) -> None:
    """The target keeps the rule; otherwise the failure explains in about ten lines where it doesn't."""
    if aoai_verdict.verdict.outcome is Outcome.FAIL:
        pytest.fail(aoai_verdict.explained(), pytrace=False)
