"""Chat and completion chunks: which choices count, and what may follow what within a choice.

Chunks with empty choices, and choices without ``delta`` (chat) or ``text`` (completions), carry filter results of the
service and stand outside the rules on id, object, created, model, role and finish.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import frozen

from conformance.evidence.event_stream import Event
from conformance.streams.machine import Breach, Machine
from conformance.streams.reading import Reading

__all__ = ["CHOICE", "Piece", "by_choice", "choice_breaches", "content_chunks", "pieces", "usage_chunks"]


@frozen
class Piece:
    """One counted choice of one chunk; ``position`` is its place in the chunk's list."""

    event: Event
    chunk: Mapping[str, Any]
    choice: Mapping[str, Any]
    position: int

    @property
    def place(self) -> str:
        """How a finding names it."""
        return f"{self.event.place}/choices/{self.position}"

    @property
    def delta(self) -> Mapping[str, Any]:
        """The delta; empty for completions."""
        delta = self.choice.get("delta")
        return delta if isinstance(delta, dict) else {}

    @property
    def text(self) -> str:
        """The text that it adds: ``delta.content`` or ``text``."""
        text = self.choice.get("text", self.delta.get("content"))
        return text if isinstance(text, str) else ""

    @property
    def finish(self) -> Any:
        """``finish_reason``; None where null or absent."""
        return self.choice.get("finish_reason")


#: One choice. ``says`` is a delta with content, ``idle`` one without, ``ends`` a chunk with a finish_reason.
CHOICE = Machine(
    name="choice",
    start="open",
    moves={("open", "says"): "open", ("open", "idle"): "open", ("open", "ends"): "finished"},
    breaks={
        ("finished", "ends"): ("finish-reason-once", "finished"),
        ("finished", "says"): ("nothing-after-finish", "finished"),
    },
    ends={"open": "finish-reason-missing"},
)


def counts(choice: Any) -> bool:
    """True for a choice that the rules on content apply to."""
    return isinstance(choice, dict) and ("delta" in choice or "text" in choice)


def pieces(reading: Reading) -> Iterator[Piece]:
    """The counted choices of all chunks, in the order of arrival."""
    for event, chunk in reading.values:
        choices = chunk.get("choices")
        if isinstance(choices, list):
            for position, choice in enumerate(choices):
                if counts(choice):
                    yield Piece(event, chunk, choice, position)


def content_chunks(reading: Reading) -> Iterator[tuple[Event, Mapping[str, Any]]]:
    """The chunks that hold at least one counted choice."""
    for event, chunk in reading.values:
        choices = chunk.get("choices")
        if isinstance(choices, list) and any(counts(choice) for choice in choices):
            yield event, chunk


def usage_chunks(reading: Reading) -> Iterator[tuple[Event, Mapping[str, Any]]]:
    """The chunks whose ``usage`` is there and not null."""
    for event, chunk in reading.values:
        if chunk.get("usage") is not None:
            yield event, chunk


def by_choice(reading: Reading) -> Mapping[Any, list[Piece]]:
    """Pieces by the index of their choice. A piece without an index stands under None."""
    found: dict[Any, list[Piece]] = {}
    for piece in pieces(reading):
        index = piece.choice.get("index")
        found.setdefault(index if isinstance(index, int) else None, []).append(piece)
    return found


def _symbol(piece: Piece) -> str:
    if piece.finish is not None:
        return "ends"
    says = piece.text or any(piece.delta.get(key) for key in ("tool_calls", "function_call", "refusal"))
    return "says" if says else "idle"


def choice_breaches(reading: Reading) -> Iterator[tuple[Any, Breach[Piece]]]:
    """What each choice's machine objects to, with the choice's index."""
    for index, found in by_choice(reading).items():
        for breach in CHOICE.run(((_symbol(piece), piece) for piece in found), ended=reading.ended):
            yield index, breach
