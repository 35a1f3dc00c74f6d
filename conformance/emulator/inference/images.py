"""Images: PNG pictures generated in code, by URL or in base64."""

from __future__ import annotations

import base64
import hashlib
import struct
import zlib
from typing import Any

from conformance.emulator.behaviour import Deployment
from conformance.emulator.call import Call
from conformance.emulator.handlers import handles
from conformance.emulator.inference import filters
from conformance.emulator.inference.text import count
from conformance.evidence.exchange import Response

__all__ = ["edit", "generate", "png"]

#: Width and height if the request doesn't say.
_SQUARE = (1024, 1024)


@handles("images.generations.create")
def generate(call: Call) -> Response:
    """``n`` pictures for a prompt."""
    return _pictures(call, call.deployment("images"))


@handles("images.edits.create")
def edit(call: Call) -> Response:
    """``n`` pictures for a prompt and uploaded pictures."""
    return _pictures(call, call.deployment("image-edits"))


def _pictures(call: Call, deployment: Deployment) -> Response:
    """The answer of both operations."""
    prompt = str(call.get("prompt", ""))
    width, height = _size(call)
    # Models that can edit always answer in base64; the others give a URL unless asked otherwise.
    inline = call.get("response_format") == "b64_json" or "image-edits" in deployment.abilities
    data = []
    for index in range(int(call.choice("n", 1))):
        picture: dict[str, Any] = {"content_filter_results": filters.for_image()}
        picture["prompt_filter_results"] = filters.for_prompt()
        if inline:
            picture["b64_json"] = base64.b64encode(png(f"{prompt}\0{index}", width, height)).decode()
        else:
            picture["url"] = f"https://example.com/generated/{call.store.new_id('img-')}/{index}.png"
            picture["revised_prompt"] = f"A picture of: {prompt}"
        data.append(picture)
    body: dict[str, Any] = {"created": call.clock.now(), "data": data}
    if "image-edits" in deployment.abilities:
        body |= _described(call, width, height, prompt, len(data))
    return call.json(body)


def _size(call: Call) -> tuple[int, int]:
    """(width, height) in pixels."""
    width, _, height = str(call.choice("size", "auto")).partition("x")
    return (int(width), int(height)) if width.isdigit() and height.isdigit() else _SQUARE


def _described(call: Call, width: int, height: int, prompt: str, many: int) -> dict[str, Any]:
    """The fields that only newer models add: how the pictures were made, and the usage.

    The pictures are PNG whatever was requested, and the answer says so.
    """
    size = f"{width}x{height}"
    # 1056 is the published number of tokens of a square picture in medium quality.
    words, pixels = count(prompt), 1056 * many
    described = {"output_format": "png", "quality": "medium", "size": size}
    described["background"] = "transparent" if call.get("background") == "transparent" else "opaque"
    documented = {
        name: value for name, value in described.items() if value in (call.documented.answer.values(name) or (value,))
    }
    return documented | {
        "usage": {
            "input_tokens": words,
            "output_tokens": pixels,
            "total_tokens": words + pixels,
            "input_tokens_details": {"image_tokens": 0, "text_tokens": words},
        }
    }


def png(seed: str, width: int, height: int) -> bytes:
    """A picture in one colour that depends on the seed: PNG with a palette of one colour (RFC 2083)."""
    colour = hashlib.sha256(seed.encode()).digest()[:3]
    rows = zlib.compress(b"\0" * ((1 + (width + 7) // 8) * height), 9)  # one bit per pixel, filter type none
    head = struct.pack(">IIBBBBB", width, height, 1, 3, 0, 0, 0)
    parts = ((b"IHDR", head), (b"PLTE", colour), (b"IDAT", rows), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_block(kind, data) for kind, data in parts)


def _block(kind: bytes, data: bytes) -> bytes:
    """One PNG chunk."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
