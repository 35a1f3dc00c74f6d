"""How two JSON values differ: by value, null and absent apart, numbers of vectors as the service computes them."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from typing import Any

from conformance.passage.passage import Kind

__all__ = ["Change", "changes", "shown"]

#: (JSON Pointer, kind, value before, value after). An absent value is None in the tuple; the kind tells it from null.
Change = tuple[str, Kind, Any, Any]

#: A list of this many numbers is a vector.
_VECTOR = 8

#: The longest text of a value in a report, in characters.
_LONGEST = 200


def shown(value: Any) -> str:
    """A value as JSON, shortened."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def changes(before: Any, after: Any, pointer: str = "") -> Iterator[Change]:
    """Yield the differences between two JSON values. Equal numbers are equal in any spelling (``1``, ``1.0``)."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key, value in before.items():
            place = f"{pointer}/{_escaped(key)}"
            if key not in after:
                yield place, Kind.DROPPED, value, None
            else:
                yield from changes(value, after[key], place)
        for key, value in after.items():
            if key not in before:
                yield f"{pointer}/{_escaped(key)}", Kind.ADDED, None, value
    elif isinstance(before, list) and isinstance(after, list):
        if _is_vector(before) and _is_vector(after) and len(before) == len(after):
            if any(_single(one) != _single(other) for one, other in zip(before, after, strict=True)):
                yield pointer, Kind.CHANGED, before, after
            return
        yield from _in_lists(before, after, pointer)
    elif not _equal(before, after):
        yield pointer, Kind.CHANGED, before, after


def _in_lists(before: list[Any], after: list[Any], pointer: str) -> Iterator[Change]:
    """Yield the differences between two lists, element by element."""
    for index, (one, other) in enumerate(zip(before, after, strict=False)):
        yield from changes(one, other, f"{pointer}/{index}")
    for index in range(len(after), len(before)):
        yield f"{pointer}/{index}", Kind.DROPPED, before[index], None
    for index in range(len(before), len(after)):
        yield f"{pointer}/{index}", Kind.ADDED, None, after[index]


def _equal(before: Any, after: Any) -> bool:
    """True if two scalars are the same JSON value. ``true`` is no number."""
    if isinstance(before, bool) or isinstance(after, bool):
        return before is after
    return bool(before == after)


def _is_vector(value: list[Any]) -> bool:
    """True for a long list of numbers."""
    return len(value) >= _VECTOR and all(isinstance(one, int | float) and not isinstance(one, bool) for one in value)


def _single(number: float) -> bytes:
    """A number with the precision that vectors have: 32 bits (IEEE 754)."""
    try:
        return struct.pack("<f", number)
    except OverflowError:
        return struct.pack("<d", number)


def _escaped(key: str) -> str:
    """A key as one token of a JSON Pointer (RFC 6901 section 3)."""
    return key.replace("~", "~0").replace("/", "~1")
