"""Validators: the fast one agrees with the reference, discriminators select a branch, errors name their place."""

from __future__ import annotations

from typing import Any

import pytest
from corpus_stage import PROVED, corpus, load
from small_spec import small

from conformance.errors import SpecError
from conformance.requests.case import JsonBody
from conformance.schema.formats import FORMATS
from conformance.schema.validators import Validator, validator_for
from conformance.spec.operations import operations_of

BODY = "/paths/~1widgets/post/requestBody/content/application~1json/schema"
GOOD: dict[str, Any] = {"kind": "small", "count": 1}


@pytest.mark.parametrize("version", PROVED)
def test_the_fast_validator_agrees_with_the_authority(version: str) -> None:
    made = corpus(version)
    known = operations_of(made.spec)
    differ = []
    for case in [case for case in made if isinstance(case.body, JsonBody)][::7]:
        media = known[case.operation].body.get("application/json")
        if media is not None and len(str(case.json)) < 20_000:
            for strict in (False, True):
                judge = validator_for(made.spec, media.pointer, strict=strict)
                if judge.fast.is_valid(case.json) != judge.authority.is_valid(case.json):
                    differ.append(case.id)
    assert [] == differ


@pytest.mark.parametrize("version", PROVED)
def test_every_schema_of_a_version_can_be_used_by_both(version: str) -> None:
    spec = load(version)
    for name in spec.document["components"]["schemas"]:
        judge = validator_for(spec, f"/components/schemas/{name}")
        for value in (None, 1, "text", [], {}, {"type": "text"}):
            assert judge.fast.is_valid(value) == judge.authority.is_valid(value), (name, value)


def _errors(body: Any, *, strict: bool = False) -> list[tuple[str, str]]:
    return [(e.instance_pointer, e.keyword) for e in validator_for(small(), BODY, strict=strict).errors(body)]


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([{"type": "round", "radius": 1}], []),
        ([{"type": "square"}], []),
        ([{"type": "round"}], [("/parts/0", "required")]),
        ([{"type": "square", "side": 0}], [("/parts/0/side", "minimum")]),
        ([{"type": "oval"}], [("/parts/0", "discriminator")]),
        ([{"radius": 1}], [("/parts/0", "required")]),
        ([], [("/parts", "minItems")]),
    ],
)
def test_the_discriminator_alone_picks_the_branch(parts: Any, expected: list[tuple[str, str]]) -> None:
    assert expected == _errors({**GOOD, "parts": parts})


def test_an_error_names_the_place_in_the_document_as_written() -> None:
    (error,) = validator_for(small(), BODY).errors({**GOOD, "parts": [{"type": "square", "side": 0}]})
    assert "/components/schemas/Square/properties/side/minimum" == error.schema_pointer
    (error,) = validator_for(small(), BODY).errors({"kind": "tiny", "count": 1})
    assert f"{BODY}/properties/kind/enum" == error.schema_pointer


def test_the_strict_view_refuses_what_is_not_documented() -> None:
    assert [] == _errors({**GOOD, "more": 1})
    assert [("", "unevaluatedProperties")] == _errors({**GOOD, "more": 1}, strict=True)
    inner = {**GOOD, "parts": [{"type": "square", "more": 1}]}
    assert [("/parts/0", "unevaluatedProperties")] == _errors(inner, strict=True)
    assert [] == _errors({**GOOD, "parts": [{"type": "square", "side": 2}]}, strict=True)


def test_a_validator_is_made_once() -> None:
    spec = small()
    assert validator_for(spec, BODY) is validator_for(spec, BODY)
    schema = {"$ref": "#/components/schemas/Round"}
    assert validator_for(spec, schema) is validator_for(spec, dict(schema))


def test_a_pointer_that_leads_nowhere_is_an_error_of_the_spec() -> None:
    with pytest.raises(SpecError, match="no such place"):
        validator_for(small(), "/components/schemas/Missing")


def test_a_schema_may_refer_to_the_document() -> None:
    judge: Validator = validator_for(small(), {"type": "array", "items": {"$ref": "#/components/schemas/Part"}})
    assert judge.is_valid([{"type": "square"}])
    assert not judge.is_valid([{"type": "oval"}])


@pytest.mark.parametrize(
    ("name", "text", "fits"),
    [
        ("uri", "https://example.com/a?b#c", True),
        ("uri", "data:image/png;base64,AA==", True),
        ("uri", "no scheme", False),
        ("uri", "/relative", False),
        ("date-time", "2026-11-20T10:00:00Z", True),
        ("date-time", "2026-11-20", False),
        ("uuid", "00000000-0000-4000-8000-000000000000", True),
        ("uuid", "0000", False),
        ("base64", "AA==", True),
        ("base64", "A", False),
    ],
)
def test_formats_mean_the_same_to_both(name: str, text: str, fits: bool) -> None:
    assert fits == FORMATS[name](text)
    judge = validator_for(small(), {"type": "string", "format": name})
    assert fits == judge.fast.is_valid(text) == judge.authority.is_valid(text)
