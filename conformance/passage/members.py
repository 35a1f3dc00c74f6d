"""How the members of two JSON values differ, as rules tell it, and how counterexamples break them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from conformance.passage.passage import Kind
from conformance.passage.rule import Found
from conformance.passage.values import changes, folded, is_null

__all__ = ["altered", "fields_altered", "without_one"]


def altered(before: Any, after: Any) -> Iterator[Found]:
    """Yield the members that differ; those that are null on one side and absent on the other are left out."""
    for one in folded(changes(before, after)):
        if not is_null(one, before, after):
            where, kind, old, new = one
            yield where or "/", kind, old, new, ""


def fields_altered(before: Mapping[str, str], after: Mapping[str, str], what: str) -> Iterator[Found]:
    """Yield the named texts (``what``: header, query) that differ."""
    for name in sorted({*before, *after}):
        if before.get(name) != after.get(name):
            kind = Kind.DROPPED if name not in after else Kind.ADDED if name not in before else Kind.CHANGED
            yield f"{what}:{name}", kind, before.get(name, ""), after.get(name, ""), ""


def without_one(value: Any) -> Any:
    """A JSON object without its first member; None for a value that has none."""
    return dict(list(value.items())[1:]) if isinstance(value, dict) and value else None
