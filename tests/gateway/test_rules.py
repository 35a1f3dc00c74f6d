"""Each rule of transparency finds its own counterexample, and none objects to an honest gateway."""

from __future__ import annotations

import pytest
from attrs import evolve

from conformance.gateway.script import faults
from conformance.passage.judge import Conclusion, judged
from conformance.passage.passage import Passage
from conformance.passage.rule import all_rules
from conformance.settings.gateway import Gateway
from conformance.verdict import Level

from .forwarder import HONEST
from .stage import Stage, verdict


@pytest.fixture(scope="module")
def honest(running: Stage) -> tuple[Passage, ...]:
    """The passages of an honest gateway, faults of the upstream included."""
    seen = running.through(HONEST, script=faults()).passages
    # The same, as they look to somebody who can't see the upstream.
    return (*seen, *(evolve(one, calls=(), one_sided=True) for one in seen))


def test_an_honest_gateway_is_transparent(running: Stage) -> None:
    result = verdict(running.through(HONEST))
    assert result.rows == ()
    assert result.conclusion is Conclusion.TRANSPARENT
    assert result.exit_code == 0


def test_faults_of_the_upstream_are_no_alterations_of_an_honest_gateway(honest: tuple[Passage, ...]) -> None:
    result = judged(honest, Gateway())
    assert [row for row in result.rows if row.level is not Level.OBS] == []
    assert [name for name in all_rules() if not result.judged.get(name)] == []


@pytest.mark.parametrize("name", sorted(all_rules()))
def test_a_rule_finds_its_counterexample_and_nothing_else_does(name: str, honest: tuple[Passage, ...]) -> None:
    rule = all_rules()[name]
    tried = 0
    for passage in honest:
        broken = rule.counterexample(passage) if not rule.needs(passage) else None
        if broken is None or rule.needs(broken):
            continue
        tried += 1
        result = judged([broken], Gateway())
        told = {row.rule for row in result.rows}
        assert name in told, f"{passage.case.operation}: {rule.doc}"
        assert told - {name} <= set(rule.entails), passage.case.operation
    assert tried > 0


def test_every_rule_names_its_clause_and_its_source() -> None:
    for rule in all_rules().values():
        assert all((rule.clause, rule.source, rule.doc)), rule.id
