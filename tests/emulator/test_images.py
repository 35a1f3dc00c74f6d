"""Images: as many as asked for, and real PNG files of the size that was asked for."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from conformance.emulator.inference.images import png
from conformance.evidence.exchange import Response

Infer = Callable[..., Response]


def opened(data: bytes) -> tuple[int, int, bytes]:
    """Width, height and raw rows of a PNG; every checksum must hold."""
    assert b"\x89PNG\r\n\x1a\n" == data[:8]
    at, blocks = 8, {}
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at : at + 8])
        body = data[at + 8 : at + 8 + size]
        assert struct.unpack(">I", data[at + 8 + size : at + 12 + size])[0] == zlib.crc32(kind + body)
        blocks[kind] = body
        at += 12 + size
    width, height = struct.unpack(">II", blocks[b"IHDR"][:8])
    return width, height, zlib.decompress(blocks[b"IDAT"])


@pytest.mark.parametrize(("width", "height"), [(1, 1), (1024, 1024), (1792, 1024), (13, 7)])
def test_a_real_png(width: int, height: int) -> None:
    found = opened(png("x", width, height))
    assert (width, height, height * (1 + (width + 7) // 8)) == (*found[:2], len(found[2]))


@pytest.fixture
def paint(images_version: str, inference: Infer) -> Callable[..., Any]:
    def call(**body: Any) -> Any:
        answer = inference(images_version, "/images/generations", "dall-e-3", {"prompt": "a boat", **body})
        assert 200 == answer.status, answer.body
        return answer.json

    return call


def test_a_url_by_default(paint: Callable[..., Any]) -> None:
    (picture,) = paint()["data"]
    assert picture["url"].startswith("https://")
    assert "b64_json" not in picture


def test_base64_where_asked_for(paint: Callable[..., Any]) -> None:
    (picture,) = paint(response_format="b64_json", size="1792x1024")["data"]
    assert (1792, 1024) == opened(base64.b64decode(picture["b64_json"], validate=True))[:2]
    assert "url" not in picture


def test_content_filter_annotations(paint: Callable[..., Any]) -> None:
    (picture,) = paint()["data"]
    assert {"filtered": False, "severity": "safe"} == picture["content_filter_results"]["hate"]
