"""The check that each vector belongs to its input, by comparison of the vectors themselves."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from attrs import field, frozen

from conformance.checks.inference.chat import body_of
from conformance.checks.inference.embeddings import EMBEDDINGS, components_of, vectors_of
from conformance.evidence.trace import Observation, Trace
from conformance.judging.check import trace_check
from conformance.judging.counterexamples import asked, on_json
from conformance.requests.request import Request
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level

#: Answers with more inputs are not compared: it would take long and show nothing new.
MOST = 64

#: Equal texts may get slightly different vectors. Those of different words differ by far more than this.
NEAR = 0.001


@frozen
class Batch:
    """One answer: the text of each input and its vector."""

    seen: Observation
    texts: tuple[str, ...]
    vectors: tuple[tuple[float, ...], ...] = field(repr=False)


def _batch(seen: Observation) -> Batch | None:
    """The batch of an answer; None if the inputs aren't texts or the answer doesn't fit them, which other checks
    report.
    """
    given = body_of(seen.case).get("input")
    texts = [given] if isinstance(given, str) else given if isinstance(given, list) else []
    found = [components_of(item.get("embedding")) for item in vectors_of(seen)]
    fits = 0 < len(texts) <= MOST and len(found) == len(texts) and all(isinstance(text, str) for text in texts)
    if not seen.exchange.ok or not fits or body_of(seen.case).get("dimensions") is not None:
        return None
    vectors = tuple(_unit(vector or ()) for vector in found)
    # Vectors of different lengths, or of zeros, can't be compared.
    return Batch(seen, tuple(texts), vectors) if len({len(vector) for vector in vectors}) == 1 and vectors[0] else None


def _unit(vector: Sequence[Any]) -> tuple[float, ...]:
    """The vector scaled to length one; empty if it isn't all numbers or is zero."""
    if not all(isinstance(x, int | float) for x in vector):
        return ()
    length = math.sqrt(sum(x * x for x in vector))
    return tuple(x / length for x in vector) if length else ()


def _likeness(a: Sequence[float], b: Sequence[float]) -> float:
    """The cosine of the angle between two vectors of length one."""
    return sum(x * y for x, y in zip(a, b, strict=True))


def _exchanged(value: Any, _request: Request) -> Any:
    """Counterexample: the vectors come in reverse order."""
    data = value.get("data")
    if not isinstance(data, list) or len(data) < 2:
        return None
    vectors = [item.get("embedding") for item in data]
    return {**value, "data": [{**item, "embedding": v} for item, v in zip(data, reversed(vectors), strict=True)]}


@trace_check(
    "embeddings.order",
    Level.MUST,
    clause="embeddings-one-per-input",
    counterexample=on_json(_exchanged, when=asked("POST", r"/embeddings")),
    scenarios=("corpus.embeddings.create",),
    operations=EMBEDDINGS,
)
def order(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """The vector at an index belongs to the input at that index.

    If the same word is sent in two requests, it gets nearly the same vector in both. So its vector in one answer is
    closer to its vector in the other answer than the vectors of other words are. If vectors are exchanged, every search
    finds the wrong documents.
    """
    batches = [batch for seen in trace if (batch := _batch(seen)) is not None]
    for batch in batches:
        if len(set(batch.texts)) < 2:
            continue
        for other in batches:
            # Another deployment may have answered, with vectors of another model.
            if other is batch or len(other.vectors[0]) != len(batch.vectors[0]):
                continue
            for text, wanted in zip(other.texts, other.vectors, strict=True):
                if text not in batch.texts:
                    continue
                likeness = [_likeness(vector, wanted) for vector in batch.vectors]
                # The same text may stand several times in one request; the best of its vectors counts.
                own = max(one for one, name in zip(likeness, batch.texts, strict=True) if name == text)
                best = max(range(len(likeness)), key=likeness.__getitem__)
                if likeness[best] > own + NEAR:
                    yield batch.seen.finding(
                        f"the vector of {text[:40]!r} is that of another input",
                        place=f"/data/{batch.texts.index(text)}/embedding",
                        expected=f"nearest to {text[:40]!r} as case {other.seen.case.id} gave it",
                        actual=f"nearer at /data/{best}",
                    )
                    return
