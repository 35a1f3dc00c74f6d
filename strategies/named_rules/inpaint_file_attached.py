"""Video: each inpaint item names a file that is attached to the form."""

from __future__ import annotations

from typing import Any

from ..sample_files import FILES, file_named
from . import NamedRule
from .json_objects import items_of


def _attached(body: Any) -> list[str]:
    """The names of the attached sample files."""
    files = body.get("files") if isinstance(body, dict) else None
    names = [name for name in files if isinstance(name, str)] if isinstance(files, list) else []
    return [file_named(name).filename for name in names if name in FILES]


def _holds(body: Any) -> bool:
    """Return True if every item names an attached file."""
    names = _attached(body)
    return all(item.get("file_name") in names for item in items_of(body, "inpaint_items"))


def _broken(body: Any) -> Any:
    """The body with an inpaint item that names a file which isn't attached, or None without inpaint items."""
    items = items_of(body, "inpaint_items")
    if not items:
        return None
    return {**body, "inpaint_items": [{**items[0], "file_name": "missing.png"}, *items[1:]]}


RULE = NamedRule(_holds, _broken, "/inpaint_items", ("inpaint_items",))
