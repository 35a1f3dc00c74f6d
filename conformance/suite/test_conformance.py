"""Each item asks: does the target keep this rule in this scenario?"""

from __future__ import annotations

import pytest

from conformance.plugin import Judged
from conformance.verdict import Outcome


def test_rule(aoai_verdict: Judged) -> None:
    """The target keeps the rule, or the failure says where it doesn't, in about ten lines."""
    if aoai_verdict.verdict.outcome is Outcome.FAIL:
        pytest.fail(aoai_verdict.explained(), pytrace=False)
