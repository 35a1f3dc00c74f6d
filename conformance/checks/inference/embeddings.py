"""Checks of embeddings: one vector per input, in order, in the requested form."""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from conformance.checks.inference.chat import body_of
from conformance.evidence.trace import Observation, Trace
from conformance.judging.check import Needs, check, trace_check
from conformance.judging.counterexamples import asked, on_json
from conformance.requests.case import Case, Expect
from conformance.requests.request import Request
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level

EMBEDDINGS = ("embeddings.create",)
_posted = asked("POST", r"/embeddings")


def _json_body(spec: Spec, case: Case) -> bool:
    """The case sends a JSON object with ``input``."""
    return isinstance(case.json, dict) and "input" in case.json


def inputs_in(body: Mapping[str, Any]) -> int:
    """The number of inputs in a body. A string or a list of token ids is one input; a list of those is several."""
    given = body.get("input")
    # A list of integers is one input in tokens.
    if isinstance(given, list) and not (given and all(isinstance(item, int) for item in given)):
        return len(given)
    return 1


def vectors_of(seen: Observation) -> list[Mapping[str, Any]]:
    """The entries of ``data`` that are objects."""
    data = seen.json.get("data") if isinstance(seen.json, dict) else None
    return [item for item in data if isinstance(item, dict)] if isinstance(data, list) else []


def components_of(embedding: Any) -> Sequence[float] | None:
    """The components of a vector: of a list, or of base64 text of little-endian 32-bit floats. None for anything
    else.
    """
    if isinstance(embedding, list):
        return embedding
    if isinstance(embedding, str):
        try:
            data = base64.b64decode(embedding, validate=True)
        except (binascii.Error, ValueError):
            return None
        # Four bytes for each 32-bit float; another length is no vector.
        return struct.unpack(f"<{len(data) // 4}f", data) if data and len(data) % 4 == 0 else None
    return None


def length_of(embedding: Any) -> int | None:
    """The number of components, or None."""
    found = components_of(embedding)
    return None if found is None else len(found)


def _lose_one(value: Any, _request: Request) -> Any:
    """Counterexample: the last vector has a wrong index."""
    if not value.get("data"):
        return None
    value["data"] = [*value["data"][:-1], {**value["data"][-1], "index": len(value["data"])}]
    return value


@check(
    "embeddings.count",
    Level.MUST,
    clause="embeddings-one-per-input",
    counterexample=on_json(_lose_one, when=_posted),
    operations=EMBEDDINGS,
    about=_json_body,
    needs=Needs.SUCCESS,
)
def count(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """Every input gets one vector. The indices are 0, 1, 2 … in the order of the inputs."""
    wanted = list(range(inputs_in(body_of(seen.case))))
    found = [item.get("index") for item in vectors_of(seen)]
    if found != wanted:
        yield seen.finding(
            "not one vector per input in order", place="/data", expected=f"indexes {wanted}", actual=found
        )


def _floats(value: Any, request: Request) -> Any:
    """Counterexample: the base64 text is malformed."""
    if (request.json or {}).get("encoding_format") != "base64":
        return None
    for item in value.get("data", []):
        # One character more: base64 text comes in groups of four.
        item["embedding"] = "A" + str(item["embedding"])
    return value


@check(
    "embeddings.encoding",
    Level.MUST,
    clause="embeddings-encoding-format",
    counterexample=on_json(_floats, when=_posted),
    operations=EMBEDDINGS,
    about=_json_body,
    needs=Needs.SUCCESS,
    entails=("embeddings.dimensions", "embeddings.same-length"),
)
def encoding(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """With ``encoding_format: base64`` a vector is base64 text of 32-bit floats, otherwise a list of numbers."""
    wanted = body_of(seen.case).get("encoding_format") or "float"
    for index, item in enumerate(vectors_of(seen)):
        embedding = item.get("embedding")
        fits = isinstance(embedding, str) if wanted == "base64" else isinstance(embedding, list)
        if not fits or not length_of(embedding):
            yield seen.finding(
                f"not an embedding in {wanted} form",
                place=f"/data/{index}/embedding",
                expected=wanted,
                actual=str(embedding)[:60],
            )


def _longer(value: Any, request: Request) -> Any:
    """Counterexample: vectors are one component too long."""
    if not (request.json or {}).get("dimensions"):
        return None
    for item in value.get("data", []):
        if isinstance(item["embedding"], list):
            item["embedding"] = [*item["embedding"], 0.5]
        else:
            item["embedding"] = base64.b64encode(base64.b64decode(item["embedding"]) + bytes(4)).decode()
    return value


@check(
    "embeddings.dimensions",
    Level.MUST,
    clause="embeddings-dimensions",
    counterexample=on_json(_longer, when=_posted),
    operations=EMBEDDINGS,
    about=lambda spec, case: _json_body(spec, case) and bool(body_of(case).get("dimensions")),
    needs=Needs.SUCCESS,
)
def dimensions(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """With ``dimensions`` vectors have that length. Databases refuse vectors of another length."""
    wanted = body_of(seen.case)["dimensions"]
    for index, item in enumerate(vectors_of(seen)):
        if length_of(item.get("embedding")) != wanted:
            yield seen.finding(
                "another length",
                place=f"/data/{index}/embedding",
                expected=wanted,
                actual=length_of(item.get("embedding")),
            )


def _shorter_base64(value: Any, request: Request) -> Any:
    """Counterexample: vectors in base64 are one component shorter than those as numbers."""
    body = request.json or {}
    if body.get("encoding_format") != "base64" or body.get("dimensions"):
        return None
    for item in value.get("data", []):
        item["embedding"] = base64.b64encode(base64.b64decode(item["embedding"])[:-4]).decode()
    return value


@trace_check(
    "embeddings.same-length",
    Level.MUST,
    clause="embeddings-base64-same-length",
    counterexample=on_json(_shorter_base64, when=_posted),
    scenarios=("corpus.embeddings.create",),
    operations=EMBEDDINGS,
)
def same_length(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """Without ``dimensions`` all vectors of a deployment have the same length, both as numbers and as base64."""
    lengths: dict[int, Observation] = {}
    # A request with ``dimensions`` chooses the length itself.
    due = [seen for seen in trace if seen.case.expect is Expect.ACCEPT and not body_of(seen.case).get("dimensions")]
    for seen in due:
        if seen.exchange.ok:
            for item in vectors_of(seen):
                length = length_of(item.get("embedding"))
                if length is not None:
                    lengths.setdefault(length, seen)
    if len(lengths) > 1:
        # The finding names the answer with the shortest vectors, so that it is the same in every run.
        odd = min(lengths, key=lambda length: (length != min(lengths), length))
        yield lengths[odd].finding("vectors of different lengths", place="/data", actual=sorted(lengths))


def _not_same(value: Any, request: Request) -> Any:
    """Counterexample: a vector is all zeros."""
    if (request.json or {}).get("encoding_format") == "base64":
        return None
    for item in value.get("data", []):
        if item["embedding"]:
            item["embedding"] = [0.0 for _ in item["embedding"]]
    return value


@check(
    "embeddings.not-zero",
    Level.SHOULD,
    clause="embeddings-not-zero",
    counterexample=on_json(_not_same, when=_posted),
    operations=EMBEDDINGS,
    about=_json_body,
    needs=Needs.SUCCESS,
    provenance="observed",
)
def not_zero(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """A vector is not all zeros: a vector of zeros has no angle to any other, so it can't be compared."""
    for index, item in enumerate(vectors_of(seen)):
        embedding = item.get("embedding")
        if isinstance(embedding, list) and embedding and not any(embedding):
            yield seen.finding("a vector of zeros", place=f"/data/{index}/embedding")
