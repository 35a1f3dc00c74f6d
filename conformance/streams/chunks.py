"""Chat and completion chunks: which choices count, and what may follow what within a choice.

Chunks with an empty list of choices, and choices without ``delta`` (chat) or ``text`` (completions), carry filter
results of the service. The rules on id, object, created, model, role and finish do not apply to them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from attrs import frozen

from conformance.evidence.event_stream import Event
from conformance.schema.integers import is_integer
from conformance.streams.machine import Breach, Machine
from conformance.streams.reading import Reading

__all__ = [
    "CHOICE",
    "CUT",
    "Piece",
    "by_choice",
    "choice_breaches",
    "choices_in",
    "content_chunks",
    "cut_choices",
    "index_of",
    "pieces",
    "stopped",
    "usage_chunks",
]

#: Finish reasons of a choice that a limit or a filter cut off, perhaps in the middle of a call.
CUT = ("length", "content_filter")


@frozen
class Piece:
    """One choice in one chunk, with content to judge. ``position`` is its index in the chunk's list of choices."""

    event: Event
    chunk: Mapping[str, Any]
    choice: Mapping[str, Any]
    position: int

    @property
    def place(self) -> str:
        """The place as findings write it."""
        return f"{self.event.place}/choices/{self.position}"

    @property
    def index(self) -> int | None:
        """The index of the choice; None if it is missing or no whole number, which a check of its own reports."""
        return index_of(self.choice)

    @property
    def delta(self) -> Mapping[str, Any]:
        """The delta; empty for completions."""
        delta = self.choice.get("delta")
        return delta if isinstance(delta, dict) else {}

    @property
    def text(self) -> str:
        """The text that this piece adds: ``delta.content`` or ``text``."""
        text = self.choice.get("text", self.delta.get("content"))
        return text if isinstance(text, str) else ""

    @property
    def finish(self) -> Any:
        """The ``finish_reason``; None if it is null or absent."""
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


def counts(choice: Mapping[str, Any]) -> bool:
    """Return True for a choice to which the rules on content apply."""
    return "delta" in choice or "text" in choice


def index_of(choice: Mapping[str, Any]) -> int | None:
    """The index of a choice; None if it is missing or no whole number."""
    index = choice.get("index")
    return index if is_integer(index) else None


def choices_in(value: Any) -> list[tuple[int, dict[str, Any]]]:
    """(position, choice) of the choices of a chunk or an answer that are objects; empty if it has no list of them."""
    found = value.get("choices") if isinstance(value, dict) else None
    return [pair for pair in enumerate(found) if isinstance(pair[1], dict)] if isinstance(found, list) else []


def pieces(reading: Reading) -> Iterator[Piece]:
    """Yield the pieces of all chunks in the order of arrival."""
    for event, chunk in reading.values:
        for position, choice in choices_in(chunk):
            if counts(choice):
                yield Piece(event, chunk, choice, position)


def content_chunks(reading: Reading) -> Iterator[tuple[Event, Mapping[str, Any]]]:
    """Yield the chunks with at least one piece."""
    for event, chunk in reading.values:
        if any(counts(choice) for _, choice in choices_in(chunk)):
            yield event, chunk


def usage_chunks(reading: Reading) -> Iterator[tuple[Event, Mapping[str, Any]]]:
    """Yield the chunks with a ``usage`` that isn't null."""
    for event, chunk in reading.values:
        if chunk.get("usage") is not None:
            yield event, chunk


def by_choice(reading: Reading) -> Mapping[Any, list[Piece]]:
    """The pieces by the index of their choice. Pieces without an index are under None."""
    found: dict[Any, list[Piece]] = {}
    for piece in pieces(reading):
        found.setdefault(piece.index, []).append(piece)
    return found


def _symbol(piece: Piece) -> str:
    """The machine's symbol for a piece."""
    if piece.finish is not None:
        return "ends"
    says = piece.text or any(piece.delta.get(key) for key in ("tool_calls", "function_call", "refusal"))
    return "says" if says else "idle"


def stopped(reading: Reading) -> Mapping[Any, Any]:
    """The finish reasons that choices without content give, by index: the asynchronous filter ends a choice so."""
    found: dict[Any, Any] = {}
    for _, chunk in reading.values:
        for _, choice in choices_in(chunk):
            index = index_of(choice)
            if index is not None and not counts(choice) and choice.get("finish_reason") is not None:
                found[index] = choice["finish_reason"]
    return found


def cut_choices(reading: Reading) -> Collection[Any]:
    """The indices of the choices that a limit or a filter cut off, with the last content or in a chunk of its own."""
    ends = [(piece.index, piece.finish) for piece in pieces(reading)]
    return {index for index, finish in [*ends, *stopped(reading).items()] if finish in CUT}


def choice_breaches(reading: Reading) -> Iterator[tuple[Any, Breach[Piece]]]:
    """Yield (index of the choice, breach) for every piece that its choice's machine doesn't allow."""
    ends = stopped(reading)
    for index, found in by_choice(reading).items():
        for breach in CHOICE.run(((_symbol(piece), piece) for piece in found), ended=reading.ended):
            if not (breach.rule == "finish-reason-missing" and index in ends):
                yield index, breach
