"""What an import could not carry over, each said once."""

from __future__ import annotations

from attrs import define, field

__all__ = ["Notes"]


@define
class Notes:
    """Notes in the order they were made; the same note twice is one."""

    _made: dict[str, None] = field(factory=dict, init=False)

    def add(self, text: str) -> None:
        """Keep a note."""
        self._made[text] = None

    def all(self) -> tuple[str, ...]:
        """All notes."""
        return tuple(self._made)
