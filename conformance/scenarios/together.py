"""Parts of a script that don't depend on each other, side by side: a slow target is waited for once, not once for each.

A part is a generator of steps that are cases. Each step of the script holds what every part sends next. A part that
waits for something in another part yields an empty step meanwhile.
"""

from __future__ import annotations

from collections.abc import Generator

from conformance.evidence.exchange import Exchange
from conformance.requests.case import Case

__all__ = ["Part", "together"]

#: A part of a script. It receives one exchange for each case of the step that it yielded.
Part = Generator[tuple[Case, ...], tuple[Exchange, ...], None]


def together(*parts: Part) -> Part:
    """Run parts side by side until all have ended. Within a step their cases stand in the order of the parts."""
    wanted: dict[int, tuple[Case, ...]] = {}
    answers: dict[int, tuple[Exchange, ...] | None] = dict.fromkeys(range(len(parts)))
    while True:
        for number, answer in answers.items():
            try:
                # A generator is begun by None.
                wanted[number] = parts[number].send(answer)  # type: ignore[arg-type]
            except StopIteration:
                wanted.pop(number, None)
        if not wanted:
            return
        came = iter((yield tuple(case for number in sorted(wanted) for case in wanted[number])))
        answers = {number: tuple(next(came) for _ in wanted[number]) for number in sorted(wanted)}
