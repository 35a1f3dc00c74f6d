"""What hypothesis is told about UTF-8 while requests are derived is what it finds out by itself."""

from __future__ import annotations

from hypothesis.internal import charmap

from conformance._parts import part

adapter = part("strategies.schemathesis_adapter")


def test_the_characters_of_utf8_are_those_that_hypothesis_finds() -> None:
    with adapter._utf8_known():
        told = charmap.intervals_from_codec("utf-8")
    assert told == charmap.intervals_from_codec("utf-8")
