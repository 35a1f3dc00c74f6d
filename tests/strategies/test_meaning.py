"""Promises of the corpus about its cases, for every version."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
from corpus_stage import (
    ABSENT,
    ALL,
    PROVED,
    STANDARD,
    at,
    corpus,
    json_cases,
    pointers,
    replaced,
    strictly_valid,
    valid,
    wildcard,
)

from conformance._parts import part
from conformance.corpus.corpus import Corpus, build_corpus
from conformance.requests.case import Case, Expect
from conformance.requests.field_rules import body_of, broken_rules, known_names
from conformance.requests.selectors import shape_of
from conformance.requests.session_offer import OFFER
from conformance.run.selection import scenarios_in
from conformance.settings.options import Options
from conformance.spec.loading import load
from conformance.spec.operations import operations_of


@pytest.mark.parametrize("version", PROVED)
def test_every_accept_case_keeps_every_cross_field_rule(version: str) -> None:
    made = corpus(version)
    accepted = [case for case in made if case.expect is Expect.ACCEPT]
    broken = {case.id: found for case in accepted if (found := broken_rules(made.spec, case.operation, body_of(case)))}
    assert {} == broken
    assert accepted


def test_templates_of_evals_name_variables_that_their_rows_have() -> None:
    """The documents ask for it (evals-template-references); a target that refuses other requests is right."""
    made = build_corpus(load("v1-preview"), "exhaustive", operations=["evals.create"], cached=False)
    strange = []
    for case in json_cases(made, Expect.ACCEPT):
        schema = case.json["data_source_config"].get("item_schema", {})
        named = set(re.findall(r"\{\{\s*item\.(\w+)", json.dumps(case.json["testing_criteria"])))
        if "properties" in schema and not named <= set(schema["properties"]):
            strange.append((case.id, sorted(named)))
    assert [] == strange


@pytest.mark.parametrize(
    ("version", "operation", "clause"),
    [
        # The templates have no chunks there; the clause says what breaks it.
        ("2025-01-01-preview", "vector_stores.file_batches.create", "vector-store-chunk-overlap"),
        ("2025-04-01-preview", "threads.create", "file-search-chunk-overlap"),
        ("2025-04-01-preview", "threads.create_and_run", "file-search-chunk-overlap-in-run"),
    ],
)
def test_a_rule_is_broken_where_no_template_has_a_part_for_it(version: str, operation: str, clause: str) -> None:
    made = build_corpus(load(version), "standard", operations=[operation], cached=False)
    (case,) = (case for case in made if case.breaks is not None and case.breaks.clause == clause)
    assert Expect.REJECT is case.expect
    assert [clause] == [broken.clause for broken in broken_rules(made.spec, operation, body_of(case))]


def test_what_names_an_object_or_has_a_form_of_its_own_is_no_free_text() -> None:
    """A conversation that nobody made, an offer that is none and a picture at no address are refused rightly."""
    made = build_corpus(load("v1"), "exhaustive", operations=["realtime.calls.create"], cached=False)
    assert {OFFER} == {body_of(case)["sdp"] for case in made if case.expect is Expect.ACCEPT}
    composer = part("strategies.compose").Composer(load("v1"), "exhaustive")
    for operation in ("responses.create", "conversations.items.create"):
        derivation = composer.derivation(operations_of(load("v1"))[operation])
        drawn = {slot.name for slot, _ in part("strategies.fuzz")._pool(derivation)}
        assert set() == drawn & {"conversation", "image_url", "file_url", "url", "server_url"}
        assert "text" in drawn


@pytest.mark.parametrize("version", PROVED)
def test_every_named_rule_has_a_second_reading(version: str) -> None:
    named = {clause.rule.named for clause in load(version).clauses if clause.rule is not None and clause.rule.named}
    assert set() == named - known_names()


@pytest.mark.parametrize("version", PROVED)
def test_every_accepted_json_body_is_documented_to_the_last_field(version: str) -> None:
    made = corpus(version)
    strange = [
        case.id for case in json_cases(made, Expect.ACCEPT) if not strictly_valid(made.spec, case, _documented(case))
    ]
    assert [] == strange


def _documented(case: Case) -> Any:
    """The body without what only recordings have: the name of the deployment beside the one in the path."""
    if case.role != "model.named":
        return case.json
    return {name: value for name, value in case.json.items() if name != "model"}


def _good_values(made: Corpus) -> dict[tuple[str, str], list[Any]]:
    """What stands at each place of an operation's other requests, and under each name."""
    found: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for expect in (Expect.ACCEPT, Expect.EITHER):
        for case in json_cases(made, expect):
            if case.breaks is None:
                for pointer, value in pointers(case.json):
                    for place in (wildcard(pointer), pointer.rsplit("/", 1)[-1]):
                        values = found[case.operation, place]
                        if value not in values and len(values) < 60:
                            values.append(value)
    return found


def _repairs(case: Case, known: dict[tuple[str, str], list[Any]], documented: list[Any]) -> Iterator[Any]:
    """The body with another value at the place that is labelled wrong, or with nothing there."""
    assert case.breaks is not None
    pointer = case.breaks.pointer
    try:
        at(case.json, pointer)
        yield replaced(case.json, pointer, ABSENT) if pointer else {}
    except (LookupError, TypeError, ValueError):
        pass
    for place in (wildcard(pointer), pointer.rsplit("/", 1)[-1]):
        for value in known[case.operation, place]:
            yield replaced(case.json, pointer, value)
    # Of many unions a member needs no more than its type.
    typed = ({"type": value} for value in documented if isinstance(value, str))
    for value in (*documented, *typed, [], {}, "text", "https://example.com/", 1, 1.5, True, ["text"]):
        yield replaced(case.json, pointer, value)


def _enum_values(node: Any) -> Iterator[Any]:
    """Every value that the document lists anywhere."""
    if isinstance(node, dict):
        if isinstance(node.get("enum"), list):
            yield from node["enum"]
        if isinstance(node.get("const"), str):
            yield node["const"]
        for item in node.values():
            yield from _enum_values(item)
    elif isinstance(node, list):
        for item in node:
            yield from _enum_values(item)


@pytest.mark.parametrize("version", STANDARD)
def test_a_reject_case_repaired_where_it_is_labelled_is_valid(version: str) -> None:
    repaired(corpus(version))


@pytest.mark.parametrize("operation", ["evals.create", "images.generations.create", "vector_stores.create"])
def test_a_reject_case_of_a_newer_operation_does_so_too(operation: str) -> None:
    """Of versions at smoke, where little is refused: a few operations that the other versions lack."""
    repaired(build_corpus(load("v1-preview"), "standard", operations=[operation]))


def repaired(made: Corpus) -> None:
    """Fail unless each refused body is invalid, and valid once it is changed where it is labelled."""
    known = _good_values(made)
    documented = list(dict.fromkeys(_enum_values(made.spec.document)))
    not_invalid, not_repaired = [], []
    count = 0
    for case in json_cases(made, Expect.REJECT):
        if case.breaks is None or case.breaks.location != "body":
            continue
        count += 1
        body = case.json
        if valid(made.spec, case, body) and not broken_rules(made.spec, case.operation, body):
            not_invalid.append(case.id)
        if not any(
            valid(made.spec, case, fixed) and not broken_rules(made.spec, case.operation, fixed)
            for fixed in _repairs(case, known, documented)
        ):
            not_repaired.append((case.id, case.operation, case.breaks))
    assert [] == not_invalid
    assert [] == not_repaired
    assert count > 20


@pytest.mark.parametrize("version", PROVED)
def test_a_cross_field_violation_is_valid_by_schema_and_breaks_only_its_rule(version: str) -> None:
    made = corpus(version)
    for case in made:
        if case.breaks is not None and case.breaks.clause:
            found = {broken.clause for broken in broken_rules(made.spec, case.operation, body_of(case))}
            if case.json is not None:
                assert {case.breaks.clause} == found, case.id
                assert valid(made.spec, case, case.json), case.id


@pytest.mark.parametrize("version", PROVED)
def test_mutating_requests_touch_only_objects_of_the_run_or_impossible_ids(version: str) -> None:
    made = corpus(version)
    known = operations_of(made.spec)
    for case in made:
        for name, value in case.path_params.items():
            foreign = not value.startswith("{") and "0" * 24 not in value and "no-such" not in value
            assert not (known[case.operation].mutates and foreign), (case.id, name, value)


@pytest.mark.parametrize("version", PROVED)
def test_what_creates_says_how_to_find_and_to_remove_it(version: str) -> None:
    made = corpus(version)
    known = operations_of(made.spec)
    deletes = {operation.path for operation in known.values() if operation.method == "DELETE"}
    for case in made:
        children = [
            path
            for path in deletes
            if path.startswith(case.path + "/{") and path.count("/") == case.path.count("/") + 1
        ]
        if (
            case.method == "POST"
            and children
            and case.expect is not Expect.REJECT
            and case.path in (o.path for o in known.values())
        ):
            assert case.creates, case.id
            assert case.undo is not None, case.id
            assert "DELETE" == case.undo.method


@pytest.mark.parametrize("version", PROVED)
def test_either_cases_say_why(version: str) -> None:
    assert [] == [case.id for case in corpus(version) if case.expect is Expect.EITHER and not case.reason]


@pytest.mark.parametrize("version", STANDARD)
def test_the_standard_profile_stays_small(version: str) -> None:
    made = corpus(version)
    assert 15 <= len(made) / len(made.operations) <= 100
    assert all(row.cases for row in made.operations.values())


@pytest.mark.parametrize("version", ALL)
def test_smoke_is_small_and_asks_for_one_wrong_key_once(version: str) -> None:
    made = scenarios_in(load(version), Options(profile="smoke"))
    # What scripts declare includes removal and is a bound.
    assert sum(scenario.requests for scenario in made if scenario.is_corpus) <= 150
    assert 1 == sum(case.role == "probe.auth.wrong" for scenario in made for case in scenario.cases)


@pytest.mark.parametrize("version", ALL)
def test_quick_asks_each_operation_for_something_at_least(version: str) -> None:
    """An operation that isn't served is the simplest defect of all."""
    spec = load(version)
    made = scenarios_in(spec, Options(profile="quick"))
    assert {*operations_of(spec)} == {case.operation for scenario in made for case in scenario.cases}


@pytest.mark.parametrize("version", ALL)
def test_smoke_asks_for_one_stream_of_each_protocol(version: str) -> None:
    """A server whose streams are broken must not be green for want of a stream."""
    spec = load(version)
    made = [case for one in scenarios_in(spec, Options(profile="smoke")) for case in one.cases]
    streaming = [name for name, operation in operations_of(spec).items() if operation.stream is not None]
    # Where nothing creates what a stream is about, none has to be accepted.
    whole = [case for case in build_corpus(spec, operations=streaming) if case.expect is Expect.ACCEPT]
    documented = {shape.protocol for case in whole if (shape := shape_of(spec, case)) is not None}
    asked = {shape.protocol for case in made if (shape := shape_of(spec, case)) is not None}
    assert documented <= asked
