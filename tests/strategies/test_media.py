"""Generated media files are valid, by the judgement of other libraries."""

from __future__ import annotations

import io
import json
import struct
import wave
import zlib

import pytest

from conformance._parts import part

media = part("strategies.sample_files")


def _data(name: str) -> bytes:
    data: bytes = media.file_named(name).data
    return data


def test_the_wave_file_plays() -> None:
    with wave.open(io.BytesIO(_data("file:wav"))) as sound:
        assert (1, 2, 8000) == (sound.getnchannels(), sound.getsampwidth(), sound.getframerate())
        assert 1600 == sound.getnframes()
        assert any(sound.readframes(100))


@pytest.mark.parametrize(("name", "colour"), [("file:png", 2), ("file:mask", 6)])
def test_the_png_has_sound_chunks_and_all_its_pixels(name: str, colour: int) -> None:
    data = _data(name)
    assert b"\x89PNG\r\n\x1a\n" == data[:8]
    at, kinds, pixels = 8, [], b""
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        (crc,) = struct.unpack(">I", data[at + 8 + length : at + 12 + length])
        assert zlib.crc32(kind + body) == crc
        kinds.append(kind)
        if kind == b"IHDR":
            assert (64, 64, 8, colour) == struct.unpack(">IIBB", body[:10])
        if kind == b"IDAT":
            pixels += zlib.decompress(body)
        at += 12 + length
    assert [b"IHDR", b"IDAT", b"IEND"] == kinds
    assert 64 * (1 + 64 * (3 if colour == 2 else 4)) == len(pixels)


def test_the_jpeg_begins_and_ends_and_has_one_frame() -> None:
    data = _data("file:jpeg")
    assert data.startswith(b"\xff\xd8")
    assert data.endswith(b"\xff\xd9")
    assert 1 == data.count(b"\xff\xc0")
    assert 1 == data.count(b"\xff\xda")


def test_the_mp3_is_a_row_of_whole_frames() -> None:
    data = _data("file:mp3")
    assert 0 == len(data) % 144
    assert {b"\xff\xfb\x18\xc4"} == {data[at : at + 4] for at in range(0, len(data), 144)}


def _crc(data: bytes, polynomial: int, width: int) -> int:
    value = 0
    for bit in (byte >> shift & 1 for byte in data for shift in range(7, -1, -1)):
        value = (value << 1) ^ (polynomial if (value >> (width - 1) & 1) ^ bit else 0)
        value &= (1 << width) - 1
    return value


def test_the_flac_has_a_stream_info_and_a_frame_with_right_sums() -> None:
    data = _data("file:flac")
    assert b"fLaC\x80\x00\x00\x22" == data[:8]
    frame = data[8 + 34 :]
    assert b"\xff\xf8" == frame[:2]
    assert _crc(frame[:5], 0x07, 8) == frame[5]
    assert _crc(frame[:-2], 0x8005, 16) == int.from_bytes(frame[-2:], "big")
    packed = int.from_bytes(data[8 + 10 : 8 + 18], "big")
    assert (8000, 4096) == (packed >> 44, packed & 0xFFFFFFFFF)


@pytest.mark.parametrize("name", ["file:batch", "file:fine-tune", "file:validate", "file:evals"])
def test_json_lines_are_one_object_each(name: str) -> None:
    lines = _data(name).splitlines()
    assert len(lines) >= 3
    assert all(isinstance(json.loads(line), dict) for line in lines)


def test_every_file_is_the_same_again_and_small() -> None:
    for name in media.FILES:
        assert media.file_named(name) == media.file_named(name)
        assert len(_data(name)) < 10_000
