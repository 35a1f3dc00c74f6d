"""JSON Schema Validation 2020-12, section 6.1.1: a number with a zero fraction is an integer."""

from __future__ import annotations

import json

import jsonschema
import pytest
from pages import findings, outcome, page, seen, trace

from conformance.schema.integers import is_integer
from conformance.verdict import Outcome

TEXTS = ["0", "-0", "7", "0.0", "-0.0", "7.0", "7e0", "70e-1", "1e300", "0.5", "7.5", "1e-1", "true", "false", "null"]


@pytest.mark.parametrize("text", [*TEXTS, '"7"', "[7]", "{}"])
def test_the_standard_decides_what_an_integer_is(text: str) -> None:
    """The witness is another implementation of the standard."""
    value = json.loads(text)
    assert jsonschema.Draft202012Validator({"type": "integer"}).is_valid(value) is is_integer(value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_json_can_not_say_is_no_integer(value: float) -> None:
    assert False is is_integer(value)


@pytest.mark.parametrize(("expected", "times"), [(Outcome.PASS, (2.0, 1)), (Outcome.FAIL, (1.0, 2.0))])
def test_a_time_may_be_written_with_a_fraction_of_zero(expected: Outcome, times: tuple[float, ...]) -> None:
    assert expected is outcome("lists.order", seen("r", page("ab", times)))
    walk = [seen("walk.asc", page(id, (time,)), {"n": id}) for id, time in zip("ab", times, strict=True)]
    assert (expected is Outcome.FAIL) is bool(findings("lists.walk.order", trace(walk)))
