"""Video: every crop box has a width and a height above 0."""

from __future__ import annotations

import copy
from typing import Any

from . import NamedRule
from .json_objects import objects_in

#: The two pairs of opposite sides of a crop box.
_SIDES = (("left_fraction", "right_fraction"), ("top_fraction", "bottom_fraction"))


def _empty(box: dict[str, Any], low: str, high: str) -> bool:
    """Return True if a box has two opposite sides in the wrong order."""
    first, last = box.get(low), box.get(high)
    return isinstance(first, int | float) and isinstance(last, int | float) and first >= last


def _holds(body: Any) -> bool:
    """Return True if no box is empty."""
    return not any(_empty(each, low, high) for each in objects_in(body) for low, high in _SIDES)


def _broken(body: Any) -> Any:
    """The body with the sides of one crop box exchanged, or None without a crop box."""
    made = copy.deepcopy(body)
    for each in objects_in(made):
        for low, high in _SIDES:
            if low in each and high in each:
                each[low], each[high] = 0.75, 0.25
                return made
    return None


def _mended(body: Any) -> Any:
    """The body with each empty crop box extended to the edge of the picture."""
    made = copy.deepcopy(body)
    for each in objects_in(made):
        for low, high in _SIDES:
            if _empty(each, low, high):
                if each[high] > 0:
                    each[low] = 0
                elif each[low] < 1:
                    each[high] = 1
                else:
                    each[low], each[high] = 0, 1
    return made


RULE = NamedRule(_holds, _broken, "/inpaint_items", (), _mended)
