"""Checks of what belongs to an image: its size in pixels, and the tokens that it cost."""

from __future__ import annotations

import base64
import binascii
import re
import struct
from collections.abc import Iterator
from typing import Any

from conformance.checks.media.images import IMAGES, posted
from conformance.evidence.trace import Observation
from conformance.judging.check import Needs, check
from conformance.judging.counterexamples import on_json
from conformance.pointer import look_up
from conformance.requests.case import Case, Expect
from conformance.requests.request import Request
from conformance.requests.selectors import streams, value_at
from conformance.schema.integers import is_integer
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level

_SIZE = re.compile(r"(\d{1,5})x(\d{1,5})")

#: A PNG picture of one pixel, in base64.
_PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="


def _asked_size(size: Any) -> tuple[int, int] | None:
    """(width, height) of a size such as ``1024x1024``, in pixels; None for ``auto`` and anything else."""
    found = _SIZE.fullmatch(size) if isinstance(size, str) else None
    return (int(found[1]), int(found[2])) if found else None


def _sized(spec: Spec, case: Case) -> bool:
    """A valid request says how large the image shall be."""
    plain = not streams(spec, case) and case.expect is not Expect.REJECT
    return plain and _asked_size(value_at(case, "/size")) is not None


def _png_size(text: Any) -> tuple[int, int] | None:
    """(width, height) in pixels of a PNG picture in base64; None for another format.

    They stand behind the signature and the head of the first chunk (PNG specification, sections 5.2 and 11.2.2).
    """
    if not isinstance(text, str):
        return None
    try:
        data = base64.b64decode(text[:64])
    except (binascii.Error, ValueError):
        return None
    if len(data) < 24 or not data.startswith(b"\x89PNG\r\n\x1a\n"):
        return None
    width, height = struct.unpack(">II", data[16:24])
    return width, height


def _one_pixel(value: Any, _request: Request) -> Any:
    """Counterexample: each picture has one pixel."""
    data = value.get("data")
    if not isinstance(data, list) or not all(isinstance(x, dict) and _png_size(x.get("b64_json")) for x in data):
        return None
    return {**value, "data": [{**x, "b64_json": _PIXEL} for x in data]} if data else None


@check(
    "images.size",
    Level.SHOULD,
    clause="images-size",
    counterexample=on_json(_one_pixel, when=posted),
    operations=("images.generations.create",),
    about=_sized,
    needs=Needs.SUCCESS,
)
def size(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """A picture has as many pixels as were asked for. It is judged where the answer holds a PNG picture."""
    wanted, data = _asked_size(value_at(seen.case, "/size")), look_up(seen.json, "/data")
    for place, item in enumerate(data if isinstance(data, list) else ()):
        found = _png_size(look_up(item, "/b64_json"))
        if found is not None and wanted is not None and found != wanted:
            yield seen.finding(
                "a picture of another size", place=f"/data/{place}/b64_json", expected="x".join(map(str, wanted)),
                actual="x".join(map(str, found)),
            )  # fmt: skip


def _dearer(value: Any, _request: Request) -> Any:
    """Counterexample: the total is one too high."""
    usage = value.get("usage")
    if not isinstance(usage, dict) or not is_integer(usage.get("total_tokens")):
        return None
    return {**value, "usage": {**usage, "total_tokens": usage["total_tokens"] + 1}}


def _sum_of(node: Any, *names: str) -> int | None:
    """The sum of some fields; None if one of them is no integer."""
    numbers = [node.get(name) for name in names] if isinstance(node, dict) else []
    found = [number for number in numbers if is_integer(number)]
    return sum(found) if found and len(found) == len(names) else None


@check(
    "images.usage",
    Level.SHOULD,
    clause="images-usage",
    counterexample=on_json(_dearer, when=posted),
    operations=IMAGES,
    about=lambda spec, case: not streams(spec, case),
    needs=Needs.SUCCESS,
)
def usage(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """The usage of an image adds up: the total is input and output, the input is text and image tokens."""
    shown = look_up(seen.json, "/usage")
    for name, place, parts in (
        ("total_tokens", shown, ("input_tokens", "output_tokens")),
        ("input_tokens", look_up(shown, "/input_tokens_details"), ("text_tokens", "image_tokens")),
    ):
        total, wanted = look_up(shown, f"/{name}"), _sum_of(place, *parts)
        if wanted is not None and is_integer(total) and total != wanted:
            yield seen.finding("the tokens don't add up", place=f"/usage/{name}", expected=wanted, actual=total)
