"""Assistants streams: which event may follow which, for one run, step or message.

An event's name is the kind of the object and its new state: ``thread.run.step.completed``. A stream that is opened by
submitting tool outputs continues a run that was announced before, so its first event may have any state.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import frozen

from conformance.evidence.event_stream import Event
from conformance.streams.machine import Breach, Machine
from conformance.streams.reading import Reading

__all__ = [
    "KINDS",
    "MACHINES",
    "PAUSED",
    "TERMINAL",
    "LifecycleEvent",
    "by_object",
    "lifecycle_events",
    "split_name",
    "state_breaches",
]

#: The kinds of objects. A longer name stands before its own prefix.
KINDS = ("thread.run.step", "thread.message", "thread.run", "thread")

#: The final states of a run.
TERMINAL = frozenset({"completed", "incomplete", "failed", "cancelled", "expired"})

#: The state in which a run waits for tool outputs.
PAUSED = "requires_action"


def ordered_states(name: str, steps: Sequence[Sequence[str]], *, resumed: bool = False, many: str = "") -> Machine:
    """A machine whose states follow in the order of ``steps``. Steps may be skipped, except the first.

    The state ``many`` may repeat. Rules: ``first`` (not announced), ``once`` (a state again), ``backwards``,
    ``after-end``.
    """
    moves: dict[tuple[str, str], str] = {}
    breaks: dict[tuple[str, str], tuple[str, str]] = {}
    last = len(steps) - 1
    states = {state: height for height, step in enumerate(steps) for state in step}
    for state, height in states.items():
        # A resumed stream continues an object that an earlier stream announced; its run was created there.
        if name == "run" and resumed and height == 0:
            breaks["new", state] = ("once", state)
        elif height == 0 or resumed:
            moves["new", state] = state
        else:
            breaks["new", state] = ("first", state)
        for after, higher in states.items():
            if higher > height or (state == after == many):
                moves[state, after] = after
            elif state == after:
                breaks[state, after] = ("once", state)
            # After a final state nothing may follow, whatever its own place in the order is.
            elif height == last:
                breaks[state, after] = ("after-end", state)
            else:
                breaks[state, after] = ("backwards", after)
    return Machine(name=name, start="new", moves=moves, breaks=breaks)


_RUN = (("created",), ("queued",), ("in_progress",), ("requires_action", "cancelling"), tuple(sorted(TERMINAL)))
_STEP = (("created",), ("in_progress",), ("delta",), ("completed", "failed", "cancelled", "expired"))
_MESSAGE = (("created",), ("in_progress",), ("delta",), ("completed", "incomplete"))

#: Kind → (machine for a stream that starts a run, machine for a stream that continues one).
MACHINES: Mapping[str, tuple[Machine, Machine]] = {
    "thread": (ordered_states("thread", (("created",),)), ordered_states("thread", (("created",),))),
    "thread.run": (ordered_states("run", _RUN), ordered_states("run", _RUN, resumed=True)),
    "thread.run.step": (
        ordered_states("step", _STEP, many="delta"),
        ordered_states("step", _STEP, resumed=True, many="delta"),
    ),
    "thread.message": (
        ordered_states("message", _MESSAGE, many="delta"),
        ordered_states("message", _MESSAGE, many="delta"),
    ),
}


@frozen
class LifecycleEvent:
    """One event about an object: the object's kind and id, its new state, its data."""

    event: Event
    kind: str
    state: str
    id: str
    value: Mapping[str, Any]


def split_name(name: str | None) -> tuple[str, str] | None:
    """(kind, state) of an event's name, or None if the name isn't that of an object event."""
    for kind in KINDS:
        if name is not None and name.startswith(kind + "."):
            state = name.removeprefix(kind + ".")
            known = {symbol for _, symbol in MACHINES[kind][0].moves}
            # The service adds states. An event with an unknown one breaks no order.
            return (kind, state) if state in known else None
    return None


def lifecycle_events(reading: Reading) -> Iterator[LifecycleEvent]:
    """Yield the lifecycle events of a stream in order. Events with unknown names are left out."""
    for event, value in reading.values:
        named = split_name(event.name)
        if named is not None:
            identity = value.get("id")
            yield LifecycleEvent(event, *named, identity if isinstance(identity, str) else "", value)


def by_object(reading: Reading) -> Mapping[tuple[str, str], list[LifecycleEvent]]:
    """The lifecycle events by kind and id of their object."""
    found: dict[tuple[str, str], list[LifecycleEvent]] = {}
    for moment in lifecycle_events(reading):
        found.setdefault((moment.kind, moment.id), []).append(moment)
    return found


def state_breaches(reading: Reading, *, resumed: bool) -> Iterator[tuple[LifecycleEvent, Breach[LifecycleEvent]]]:
    """Yield (event, breach) for every event that its object's machine doesn't allow."""
    for (kind, _), found in by_object(reading).items():
        machine = MACHINES[kind][resumed]
        for breach in machine.run((moment.state, moment) for moment in found):
            if breach.tag is not None:
                yield breach.tag, breach
