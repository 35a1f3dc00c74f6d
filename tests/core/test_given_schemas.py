"""A schema that a request brought along: the first misfit is told, and one that can't be read fits everything."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.schema.given import misfits

UNREADABLE: tuple[Any, ...] = (
    5,
    "text",
    None,
    [1],
    {"type": "nonsense"},
    {"$ref": "#/nowhere"},
    {"$ref": "http://example.invalid/schema"},
    {"pattern": "("},
    {"minimum": "a"},
)


def test_the_first_misfit_is_told() -> None:
    schema = {"type": "object", "required": ["a", "b"]}
    assert 1 == len(misfits(schema, {}))
    assert "a" in misfits(schema, {"b": 1})[0]
    assert [] == misfits(schema, {"a": 1, "b": 2})


@pytest.mark.parametrize("schema", UNREADABLE, ids=repr)
def test_an_unreadable_schema_fits_everything(schema: Any) -> None:
    assert [] == misfits(schema, {"a": 1})
