"""The left edge lies left of the right one, the top above the bottom. Missing edges are those of the picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformance.emulator.request_rules.reading import objects_of


def fault(body: Any) -> str | None:
    """The dotted path of the field that breaks the rule; None if the body keeps it."""
    for index, item in enumerate(objects_of(body, "inpaint_items")):
        box = item.get("crop_bounds")
        if not isinstance(box, Mapping):
            continue
        for low, high in (("left_fraction", "right_fraction"), ("top_fraction", "bottom_fraction")):
            start, end = box.get(low, 0), box.get(high, 1)
            if isinstance(start, (int, float)) and isinstance(end, (int, float)) and start >= end:
                return f"inpaint_items[{index}].crop_bounds.{low}"
    return None
