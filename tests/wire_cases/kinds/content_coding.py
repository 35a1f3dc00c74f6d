"""Answers whose Content-Encoding is not what was done to the bytes (RFC 9110 section 8.4, RFC 1952 section 2.3.1)."""

from __future__ import annotations

import gzip
import json

from wire_stage import Example, Played, WireCase, answer, exchanged, lines, played

VECTOR = {"object": "list", "data": [{"object": "embedding", "index": 0, "embedding": [0.1]}], "model": "m",
          "usage": {"prompt_tokens": 2, "total_tokens": 2}}  # fmt: skip
HEAD = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
FIRST = {**HEAD, "choices": [{"index": 0, "delta": {"role": "assistant", "content": "Hi"}, "finish_reason": None}]}
LAST = {**HEAD, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}


def plain(example: Example) -> Played:
    """An embedding."""
    return played(exchanged("embeddings.create", {"input": "a"}, answer(example)))


def stream(example: Example) -> Played:
    """A chat stream."""
    asked = {"messages": [{"role": "user", "content": "Hi"}], "stream": True}
    return played(exchanged("chat.completions.create", asked, answer(example)))


PACKED = gzip.compress(json.dumps(VECTOR).encode(), mtime=0).hex()
GZIP = ["Content-Encoding", "gzip"]
CASES = (
    WireCase(
        "coding-label-plain",
        "fail",
        plain,
        {"headers": [["Content-Type", "application/json"], GZIP], "body": VECTOR},
        told={"http.content-coding": "gzip"},
        near=[{"headers": [["Content-Type", "application/json"], ["Content-Encoding", "identity"]], "body": VECTOR}],
    ),
    WireCase(
        "coding-label-stream",
        "fail",
        stream,
        {"headers": [["Content-Type", "text/event-stream"], GZIP], "body": lines(FIRST, LAST, done=False)},
        told={"http.content-coding": "gzip", "sse.done.once": "[DONE]"},
        near=[{"headers": [["Content-Type", "text/event-stream"]], "body": lines(FIRST, LAST)}],
    ),
    WireCase(
        "coding-cut",
        "fail",
        plain,
        {"headers": [["Content-Type", "application/json"], GZIP], "body_hex": PACKED[: len(PACKED) // 4 * 2]},
        told={"http.content-coding": "can't be decoded"},
        near=[{"headers": [["Content-Type", "application/json"], GZIP], "body_hex": PACKED}],
    ),
)
