"""Assistants streams: which event may follow which for one run, step or message, as ladders of states.

An event's name is the object's kind and its new state: ``thread.run.step.completed``. A stream that is opened by
submitting tool outputs goes on with a run that was announced before, so its first rung may be any.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import frozen

from conformance.evidence.event_stream import Event
from conformance.streams.machine import Breach, Machine
from conformance.streams.reading import Reading

__all__ = ["KINDS", "LADDERS", "PAUSED", "TERMINAL", "Moment", "by_object", "ladder_breaches", "moments", "split_name"]

#: The kinds of objects, the longer name before its prefix.
KINDS = ("thread.run.step", "thread.message", "thread.run", "thread")

#: States that end a run.
TERMINAL = frozenset({"completed", "incomplete", "failed", "cancelled", "expired"})

#: The state in which a run waits for its caller.
PAUSED = "requires_action"


def ladder(name: str, rungs: Sequence[Sequence[str]], *, resumed: bool = False, many: str = "") -> Machine:
    """A machine in which states only go up. Rungs may be skipped but for the first; ``many`` may repeat on its rung.

    Rules: ``first`` (not announced), ``once`` (a state again), ``backwards``, ``after-end``.
    """
    moves: dict[tuple[str, str], str] = {}
    breaks: dict[tuple[str, str], tuple[str, str]] = {}
    last = len(rungs) - 1
    states = {state: height for height, rung in enumerate(rungs) for state in rung}
    for state, height in states.items():
        if height == 0 or resumed:
            moves["new", state] = state
        else:
            breaks["new", state] = ("first", state)
        for after, higher in states.items():
            if higher > height or (state == after == many):
                moves[state, after] = after
            elif state == after:
                breaks[state, after] = ("once", state)
            elif height == last:
                breaks[state, after] = ("after-end", state)
            else:
                breaks[state, after] = ("backwards", after)
    return Machine(name=name, start="new", moves=moves, breaks=breaks)


_RUN = (("created",), ("queued",), ("in_progress",), ("requires_action", "cancelling"), tuple(sorted(TERMINAL)))
_STEP = (("created",), ("in_progress",), ("delta",), ("completed", "failed", "cancelled", "expired"))
_MESSAGE = (("created",), ("in_progress",), ("delta",), ("completed", "incomplete"))

#: Kind → machine of a stream that starts a run, machine of a stream that goes on with one.
LADDERS: Mapping[str, tuple[Machine, Machine]] = {
    "thread": (ladder("thread", (("created",),)), ladder("thread", (("created",),))),
    "thread.run": (ladder("run", _RUN), ladder("run", _RUN, resumed=True)),
    "thread.run.step": (ladder("step", _STEP, many="delta"), ladder("step", _STEP, resumed=True, many="delta")),
    "thread.message": (ladder("message", _MESSAGE, many="delta"), ladder("message", _MESSAGE, many="delta")),
}


@frozen
class Moment:
    """One lifecycle event: the kind and id of its object, its new state, its data."""

    event: Event
    kind: str
    state: str
    id: str
    value: Mapping[str, Any]


def split_name(name: str | None) -> tuple[str, str] | None:
    """Kind and state of an event's name; None for names that aren't an object's."""
    for kind in KINDS:
        if name is not None and name.startswith(kind + "."):
            state = name.removeprefix(kind + ".")
            known = {symbol for _, symbol in LADDERS[kind][0].moves}
            return (kind, state) if state in known else None
    return None


def moments(reading: Reading) -> Iterator[Moment]:
    """The lifecycle events of a stream, in order. Unknown names are left out."""
    for event, value in reading.values:
        named = split_name(event.name)
        if named is not None:
            identity = value.get("id")
            yield Moment(event, *named, identity if isinstance(identity, str) else "", value)


def by_object(reading: Reading) -> Mapping[tuple[str, str], list[Moment]]:
    """Moments by kind and id of their object."""
    found: dict[tuple[str, str], list[Moment]] = {}
    for moment in moments(reading):
        found.setdefault((moment.kind, moment.id), []).append(moment)
    return found


def ladder_breaches(reading: Reading, *, resumed: bool) -> Iterator[tuple[Moment, Breach[Moment]]]:
    """What the machines of all objects object to; each breach with the moment that shows it."""
    for (kind, _), found in by_object(reading).items():
        machine = LADDERS[kind][resumed]
        for breach in machine.run((moment.state, moment) for moment in found):
            if breach.tag is not None:
                yield breach.tag, breach
