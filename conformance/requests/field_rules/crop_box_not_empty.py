"""Video: the left side of a crop box is left of the right one, the top above the bottom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from conformance.requests.field_rules.reading import every_object, number


def broken(body: Mapping[str, Any]) -> Iterator[str]:
    """Yield each pair of sides in the wrong order."""
    for each in every_object(body):
        for low, high in (("left_fraction", "right_fraction"), ("top_fraction", "bottom_fraction")):
            start, end = number(each.get(low)), number(each.get(high))
            if start is not None and end is not None and not start < end:
                yield f"{low} {start} is not below {high} {end}"
