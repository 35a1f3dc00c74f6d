"""State machines as data: which symbol may follow in which state, and which rule a forbidden one breaks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Generic, TypeVar

from attrs import field, frozen

__all__ = ["Breach", "Machine"]

T = TypeVar("T")


@frozen
class Breach(Generic[T]):
    """A broken rule: its name, the state and symbol that broke it, and what the symbol stands for (None at the end)."""

    rule: str
    state: str
    symbol: str
    tag: T | None


@frozen
class Machine:
    """A state machine.

    ``moves`` maps (state, symbol) to the next state. ``breaks`` maps forbidden pairs to (rule, next state), so that one
    defect gives one breach. ``ends`` maps a state in which a sequence must not end to a rule. A pair in neither table
    is allowed and changes nothing.
    """

    name: str
    start: str
    moves: Mapping[tuple[str, str], str] = field(repr=False)
    breaks: Mapping[tuple[str, str], tuple[str, str]] = field(repr=False)
    ends: Mapping[str, str] = field(factory=dict, repr=False)

    def run(self, symbols: Iterable[tuple[str, T]], *, ended: bool = True) -> Iterator[Breach[T]]:
        """Yield the breaches along a sequence of (symbol, tag). With ``ended=False`` the sequence was cut off, so its
        end is not judged.
        """
        state = self.start
        for symbol, tag in symbols:
            if (state, symbol) in self.breaks:
                rule, after = self.breaks[state, symbol]
                yield Breach(rule, state, symbol, tag)
                state = after
            else:
                state = self.moves.get((state, symbol), state)
        if ended and state in self.ends:
            yield Breach(self.ends[state], state, "", None)
