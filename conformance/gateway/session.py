"""A gateway from start to end: wait for it, send each case directly and through it, then the fault scripts."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from attrs import define, evolve, field, frozen

from conformance.emulator.faults import NO_FAULT, UpstreamFault
from conformance.errors import Unreachable, UsageError
from conformance.evidence.exchange import Exchange
from conformance.gateway.cases import healthy, plain_and_streamed
from conformance.gateway.script import PACE
from conformance.gateway.windows import Windows
from conformance.passage.passage import Difference, Kind, Passage, Side
from conformance.requests.case import Case
from conformance.target.limits import Withheld
from conformance.target.target import Target
from conformance.verdict import Level

__all__ = ["FaultRow", "Passed", "pass_through", "wait_for"]

#: Seconds between two looks at a gateway that is starting or has locked itself.
_PAUSE = 0.25

#: After this many bytes of a stream the client leaves, if it leaves on purpose: the first event is read.
_FEW = 1


@frozen
class FaultRow:
    """One line of the table of faults: what the upstream did, what the client saw, and how often the upstream was
    asked.
    """

    fault: str
    operation: str
    saw: str
    calls: int
    seconds: float


@define(eq=False)
class Passed:
    """What came of it: the passages in order, differences that only several passages show, the table of faults, and
    what could not be sent, by reason.
    """

    passages: list[Passage] = field(factory=list)
    also: list[Difference] = field(factory=list)
    faults: list[FaultRow] = field(factory=list)
    withheld: Counter[str] = field(factory=Counter)
    notes: list[str] = field(factory=list)


def wait_for(target: Target, case: Case, seconds: float) -> bool:
    """Ask until a valid request succeeds, at most so many seconds. False if it never did.

    Raises :class:`Unreachable` if nobody answered at all.
    """
    until = time.monotonic() + seconds
    while True:
        exchange = target.send(case)
        if exchange.ok:
            return True
        if time.monotonic() >= until:
            if exchange.response is None:
                what = exchange.fault.message if exchange.fault is not None else "no answer"
                raise Unreachable(f"no answer in {seconds:g} s: {what}", where=target.origin)
            return False
        time.sleep(_PAUSE)


def pass_through(
    windows: Windows,
    direct: Target | None,
    cases: Sequence[Case],
    *,
    patience: float,
    script: Sequence[tuple[UpstreamFault, bool]] = (),
    stories: Iterable[Iterator[Passage]] = (),
    alive: bool = True,
    tell: Callable[[int, int], None] | None = None,
) -> Passed:
    """Send all cases, then one request for each fault of a script (see ``script.py``).

    ``stories`` yield further passages: scenarios, one after the other. ``patience`` is the most seconds to wait for a
    gateway that has locked itself. ``alive`` is False for one that never answered a valid request with a success: then
    there is nothing to wait for.

    Raises :class:`UsageError` if there is no case with which a healthy gateway can be told.
    """
    plain, streamed = plain_and_streamed(cases)
    probes = {case.operation: case for case in reversed(healthy(cases)) if not case.json.get("stream")}
    if plain is None:
        raise UsageError("no valid request with a JSON body is among the cases", hint="choose other --operation")
    passed = Passed()
    lock = _Lock(windows, {**probes, "": plain}, patience if alive else 0.0, passed)
    for number, case in enumerate(cases):
        if tell is not None:
            tell(number, len(cases))
        try:
            alone = direct.send(case) if direct is not None else None
            windows.skip()
            passage = windows.passage(case, direct=alone)
        except Withheld as reason:
            passed.withheld[str(reason)] += 1
            continue
        passed.passages.append(passage)
        lock.look_after(passage)
    for story in stories:
        for passage in story:
            passed.passages.append(passage)
            lock.look_after(passage)
    if windows.tape is not None:
        _scripts(windows, passed, lock, script, {False: plain, True: streamed})
        passed.also.extend(_nobody_asked(windows))
    return passed


def _scripts(
    windows: Windows,
    passed: Passed,
    lock: _Lock,
    script: Sequence[tuple[UpstreamFault, bool]],
    cases: Mapping[bool, Case | None],
) -> None:
    """Send one request for each fault, and one stream that the client leaves. ``cases``: plain and streamed."""
    for fault, streams in script:
        case = cases[streams]
        if case is not None:
            _one_fault(windows, passed, lock, case, fault)
            if fault is PACE:
                _one_fault(windows, passed, lock, evolve(case, cancel_after=_FEW), fault)


def _one_fault(windows: Windows, passed: Passed, lock: _Lock, case: Case, fault: UpstreamFault) -> None:
    try:
        passage = windows.passage(case, fault)
    except Withheld as reason:
        passed.withheld[str(reason)] += 1
        return
    passed.passages.append(passage)
    name = "the client leaves" if passage.cancelled else fault.name
    seconds = passage.over - passage.began
    passed.faults.append(FaultRow(name, case.operation, _seen(passage), len(passage.calls), round(seconds, 2)))
    lock.look_after(passage)


def _seen(passage: Passage) -> str:
    """What the client saw, in words."""
    exchange = passage.through
    if exchange.response is None:
        return f"no answer ({exchange.fault.kind if exchange.fault else 'nothing came'})"
    told = str(exchange.response.status)
    wait = exchange.response.header("retry-after")
    told += f", Retry-After {wait}" if wait is not None else ""
    return told + (f", then {exchange.fault.kind}" if exchange.fault is not None else "")


@define(eq=False)
class _Lock:
    """Looks whether the gateway still serves a healthy request after one that went wrong.

    ``probes`` has a healthy request of each operation that has one, and one under "" for the others.
    """

    windows: Windows
    probes: Mapping[str, Case]
    patience: float
    passed: Passed

    def look_after(self, passage: Passage) -> None:
        """Probe after a request that went wrong, wait until the gateway serves again, and note for how long it
        didn't.
        """
        status = passage.through.status
        if self.patience <= 0 or (not passage.fault and status is not None and status < 400):
            return
        began = time.monotonic()
        seen = self._probe(passage)
        if seen is None or seen.ok:
            return
        first = str(seen.status) if seen.status is not None else "no answer"
        while seen is not None and not seen.ok and time.monotonic() - began < self.patience:
            time.sleep(_PAUSE)
            seen = self._probe(passage)
        if seen is None or seen.ok:
            self.passed.also.append(_locked(passage, first, time.monotonic() - began))
        else:
            told = f"still refused after {self.patience:g} s"
            self.passed.also.append(_locked(passage, first, self.patience, told))
            # It may be gone for good: no other request waits for it.
            self.patience = 0.0

    def _probe(self, passage: Passage) -> Exchange | None:
        """A healthy request of the same operation; None if it may not be sent."""
        probe = self.probes.get(passage.case.operation, self.probes[""])
        try:
            return self.windows.passage(probe, NO_FAULT).through
        except Withheld:
            return None


def _locked(passage: Passage, first: str, seconds: float, told: str = "") -> Difference:
    """Healthy requests of others were refused for a while after one that went wrong.

    After a fault of the upstream a pause can be a policy; after a client's mistake it is one client's error that
    reaches the others.
    """
    what = passage.fault or f"one client's request was answered with {passage.through.status}"
    return Difference(
        rule="via.isolation",
        level=Level.OBS if passage.fault else Level.MUST,
        side=Side.ANSWER,
        kind=Kind.LEAKED,
        where="connection",
        case=passage.case.id,
        operation=passage.case.operation,
        before="a healthy request succeeds",
        after=f"{first} for {seconds:.1f} s",
        told=f"after: {what}{'; ' + told if told else ''}",
    )


def _nobody_asked(windows: Windows) -> Iterator[Difference]:
    """Yield the requests that reached the upstream although no client asked for anything."""
    for call in windows.strays:
        yield Difference(
            rule="via.request.unasked",
            level=Level.OBS,
            side=Side.REQUEST,
            kind=Kind.INVENTED,
            where="connection",
            case="",
            operation="",
            before="no request of a client",
            after=f"{call.request.method} {call.request.url}",
        )
