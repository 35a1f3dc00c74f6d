"""Vector stores: chunks overlap by half of their size at most."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from conformance.requests.field_rules.reading import every_object, number


def broken(body: Mapping[str, Any]) -> Iterator[str]:
    """Yield each overlap that is too large."""
    for each in every_object(body):
        overlap, size = number(each.get("chunk_overlap_tokens")), number(each.get("max_chunk_size_tokens"))
        if overlap is not None and size is not None and overlap * 2 > size:
            yield f"an overlap of {overlap} is more than half of {size}"
