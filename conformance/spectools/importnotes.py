"""Notes about what an import could not carry over."""

from __future__ import annotations

from attrs import define, field

__all__ = ["Notes"]


@define
class Notes:
    """The notes in the order in which they were made, each once."""

    _made: dict[str, None] = field(factory=dict, init=False)

    def add(self, text: str) -> None:
        """Add a note."""
        self._made[text] = None

    def all(self) -> tuple[str, ...]:
        """All notes."""
        return tuple(self._made)
