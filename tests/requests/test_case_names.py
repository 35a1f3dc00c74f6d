"""Names of cases: one for each, readable, and the same after a change that doesn't concern the case."""

from __future__ import annotations

import pytest
from attrs import evolve

from conformance.corpus.corpus import build_corpus
from conformance.requests.case import Break, Case, JsonBody
from conformance.requests.case_names import named_cases
from conformance.spec.loading import load


def case(role: str, reason: str = "", breaks: Break | None = None, body: object = 1) -> Case:
    return Case("o", "POST", "/o", body=JsonBody(body), role=role, reason=reason, breaks=breaks)


@pytest.mark.parametrize(
    ("one", "name"),
    [
        (case("chat.stream"), "chat.stream"),
        (case("", "x"), "template"),
        (case("break.maximum", "x", Break("/n", "maximum")), "break.maximum body/n"),
        (case("fact.null", "null of /user"), "fact.null null of /user"),
        (case("fact.null", "null of /user and 11 more"), "fact.null null of /user"),
        (case("fact.minimum", "a-rule: the source, which may be reworded"), "fact.minimum a-rule"),
        (case("probe.auth.none", "no credential", Break("", "security", "transport")), "probe.auth.none"),
    ],
)
def test_a_name_says_what_a_case_is_for(one: Case, name: str) -> None:
    assert [name] == [*named_cases([one])]


def test_cases_for_the_same_are_numbered() -> None:
    some = [case("generated", body=number) for number in range(3)]
    assert {"generated": some[0], "generated #2": some[1], "generated #3": some[2]} == named_cases(some)


def test_another_example_value_changes_the_id_and_not_the_name() -> None:
    one, other = case("chat", body={"n": 1}), case("chat", body={"n": 2})
    assert one.id != other.id
    assert [*named_cases([one])] == [*named_cases([other])]


def test_every_case_of_a_corpus_has_a_name() -> None:
    for part in build_corpus(load("2024-10-21")).parts:
        named = named_cases(part.cases)
        assert part.cases == tuple(named.values())
        # Without what depends on the document's examples.
        assert named.keys() == named_cases([evolve(one, body=None) for one in part.cases]).keys()
