"""Chunks overlap by at most half of their size, also in a vector store that file_search makes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def fault(body: Any) -> str | None:
    """The dotted path of the field that breaks the rule; None if the body keeps it."""
    if isinstance(body, list):
        inner = ((f"[{index}]", item) for index, item in enumerate(body))
    elif isinstance(body, Mapping):
        size, overlap = body.get("max_chunk_size_tokens"), body.get("chunk_overlap_tokens")
        if isinstance(size, (int, float)) and isinstance(overlap, (int, float)) and 2 * overlap > size:
            return "chunk_overlap_tokens"
        inner = ((f"{name}", item) for name, item in body.items())
    else:
        return None
    for step, item in inner:
        found = fault(item)
        if found is not None:
            return f"{step}{found}" if found[0] == "[" else f"{step}.{found}"
    return None
