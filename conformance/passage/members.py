"""How the members of two JSON values differ, as rules tell it, and how counterexamples break them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from conformance.passage.rule import Found
from conformance.passage.values import changes, folded, is_null

__all__ = ["altered", "null_or_absent", "with_null", "without_one"]


def altered(before: Any, after: Any) -> Iterator[Found]:
    """Yield the members that differ; those that are null on one side and absent on the other are left out."""
    for one in folded(changes(before, after)):
        if not is_null(one):
            where, kind, old, new = one
            yield where or "/", kind, old, new, ""


def null_or_absent(before: Any, after: Any) -> Iterator[Found]:
    """Yield the members that are null on one side and absent on the other."""
    for one in changes(before, after):
        if is_null(one):
            yield one[0] or "/", one[1], "null", "null", ""


def with_null(value: Any) -> Any:
    """A JSON object with a member more, which is null; None for another value."""
    return {**value, "altered": None} if isinstance(value, dict) else None


def without_one(value: Any) -> Any:
    """A JSON object without its first member; None for a value that has none."""
    return dict(list(value.items())[1:]) if isinstance(value, dict) and value else None
