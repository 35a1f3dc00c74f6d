"""Reads the page of a report as its script does: the index and the exchanges, which are compressed inside."""

from __future__ import annotations

import base64
import json
import re
import zlib
from typing import Any

_HELD = re.compile(r'<script type="application/octet-stream" id="([a-z0-9-]+)">([^<]*)</script>')


def unpacked(page: str) -> dict[str, str]:
    """The JSON texts that a page carries, by the id of their element. A page without any has none."""
    return {name: zlib.decompress(base64.b64decode(text)).decode() for name, text in _HELD.findall(page)}


def index_of(page: str) -> dict[str, Any]:
    """What the page knows before evidence is opened (``reports/page_index.py``)."""
    made: dict[str, Any] = json.loads(unpacked(page)["index"])
    return made


def exchanges_of(page: str) -> list[dict[str, Any]]:
    """All exchanges that the page carries, in the order of its parts."""
    parts = {name: text for name, text in unpacked(page).items() if name.startswith("part-")}
    return [one for name in sorted(parts, key=lambda name: int(name[5:])) for one in json.loads(parts[name])]
