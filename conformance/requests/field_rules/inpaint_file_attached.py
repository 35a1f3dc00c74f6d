"""Video: an inpaint item names a file that is sent in the same form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from conformance.requests.field_rules.reading import objects


def broken(body: Mapping[str, Any]) -> Iterator[str]:
    """Yield each item that names another file."""
    files = body.get("files")
    names = files if isinstance(files, list) else [files]
    for item in objects(body.get("inpaint_items")):
        if item.get("file_name") not in names:
            yield f"{item.get('file_name')!r} is not among the files {names}"
