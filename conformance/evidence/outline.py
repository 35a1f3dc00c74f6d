"""Outlines of traces: what is counted and compared over a whole run, without requests and answers.

A run may have a hundred thousand exchanges. Their evidence is on disk; what must be known of all of them at the same
time fits into memory as outlines.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

from attrs import field, frozen

from conformance.evidence.trace import Observation, Trace
from conformance.requests.case import RECORDED_LIFE, Expect
from conformance.verdict import Outcome

__all__ = ["Outline", "Step", "once", "outline_of", "seconds_of", "step_of"]

#: How many different steps are shared between outlines. Most exchanges of a run differ only in what they hold.
_SHARED = 10_000


@frozen
class Step:
    """One exchange: its operation, what its case expects, the status (None without an answer).

    ``ok`` and ``unreached`` are those of :class:`~conformance.evidence.exchange.Exchange`. ``attempts`` says how each
    earlier attempt ended: its status or the kind of its fault.
    """

    operation: str
    expect: Expect
    status: int | None = None
    ok: bool = False
    unreached: bool = False
    attempts: tuple[str, ...] = ()


@frozen
class Outline:
    """A trace without its evidence. ``cases`` are the ids of its cases, in the order of ``steps``; ``seconds`` is how
    long its requests waited for their answers, one after the other.
    """

    scenario: str
    steps: tuple[Step, ...] = field(default=(), repr=False)
    cases: tuple[str, ...] = field(default=(), repr=False)
    ended: str = ""
    outcome: Outcome | None = None
    # What was measured twice is no other trace: a report keeps microseconds.
    seconds: float = field(default=0.0, eq=False)

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)


def once(outlines: Iterable[Outline]) -> list[Outline]:
    """The outlines in which each exchange is once: those of recorded objects repeat exchanges of the others."""
    return [outline for outline in outlines if not outline.scenario.startswith(RECORDED_LIFE)]


@lru_cache(_SHARED)
def _shared(step: Step) -> Step:
    """The same object for equal steps."""
    return step


def step_of(seen: Observation) -> Step:
    """The step of one observation. Equal steps are one object."""
    exchange = seen.exchange
    attempts = tuple(str(one.status) if one.fault is None else one.fault.kind.value for one in exchange.attempts)
    facts = (exchange.status, exchange.ok, exchange.unreached)
    return _shared(Step(seen.case.operation, seen.case.expect, *facts, attempts))


def seconds_of(seen: Observation) -> float:
    """How long a request waited for its answer or its fault, earlier attempts included, in seconds.

    In microseconds of each attempt, as a report keeps them: what is made from memory and what is made from its file
    then show the same times.
    """
    every = (seen.exchange, *seen.exchange.attempts)
    return sum(round(one.response.elapsed if one.response else one.fault.at if one.fault else 0.0, 6) for one in every)


def outline_of(trace: Trace) -> Outline:
    """The outline of a trace."""
    steps, cases = tuple(step_of(seen) for seen in trace), tuple(seen.case.id for seen in trace)
    return Outline(trace.scenario, steps, cases, trace.ended, trace.outcome, sum(map(seconds_of, trace)))
