"""An item that isn't made could never be judged: its check selects none of the requests that its scenario sends."""

from __future__ import annotations

import pytest
from proof_stage import order, stage

from conformance.checks.catalogue import all_checks
from conformance.judging.check import Scope
from conformance.requests.selectors import Selector

VERSIONS = [pytest.param(name, marks=[] if not place else [pytest.mark.prove]) for place, name in enumerate(order())]


@pytest.mark.parametrize("version", VERSIONS)
def test_no_request_of_a_script_is_selected_by_a_check_without_an_item(version: str) -> None:
    made, spec = stage(version), stage(version).spec
    items = {(item.scenario, item.check.id) for item in made.items}
    left_out = [
        (scenario, check)
        for scenario in made.scenarios.values()
        for check in all_checks().values()
        if not scenario.is_corpus and check.scope is Scope.EXCHANGE
        if check.concerns(scenario.id, scenario.operations) and (scenario.id, check.id) not in items
    ]
    assert len(left_out) > 100
    assert [] == [
        (scenario.id, check.id, seen.case.step)
        for scenario, check in left_out
        for seen in made.traces[scenario.id]
        if check.covers(seen.case.operation) and check.about(spec, seen.case)
    ]


@pytest.mark.parametrize("version", VERSIONS)
def test_what_a_selector_selects_is_of_an_operation_that_it_speaks_of(version: str) -> None:
    """Also in corpora, whose items are made by looking at the requests."""
    made, spec = stage(version), stage(version).spec
    chosen = [check for check in all_checks().values() if isinstance(check.about, Selector)]
    assert len(chosen) > 50
    assert [] == [
        (check.id, name, seen.case.operation)
        for name, trace in made.traces.items()
        for seen in trace
        for check in chosen
        if check.about(spec, seen.case) and not check.may_judge(spec, [seen.case.operation])
        if not (check.about.derived and made.scenarios[name].is_corpus)
    ]
