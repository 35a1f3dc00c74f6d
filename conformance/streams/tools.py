"""Tool calls of a chat stream, joined from their deltas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import define, field, frozen

from conformance.schema.integers import is_integer
from conformance.streams.chunks import Piece, by_choice
from conformance.streams.machine import Breach, Machine
from conformance.streams.reading import Reading

__all__ = ["CALL", "Call", "Fragment", "calls_of", "fragments"]

#: One tool call. ``head`` has an id, ``tail`` none, ``again`` the same id, ``other`` a different one.
CALL = Machine(
    name="tool call",
    start="new",
    moves={("new", "head"): "open", ("open", "tail"): "open"},
    breaks={
        ("new", "tail"): ("head-first", "open"),
        ("open", "other"): ("index-of-its-own", "open"),
        ("open", "again"): ("id-once", "open"),
    },
)


@frozen
class Fragment:
    """One entry in the ``tool_calls`` of a delta. ``position`` is its index there."""

    piece: Piece
    entry: Mapping[str, Any]
    position: int

    @property
    def place(self) -> str:
        """The place as findings write it."""
        return f"{self.piece.place}/delta/tool_calls/{self.position}"

    @property
    def function(self) -> Mapping[str, Any]:
        """The function part; empty if it isn't an object."""
        function = self.entry.get("function")
        return function if isinstance(function, dict) else {}


@define
class Call:
    """All fragments with the same index in the same choice."""

    choice: Any
    index: Any
    fragments: list[Fragment] = field(factory=list)

    @property
    def name(self) -> str:
        """The name of the function, from the first fragment that has one."""
        names = (fragment.function.get("name") for fragment in self.fragments)
        return next((name for name in names if isinstance(name, str) and name), "")

    @property
    def arguments(self) -> str:
        """The joined arguments."""
        parts = (fragment.function.get("arguments") for fragment in self.fragments)
        return "".join(part for part in parts if isinstance(part, str))

    def breaches(self) -> Iterator[Breach[Fragment]]:
        """Yield the fragments that the call's machine doesn't allow."""
        first: list[str] = []

        def symbol(fragment: Fragment) -> str:
            given = fragment.entry.get("id")
            if not isinstance(given, str) or not given:
                return "tail"
            if not first:
                first.append(given)
                return "head"
            return "again" if given == first[0] else "other"

        yield from CALL.run((symbol(fragment), fragment) for fragment in self.fragments)


def fragments(reading: Reading) -> Iterator[Fragment]:
    """Yield all tool-call fragments, in the order of arrival within each choice."""
    for found in by_choice(reading).values():
        for piece in found:
            entries = piece.delta.get("tool_calls")
            for position, entry in enumerate(entries if isinstance(entries, list) else ()):
                if isinstance(entry, dict):
                    yield Fragment(piece, entry, position)


def calls_of(reading: Reading) -> list[Call]:
    """The tool calls by choice and index, in the order in which they began."""
    found: dict[tuple[Any, Any], Call] = {}
    for fragment in fragments(reading):
        key = (fragment.piece.index, _hashable(fragment.entry.get("index")))
        found.setdefault(key, Call(*key)).fragments.append(fragment)
    return list(found.values())


def _hashable(value: Any) -> Any:
    """The index as a dictionary key, whatever its type."""
    return value if is_integer(value) or isinstance(value, bool | str | None) else repr(value)
