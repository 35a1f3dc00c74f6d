"""``created_after`` is not later than ``created_before``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def fault(body: Any) -> str | None:
    """The dotted path of the field that breaks the rule; None if the body keeps it."""
    data = body.get("data_source") if isinstance(body, Mapping) else None
    source = data.get("source") if isinstance(data, Mapping) else None
    if not isinstance(source, Mapping):
        return None
    after, before = source.get("created_after"), source.get("created_before")
    if not isinstance(after, (int, float)) or not isinstance(before, (int, float)):
        return None
    return "data_source.source.created_after" if after > before else None
