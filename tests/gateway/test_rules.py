"""Each rule of transparency finds its own counterexample, and none objects to an honest gateway."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from attrs import evolve

from conformance.emulator.fault_script import faults
from conformance.passage.counterexamples import in_json_request
from conformance.passage.judge import Conclusion, Judged, judged
from conformance.passage.passage import Kind, Passage, Record
from conformance.passage.rule import all_rules, record_rules
from conformance.passage.views import NotSeen
from conformance.settings.gateway import Gateway
from conformance.verdict import Level

from .forwarder import HONEST
from .stage import Stage, verdict


@pytest.fixture(scope="module")
def honest(running: Stage) -> Record:
    """What is seen of an honest gateway, faults of the upstream included."""
    record = running.through(HONEST, script=faults()).record
    # The same, as it looks to somebody who can't see the upstream.
    blind = (evolve(one, calls=(), one_sided=True, volley=0, gathered=0) for one in record.passages if not one.probe)
    return evolve(record, passages=(*record.passages, *blind))


def _judged(running: Stage, record: Record) -> Judged:
    return judged(record, running.spec, Gateway())


@pytest.fixture(scope="module")
def unbroken(running: Stage, honest: Record) -> Judged:
    """What the rules say of the honest gateway."""
    return _judged(running, honest)


def test_an_honest_gateway_is_transparent(running: Stage) -> None:
    result = verdict(running.through(HONEST))
    assert result.rows == ()
    assert result.conclusion is Conclusion.TRANSPARENT
    assert result.exit_code == 0


def test_faults_of_the_upstream_are_no_alterations_of_an_honest_gateway(unbroken: Judged) -> None:
    assert [row for row in unbroken.rows if row.level is not Level.OBS] == []
    assert [name for name in (*all_rules(), *record_rules()) if not unbroken.judged.get(name)] == []


def _broken(running: Stage, name: str, passage: Passage) -> Passage | None:
    """The passage, broken by the counterexample of a rule; None if the rule can't judge one of the two."""
    rule = all_rules()[name]
    try:
        rule.judge(passage, running.spec)
        broken = rule.counterexample(passage)
        if broken is not None:
            rule.judge(broken, running.spec)
    except NotSeen:
        return None
    return broken


@pytest.mark.parametrize("most", [8, pytest.param(None, marks=pytest.mark.prove)])
@pytest.mark.parametrize("name", sorted(all_rules()))
def test_a_rule_finds_its_counterexample_and_nothing_else_does(
    name: str, most: int | None, running: Stage, honest: Record
) -> None:
    """In some of the passages, other ones for each rule; in all of them with ``tox -e prove``."""
    rule = all_rules()[name]
    tried = 0
    passages = [*enumerate(honest.passages)]
    for _, passage in sorted(passages, key=lambda pair: hashlib.sha256(f"{name} {pair[0]}".encode()).digest()):
        if tried == most:
            break
        broken = _broken(running, name, passage)
        if broken is None or passage.probe:
            continue
        tried += 1
        result = _judged(running, Record((broken,)))
        told = {row.rule for row in result.rows}
        assert name in told, f"{passage.case.operation}: {rule.doc}"
        assert told - {name} <= set(rule.entails), passage.case.operation
    assert tried > 0


@pytest.mark.parametrize("name", sorted(record_rules()))
def test_a_rule_about_several_requests_finds_its_counterexample(
    name: str, running: Stage, honest: Record, unbroken: Judged
) -> None:
    before = {row.rule for row in unbroken.rows}
    rule = record_rules()[name]
    broken = rule.counterexample(honest)
    assert broken is not None
    told = {row.rule for row in _judged(running, broken).rows} - before
    assert name in told
    assert told - {name} <= set(rule.entails)


def _with_null_stop(body: Any) -> Any:
    return {**body, "stop": [*body["stop"], None]}


@pytest.mark.parametrize("kind", [Kind.ADDED, Kind.DROPPED])
def test_a_null_in_a_list_is_an_item_and_no_member_left_open(kind: Kind, running: Stage, honest: Record) -> None:
    plain = next(one for one in honest.passages if one.case == running.cases["plain"] and one.calls)
    passage = in_json_request(_with_null_stop)(plain)
    assert passage is not None
    if kind is Kind.DROPPED:
        sent, arrived = passage.through.request, passage.calls[0].request
        sent, arrived = evolve(sent, body=arrived.body), evolve(arrived, body=sent.body)
        call = evolve(passage.calls[0], request=arrived)
        passage = evolve(passage, through=evolve(passage.through, request=sent), calls=(call,))
    rows = _judged(running, Record((passage,))).rows
    assert [("via.request.body", kind, "/stop/*")] == [(row.rule, row.kind, row.field) for row in rows]


def test_every_rule_names_its_clause_and_its_source() -> None:
    for rule in (*all_rules().values(), *record_rules().values()):
        assert all((rule.clause, rule.source, rule.doc)), rule.id
