"""Completions: ``best_of`` is at least ``n``; without ``n`` one answer is returned."""

from __future__ import annotations

from typing import Any

from . import NamedRule


def _count(body: Any) -> int:
    """The number of answers that are returned."""
    count = body.get("n")
    return count if isinstance(count, int) else 1


def _holds(body: Any) -> bool:
    """Return True if at least as many answers are made as returned."""
    best = body.get("best_of") if isinstance(body, dict) else None
    return not isinstance(best, int) or isinstance(best, bool) or best >= _count(body)


def _broken(body: Any) -> Any:
    """The body with two answers to be returned and one to be made."""
    return {**body, "n": 2, "best_of": 1} if isinstance(body, dict) else None


def _mended(body: Any) -> Any:
    """The body with ``best_of`` raised to ``n``."""
    return {**body, "best_of": max(_count(body), 1)} if isinstance(body, dict) else body


RULE = NamedRule(_holds, _broken, "/best_of", ("n", "best_of"), _mended)
