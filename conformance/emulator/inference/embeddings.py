"""Embeddings: one vector of unit length per input, in the order of the inputs."""

from __future__ import annotations

import base64
import hashlib
import math
import re
import struct
from functools import lru_cache
from typing import Any

from conformance.emulator import error_answers as errors
from conformance.emulator.behaviour import Deployment
from conformance.emulator.call import Call
from conformance.emulator.handlers import handles
from conformance.emulator.inference.text import count
from conformance.evidence.exchange import Response

__all__ = ["create", "vector"]

#: Marks the place of a vector in the answer's text. Nothing that the caller sent is in that text.
_PLACE = re.compile(rb'"@(\d+)"')

#: Default and greatest length of vectors. The defaults are shorter than those of the real models, to keep evidence
#: small; the greatest lengths are the real ones.
_DEFAULT, _MOST = 64, 1536
_LARGE_DEFAULT, _LARGE_MOST = 128, 3072


@handles("embeddings.create")
def create(call: Call) -> Response:
    """Vectors as lists of numbers, or as base64 of little-endian 32-bit floats."""
    deployment = call.deployment("embeddings")
    size = _size(call, deployment)
    inputs = _inputs(call.get("input", ""))
    packed = call.get("encoding_format") == "base64"
    # Vectors are cached as text: formatting hundreds of floats would be most of the work of an answer.
    texts = [_packed(text, size) if packed else _listed(text, size) for text, _ in inputs]
    data = [{"object": "embedding", "index": index, "embedding": f"@{index}"} for index in range(len(inputs))]
    tokens = sum(many for _, many in inputs)
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    answer = call.json({"object": "list", "data": data, "model": deployment.model, "usage": usage}, complete=False)
    return answer.with_body(_PLACE.sub(lambda found: texts[int(found[1])], answer.body))


def _size(call: Call, deployment: Deployment) -> int:
    """The length of the vectors. Raises 400 if the model has a fixed length, or not this one."""
    # The names of the real models tell their sizes in the same way.
    own, most = (_LARGE_DEFAULT, _LARGE_MOST) if "large" in deployment.model else (_DEFAULT, _MOST)
    asked = call.get("dimensions")
    if asked is None:
        return own
    if "dimensions" not in deployment.abilities:
        raise errors.invalid("This model does not support specifying dimensions.", param="dimensions")
    if not 1 <= asked <= most:
        raise errors.invalid(f"'dimensions' must be between 1 and {most}.", param="dimensions")
    return int(asked)


def _inputs(given: Any) -> list[tuple[str, int]]:
    """Each input as text with its number of tokens. Token ids count one each; a list of numbers is one input."""
    if given is None or isinstance(given, str):
        return [(given or "", count(given or ""))]
    if given and not isinstance(given[0], (str, list)):
        return [(repr(given), len(given))]
    return [(one, count(one)) if isinstance(one, str) else (repr(one), len(one)) for one in given]


@lru_cache(maxsize=4096)
def vector(text: str, size: int) -> tuple[float, ...]:
    """A vector of length one that depends only on text and size. Its components are exact 32-bit floats."""
    raw = hashlib.shake_128(text.encode()).digest(size)
    centred = [2 * byte - 255 for byte in raw]  # odd, so never zero: the norm can't vanish
    norm = math.sqrt(sum([one * one for one in centred]))
    return struct.unpack(f"<{size}f", struct.pack(f"<{size}f", *[one / norm for one in centred]))


@lru_cache(maxsize=4096)
def _listed(text: str, size: int) -> bytes:
    """A vector as a JSON array."""
    return b"[%s]" % (b"%.8f," * size % vector(text, size))[:-1]


@lru_cache(maxsize=1024)
def _packed(text: str, size: int) -> bytes:
    """A vector as a JSON string in base64."""
    return b'"' + base64.b64encode(struct.pack(f"<{size}f", *vector(text, size))) + b'"'
