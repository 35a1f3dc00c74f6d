"""Completions: ``best_of`` (answers made) is at least ``n`` (answers returned). Without ``n`` one is returned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from conformance.requests.field_rules.reading import number


def broken(body: Mapping[str, Any]) -> Iterator[str]:
    """Yield a number of candidates that is too small."""
    best, count = number(body.get("best_of")), number(body.get("n"))
    if best is not None and best < (count if count is not None else 1):
        yield f"best_of {best} is below n {count}"
