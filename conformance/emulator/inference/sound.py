"""Sound generated in code: a WAV file whose length follows the text, and stand-ins for the compressed formats."""

from __future__ import annotations

import math
import struct

__all__ = ["MEDIA_TYPES", "duration", "encoded", "pcm", "wave"]

#: Samples per second.
_RATE = 8_000

#: The media type of each ``response_format`` of speech (IANA names; pcm is raw 16-bit samples).
MEDIA_TYPES = {
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",
}

#: The first bytes of files in the compressed formats.
_MAGIC = {
    "mp3": b"ID3\x04\x00\x00\x00\x00\x00\x00\xff\xfb\x90\x00",
    "opus": b"OggS\x00\x02" + b"\x00" * 22 + b"OpusHead\x01",
    "aac": b"\xff\xf1\x50\x80\x00\x1f\xfc",
    "flac": b"fLaC\x80\x00\x00\x22",
}


def duration(text: str) -> float:
    """The seconds that it takes to say a text: a quarter per word, at least a quarter."""
    return 0.25 * max(1, len(text.split()))


def pcm(text: str, speed: float = 1.0) -> bytes:
    """Signed 16-bit little-endian samples of a soft tone, at most four seconds."""
    # At most four seconds, to keep evidence small.
    many = int(min(duration(text) / speed, 4.0) * _RATE)
    # 40 samples per period at 8,000 per second: a tone of 200 Hz, computed once and repeated.
    period = struct.pack("<40h", *(int(3000 * math.sin(2 * math.pi * place / 40)) for place in range(40)))
    return (period * (many // 40 + 1))[: 2 * many]


def wave(text: str, speed: float = 1.0) -> bytes:
    """A WAV file (RIFF, one channel, 16 bit)."""
    data = pcm(text, speed)
    form = struct.pack("<HHIIHH", 1, 1, _RATE, 2 * _RATE, 2, 16)
    chunks = b"fmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def encoded(text: str, form: str, speed: float = 1.0) -> bytes:
    """Speech in a ``response_format``. For compressed formats, the format's first bytes stand before plain samples."""
    if form == "wav":
        return wave(text, speed)
    return _MAGIC.get(form, b"") + pcm(text, speed)
