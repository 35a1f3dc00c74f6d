"""What holds together is read and sampled together: ``allOf``, and a branch with what stands beside its union."""

from __future__ import annotations

from itertools import product
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from small_spec import BODY, DOCUMENT, small

from conformance._parts import part
from conformance.corpus.corpus import Corpus, build_corpus
from conformance.corpus.coverage import coverage_of
from conformance.requests.case import Case, Expect

joining = part("strategies.schema_joining")
tree = part("strategies.schema_tree")
sampling = part("strategies.sampler")
breaches = part("strategies.constraint_breaches")

TEXT = {"type": "string"}
WHOLE = {"type": "integer"}

#: Some values that schemas of the tests tell apart.
VALUES: tuple[Any, ...] = (
    *(None, True, "", "a", "ab", "abc", 0, 1, 1.5, 2, 3, [], ["a"], ["a", 1], [1, 1, 1], [True], [1], {}, {"a": True}),
    *({"a": "a"}, {"a": 1}, {"b": 1}, {"a": "a", "b": 1}, {"a": 1, "b": "b"}, {"c": 1}, {"a": "a", "c": "c"}),
)

_LEAVES: tuple[dict[str, Any], ...] = (
    *({"type": "string"}, {"type": "integer"}, {"type": ["number", "null"]}, {"type": ["object", "array", "string"]}),
    *({"enum": ["a", 1]}, {"enum": [1, None, {}]}, {"const": 1}, {"const": "a"}, {"default": 1}),
    *({"const": True}, {"enum": [[True], {"a": 1}]}, {"enum": [[1], {"a": True}]}),
    *({"minimum": 1}, {"minimum": 2}, {"maximum": 2}, {"exclusiveMaximum": 2}, {"maxLength": 2}, {"minLength": 1}),
    *({"pattern": "^a"}, {"pattern": "b$"}, {"minItems": 1}, {"maxItems": 2}, {"uniqueItems": True}, {"items": WHOLE}),
    *({"prefixItems": [TEXT]}, {"prefixItems": [TEXT], "items": WHOLE}, {"contains": WHOLE}),
    *({"contains": WHOLE, "maxContains": 2}, {"required": ["a"]}, {"required": ["b"]}, {"properties": {"a": TEXT}}),
    *({"properties": {"a": WHOLE, "b": WHOLE}}, {"properties": {"a": {}, "b": False}}, {"maxProperties": 1}),
    *({"properties": {"a": TEXT}, "additionalProperties": False}, {"additionalProperties": WHOLE}),
    *({"properties": {"b": WHOLE}, "unevaluatedProperties": False}, {"patternProperties": {"^a": TEXT}}),
    *({"patternProperties": {"^b": WHOLE}, "additionalProperties": False}, {"propertyNames": {"pattern": "^[ab]"}}),
    *({"dependentRequired": {"a": ["b"]}}, {"dependentRequired": {"a": ["c"], "b": ["a"]}}, {"not": WHOLE}),
    *({"dependentSchemas": {"a": {"required": ["b"]}}}, {"if": {"required": ["a"]}, "then": {"required": ["b"]}}),
    *({"if": WHOLE, "then": {"minimum": 2}, "else": TEXT}, {"oneOf": [TEXT, WHOLE]}, {"not": {"required": ["b"]}}),
    *({"anyOf": [{"required": ["a"]}, {"required": ["b"]}]}, {"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}),
    *({"anyOf": [{"type": "null"}, {"maximum": 1}], "properties": {"a": TEXT}},),
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"const": True}, {"const": 1}),
        ({"enum": [[True]]}, {"enum": [[1]]}),
        ({"enum": [{"a": 1}]}, {"const": {"a": True}}),
    ],
)
def test_true_is_not_1_in_a_conjunction(one: dict[str, Any], other: dict[str, Any]) -> None:
    """In Python it is."""
    made = Draft202012Validator(joining.joined(one, other))
    assert [] == [value for value in VALUES if made.is_valid(value)]


_NAMED = {"type": "object", "properties": {"a": {"type": "string"}}}


@pytest.mark.parametrize(
    "schema",
    [
        {"allOf": [_NAMED], "unevaluatedProperties": False},
        {"allOf": [_NAMED, {"properties": {"b": WHOLE}}], "unevaluatedProperties": WHOLE},
        {
            "oneOf": [{**_NAMED, "required": ["a"]}, {"required": ["b"], "properties": {"b": WHOLE}}],
            "unevaluatedProperties": False,
        },
        {
            "anyOf": [{"required": ["a"]}, {"required": ["b"]}],
            "properties": {"a": TEXT},
            "unevaluatedProperties": False,
        },
        {"allOf": [{**_NAMED, "unevaluatedProperties": False}], "unevaluatedProperties": WHOLE},
        {"allOf": [{**_NAMED, "unevaluatedProperties": WHOLE}], "unevaluatedProperties": False},
        {"allOf": [{"oneOf": [_NAMED, {"type": "string"}]}], "unevaluatedProperties": False},
    ],
)
def test_what_is_unevaluated_is_what_no_part_of_the_whole_speaks_of(schema: dict[str, Any]) -> None:
    """JSON Schema 2020-12, core section 11.3: the keyword sees what stands beside it in the same schema."""
    node = tree.Shapes(small()).node(schema)
    expected = [Draft202012Validator(schema).is_valid(value) for value in VALUES]
    assert expected == [node.fits(value) for value in VALUES]
    for value in VALUES:
        # Where more than one fits, ``oneOf`` is for the whole to decide.
        if sum(branch.fits(value) for branch in node.branches) == 1:
            assert Draft202012Validator(schema).is_valid(value)


@given(st.lists(st.sampled_from(_LEAVES), min_size=3, max_size=4))
def test_a_value_fits_a_conjunction_if_it_fits_each(schemas: list[dict[str, Any]]) -> None:
    made: dict[str, Any] = {}
    for schema in schemas:
        made = joining.joined(made, schema)
    expected = [all(Draft202012Validator(one).is_valid(value) for one in schemas) for value in VALUES]
    assert expected == [Draft202012Validator(made).is_valid(value) for value in VALUES]


def test_a_value_fits_two_schemas_if_it_fits_each() -> None:
    def fitting(schema: dict[str, Any]) -> set[int]:
        judge = jsonschema_rs.Draft202012Validator(schema)
        return {index for index, value in enumerate(VALUES) if judge.is_valid(value)}

    fit = [fitting(schema) for schema in _LEAVES]
    pairs = list(product(range(len(_LEAVES)), repeat=2))
    wrong = [(a, b) for a, b in pairs if fit[a] & fit[b] != fitting(joining.joined(_LEAVES[a], _LEAVES[b]))]
    assert [] == [(_LEAVES[a], _LEAVES[b]) for a, b in wrong]


@pytest.mark.parametrize(
    ("expected", "first", "second"),
    [
        ({"minimum": 3, "maximum": 5}, {"minimum": 1, "maximum": 5}, {"minimum": 3, "maximum": 9}),
        ({"type": "integer"}, {"type": ["number", "null"]}, {"type": "integer"}),
        ({"enum": ["c", "b"]}, {"enum": ["a", "b", "c"]}, {"enum": ["c", "b", "x"]}),
        ({"required": ["a", "b"]}, {"required": ["a"]}, {"required": ["b", "a"]}),
        ({"properties": {"a": TEXT, "b": WHOLE}}, {"properties": {"a": TEXT}}, {"properties": {"b": WHOLE}}),
        ({"pattern": "a", "allOf": [{"pattern": "b"}]}, {"pattern": "a"}, {"pattern": "b"}),
        ({"title": "new", "type": "string"}, {"title": "old", "type": "string"}, {"title": "new"}),
    ],
)
def test_keywords_are_joined_where_one_can_say_both(
    expected: dict[str, Any], first: dict[str, Any], second: dict[str, Any]
) -> None:
    assert expected == joining.joined(first, second)


_A_OR_B: dict[str, Any] = {"type": "object", "properties": {"a": TEXT, "b": WHOLE}}
_NEEDS = [{"required": ["a"]}, {"required": ["b"]}]

#: A schema, and the value of each of its branches.
UNIONS: dict[str, tuple[dict[str, Any], list[Any]]] = {
    "only required": ({**_A_OR_B, "oneOf": _NEEDS}, [{"a": "conformance"}, {"b": 1}]),
    "required besides": (
        {**_A_OR_B, "required": ["b"], "anyOf": [{"required": ["a"]}, {}]},
        [{"a": "conformance", "b": 1}, {"b": 1}],
    ),
    "only properties": (
        {
            **_A_OR_B,
            "required": ["a"],
            "oneOf": [{"properties": {"a": {"const": "x"}}}, {"properties": {"a": {"enum": ["y", 1]}}}],
        },
        [{"a": "x"}, {"a": "y"}],
    ),
    "bounds beside": ({"minimum": 7, "maximum": 8, "anyOf": [{"type": "integer"}, {"type": "null"}]}, [7]),
    "narrower bounds": ({"type": "integer", "minimum": 3, "oneOf": [{"maximum": 4}, {"minimum": 9}]}, [3, 9]),
    "not": (
        {**_A_OR_B, "required": ["a"], "oneOf": [{"not": {"required": ["b"]}}, {"required": ["b"]}]},
        [{"a": "conformance"}, {"a": "conformance", "b": 1}],
    ),
    "not without": ({**_A_OR_B, "anyOf": [{"not": {"maxProperties": 0}}]}, [{"a": "conformance"}]),
    "const": ({"type": "string", "anyOf": [{"const": "x"}, {"const": "y"}]}, ["x", "y"]),
    "allOf and anyOf": (
        {"allOf": [_A_OR_B, {"type": "object", "properties": {"c": TEXT}, "required": ["c"]}], "anyOf": _NEEDS},
        [{"c": "conformance", "a": "conformance"}, {"c": "conformance", "b": 1}],
    ),
    "union in allOf": (
        {"allOf": [{"anyOf": _NEEDS}, _A_OR_B], "required": ["c"], "properties": {"c": {"const": 0}}},
        [{"a": "conformance", "c": 0}, {"b": 1, "c": 0}],
    ),
    "two unions": (
        {**_A_OR_B, "oneOf": [{"required": ["a"]}], "anyOf": [{"required": ["b"]}]},
        [{"a": "conformance", "b": 1}],
    ),
    "two of a kind": (
        {"allOf": [{**_A_OR_B, "anyOf": [{"required": ["a"]}]}, {"anyOf": [{"required": ["b"]}]}]},
        [{"a": "conformance", "b": 1}],
    ),
    "union in a branch": (
        {**_A_OR_B, "oneOf": [{"anyOf": [{"required": ["b"]}]}, {"required": ["a"], "not": {"required": ["b"]}}]},
        [{"b": 1}, {"a": "conformance"}],
    ),
    "items beside": ({"type": "array", "items": WHOLE, "oneOf": [{"minItems": 2}, {"maxItems": 1}]}, [[1, 1], [1]]),
    "reference": ({"required": ["a"], "oneOf": [{"$ref": "#/components/schemas/AB"}]}, [{"a": "conformance"}]),
    "dependent": (
        {**_A_OR_B, "dependentRequired": {"a": ["b"]}, "anyOf": _NEEDS},
        [{"a": "conformance", "b": 1}, {"b": 1}],
    ),
}


def _shapes() -> Any:
    document = {**DOCUMENT, "components": {"schemas": {**DOCUMENT["components"]["schemas"], "AB": _A_OR_B}}}
    return tree.Shapes(small(document=document, faithful=document, digest="conjunctions"))


@pytest.mark.parametrize("name", UNIONS)
def test_a_branch_is_sampled_with_what_stands_beside_its_union(name: str) -> None:
    schema, expected = UNIONS[name]
    node = _shapes().node(schema)
    sampler = sampling.Sampler()
    made = [sampler.value(branch) for branch in node.branches]
    assert expected == made
    assert all(branch.fits(value) and node.fits(value) for branch, value in zip(node.branches, made, strict=True))
    assert sampler.value(node) in made


def test_what_stands_beside_a_union_is_described_once() -> None:
    """A branch tells what it adds: another slot for a member only where the branch alone requires it."""
    root = _shapes().node({"type": "object", "properties": {"x": {**_A_OR_B, "required": ["a"], "oneOf": _NEEDS}}})
    slots = [("".join(slot.path), slot.required) for slot in _shapes().slots(root)]
    assert [(".x", False), (".x.a", True), (".x.b", False), (".x|0", False), (".x|1", False), (".x|1.b", True)] == slots


@pytest.mark.parametrize(
    ("expected", "schema"),
    [
        (True, {"anyOf": [{"type": "string"}, {"type": "null"}]}),
        (True, {"allOf": [{"type": ["integer", "null"]}, {"type": ["integer", "null"], "minimum": 0}]}),
        # ``oneOf`` refuses what fits two branches.
        (False, {"oneOf": [{"type": ["string", "null"]}, {"type": "null"}]}),
        (False, {"allOf": [{"type": "integer"}, {"type": ["integer", "null"]}]}),
        (False, {"type": ["object", "null"], "oneOf": [{"type": "object"}]}),
        (False, {"type": "object", "anyOf": [{"type": "null"}, {"required": ["a"]}]}),
    ],
)
def test_null_is_documented_where_it_fits(expected: bool, schema: dict[str, Any]) -> None:
    assert expected == _shapes().node(schema).nullable


@pytest.mark.parametrize(
    ("expected", "schema"),
    [
        (True, {"anyOf": [TEXT, WHOLE]}),
        (True, {"type": "object", "anyOf": [{"required": ["a"]}, {}]}),
        (False, {"anyOf": [TEXT, {}]}),
    ],
)
def test_a_type_can_be_wrong_where_no_branch_takes_all(expected: bool, schema: dict[str, Any]) -> None:
    slot = tree.Slot((".body", ".x"), _shapes().node(schema), "x")
    assert expected == ("type" in breaches.constraints_of(slot, "application/json"))
    assert expected == ("type" in {breach.keyword for breach in breaches.breaches_of(slot, sampling.Sampler(), {})})


@pytest.fixture(scope="module")
def made() -> Corpus:
    """The small version with what the published documents have: bounds beside a nullable number, one of two members."""
    body = {
        **BODY,
        "properties": {
            **BODY["properties"],
            "share": {"minimum": 0, "maximum": 2, "anyOf": [{"type": "number"}, {"type": "null"}]},
            "source": {**_A_OR_B, "oneOf": _NEEDS},
            "choice": {"type": "array", "items": {"anyOf": [{"$ref": "#/components/schemas/Round"}, {}]}},
        },
    }
    content = {"content": {"application/json": {"schema": body}}, "required": True}
    widgets = DOCUMENT["paths"]["/widgets"]
    paths = {**DOCUMENT["paths"], "/widgets": {**widgets, "post": {**widgets["post"], "requestBody": content}}}
    document = {**DOCUMENT, "paths": paths}
    spec = small(document=document, faithful=document, digest="conjunctions in requests", clauses=())
    return build_corpus(spec, "exhaustive", cached=False, operations=["widgets.create"])


def _sent(made: Corpus, field: str, expect: Expect) -> list[Any]:
    found: list[Case] = [case for case in made if case.expect is expect and field in (case.json or {})]
    return [case.json[field] for case in found]


def test_bounds_beside_a_union_are_met_and_broken(made: Corpus) -> None:
    assert {0, 2, None} <= set(_sent(made, "share", Expect.ACCEPT))
    assert {-0.5, 2.5} <= {value for value in _sent(made, "share", Expect.REJECT) if isinstance(value, float)}


def test_one_of_two_members_is_sent_with_each_and_refused_without(made: Corpus) -> None:
    accepted = _sent(made, "source", Expect.ACCEPT)
    assert [] == [value for value in ({"a": "conformance"}, {"b": 1}) if value not in accepted]
    assert [] == [value for value in accepted if len(value) != 1]
    refused = _sent(made, "source", Expect.REJECT)
    assert [] == [value for value in ({}, {"a": 7}, {"b": "seven"}) if value not in refused]


def test_nothing_documented_is_left_without_a_reason(made: Corpus) -> None:
    (row,) = coverage_of(made)
    assert [] == [gap for gap in row.gaps if not gap.explained]
    assert [] == [gap.what for gap in row.gaps if "no valid request" in gap.reason]
