"""Chunks overlap by at most half of their size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def fault(body: Any) -> str | None:
    """The dotted path of the field that breaks the rule; None if the body keeps it."""
    strategy = body.get("chunking_strategy") if isinstance(body, Mapping) else None
    static = strategy.get("static") if isinstance(strategy, Mapping) else None
    if not isinstance(static, Mapping):
        return None
    size, overlap = static.get("max_chunk_size_tokens"), static.get("chunk_overlap_tokens")
    if not isinstance(size, (int, float)) or not isinstance(overlap, (int, float)):
        return None
    return "chunking_strategy.static.chunk_overlap_tokens" if 2 * overlap > size else None
