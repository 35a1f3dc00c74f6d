"""Content codings of an answer: which ones its fields name, and the bytes without them (RFC 9110 section 8.4)."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

from conformance.requests.headers import Headers

__all__ = ["GZIP", "MOST", "ZSTD", "codings", "too_long", "undone"]

#: The first bytes of gzip data (RFC 1952 section 2.3.1) and of a Zstandard frame (RFC 8878 section 3.1.1).
GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"

#: No content is unpacked to more bytes than this: several are unpacked at a time, and their values are parsed.
MOST = 4_194_304

#: Codings that this module can undo → the window bits for zlib.
_WINDOWS = {"gzip": 31, "x-gzip": 31, "deflate": 15}


def codings(headers: Headers) -> tuple[str, ...]:
    """The codings that the Content-Encoding fields name, in lower case and in order, without ``identity``."""
    named = (
        part.strip().lower()
        for name, value in headers
        if name.lower() == "content-encoding"
        for part in value.split(",")
    )
    return tuple(part for part in named if part not in ("", "identity"))


def undone(names: Iterable[str], data: bytes, most: int = MOST) -> bytes | None:
    """The bytes without these codings, the last one undone first; None if that can't be done: a coding is unknown, the
    bytes don't fit it, or they unpack to more than ``most`` bytes.
    """
    return _unpacked(names, data, most)[0]


def too_long(names: Iterable[str], data: bytes) -> bool:
    """Return True if the bytes may fit these codings, and unpack to more than :data:`MOST`."""
    return _unpacked(names, data, MOST)[1]


def _unpacked(names: Iterable[str], data: bytes, most: int) -> tuple[bytes | None, bool]:
    """(the bytes without these codings or None, whether they are too long for that)."""
    for name in reversed(tuple(names)):
        window = _WINDOWS.get(name)
        if window is None or (window > 15 and not data.startswith(GZIP)):
            return None, False
        try:
            packed = zlib.decompressobj(window)
            data = packed.decompress(data, most)
        except zlib.error:
            return None, False
        if not packed.eof:
            # Input that is left over was not looked at; without any, the data end too early.
            return None, bool(packed.unconsumed_tail)
    return data, False
