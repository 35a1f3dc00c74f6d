"""``best_of`` counts the candidates and ``n`` those that are returned, so ``n`` can't be larger."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def fault(body: Any) -> str | None:
    """The dotted path of the field that breaks the rule; None if the body keeps it."""
    if not isinstance(body, Mapping):
        return None
    best_of, n = body.get("best_of"), body.get("n")
    if not isinstance(best_of, (int, float)):
        return None
    return "best_of" if best_of < (n if isinstance(n, (int, float)) else 1) else None
