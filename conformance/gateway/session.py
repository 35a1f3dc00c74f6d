"""A gateway from start to end: wait for it, send each case directly and through it, then the fault scripts."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from attrs import define, evolve, field, frozen

from conformance.emulator.fault_script import PACE
from conformance.emulator.faults import NO_FAULT, UpstreamFault
from conformance.errors import Unreachable, UsageError
from conformance.evidence.exchange import Exchange, Response
from conformance.evidence.upstream import UpstreamCall
from conformance.gateway.canaries import planted
from conformance.gateway.cases import healthy, plain_and_streamed
from conformance.gateway.windows import Windows
from conformance.passage.passage import Passage, Record
from conformance.passage.streams import DONE, is_stream, payloads
from conformance.requests.case import Case
from conformance.target.limits import Withheld
from conformance.target.target import Target

__all__ = ["FaultRow", "Passed", "pass_through", "wait_for"]

#: Seconds between two looks at a gateway that is starting or has locked itself.
_PAUSE = 0.25

#: After this many bytes of a stream the client leaves, if it leaves on purpose: the first event is read.
_FEW = 1

#: So many clients send a request at once, in order to see what a gateway makes of that.
CLIENTS = 4

#: How often they do so if their requests were not under way at once.
_TRIES = 2


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
    """What came of it: the passages in order, what reached the upstream outside of them, the table of faults, and what
    could not be sent, by reason.
    """

    passages: list[Passage] = field(factory=list)
    strays: list[UpstreamCall] = field(factory=list)
    faults: list[FaultRow] = field(factory=list)
    withheld: Counter[str] = field(factory=Counter)
    notes: list[str] = field(factory=list)

    @property
    def record(self) -> Record:
        """What the rules judge."""
        return Record(tuple(self.passages), tuple(self.strays))


def wait_for(target: Target, case: Case, seconds: float) -> Exchange:
    """Ask until a valid request succeeds, at most so many seconds, and return the last exchange.

    Raises :class:`Unreachable` if nobody answered at all.
    """
    until = time.monotonic() + seconds
    while True:
        exchange = target.send(case)
        if exchange.ok:
            return exchange
        if time.monotonic() >= until:
            if exchange.response is None:
                what = exchange.fault.message if exchange.fault is not None else "no answer"
                raise Unreachable(f"no answer in {seconds:g} s: {what}", where=target.origin)
            return exchange
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
    parallel: int = 1,
    tell: Callable[[int, int], None] | None = None,
) -> Passed:
    """Send all cases, then some at once, then one request for each fault of a script.

    ``parallel`` is the number of cases that are under way at once; those to which no canary can be added go alone.

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
    done = 0
    for together in _in_volleys(cases, parallel if windows.tape is not None else 1):
        if tell is not None:
            tell(done, len(cases))
        done += len(together)
        if len(together) > 1:
            _at_once(windows, direct, together, passed, lock)
        else:
            _alone(windows, direct, together[0], passed, lock)
    for story in stories:
        for passage in story:
            passed.passages.append(passage)
            lock.look_after(passage)
    if windows.tape is not None:
        for case in (plain, streamed):
            if case is not None and planted(case, "text") is not None:
                _gathered(windows, case, passed)
        _scripts(windows, passed, lock, script, {False: plain, True: streamed})
        passed.strays.extend(windows.strays)
    return passed


def _in_volleys(cases: Sequence[Case], parallel: int) -> Iterator[tuple[Case, ...]]:
    """Yield the cases, so many of those at once to which a canary can be added."""
    waiting: list[Case] = []
    for case in cases:
        if parallel < 2 or planted(case, "text") is None:
            yield (case,)
            continue
        waiting.append(case)
        if len(waiting) == parallel:
            yield tuple(waiting)
            waiting = []
    if waiting:
        yield tuple(waiting)


def _alone(windows: Windows, direct: Target | None, case: Case, passed: Passed, lock: _Lock) -> None:
    """Send one case directly and through the gateway."""
    try:
        alone = direct.send(case) if direct is not None else None
        windows.skip()
        passage = windows.passage(case, direct=alone)
    except Withheld as reason:
        passed.withheld[str(reason)] += 1
        return
    passed.passages.append(passage)
    lock.look_after(passage)


def _at_once(windows: Windows, direct: Target | None, cases: Sequence[Case], passed: Passed, lock: _Lock) -> None:
    """Send several cases at once. What the gateway refused alone, it may have refused because of the others: such a
    case is sent once more by itself.
    """
    try:
        alone = [direct.send(case) if direct is not None else None for case in cases]
        windows.skip()
        volley = windows.volley(cases, alone)
    except Withheld as reason:
        passed.withheld[str(reason)] += len(cases)
        return
    for passage in volley:
        # The case is judged beside its own leg when it is sent by itself.
        kept = evolve(passage, direct=None) if _turned_away(passage) else passage
        passed.passages.append(kept)
        lock.look_after(kept)
    for passage in volley:
        if _turned_away(passage):
            _alone(windows, direct, passage.case, passed, lock)


def _turned_away(passage: Passage) -> bool:
    """True if the gateway itself gave no success."""
    return not passage.calls and not passage.unclear and not passage.through.ok


def _gathered(windows: Windows, case: Case, passed: Passed) -> None:
    """Send a case from several clients at once while the upstream waits for all of them; once more where they were not
    under way at once, because a busy machine may have delayed one.
    """
    for _ in range(_TRIES):
        try:
            volley = windows.volley((case,) * CLIENTS, (None,) * CLIENTS, gather=CLIENTS)
        except Withheld as reason:
            passed.withheld[str(reason)] += CLIENTS
            return
        passed.passages.extend(volley)
        calls = [call for passage in volley for call in passage.calls]
        latest = max((call.at for call in calls), default=0.0)
        if len(calls) < CLIENTS or all(not call.over or latest < (call.ended or latest) for call in calls):
            return


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
    told = [str(exchange.response.status)]
    if (wait := exchange.response.header("retry-after")) is not None:
        told.append(f"Retry-After {wait}")
    if is_stream(exchange.response):
        told.append(_ending(exchange.response))
    if exchange.fault is not None and not passage.cancelled:
        told.append(f"then {exchange.fault.kind}")
    return ", ".join(told)


def _ending(stream: Response) -> str:
    """How many events came, and what the last one was."""
    events = payloads(stream)
    last = events[-1] if events else None
    if last is not None and last.data == DONE:
        return f"{len(events)} events with {DONE}"
    failed = last is not None and last.is_json and isinstance(last.json, dict) and "error" in last.json
    return f"{len(events)} events, the last one an error" if failed else f"{len(events)} events without {DONE}"


@define(eq=False)
class _Lock:
    """Looks whether the gateway still serves a healthy request after one that went wrong (``rules/isolation.py``).

    ``probes`` has a healthy request of each operation that has one, and one under "" for the others.
    """

    windows: Windows
    probes: Mapping[str, Case]
    patience: float
    passed: Passed

    def look_after(self, passage: Passage) -> None:
        """Probe after a request that went wrong, until the gateway serves again. The probes are passages too."""
        status = passage.through.status
        if self.patience <= 0 or (not passage.fault and status is not None and status < 400):
            return
        began = time.monotonic()
        while (seen := self._probe(passage)) is not None and not seen.ok:
            if time.monotonic() - began >= self.patience:
                # It may be gone for good: no other request waits for it.
                self.patience = 0.0
                return
            time.sleep(_PAUSE)

    def _probe(self, passage: Passage) -> Exchange | None:
        """Send a healthy request of the same operation; None if it may not be sent."""
        healthy = self.probes.get(passage.case.operation, self.probes[""])
        try:
            probe = self.windows.passage(healthy, NO_FAULT)
        except Withheld:
            return None
        self.passed.passages.append(evolve(probe, probe=passage.case.id))
        return probe.through
