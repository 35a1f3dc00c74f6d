"""An inpaint item names a file that the form contains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformance.emulator.request_rules.reading import objects_of


def fault(body: Any) -> str | None:
    """The dotted path of the field that breaks the rule; None if the body keeps it."""
    files = body.get("files") if isinstance(body, Mapping) else None
    names = [getattr(file, "filename", None) for file in (files if isinstance(files, list) else [files])]
    for index, item in enumerate(objects_of(body, "inpaint_items")):
        if item.get("file_name") not in names:
            return f"inpaint_items[{index}].file_name"
    return None
