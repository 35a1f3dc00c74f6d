"""Content codings of an answer: which ones its fields name, and the bytes without them (RFC 9110 section 8.4)."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

from attrs import frozen

from conformance.requests.headers import Headers

__all__ = ["GZIP", "MOST", "ZSTD", "Unpacked", "codings", "packed", "undone", "unpacked"]

#: The first bytes of gzip data (RFC 1952 section 2.3.1) and of a Zstandard frame (RFC 8878 section 3.1.1).
GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"

#: No content is unpacked to more bytes than this: several are unpacked at a time, and their values are parsed.
MOST = 4_194_304

#: Codings that this module can undo → the window bits for zlib.
_WINDOWS = {"gzip": 31, "x-gzip": 31, "deflate": 15}

#: More window bits than this stand for gzip, whose data are a series of members (RFC 1952 section 2.2).
_ZLIB = 15

#: Bytes that are unpacked at a time, so that what came out before a broken place is known.
_PIECE = 4_096

#: Members of gzip data that are unpacked; a body of tiny ones would take minutes.
_MEMBERS = 1_000


def codings(headers: Headers) -> tuple[str, ...]:
    """The codings that the Content-Encoding fields name, in lower case and in order, without ``identity``."""
    named = (
        part.strip().lower()
        for name, value in headers
        if name.lower() == "content-encoding"
        for part in value.split(",")
    )
    return tuple(part for part in named if part not in ("", "identity"))


@frozen
class Unpacked:
    """What came out of packed bytes: all or, if they can't be unpacked as a whole, the beginning that could be.

    ``too_long``: they unpack to more bytes than was allowed.
    """

    data: bytes
    whole: bool
    too_long: bool = False


def undone(names: Iterable[str], data: bytes, most: int = MOST) -> bytes | None:
    """The bytes without these codings, the last one undone first; None if that can't be done: a coding is unknown, the
    bytes don't fit it, or they unpack to more than ``most`` bytes.
    """
    found = unpacked(names, data, most)
    return found.data if found.whole else None


def unpacked(names: Iterable[str], data: bytes, most: int = MOST) -> Unpacked:
    """The bytes without these codings, as far as they can be undone; at most ``most``."""
    whole = True
    for name in reversed(tuple(names)):
        if name not in _WINDOWS:
            return Unpacked(b"", whole=False)
        data, ended, left = _inflated(data, _WINDOWS[name], most)
        if left:
            return Unpacked(data, whole=False, too_long=True)
        # What an outer coding lost may be the end of an inner one.
        whole = whole and ended
    return Unpacked(data, whole=whole)


def packed(names: Iterable[str], data: bytes) -> bytes:
    """The bytes with these codings, the first one applied first. Raises :class:`KeyError` for an unknown one."""
    for name in names:
        packing = zlib.compressobj(wbits=_WINDOWS[name])
        data = packing.compress(data) + packing.flush()
    return data


def _inflated(data: bytes, window: int, most: int) -> tuple[bytes, bool, bool]:
    """(what came out, whether the data ended properly, whether there is more than may be unpacked)."""
    made, at = bytearray(), 0
    for _ in range(_MEMBERS):
        if window > _ZLIB and not data.startswith(GZIP, at):
            # Other bytes after the end of a member are no part of the data.
            return bytes(made), at > 0, False
        inflating = zlib.decompressobj(window)
        while not inflating.eof:
            if at >= len(data):
                return bytes(made), False, False
            try:
                made += inflating.decompress(data[at : at + _PIECE], most - len(made) + 1)
            except zlib.error:
                return bytes(made), False, False
            if len(made) > most:
                return bytes(made[:most]), False, True
            at += _PIECE
        at = min(at, len(data)) - len(inflating.unused_data)
        if window <= _ZLIB or at >= len(data):
            return bytes(made), True, False
    return bytes(made), False, True
