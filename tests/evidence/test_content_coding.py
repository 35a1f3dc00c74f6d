"""Content codings are undone as RFC 1952 and RFC 1950 say; the standard library's own modules pack and unpack."""

from __future__ import annotations

import gzip
import random
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.evidence.content_coding import MOST, Unpacked, packed, undone, unpacked


@given(parts=st.lists(st.binary(max_size=9_000), min_size=1, max_size=4))
def test_gzip_data_are_a_series_of_members(parts: list[bytes]) -> None:
    """RFC 1952 section 2.2."""
    data = b"".join(map(gzip.compress, parts))
    assert gzip.decompress(data) == undone(("gzip",), data)


@given(data=st.binary(max_size=9_000), names=st.lists(st.sampled_from(["gzip", "x-gzip", "deflate"]), max_size=3))
def test_what_was_packed_can_be_unpacked(data: bytes, names: list[str]) -> None:
    assert data == undone(names, packed(names, data))
    assert data == gzip.decompress(packed(["gzip"], data))
    assert data == zlib.decompress(packed(["deflate"], data))


@given(size=st.integers(20_000, 30_000), lost=st.integers(1, 8), seed=st.integers())
def test_of_broken_data_the_beginning_comes_out(size: int, lost: int, seed: int) -> None:
    data = random.Random(seed).randbytes(size)
    assert Unpacked(data, whole=False) == unpacked(("gzip",), gzip.compress(data, 0)[:-lost])
    found = unpacked(("gzip",), gzip.compress(data, 0)[:10_000])
    assert (False, True) == (found.whole, data.startswith(found.data))
    assert len(found.data) > 5_000


def test_the_end_of_an_inner_coding_may_be_lost_with_that_of_the_outer_one() -> None:
    twice = gzip.compress(gzip.compress(b"x" * 500, 0), 0)
    assert b"x" * 500 == undone(("gzip", "gzip"), twice)
    assert not unpacked(("gzip", "gzip"), twice[:-100]).whole


@pytest.mark.parametrize(("size", "long"), [(0, False), (100, False), (101, True), (100_000, True)])
def test_no_more_is_unpacked_than_is_allowed(size: int, long: bool) -> None:
    whole = Unpacked(b"x" * size, whole=True)
    cut = Unpacked(b"x" * 100, whole=False, too_long=True)
    for name, pack in (("gzip", gzip.compress), ("deflate", zlib.compress)):
        assert (cut if long else whole) == unpacked((name,), pack(b"x" * size), 100)
    halves = gzip.compress(b"x" * (size // 2)) + gzip.compress(b"x" * (size - size // 2))
    assert (cut if long else whole) == unpacked(("gzip",), halves, 100)


def test_members_without_end_are_too_long() -> None:
    assert unpacked(("gzip",), gzip.compress(b"") * 100_000).too_long
    assert unpacked(("gzip",), gzip.compress(b"\0" * (MOST + 1))).too_long


@pytest.mark.parametrize("data", [b"", b"no gzip", b"\x1f\x8b", b"\x1f\x8b\x08garbage of some length"])
def test_what_is_not_packed_so(data: bytes) -> None:
    assert undone(("gzip",), data) is None
    assert undone(("br",), data) is None
    assert data == undone((), data)
