"""Bodies that are too long to be kept: beginning, end, length and digest stay, memory is bounded."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.evidence.body import (
    HEAD,
    MOST_CHUNKS,
    SMALL,
    TAIL,
    Body,
    depth,
    parsed_size,
    shortened,
    without_content,
    without_edges,
)
from conformance.evidence.exchange import Chunk, Response

KEEP = 20_000


def arrived(data: bytes, size: int, keep: int = KEEP) -> Body:
    body = Body(keep)
    for number, start in enumerate(range(0, len(data), size)):
        body.add(float(number), data[start : start + size])
    return body


def text(size: int) -> bytes:
    return bytes(32 + place % 90 for place in range(size))


@given(st.integers(0, KEEP), st.integers(1, 5_000))
def test_a_body_within_the_limit_is_kept_as_it_came(size: int, piece: int) -> None:
    body = arrived(text(size), piece)
    assert text(size) == b"".join(chunk.data for chunk in body.chunks())
    assert (size, None) == (body.size, body.shortened())


@given(st.integers(KEEP + 1, 60_000), st.integers(1, 30_000))
def test_a_longer_body_is_known_by_both_ends_length_and_digest(size: int, piece: int) -> None:
    whole = text(size)
    body = arrived(whole, piece)
    told = body.shortened()
    assert told is not None
    assert (size, hashlib.sha256(whole).hexdigest(), HEAD) == (told.size, told.sha256, told.head)
    assert whole[:HEAD] + whole[-TAIL:] == b"".join(chunk.data for chunk in body.chunks())


def test_single_bytes_are_put_together_after_many() -> None:
    body = arrived(text(MOST_CHUNKS + 500), 1)
    assert text(MOST_CHUNKS + 500) == b"".join(chunk.data for chunk in body.chunks())
    assert MOST_CHUNKS + 1 == len(body.chunks())


def test_a_response_is_shortened_afterwards_like_on_arrival() -> None:
    whole = text(KEEP + 1)
    response = Response(200, (), tuple(Chunk(1.0, whole[start : start + 999]) for start in range(0, len(whole), 999)))
    late, early = shortened(response, "why"), arrived(whole, 999)
    assert early.shortened() is not None
    assert b"".join(chunk.data for chunk in early.chunks()) == late.body
    assert late.shortened is not None
    assert (KEEP + 1, hashlib.sha256(whole).hexdigest(), "why") == (
        late.size,
        late.shortened.sha256,
        late.shortened.reason,
    )
    assert late is shortened(late, "again")


def test_a_small_response_stays_whole() -> None:
    response = Response(200, (), (Chunk(0.0, text(SMALL)),))
    assert response is shortened(response, "why")


def test_a_shortened_body_is_never_parsed() -> None:
    body = b"[" + b" " * 10_000 + b"]"
    whole = Response(200, (), (Chunk(0.0, body),))
    assert (True, False) == (whole.is_json, shortened(whole, "why").is_json)
    assert [] == shortened(whole, "why").with_body(b"[]").json


@pytest.mark.parametrize("width", [0, 1, 40, HEAD, HEAD + TAIL])
def test_both_sides_of_the_gap_can_be_cut(width: int) -> None:
    """Half of a secret may stand there."""
    whole = text(KEEP)
    chunks = tuple(Chunk(1.0, whole[start : start + 999]) for start in range(0, len(whole), 999))
    *head, tail = without_edges(shortened(Response(200, (), chunks), "why").chunks, width)
    assert whole[: max(0, HEAD - width)] == b"".join(chunk.data for chunk in head)
    assert whole[len(whole) - max(0, TAIL - width) :] == tail.data


def test_all_content_can_be_dropped() -> None:
    short = without_content(shortened(Response(200, (), (Chunk(0.0, text(KEEP)),)), "why"))
    assert (b"", KEEP) == (short.body, short.size)


def test_empty_lists_take_more_memory_than_text() -> None:
    assert parsed_size(b"[]," * 1000) > 20 * 3000 > parsed_size(b'"' + b"a" * 3000 + b'"') > 3000


def test_only_the_last_large_body_stays_parsed() -> None:
    one, two = (Response(200, (), (Chunk(0.0, b"[" + b"1," * 50_000 + b"1]"),)) for _ in range(2))
    assert 50_001 == len(one.json) == len(two.json)
    assert (False, True) == ("_parsed" in vars(one), "_parsed" in vars(two))
    assert 50_001 == len(one.json)


@pytest.mark.parametrize("levels", [65, 100, 5_000])
@pytest.mark.parametrize("text", [b'"a"', b'"[[[[\\"[[[[{{{"', b"[],[]"])
def test_nesting_is_counted_without_brackets_in_texts(levels: int, text: bytes) -> None:
    inner = 1 if text == b"[],[]" else 0
    assert levels + inner == depth(b"[" * levels + text + b"]" * levels)


def test_flat_values_are_not_deep() -> None:
    assert 2 == depth(b"[" + b"[]," * 1_000 + b"[]]")


def test_a_small_body_that_can_t_be_judged_is_kept_and_marked() -> None:
    short = shortened(Response(200, (), (Chunk(0.0, b"[[]]"),)), "too deep", small=True)
    assert short.shortened is not None
    assert (b"[[]]", False, 4, 4) == (short.body, short.is_json, short.shortened.head, short.size)
