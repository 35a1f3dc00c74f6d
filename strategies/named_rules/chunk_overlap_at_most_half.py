"""Vector stores: chunks overlap by at most half of their size."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from . import NamedRule
from .json_objects import objects_in


def _sizes(body: Any) -> Iterator[dict[str, Any]]:
    """Yield the objects that contain a chunk size and an overlap."""
    for each in objects_in(body):
        if isinstance(each.get("chunk_overlap_tokens"), int) and isinstance(each.get("max_chunk_size_tokens"), int):
            yield each


def _holds(body: Any) -> bool:
    """Return True if no overlap is too large."""
    return all(2 * each["chunk_overlap_tokens"] <= each["max_chunk_size_tokens"] for each in _sizes(body))


def _broken(body: Any) -> Any:
    """The body with one overlap above half of the chunk size, or None without a static chunking strategy."""
    made = copy.deepcopy(body)
    for each in _sizes(made):
        each["chunk_overlap_tokens"] = each["max_chunk_size_tokens"] // 2 + 1
        return made
    return None


def _mended(body: Any) -> Any:
    """The body with overlaps cut to half of the chunk size."""
    made = copy.deepcopy(body)
    for each in _sizes(made):
        each["chunk_overlap_tokens"] = min(each["chunk_overlap_tokens"], each["max_chunk_size_tokens"] // 2)
    return made


RULE = NamedRule(_holds, _broken, "/chunking_strategy", ("chunking_strategy",), _mended)
