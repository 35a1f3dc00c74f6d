"""Reads what reports carry compressed: the index and the exchanges of a page, long contents of ``report.jsonl``."""

from __future__ import annotations

import base64
import json
import re
import zlib
from pathlib import Path
from typing import Any

_PACKED = re.compile(rb'"zlib":"([A-Za-z0-9+/=]*)"')
_HELD = re.compile(r'<script type="application/octet-stream" id="([a-z0-9-]+)">([^<]*)</script>')


def unpacked(page: str) -> dict[str, str]:
    """The JSON texts that a page carries, by the id of their element. A page without any has none."""
    return {name: zlib.decompress(base64.b64decode(text)).decode() for name, text in _HELD.findall(page)}


def contents(file: Path) -> bytes:
    """The bytes of a file; those of a report with what it carries compressed."""
    data = file.read_bytes()
    inside = [text.encode() for text in unpacked(data.decode()).values()] if file.suffix == ".html" else []
    if file.suffix == ".jsonl":
        inside = [zlib.decompress(base64.b64decode(text)) for text in _PACKED.findall(data)]
    return b"\n".join([data, *inside])


def index_of(page: str) -> dict[str, Any]:
    """What the page knows before evidence is opened (``reports/page_index.py``)."""
    made: dict[str, Any] = json.loads(unpacked(page)["index"])
    return made


def exchanges_of(page: str) -> list[dict[str, Any]]:
    """All exchanges that the page carries, in the order of its parts."""
    parts = {name: text for name, text in unpacked(page).items() if name.startswith("part-")}
    return [one for name in sorted(parts, key=lambda name: int(name[5:])) for one in json.loads(parts[name])]
