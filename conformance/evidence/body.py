"""The body of an answer as evidence: whole, or shortened to its beginning, its end, its length and its digest.

A target may send more than anybody can keep. What is beyond a limit is counted and digested and then dropped, so that
memory and disk are bounded whatever a target sends. A shortened body can't be judged (``judging/blocking.py``).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence

from attrs import evolve

from conformance.evidence.content_coding import GZIP, codings, packed, unpacked
from conformance.evidence.exchange import Chunk, Response, Shortened
from conformance.redaction import Secrets

__all__ = [
    "HEAD",
    "MOST_CHUNKS",
    "SMALL",
    "TAIL",
    "Body",
    "chunks_without",
    "content_without",
    "depth",
    "parsed_size",
    "shortened",
    "without_content",
    "without_edges",
]

#: Bytes of the beginning and of the end that are kept of a shortened body.
HEAD, TAIL = 4_096, 2_048

#: A body of so many bytes is kept whole in any case. It must be more than ``HEAD + TAIL``.
SMALL = 8_192

#: With more chunks than this, later bytes are put together into chunks of :data:`_BLOCK` bytes: a server that sends
#: single bytes would otherwise fill the memory with arrival times.
MOST_CHUNKS = 10_000

_BLOCK = 65_536

#: A text, in which brackets mean nothing. One that is never closed goes on to the end: what it holds is not searched
#: again from each of its quotation marks.
_TEXT = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)

#: Translates what opens and closes objects to what opens and closes arrays, without all that is no bracket.
_ARRAYS, _NO_BRACKETS = bytes.maketrans(b"{}", b"[]"), bytes(sorted(set(range(256)) - set(b"[]{}")))
_OPENS = ord("[")

#: With so few brackets nothing is nested deeply.
_SHALLOW = 64


class Body:
    """Collects a body as it arrives. Memory is bounded by ``keep`` bytes, whatever comes."""

    def __init__(self, keep: int) -> None:
        # A smaller limit would shorten bodies that are not longer than what is kept of a shortened one.
        self._keep = max(keep, SMALL)
        self._chunks: list[Chunk] = []
        self._pending = bytearray()
        self._head = 0
        self._tail = b""
        self._digest: hashlib._Hash | None = None
        self._at = 0.0
        #: The number of bytes that arrived.
        self.size = 0

    def add(self, at: float, data: bytes) -> None:
        """Take the next bytes, which arrived ``at`` seconds after the request was sent."""
        self._at = at
        self.size += len(data)
        if self._digest is not None:
            self._digest.update(data)
            # Only the last bytes matter, so a large piece is cut before it is joined.
            self._tail = (self._tail + data[-TAIL:])[-TAIL:]
            return
        if len(self._chunks) < MOST_CHUNKS:
            self._chunks.append(Chunk(at, data))
        else:
            self._pending += data
            if len(self._pending) >= _BLOCK:
                self._flush()
        if self.size > self._keep:
            self._shorten()

    def _flush(self) -> None:
        """Make one chunk of the bytes that were put together."""
        if self._pending:
            self._chunks.append(Chunk(self._at, bytes(self._pending)))
            self._pending = bytearray()

    def _shorten(self) -> None:
        """Drop all but the beginning and the end."""
        self._flush()
        self._digest = _digest(self._chunks)
        self._chunks, self._tail = _ends(self._chunks)
        self._head = sum(len(chunk.data) for chunk in self._chunks)

    def chunks(self) -> tuple[Chunk, ...]:
        """What is kept, in order."""
        self._flush()
        return (*self._chunks, *((Chunk(self._at, self._tail),) if self._tail else ()))

    def shortened(self) -> Shortened | None:
        """How the body was shortened; None if all of it is kept."""
        if self._digest is None:
            return None
        reason = f"it has more than the {self._keep} bytes that are kept (limits.kept_bytes)"
        return Shortened(self.size, self._digest.hexdigest(), self._head, reason)


def _digest(chunks: Iterable[Chunk]) -> hashlib._Hash:
    """The running SHA-256 of some chunks."""
    made = hashlib.sha256()
    for chunk in chunks:
        made.update(chunk.data)
    return made


def _ends(chunks: Iterable[Chunk]) -> tuple[list[Chunk], bytes]:
    """The chunks of the first :data:`HEAD` bytes, and the last :data:`TAIL` bytes. There must be more than both."""
    head: list[Chunk] = []
    size, tail = 0, b""
    for chunk in chunks:
        if size < HEAD:
            head.append(Chunk(chunk.at, chunk.data[: HEAD - size]))
            size += len(head[-1].data)
        tail = (tail + chunk.data[-TAIL:])[-TAIL:]
    return head, tail


def shortened(response: Response, reason: str, *, small: bool = False) -> Response:
    """The response with only the beginning and the end of its body, and the ``reason`` why the rest is not kept.

    A body of at most :data:`SMALL` bytes stays whole, unless it can't be judged for a reason of its own (``small``);
    then all of it is its beginning. What is shortened already stays as it is.
    """
    if response.shortened is not None or (len(response.body) <= SMALL and not small):
        return response
    if len(response.body) <= SMALL:
        size = len(response.body)
        told = Shortened(size, _digest(response.chunks).hexdigest(), size, reason)
        return evolve(response, shortened=told)
    head, tail = _ends(response.chunks)
    size = sum(len(chunk.data) for chunk in head)
    told = Shortened(len(response.body), _digest(response.chunks).hexdigest(), size, reason)
    return evolve(response, chunks=(*head, Chunk(response.chunks[-1].at, tail)), shortened=told)


def without_content(response: Response) -> Response:
    """A shortened response without its beginning and end: only length and digest are left."""
    if response.shortened is None:
        return response
    return evolve(response, chunks=(), shortened=evolve(response.shortened, head=0))


def without_edges(chunks: Sequence[Chunk], width: int) -> tuple[Chunk, ...]:
    """The chunks of a shortened body without ``width`` bytes on each side of its gap, which is before the last one."""
    if not chunks:
        return ()
    *head, tail = chunks
    left = max(0, sum(len(chunk.data) for chunk in head) - width)
    kept = []
    for chunk in head:
        kept.append(Chunk(chunk.at, chunk.data[:left]))
        left -= len(kept[-1].data)
    return (*kept, Chunk(tail.at, tail.data[width:]))


def chunks_without(secrets: Secrets, chunks: tuple[Chunk, ...]) -> tuple[Chunk, ...]:
    """The chunks without the secrets that stand in them as they are; a chunk may become empty."""
    came = [chunk.data for chunk in chunks]
    kept = secrets.pieces(came)
    if list(kept) == came:
        return chunks
    return tuple(Chunk(chunk.at, data) for chunk, data in zip(chunks, kept, strict=True))


def content_without(secrets: Secrets, response: Response) -> tuple[Chunk, ...] | None:
    """The chunks of an answer without secrets, packed ones too; None if they can't be packed again."""
    chunks = chunks_without(secrets, response.chunks)
    names = codings(response.headers) or (("gzip",) if response.body.startswith(GZIP) else ())
    if not names:
        return chunks
    found = unpacked(names, response.body)
    content = secrets.data(found.data)
    if content == found.data:
        return chunks
    if not found.whole:
        return None
    # Nobody can tell when the bytes in which the secret stood would have come without it.
    return (Chunk(response.chunks[-1].at, packed(names, content)),)


def depth(body: bytes) -> int:
    """How deeply the arrays and objects of a JSON text are nested; of other bytes a number that means nothing."""
    if body.count(b"[") + body.count(b"{") <= _SHALLOW:
        return 0
    deepest = level = 0
    for byte in _TEXT.sub(b"", body).translate(_ARRAYS, _NO_BRACKETS):
        level += 1 if byte == _OPENS else -1
        if level > deepest:  # noqa: PLR1730 - max() takes twice the time, and every answer passes here
            deepest = level
    return deepest


def parsed_size(body: bytes) -> int:
    """About how many bytes of memory the values of a JSON text take in Python, by its structural characters.

    A short text may need much: ``[],`` are three bytes, and an empty list of Python is 56, with 8 more in the list
    around it.
    """
    objects, arrays = body.count(b"{"), body.count(b"[")
    # Bytes of CPython's objects on a 64-bit machine: a dict, a list, an entry and half a string for each quotation
    # mark.
    return 232 * objects + 88 * arrays + 32 * body.count(b",") + 25 * body.count(b'"') + len(body)
