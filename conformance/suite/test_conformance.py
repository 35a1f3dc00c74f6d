"""Each item asks: does the target keep this rule in this scenario?"""

from __future__ import annotations

import pytest

from conformance.plugin import SESSION
from conformance.selection import Item
from conformance.verdict import Outcome, Verdict


def test_rule(request: pytest.FixtureRequest, conformance_item: Item, conformance_verdict: Verdict) -> None:
    """The target keeps the rule, or the failure says where it doesn't, in about ten lines."""
    if conformance_verdict.outcome is Outcome.FAIL:
        session = request.config.stash[SESSION]
        pytest.fail("\n".join(session.explain(conformance_item, conformance_verdict)), pytrace=False)
