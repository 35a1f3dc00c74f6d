"""A chain of digests through the lines of a report: each line ends with a digest of itself and all lines before it.

A line that was changed, removed, added or moved breaks the chain at its place. The chain detects damage and careless
edits. It is no signature: whoever rewrites the whole report also rewrites the chain.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

__all__ = ["BrokenChain", "Chain", "unchained"]

#: Hex digits of a link: 128 bits of SHA-256.
_DIGITS = 32

_KEY = b',"chain":"'


class BrokenChain(ValueError):  # noqa: N818 - it says what was found
    """A line that doesn't follow from the line before it."""


class Chain:
    """Writes or reads the lines of one file in order."""

    def __init__(self) -> None:
        self._last = b""

    def line(self, value: Mapping[str, Any]) -> bytes:
        """A value as a JSON line with its digest and a line feed. The value must not have a key ``chain``.

        Raises :class:`ValueError` for a number that JSON doesn't have.
        """
        # Sorted, so that equal values give equal lines.
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False)
        body = text.encode("utf-8", "surrogatepass")[:-1]
        return body + _KEY + self._link(body).encode() + b'"}\n'

    def read(self, line: bytes) -> dict[str, Any]:
        """The value of a line, without its digest.

        Raises :class:`BrokenChain` if it isn't the line that was written after the one before it.
        """
        body, key, rest = line.rpartition(_KEY)
        if not key or rest != self._link(body).encode() + b'"}\n':
            raise BrokenChain(
                "it was changed after it was written, or a line before it was removed, added, moved or changed"
            )
        value: dict[str, Any] = json.loads((body + b"}").decode("utf-8", "surrogatepass"))
        return value

    def _link(self, body: bytes) -> str:
        """The digest of a line, which becomes part of the next one."""
        # The digest of the line before is part of the next one, which makes the order count.
        link = hashlib.sha256(self._last + body).hexdigest()[:_DIGITS]
        self._last = link.encode()
        return link


def unchained(line: bytes) -> bytes:
    """The JSON of a line without its digest, which is not looked at."""
    return line.rpartition(_KEY)[0] + b"}"
