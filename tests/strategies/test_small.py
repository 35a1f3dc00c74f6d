"""A version without templates: coverage, plan, shrinking and the hypothesis adapter work from its schema alone."""

from __future__ import annotations

import hashlib
import json
from collections import Counter

import pytest
from corpus_stage import ALL, corpus
from small_spec import RULE, small

from conformance._parts import part
from conformance.corpus.corpus import Corpus, build_corpus
from conformance.corpus.coverage import CATEGORIES, coverage_of, totals
from conformance.requests.case import Case, Expect, Family, JsonBody
from conformance.requests.field_rules import broken_rules
from conformance.requests.shrinking import proposals, shrink, size, smallest
from conformance.run.plan import plan
from conformance.scenarios.corpus_scenario import corpus_scenarios
from conformance.spec.loading import load
from conformance.spec.operations import operations_of
from conformance.spec.spec import Refusal, Widest


@pytest.fixture(scope="module")
def made() -> Corpus:
    return build_corpus(small(), "exhaustive", cached=False)


def _breaks(made: Corpus) -> dict[tuple[str, str], Case]:
    return {
        (c.breaks.pointer, c.breaks.keyword): c for c in made if c.breaks is not None and c.role.startswith("break.")
    }


def test_an_unknown_operation_gets_cases_from_its_schema(made: Corpus) -> None:
    rows = {name: Counter(case.expect for case in row.cases) for name, row in made.operations.items()}
    assert rows["widgets.create"][Expect.ACCEPT] > 10
    assert rows["widgets.create"][Expect.REJECT] > 10
    assert rows["widgets.list"][Expect.ACCEPT] >= 3
    assert any("odd_field" in name for name in made.operations["widgets.create"].by_type)


def test_every_constraint_is_broken_alone(made: Corpus) -> None:
    wanted = {
        ("/kind", "enum"),
        ("/kind", "required"),
        ("/count", "minimum"),
        ("/count", "maximum"),
        ("/count", "type"),
        ("/label", "minLength"),
        ("/label", "maxLength"),
        ("/code", "pattern"),
        ("/parts", "minItems"),
        ("/parts", "maxItems"),
        ("/parts/0", "discriminator"),
        ("/parts/0/radius", "exclusiveMinimum"),
        ("/parts/0/radius", "required"),
        ("", "rule"),
        ("limit", "minimum"),
        ("limit", "maximum"),
    }
    assert wanted <= set(_breaks(made))


def test_the_rule_is_kept_by_accept_cases_and_broken_once(made: Corpus) -> None:
    coded = [case for case in made if case.expect is Expect.ACCEPT and "code" in (case.json or {})]
    assert coded
    assert all(case.json["flag"] is True for case in coded)
    assert 1 == sum(case.breaks is not None and case.breaks.clause == "code-needs-flag" for case in made)


def test_a_refusal_sets_the_level_and_the_widest_bound_moves_the_violation() -> None:
    spec = small(
        digest="levels",
        refusals=(
            Refusal("a", ("widgets.create",), "/count", "minimum", "reject", "MUST", "source"),
            Refusal("b", ("widgets.create",), "/kind", "enum", "either", "SHOULD", "source"),
        ),
        widest=(Widest("c", ("widgets.create",), "/count", "maximum", 20, "source"),),
    )
    cases = list(build_corpus(spec, cached=False, operations=["widgets.create"]))
    by = {(c.breaks.pointer, c.breaks.keyword, c.expect): c for c in cases if c.breaks and c.role.startswith("break.")}
    assert "MUST" == by["/count", "minimum", Expect.REJECT].level
    assert ("/kind", "enum", Expect.EITHER) in by
    assert 21 == by["/count", "maximum", Expect.REJECT].json["count"]
    assert 10 == by["/count", "maximum", Expect.EITHER].json["count"]
    assert "SHOULD" == by["/count", "type", Expect.REJECT].level


def test_coverage_is_whole_or_says_what_is_missing(made: Corpus) -> None:
    rows = coverage_of(made)
    assert set(CATEGORIES) == set(totals(rows))
    assert [] == [gap for row in rows for gap in row.gaps if not gap.explained]
    shares = totals(rows)
    assert shares["bounds"].covered == shares["bounds"].total > 0
    assert shares["rules"].covered == shares["rules"].total == 1
    assert shares["branches"].covered == shares["branches"].total == 2


def test_coverage_falls_when_cases_are_taken_away(made: Corpus) -> None:
    row = made.operations["widgets.create"]
    from attrs import evolve

    fewer = evolve(made, operations={"widgets.create": evolve(row, cases=row.cases[:1])})
    (less,) = coverage_of(fewer)
    whole = next(each for each in coverage_of(made) if each.operation == "widgets.create")
    assert all(less.shares[name].covered <= whole.shares[name].covered for name in whole.shares)
    assert less.shares["constraints"].covered == 0 < whole.shares["constraints"].covered


def test_a_mislabelled_violation_covers_nothing(made: Corpus) -> None:
    from attrs import evolve

    row = made.operations["widgets.create"]
    valid = next(case for case in row.cases if case.expect is Expect.ACCEPT)
    lies = evolve(_breaks(made)["/count", "minimum"], body=valid.body)
    (found,) = coverage_of(evolve(made, operations={"widgets.create": evolve(row, cases=(lies,))}))
    assert 0 == found.shares["constraints"].covered


def test_an_exhaustive_corpus_covers_all_or_says_why_not() -> None:
    _covers_all("2024-06-01")


@pytest.mark.deep
@pytest.mark.parametrize("version", ALL)
def test_every_exhaustive_corpus_covers_all_or_says_why_not(version: str) -> None:
    _covers_all(version)


#: Version → what is documented and in no request at all, because what else is documented excludes it.
EXCLUDED: dict[str, set[tuple[str, str]]] = {
    # The schema refuses two sources before the rule does.
    "2025-04-01-preview": {
        ("assistants.create", "rule of file-search-one-source"),
        ("threads.create", "rule of file-search-one-source"),
        ("threads.create_and_run", "rule of file-search-one-source-in-run"),
    },
}


def _covers_all(version: str) -> None:
    rows = coverage_of(corpus(version, "exhaustive"))
    assert [] == [(gap.operation, gap.what) for row in rows for gap in row.gaps if not gap.explained]
    sought = {
        (gap.operation, gap.what) for row in rows for gap in row.gaps if gap.reason.startswith("no valid request")
    }
    assert EXCLUDED.get(version, set()) == sought
    standard = totals(coverage_of(corpus(version)))
    for category, share in totals(rows).items():
        assert standard[category].covered <= share.covered, category
        if category not in ("required", "constraints"):
            # constraints of nested fields are spread; what may be accepted is shown here already, but for a few draws
            assert standard[category].covered >= 0.98 * share.covered, category


def test_the_plan_counts_requests_and_bounds_by_family() -> None:
    found = corpus("2024-10-21")
    spec = load("2024-10-21")
    whole = plan(spec, corpus_scenarios(found))
    assert whole.total.requests >= len(found)
    assert whole.total.tokens == sum(case.cost.tokens for case in found)
    assert whole.total.images > 0
    cheap = plan(spec, corpus_scenarios(found), allowed=())
    assert cheap.total.images == 0
    assert cheap.total.requests == whole.total.requests - sum(bool(case.expensive) for case in found)
    assert {"images", "n"} <= {kind for kind, _ in cheap.expensive}
    assert {Family.TEMPLATE, Family.BOUNDARY, Family.VIOLATION} <= {line.family for line in whole.lines}


def test_the_smallest_case_leads(made: Corpus) -> None:
    first, more = smallest(made)
    assert len(made) - 1 == more
    assert size(first) == min(size(case) for case in made)
    with pytest.raises(ValueError, match="no case"):
        smallest([])


def test_proposals_are_smaller_and_of_the_same_kind(made: Corpus) -> None:
    big = max((case for case in made if isinstance(case.body, JsonBody) and case.expect is Expect.ACCEPT), key=size)
    found = list(proposals(small(), big))
    assert found
    for case in found:
        assert () == broken_rules(small(), case.operation, case.json)
        assert {"kind", "count"} <= set(case.json)


def test_shrinking_keeps_to_its_budget_and_finds_the_witness(made: Corpus) -> None:
    big = max((c for c in made if c.expect is Expect.ACCEPT and "parts" in (c.json or {})), key=size)
    asked: list[Case] = []

    def fails(case: Case) -> bool:
        asked.append(case)
        return "parts" in case.json

    least, spent = shrink(small(), big, fails, 40)
    assert len(asked) == spent <= 40
    assert "parts" in least.json
    assert size(least) <= size(big)
    again, few = shrink(small(), big, fails, 1)
    assert few <= 1
    assert size(again) <= size(big)


def test_a_shrunk_violation_still_breaks_the_same_thing(made: Corpus) -> None:
    case = _breaks(made)["/count", "minimum"]
    least, _ = shrink(small(), case, lambda _: True, 50)
    assert {"kind", "count"} == set(least.json)
    assert least.json["count"] < 1


def test_contract_with_the_coverage_iterator() -> None:
    adapter = part("strategies.schemathesis_adapter")
    operation = operations_of(small())["widgets.create"]
    found = [(row.positive, row.body) for row in adapter.rows(small().document, operation)]
    text = json.dumps(found, sort_keys=True, default=repr)
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    # a new count or digest means that schemathesis generates something else now: look before changing it
    assert CONTRACT == (len(found), sum(positive for positive, _ in found), digest)


CONTRACT = (117, 25, "1e4527fca4f7e3cc")


def test_generated_values_become_meaningful_or_open() -> None:
    spec = small()
    derivation = (
        part("strategies.compose").Composer(spec, "exhaustive").derivation(operations_of(spec)["widgets.create"])
    )
    found = list(part("strategies.schemathesis_adapter").drafts(derivation))
    assert {Expect.ACCEPT, Expect.EITHER, Expect.REJECT} <= {draft.expect for draft in found}
    for draft in found:
        body = draft.request["body"]
        if draft.expect is Expect.ACCEPT:
            assert derivation.context.strict.is_valid(draft.request)
            assert () == broken_rules(spec, "widgets.create", body)
        if draft.expect is Expect.REJECT:
            assert not derivation.context.root.fits(draft.request)
            assert draft.breaks is not None


def test_the_rule_of_this_test_is_what_it_says() -> None:
    assert RULE.breaks == {"code": "abc", "flag": False}
    assert broken_rules(small(), "widgets.create", {"kind": "small", "count": 1, **RULE.breaks})
