"""Ways to cut the same bytes into chunks.

How bytes were grouped on arrival is no property of the answer, so verdicts must not depend on it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable

from attrs import evolve
from hypothesis import strategies as st

from conformance.evidence.exchange import Chunk, Response

__all__ = ["byte_by_byte", "cut", "in_one_block", "rechunked", "rechunkings"]


def cut(data: bytes, at: Iterable[int], *, start: float = 0.0, step: float = 0.001) -> tuple[Chunk, ...]:
    """The bytes cut at the given offsets, the pieces ``step`` seconds apart. Empty pieces are left out."""
    ends = sorted({0, len(data), *(offset for offset in at if 0 < offset < len(data))})
    pieces = [data[a:b] for a, b in itertools.pairwise(ends)]
    return tuple(Chunk(start + index * step, piece) for index, piece in enumerate(pieces))


def byte_by_byte(data: bytes) -> tuple[Chunk, ...]:
    """Each byte as a chunk of its own."""
    return cut(data, range(len(data)))


def in_one_block(data: bytes) -> tuple[Chunk, ...]:
    """All bytes as one chunk; no chunk for no bytes."""
    return (Chunk(0.0, data),) if data else ()


def rechunked(response: Response, chunks: tuple[Chunk, ...]) -> Response:
    """The response with the same bytes in other chunks."""
    return evolve(response, chunks=chunks)


def rechunkings(data: bytes) -> st.SearchStrategy[tuple[Chunk, ...]]:
    """A strategy for cuts of ``data``. Cuts at line ends, colons and inside UTF-8 sequences are likely: parsers err
    there.
    """
    if len(data) < 2:
        return st.just(in_one_block(data))
    # Where a parser may wrongly rely on a chunk ending: after line ends and colons, and inside a character.
    telling = [i for i in range(1, len(data)) if data[i - 1] in b"\r\n:" or data[i] in b"\r\n" or data[i] > 0x7F]
    anywhere = st.integers(1, len(data) - 1)
    offset = st.one_of(anywhere, st.sampled_from(telling)) if telling else anywhere
    # 24 cuts are enough to split every line of a short stream; byte by byte covers the rest.
    some = st.lists(offset, max_size=24).map(lambda at: cut(data, at))
    return st.one_of(some, st.just(byte_by_byte(data)), st.just(in_one_block(data)))
