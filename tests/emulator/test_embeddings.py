"""Embeddings: one unit vector per input in order; both encodings carry the same numbers."""

from __future__ import annotations

import base64
import math
import struct
from collections.abc import Callable
from typing import Any

import pytest

from conformance.emulator.documented_fields import Shape
from conformance.evidence.exchange import Response

Infer = Callable[..., Response]
Embed = Callable[..., Response]


@pytest.fixture
def embed(embeddings_version: str, inference: Infer) -> Embed:
    def call(deployment: str = "text-embedding-3-small", **body: Any) -> Response:
        return inference(embeddings_version, "/embeddings", deployment, body)

    return call


def length(vector: list[float]) -> float:
    return math.sqrt(sum(one * one for one in vector))


def test_one_vector_per_input_in_order(embed: Embed) -> None:
    answer = embed(input=["a", "b", "a"]).json
    vectors = [one["embedding"] for one in answer["data"]]
    assert [0, 1, 2] == [one["index"] for one in answer["data"]]
    assert (vectors[0], True) == (vectors[2], vectors[0] != vectors[1])
    assert vectors[1] == embed(input="b").json["data"][0]["embedding"]
    assert ("list", "embedding", "text-embedding-3-small") == (
        answer["object"],
        answer["data"][0]["object"],
        answer["model"],
    )


@pytest.mark.parametrize(
    ("deployment", "size"),
    [("text-embedding-3-small", 64), ("text-embedding-3-large", 128), ("text-embedding-ada-002", 64)],
)
def test_length_one_and_the_size_of_the_model(embed: Embed, deployment: str, size: int) -> None:
    vector = embed(deployment, input="hello").json["data"][0]["embedding"]
    assert size == len(vector)
    assert 1.0 == pytest.approx(length(vector), abs=1e-4)


@pytest.mark.parametrize("size", [1, 8, 1536])
def test_dimensions(embed: Embed, size: int) -> None:
    vector = embed(input="hello", dimensions=size).json["data"][0]["embedding"]
    assert size == len(vector)
    assert 1.0 == pytest.approx(length(vector), abs=1e-4)


@pytest.mark.parametrize(("deployment", "size"), [("text-embedding-3-small", 1537), ("text-embedding-ada-002", 8)])
def test_dimensions_that_the_model_does_not_have(embed: Embed, deployment: str, size: int) -> None:
    answer = embed(deployment, input="hello", dimensions=size)
    assert (400, "dimensions") == (answer.status, answer.json["error"]["param"])


def test_base64_is_little_endian_floats(embed: Embed) -> None:
    packed = embed(input="hello", dimensions=32, encoding_format="base64").json["data"][0]["embedding"]
    plain = embed(input="hello", dimensions=32).json["data"][0]["embedding"]
    assert plain == pytest.approx(struct.unpack("<32f", base64.b64decode(packed, validate=True)), abs=1e-7)


def test_usage_counts_all_inputs(embed: Embed) -> None:
    usage = embed(input=["one two", "three"]).json["usage"]
    assert {"prompt_tokens": 3, "total_tokens": 3} == usage


def test_an_input_that_looks_like_our_own_marks_is_harmless(embed: Embed) -> None:
    answer = embed(input=['"@1"', "@0"], dimensions=2)
    assert [2, 2] == [len(one["embedding"]) for one in answer.json["data"]]
    assert str(len(answer.body)) == answer.header("content-length")


def test_token_ids_are_inputs(embed: Embed, embeddings_version: str, documented: Callable[[str, str], Shape]) -> None:
    given = documented(embeddings_version, "embeddings.create").at("input", "*")
    if given is None or not given.allows("array"):
        pytest.skip("only texts are documented in this version")
    assert [1, 2] == [len(embed(input=tokens).json["data"]) for tokens in ([1, 2, 3], [[1], [2, 3]])]
