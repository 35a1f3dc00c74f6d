"""Eval runs over stored completions: ``created_after`` is not later than ``created_before``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from conformance.requests.field_rules.reading import every_object, number


def broken(body: Mapping[str, Any]) -> Iterator[str]:
    """Yield each window that ends before it begins."""
    for each in every_object(body):
        after, before = number(each.get("created_after")), number(each.get("created_before"))
        if after is not None and before is not None and before < after:
            yield f"created_after {after} is later than created_before {before}"
