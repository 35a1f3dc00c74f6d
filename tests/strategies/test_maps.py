"""Maps: an object whose values have a schema and whose names are free. Documents write them by either of two keywords.

JSON Schema 2020-12 Core, section 11.3: ``unevaluatedProperties`` speaks of the names that neither its schema nor what
stands beside it has evaluated. Two validators of other people are the witnesses.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import jsonschema_rs
import pytest
from attrs import evolve
from jsonschema import Draft202012Validator
from small_spec import BODY, DOCUMENT, small

from conformance._parts import part
from conformance.corpus.corpus import Corpus, build_corpus
from conformance.corpus.coverage import coverage_of
from conformance.requests.case import Expect
from conformance.schema.validators import validator_for
from conformance.spec.openapi import OTHER_NAMES

tree = part("strategies.schema_tree")

ADDITIONAL, UNEVALUATED = OTHER_NAMES
TEXT, WHOLE, FEW = {"type": "string"}, {"type": "integer"}, {"maximum": 2}
NAMED = {"type": "object", "properties": {"a": TEXT}}
COMPONENTS = {"Map": {"type": "object", UNEVALUATED: WHOLE}, "Named": NAMED}
MAP, REF = {"$ref": "#/components/schemas/Map"}, {"$ref": "#/components/schemas/Named"}

#: Values of a member that no schema here lists.
VALUES = (None, True, "text", 1, 3, 1.5, [], {}, {"a": 1})

#: A schema, and the values that a member which it doesn't list may have; None if it may have any.
MAPS: dict[str, tuple[dict[str, Any], list[Any] | None]] = {
    "alone": ({"type": "object", UNEVALUATED: WHOLE}, [1, 3]),
    "of anything": ({"type": "object", UNEVALUATED: {}}, [*VALUES]),
    "without a type": ({"properties": {"a": TEXT}, UNEVALUATED: TEXT}, ["text"]),
    "closed": ({**NAMED, UNEVALUATED: False}, []),
    "open": ({**NAMED, UNEVALUATED: True}, None),
    "nothing said": (NAMED, None),
    "by the other keyword": ({**NAMED, ADDITIONAL: WHOLE}, [1, 3]),
    "both keywords": ({"type": "object", ADDITIONAL: WHOLE, UNEVALUATED: TEXT}, [1, 3]),
    "properties beside": ({**NAMED, UNEVALUATED: WHOLE}, [1, 3]),
    "patterns beside": ({"type": "object", "patternProperties": {"^x": TEXT}, UNEVALUATED: WHOLE}, [1, 3]),
    "reference": (MAP, [1, 3]),
    "reference beside": ({**REF, UNEVALUATED: WHOLE}, [1, 3]),
    "reference to a map, narrowed": ({**MAP, "maxProperties": 3, "properties": {"b": {}}}, [1, 3]),
    "allOf beside": ({"allOf": [REF, {"properties": {"b": WHOLE}}], UNEVALUATED: WHOLE}, [1, 3]),
    "map in allOf": ({"allOf": [MAP, REF]}, [1, 3]),
    "two maps in allOf": ({"allOf": [MAP, {UNEVALUATED: FEW}]}, [1]),
    "two maps of two keywords": ({"allOf": [MAP, {ADDITIONAL: FEW}]}, [1]),
    "map in allOf and around it": ({"allOf": [MAP], UNEVALUATED: TEXT}, [1, 3]),
    "two maps in allOf and around them": ({"allOf": [MAP, {UNEVALUATED: FEW}], UNEVALUATED: TEXT}, [1]),
    "branch": ({"anyOf": [{"type": "object", UNEVALUATED: WHOLE}, {"type": "null"}]}, [1, 3]),
    "branch with bounds beside": ({"maxProperties": 4, "anyOf": [MAP, {"type": "null"}]}, [1, 3]),
    "union beside": ({"oneOf": [{**NAMED, "required": ["a"]}], UNEVALUATED: WHOLE}, [1, 3]),
    "two branches beside": (
        {
            "oneOf": [{**NAMED, "required": ["a"]}, {"required": ["b"], "properties": {"b": WHOLE}}],
            UNEVALUATED: WHOLE,
        },
        [1, 3],
    ),
    "several types": ({"type": ["object", "null"], UNEVALUATED: WHOLE}, [1, 3]),
}


@cache
def shapes() -> Any:
    document = {**DOCUMENT, "components": {"schemas": {**DOCUMENT["components"]["schemas"], **COMPONENTS}}}
    return tree.Shapes(small(document=document, faithful=document, digest="maps"))


def leaves(node: Any) -> Iterator[Any]:
    """The branches of a schema that objects fit; the schema itself if it is no union."""
    if not node.branches:
        yield node
    for branch in node.branches:
        yield from leaves(branch)


@pytest.mark.parametrize("name", MAPS)
def test_what_holds_for_members_that_are_not_listed_is_what_the_validators_of_others_say(name: str) -> None:
    schema, expected = MAPS[name]
    whole = {**schema, "components": {"schemas": COMPONENTS}}
    first, second = Draft202012Validator(whole), jsonschema_rs.Draft202012Validator(whole)
    objects = [node for node in leaves(shapes().node(schema)) if node.types != ("null",)]
    assert objects
    for node in objects:
        base = {key: "x" if key == "a" else 1 for key in node.required}
        fit = [value for value in VALUES if first.is_valid({**base, "zz": value})]
        assert fit == [value for value in VALUES if second.is_valid({**base, "zz": value})]
        assert ([*VALUES] if expected is None else expected) == fit
        if node.extra is None:
            assert ([*VALUES] if node.others else []) == fit
        else:
            assert fit == [value for value in VALUES if node.extra.fits(value)]
        assert (expected is None or not expected) == (node.extra is None)


def test_where_it_depends_on_the_value_only_the_branches_say_it() -> None:
    """Beside a union, which names are evaluated is known when the branch is."""
    node = shapes().node(MAPS["two branches beside"][0])
    assert (None, True) == (node.extra, node.others)
    assert ["|0", "|1", "|0.a", "|0%", "|1.b", "|1%"] == ["".join(slot.path) for slot in shapes().slots(node)]


def test_values_of_a_map_have_their_place_in_the_document() -> None:
    assert "/x/unevaluatedProperties" == shapes().node({**NAMED, UNEVALUATED: WHOLE}, "/x").extra.pointer
    assert "/components/schemas/Map/unevaluatedProperties" == shapes().node({"allOf": [MAP, REF]}, "/x").extra.pointer
    assert "" == shapes().node(MAPS["two maps in allOf"][0], "/x").extra.pointer


def corpus(keyword: str) -> Corpus:
    """The requests of a small version that has maps in several forms, all of them written by one keyword."""
    label = {"type": "object", keyword: {"type": "string", "maxLength": 5, "minLength": 2}}
    fields: dict[str, Any] = {
        "labels": {**label, "maxProperties": 2, "propertyNames": {"maxLength": 16}},
        "weights": {"anyOf": [{"type": "object", keyword: {"type": "integer", "maximum": 9}}, {"type": "null"}]},
        "shared": {"$ref": "#/components/schemas/Labels"},
        "known": {
            "type": "object",
            "properties": {"one": {"type": "boolean"}},
            keyword: {"$ref": "#/components/schemas/Part"},
        },
        "free": {"type": "object", keyword: {}},
        "lists": {"type": "array", "items": label},
    }
    body = {**BODY, "properties": {**BODY["properties"], **fields}}
    content = {"content": {"application/json": {"schema": body}}, "required": True}
    widgets = DOCUMENT["paths"]["/widgets"]
    document = {
        **DOCUMENT,
        "paths": {**DOCUMENT["paths"], "/widgets": {**widgets, "post": {**widgets["post"], "requestBody": content}}},
        "components": {"schemas": {**DOCUMENT["components"]["schemas"], "Labels": label}},
    }
    spec = small(document=document, faithful=document, digest=f"maps by {keyword}", clauses=())
    return build_corpus(spec, "exhaustive", cached=False, operations=["widgets.create"])


@pytest.fixture(scope="module")
def both() -> tuple[Corpus, Corpus]:
    return corpus(ADDITIONAL), corpus(UNEVALUATED)


def test_either_keyword_gives_the_same_requests_and_the_same_coverage(both: tuple[Corpus, Corpus]) -> None:
    ours, theirs = (
        [
            (json.dumps(case.json), case.expect, case.level, case.role, case.reason, case.breaks)
            for case in made
            if not case.role.startswith("generated")
        ]
        for made in both
    )
    assert ours == theirs
    assert 100 <= len(ours)
    # Only a generator of other people sends more values of the one that it knows.
    first, second = (evolve(coverage_of(made)[0], cases=0) for made in both)
    assert first == second
    assert [] == [gap for gap in first.gaps if not gap.explained]


def test_values_of_a_map_are_sent_at_their_bounds_and_broken_one_at_a_time(both: tuple[Corpus, Corpus]) -> None:
    def sent(field: str, expect: Expect) -> list[Any]:
        return [case.json[field] for case in both[1] if case.expect is expect and field in (case.json or {})]

    labels = [value for one in sent("labels", Expect.ACCEPT) for value in one.values()]
    assert {2, 5} <= {len(value) for value in labels}
    assert {1, 6} <= {
        len(v)
        for one in sent("labels", Expect.REJECT)
        if isinstance(one, dict)
        for v in one.values()
        if isinstance(v, str)
    }
    for field, wrong in (("labels", 7), ("weights", "seven"), ("shared", 7)):
        broken = [one for one in sent(field, Expect.REJECT) if isinstance(one, dict) and wrong in one.values()]
        assert broken, field
    assert [10] in [[*one.values()] for one in sent("weights", Expect.REJECT) if isinstance(one, dict)]
    assert [9] in [[*one.values()] for one in sent("weights", Expect.ACCEPT) if one]


def test_a_map_is_not_closed_to_names_that_are_not_listed(both: tuple[Corpus, Corpus]) -> None:
    """The strict view marks what the document doesn't list; here it lists values for any name."""
    schema = "/paths/~1widgets/post/requestBody/content/application~1json/schema"
    for made in both:
        strict = validator_for(made.spec, schema, strict=True)
        good = {"kind": "small", "count": 1, "free": {"x": 1}, "labels": {"x": "text"}}
        assert () == strict.errors({**good, "known": {"x": {"type": "square"}}})
        assert strict.errors({**good, "known": {"x": {"type": "square", "more": 1}}})
