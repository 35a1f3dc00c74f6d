"""Text that a target damages: UTF-8 read as Latin-1, halves of a surrogate pair."""

from __future__ import annotations

from typing import Any

from wire_stage import Example, Played, WireCase, answer, exchanged, lines, played

from .content_coding import HEAD

ASK = {"messages": [{"role": "user", "content": "Repeat: é你好 😀"}], "stream": True}


def deltas(*texts: str, id_: str = "c") -> str:
    """A chat stream of these texts. Escapes are ASCII, as a JSON writer may choose."""
    start: list[Any] = [_chunk({"role": "assistant", "content": ""})]
    chunks = (*start, *(_chunk({"content": text}) for text in texts), _chunk({}, "stop"))
    return lines(*({**chunk, "id": id_} for chunk in chunks))


def _chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {**HEAD, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def streamed(example: Example) -> Played:
    """A stream of the example's deltas."""
    if "delta" in example:
        body = deltas(example["delta"]["content"])
    elif "events" in example:
        import json

        texts = [json.loads(e.removeprefix("data: "))["choices"][0]["delta"]["content"] for e in example["events"]]
        body = deltas(*texts)
    else:
        body = deltas(*example["deltas"])
    return played(exchanged("chat.completions.create", ASK, answer({"body": body})))


CASES = (
    WireCase(
        "stream-read-as-latin-1",
        "fail",
        streamed,
        {"deltas": ["\u00c3\u00a9", "\u00e4\u00bd\u00a0\u00e5\u00a5\u00bd"]},
        told={"stream.text": "Latin-1"},
        near=[
            {"deltas": ["é", "你好"]},
            {"deltas": ["Ã", " in Portuguese: irmã, «São»"]},
            {"deltas": ["naïve ", "café"]},
        ],
    ),
    WireCase(
        "surrogate-split-over-deltas",
        "fail",
        streamed,
        {"deltas": ["ok \ud83d", "\ude00"]},
        told={"stream.text": "surrogate"},
        near=[{"deltas": ["ok 😀"]}],
    ),
)
