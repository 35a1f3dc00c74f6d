"""Small valid media and data files, generated in code so that they have the same bytes on every machine.

A binary field of a form holds the name of such a file (``file:wav``) until the request is encoded.
"""

from __future__ import annotations

import base64
import json
import struct
import zlib
from collections.abc import Callable, Mapping
from functools import cache
from math import pi, sin

from attrs import frozen

__all__ = ["FILES", "PNG_URL", "File", "file_named", "jpeg", "png", "wav"]


@frozen
class File:
    """A file to send: its name, media type and bytes."""

    filename: str
    content_type: str
    data: bytes


def png(width: int = 8, height: int = 8, *, alpha: bool = False) -> bytes:
    """A PNG image (ISO/IEC 15948) of one colour."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    # Colour type 2 has three bytes per pixel, type 6 has an alpha byte as well; each row begins with filter type 0.
    pixel = b"\x20\x80\xc0" + (b"\x00" if alpha else b"")
    rows = b"".join(b"\x00" + pixel * width for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 6 if alpha else 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


def jpeg() -> bytes:
    """A baseline JPEG image (ITU-T T.81): 8 by 8 pixels, grey."""
    # The smallest valid file: one table for quantisation, one component, one block.
    quantisation = b"\xff\xdb\x00\x43\x00" + bytes([16] * 64)
    frame = b"\xff\xc0\x00\x0b\x08\x00\x08\x00\x08\x01\x01\x11\x00"
    # One code each: DC category 0 and the end of a block.
    dc = b"\xff\xc4\x00\x14\x00" + bytes([1] + [0] * 15) + b"\x00"
    ac = b"\xff\xc4\x00\x14\x10" + bytes([1] + [0] * 15) + b"\x00"
    scan = b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00" + b"\x3f"
    app = b"\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
    return b"\xff\xd8" + app + quantisation + frame + dc + ac + scan + b"\xff\xd9"


def _tone(seconds: float, rate: int) -> list[int]:
    """The samples of a 440 Hz tone."""
    # A quarter of the full scale of 16 bits: loud enough and never clipped.
    return [int(8000 * sin(2 * pi * 440 * i / rate)) for i in range(int(seconds * rate))]


def wav(seconds: float = 0.2, rate: int = 8000) -> bytes:
    """A RIFF/WAVE file: 16-bit mono PCM, a tone of 440 Hz."""
    data = struct.pack(f"<{int(seconds * rate)}h", *_tone(seconds, rate))
    form = struct.pack("<HHIIHH", 1, 1, rate, rate * 2, 2, 16)
    return (
        b"RIFF"
        + struct.pack("<I", 36 + len(data))
        + b"WAVEfmt "
        + struct.pack("<I", 16)
        + form
        + b"data"
        + struct.pack("<I", len(data))
        + data
    )


def mp3(frames: int = 8) -> bytes:
    """MPEG-1 layer III frames of silence: 32 kbit/s, 32 kHz, mono, 144 bytes and 36 ms each."""
    # Sync, MPEG-1 layer III without CRC; 32 kbit/s and 32 kHz; mono, original.
    head = b"\xff\xfb\x18\xc4"
    # Four bytes of head and 140 of zeros give the 144 of a frame.
    return (head + bytes(140)) * frames


def _crc(data: bytes, polynomial: int, width: int) -> int:
    """A cyclic redundancy check, as FLAC frames carry it: no reflection, initial value 0."""
    top, mask, value = 1 << (width - 1), (1 << width) - 1, 0
    for byte in data:
        # The byte enters at the top, and the register shifts to the left (RFC 9639 section 9.1.8).
        value ^= byte << (width - 8)
        for _ in range(8):
            value = ((value << 1) ^ polynomial if value & top else value << 1) & mask
    return value


def flac(blocks: int = 1) -> bytes:
    """A FLAC file (RFC 9639): 8 kHz mono 16 bit, ``blocks`` times 4096 samples of silence as constant subframes."""
    size, rate = 4096, 8000
    # STREAMINFO, RFC 9639 section 8.2: 20 bits sample rate, 3 bits channels - 1, 5 bits bits per sample - 1, 36 bits
    # samples.
    packed = (rate << 44) | (0 << 41) | (15 << 36) | (size * blocks)
    info = struct.pack(">HH", size, size) + bytes(6) + packed.to_bytes(8, "big") + bytes(16)
    out = b"fLaC" + b"\x80" + len(info).to_bytes(3, "big") + info
    for number in range(blocks):
        # Fixed block size 4096 (code 1100), 8 kHz (0100); one channel, 16 bit (100).
        head = b"\xff\xf8" + bytes([0b1100_0100, 0b0000_1000, number])
        head += bytes([_crc(head, 0x07, 8)])
        frame = head + b"\x00" + struct.pack(">h", 0)
        out += frame + _crc(frame, 0x8005, 16).to_bytes(2, "big")
    return out


def _lines(rows: list[object]) -> bytes:
    """JSON Lines: one compact JSON text per line."""
    return b"".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n" for row in rows)


_CAPITALS = [("Oslo", "Norway"), ("Rome", "Italy"), ("Quito", "Ecuador"), ("Accra", "Ghana"), ("Hanoi", "Vietnam")]


def _fine_tune(pairs: list[tuple[str, str]]) -> bytes:
    """A training file in the chat format, one example per (city, country)."""
    return _lines(
        [
            {
                "messages": [
                    {"role": "system", "content": "Name the country."},
                    {"role": "user", "content": city},
                    {"role": "assistant", "content": country},
                ]
            }
            for city, country in pairs
        ]
    )


def _batch() -> bytes:
    """A batch input file with three chat requests."""
    return _lines(
        [
            {
                "custom_id": f"task-{number}",
                "method": "POST",
                "url": "/chat/completions",
                "body": {
                    "model": "{deployment}",
                    "messages": [{"role": "user", "content": f"Say the number {number}."}],
                    "max_tokens": 8,
                },
            }
            for number in range(3)
        ]
    )


def _evals() -> bytes:
    """A file of three eval items."""
    return _lines([{"item": {"question": f"What is {n} + {n}?", "answer": str(2 * n)}} for n in range(1, 4)])


#: The name in a draft → (file name, media type, function that makes the bytes). ``{run}`` in the name of a file that is
#: kept marks it as ours.
_MAKERS: Mapping[str, tuple[str, str, Callable[[], bytes]]] = {
    "file:wav": ("tone.wav", "audio/wav", wav),
    "file:mp3": ("silence.mp3", "audio/mpeg", mp3),
    "file:flac": ("silence.flac", "audio/flac", flac),
    "file:png": ("picture.png", "image/png", lambda: png(64, 64)),
    "file:mask": ("mask.png", "image/png", lambda: png(64, 64, alpha=True)),
    "file:jpeg": ("picture.jpg", "image/jpeg", jpeg),
    "file:text": ("notes-{run}.txt", "text/plain", lambda: b"The conformance suite keeps its notes here.\n"),
    "file:unicode": ("notes-{run}.md", "text/markdown", "# Grüße 你好\n\nبسيط\n".encode),
    "file:empty": ("empty-{run}.txt", "text/plain", lambda: b""),
    "file:batch": ("batch-{run}.jsonl", "application/jsonl", _batch),
    "file:fine-tune": ("train-{run}.jsonl", "application/jsonl", lambda: _fine_tune(_CAPITALS * 2)),
    "file:validate": ("validate-{run}.jsonl", "application/jsonl", lambda: _fine_tune(_CAPITALS[::-1] * 2)),
    "file:evals": ("items-{run}.jsonl", "application/jsonl", _evals),
    "file:not-audio": ("tone.wav", "audio/wav", lambda: b"this is text, not sound\n"),
}

#: The names of all files.
FILES = tuple(_MAKERS)


@cache
def file_named(name: str) -> File:
    """One of :data:`FILES`. Raises :class:`KeyError` for another name."""
    filename, content_type, make = _MAKERS[name]
    return File(filename, content_type, make())


#: A PNG as a data URL (RFC 2397).
PNG_URL = "data:image/png;base64," + base64.b64encode(png()).decode("ascii")
