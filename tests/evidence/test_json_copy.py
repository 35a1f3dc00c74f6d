"""A copy of a JSON value equals it and can be changed without it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from conformance.evidence.json_copy import copied

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def holders(value: Any) -> Iterator[int]:
    """The identity of each object and array in a value."""
    if isinstance(value, dict | list):
        yield id(value)
        for inner in value.values() if isinstance(value, dict) else value:
            yield from holders(inner)


@given(JSON)
def test_a_copy_is_equal_and_shares_nothing_that_can_be_changed(value: Any) -> None:
    made = copied(value)
    assert json.dumps(value) == json.dumps(made)
    assert set() == set(holders(value)) & set(holders(made))
