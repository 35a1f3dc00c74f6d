"""How two JSON values differ: by value, null and absent apart, numbers of vectors as the service computes them."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Iterable, Iterator
from posixpath import commonpath
from typing import Any

from conformance.passage.passage import Kind
from conformance.pointer import escape, look_up

__all__ = ["Change", "changes", "folded", "is_null", "shown"]

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
            place = f"{pointer}/{escape(key)}"
            if key not in after:
                yield place, Kind.DROPPED, value, None
            else:
                yield from changes(value, after[key], place)
        for key, value in after.items():
            if key not in before:
                yield f"{pointer}/{escape(key)}", Kind.ADDED, None, value
    elif isinstance(before, list) and isinstance(after, list):
        if _is_vector(before) and _is_vector(after) and len(before) == len(after):
            if any(_single(one) != _single(other) for one, other in zip(before, after, strict=True)):
                yield pointer, Kind.CHANGED, before, after
            return
        yield from _in_lists(before, after, pointer)
    elif not (_equal(before, after) or _same_vector(before, after)):
        yield pointer, Kind.CHANGED, before, after


def folded(found: Iterable[Change]) -> Iterator[Change]:
    """The same differences, with what was moved as one: a value that is missing in one place and stands in another
    that was added. ``before`` and ``after`` are the two places then.
    """
    all_found = list(found)
    new = [(added, to, value) for added, to, value in _in_added(all_found) if value]
    moved: dict[str, str] = {}
    for where, kind, before, _ in all_found:
        if kind is Kind.DROPPED and isinstance(before, dict | list) and before:
            # Equal values often stand in each element of a list: what was near stays near.
            fits = [(to, added) for added, to, value in new if value == before and to not in moved.values()]
            if fits:
                moved[where] = max(fits, key=lambda one: len(commonpath([where, one[0]])))[0]
    gone = {added for added, to, _ in new if to in moved.values()}
    for where, kind, before, after in all_found:
        if where in moved and kind is Kind.DROPPED:
            yield where, Kind.RENAMED, where, moved[where]
        elif not (kind is Kind.ADDED and where in gone):
            yield where, kind, before, after


def _in_added(found: Iterable[Change]) -> Iterator[tuple[str, str, Any]]:
    """Yield (place that was added, place in it, value there) for every object and list in what was added."""
    for where, kind, _, after in found:
        if kind is Kind.ADDED:
            for place, value in _containers(after, where):
                yield where, place, value


def _containers(value: Any, pointer: str) -> Iterator[tuple[str, Any]]:
    """Yield the objects and lists in a value, itself included, with their places."""
    if isinstance(value, dict):
        yield pointer, value
        for key, member in value.items():
            yield from _containers(member, f"{pointer}/{escape(key)}")
    elif isinstance(value, list):
        yield pointer, value
        for index, member in enumerate(value):
            yield from _containers(member, f"{pointer}/{index}")


def is_null(change: Change, before: Any, after: Any) -> bool:
    """True if a change between two values is a member that is null on one side and absent on the other.

    An item of a list is no member: without it the list is another one.
    """
    where, kind, old, new = change
    if not (old is None and new is None and kind in (Kind.ADDED, Kind.DROPPED)):
        return False
    return isinstance(look_up(after if kind is Kind.ADDED else before, where.rpartition("/")[0]), dict)


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
    return len(value) >= _VECTOR and all(map(_is_number, value))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _same_vector(before: Any, after: Any) -> bool:
    """True if one is a vector as base64 of little-endian 32-bit floats, as embeddings may be written, and the other
    the same vector as numbers.
    """
    text, numbers = (before, after) if isinstance(before, str) else (after, before)
    if not (isinstance(text, str) and isinstance(numbers, list) and numbers and all(map(_is_number, numbers))):
        return False
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        return False
    return data == b"".join(_single(number) for number in numbers)


def _single(number: float) -> bytes:
    """A number with the precision that vectors have: 32 bits (IEEE 754)."""
    try:
        return struct.pack("<f", number)
    except OverflowError:
        return struct.pack("<d", number)
