"""Eval runs over stored completions: ``created_after`` is not later than ``created_before``."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from . import NamedRule
from .json_objects import objects_in


def _windows(body: Any) -> Iterator[dict[str, Any]]:
    """Yield the objects that contain both moments."""
    for each in objects_in(body):
        if isinstance(each.get("created_after"), int) and isinstance(each.get("created_before"), int):
            yield each


def _holds(body: Any) -> bool:
    """Return True if no window ends before it begins."""
    return all(each["created_after"] <= each["created_before"] for each in _windows(body))


def _broken(body: Any) -> Any:
    """The body with ``created_after`` later than ``created_before``, or None without stored completions."""
    made = copy.deepcopy(body)
    for each in objects_in(made, "stored_completions"):
        each.update(created_after=1_800_000_000, created_before=1_700_000_000)
        return made
    return None


def _mended(body: Any) -> Any:
    """The body with ``created_before`` moved to ``created_after`` where it was earlier."""
    made = copy.deepcopy(body)
    for each in _windows(made):
        each["created_before"] = max(each["created_after"], each["created_before"])
    return made


RULE = NamedRule(_holds, _broken, "/data_source", (), _mended)
