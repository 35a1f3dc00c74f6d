"""Each strategy generates what it promises: 25 examples here, 500 with the marker ``deep``."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import pytest
from corpus_stage import load
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_spec import small

from conformance._parts import part
from conformance.requests.case import Expect
from conformance.requests.field_rules import broken_rules
from conformance.schema.validators import validator_for
from conformance.spec.openapi import BOUNDS
from conformance.spec.operations import operations_of

Composer = part("strategies.compose").Composer
fuzz = part("strategies.fuzz")
texts = part("strategies.text_strategies").texts
prompts = part("strategies.text_strategies").prompts

QUIET = {"deadline": None, "database": None, "suppress_health_check": list(HealthCheck)}
FEW = settings(max_examples=25, **QUIET)
MANY = settings(max_examples=500, **QUIET)

DRAWN = [
    ("2024-05-01-preview", "chat.completions.create"),
    ("2024-05-01-preview", "completions.create"),
    ("2024-05-01-preview", "embeddings.create"),
    ("2024-05-01-preview", "assistants.create"),
    ("2024-05-01-preview", "threads.create_and_run"),
    ("2024-10-21", "chat.completions.create"),
    ("2024-10-21", "audio.transcriptions.create"),
    ("v1-preview", "responses.create"),
    ("v1-preview", "evals.create"),
    ("v1-preview", "vector_stores.create"),
    ("v1-preview", "video.generations.jobs.create"),
    ("v1-preview", "images.edits.create"),
]


@lru_cache(maxsize=32)
def _work(version: str, operation: str) -> Any:
    spec = load(version) if version != "small" else small()
    return Composer(spec, "exhaustive").derivation(operations_of(spec)[operation])


def _requests_are_valid(version: str, operation: str, how: settings) -> None:
    derivation = _work(version, operation)

    @how
    @given(fuzz.requests(derivation))
    def holds(draft: Any) -> None:
        assert [] == [e.message for e in derivation.context.root.validator.errors(draft.request)]
        assert derivation.context.strict.is_valid(draft.request)
        if derivation.context.media == "application/json":
            assert () == broken_rules(derivation.spec, operation, draft.request.get("body"))
        assert draft.expect is Expect.ACCEPT or draft.reason

    holds()


@pytest.mark.parametrize(("version", "operation"), DRAWN)
def test_a_drawn_request_is_valid_and_keeps_every_rule(version: str, operation: str) -> None:
    _requests_are_valid(version, operation, FEW)


@pytest.mark.deep
@pytest.mark.parametrize(("version", "operation"), DRAWN)
def test_a_drawn_request_is_valid_and_keeps_every_rule_at_length(version: str, operation: str) -> None:
    _requests_are_valid(version, operation, MANY)


_BOUND = st.integers(-50, 50)
SCHEMAS = st.one_of(
    st.tuples(_BOUND, _BOUND).map(lambda p: {"type": "integer", "minimum": min(p), "maximum": max(p)}),
    st.tuples(_BOUND, _BOUND).map(lambda p: {"type": "number", "minimum": min(p), "maximum": max(p)}),
    st.tuples(st.integers(0, 9), st.integers(0, 9)).map(
        lambda p: {"type": "string", "minLength": min(p), "maxLength": max(p)}
    ),
    st.lists(st.text(max_size=3), min_size=1, unique=True).map(lambda values: {"type": "string", "enum": values}),
    st.just({"type": "boolean"}),
)


def _values_fit(how: settings) -> None:
    shapes = part("strategies.schema_tree").Shapes(small())

    @how
    @given(SCHEMAS, st.data())
    def holds(schema: dict[str, Any], data: st.DataObject) -> None:
        made = fuzz.values(shapes.node(schema))
        assert made is not None
        value = data.draw(made)
        assert validator_for(small(), schema).authority.is_valid(value)

    holds()


def test_a_drawn_value_fits_its_schema() -> None:
    _values_fit(FEW)


@pytest.mark.deep
def test_a_drawn_value_fits_its_schema_at_length() -> None:
    _values_fit(MANY)


def _samples_fit(how: settings) -> None:
    shapes = part("strategies.schema_tree").Shapes(small())
    sampler = part("strategies.sampler").Sampler()
    nothing = part("strategies.sampler").NOTHING
    objects = st.dictionaries(st.from_regex(r"[a-z]{1,4}", fullmatch=True), SCHEMAS, min_size=1, max_size=4)

    @how
    @given(objects, st.data())
    def holds(properties: dict[str, Any], data: st.DataObject) -> None:
        names = sorted(properties)
        required = data.draw(st.lists(st.sampled_from(names), unique=True))
        schema = {"type": "object", "properties": properties, "required": required}
        value = sampler.value(shapes.node(schema))
        assert value is nothing or validator_for(small(), schema).authority.is_valid(value)

    holds()


def test_a_sample_fits_its_schema() -> None:
    _samples_fit(FEW)


@pytest.mark.deep
def test_a_sample_fits_its_schema_at_length() -> None:
    _samples_fit(MANY)


def _texts_stay_in_bounds(how: settings) -> None:
    @how
    @given(st.tuples(st.integers(0, 40), st.integers(0, 40)).map(sorted), st.data())
    def holds(bounds: list[int], data: st.DataObject) -> None:
        text = data.draw(texts(minimum=bounds[0], maximum=bounds[1]))
        assert bounds[0] <= len(text) <= bounds[1]
        assert text == text.encode("utf-8").decode("utf-8")
        assert data.draw(prompts()).strip()

    holds()


def test_texts_stay_in_bounds() -> None:
    _texts_stay_in_bounds(FEW)


@pytest.mark.deep
def test_texts_stay_in_bounds_at_length() -> None:
    _texts_stay_in_bounds(MANY)


def test_fuzz_of_a_seed_is_the_same_again() -> None:
    derivation = _work("2024-05-01-preview", "embeddings.create")
    first = [draft.request for draft in fuzz.fuzzed(derivation, 7)]
    assert first == [draft.request for draft in fuzz.fuzzed(derivation, 7)]
    assert first != [draft.request for draft in fuzz.fuzzed(derivation, 8)]
    assert 1 < len(first) <= 20


def test_an_edge_is_inside_and_the_next_step_is_not() -> None:
    derivation = _work("small", "widgets.create")
    facts, violations = part("strategies.facts"), part("strategies.constraint_breaches")
    seen = set()
    for slot in derivation.slots:
        for fact in facts.facts_of(slot, derivation.sampler):
            if fact.kind in BOUNDS:
                assert slot.node.fits(fact.value), fact
                seen.add(fact.kind)
        for breach in violations.breaches_of(slot, derivation.sampler, {}):
            if breach.keyword in BOUNDS:
                assert not slot.node.fits(breach.value), breach
    assert {"minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "exclusiveMinimum"} <= seen


def test_no_wrong_value_of_a_type_has_that_type() -> None:
    wrong = part("strategies.constraint_breaches")._WRONG
    for kind, values in wrong.items():
        judge = validator_for(small(), {"type": kind})
        assert values
        assert not any(judge.is_valid(value) for value in values)


@pytest.mark.parametrize("pattern", [r"^[a-zA-Z0-9_-]+$", r"^[0-9]+$", r"^x"])
def test_a_text_that_matches_a_pattern_is_never_taken_to_break_it(pattern: str) -> None:
    node = part("strategies.schema_tree").Shapes(small()).node({"type": "string", "pattern": pattern})
    slot = part("strategies.schema_tree").Slot((".body", ".x"), node, "x")
    bad = [
        b.value
        for b in part("strategies.constraint_breaches").breaches_of(slot, part("strategies.sampler").Sampler(), {})
    ]
    assert any(isinstance(value, str) and not re.search(pattern, value) for value in bad)
