"""Why a check can't judge an exchange: the network, the account, a failing target, or a refusal that concerns the
model.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from attrs import frozen

from conformance.evidence.created_ids import created_ids
from conformance.evidence.exchange import FaultKind
from conformance.evidence.trace import Observation, Trace
from conformance.judging.check import Check, Needs
from conformance.judging.excuses import excuse
from conformance.requests.case import Expect
from conformance.verdict import Finding, Outcome

__all__ = ["Blocked", "blocked", "failed_step", "hiccups"]

#: The reason for a request that may not be repeated and met one closed connection or one error of a gateway.
_HICCUP = "the connection was closed, or a gateway gave up, once; it may have changed something and is not sent again"


@frozen
class Blocked:
    """Why an exchange can't be judged, and with which outcome it counts.

    ``excused``: the target refused for a reason of its model. ``findings`` are those of the check, if the check itself
    could not decide.
    """

    outcome: Outcome
    reason: str = ""
    excused: bool = False
    findings: tuple[Finding, ...] = ()


def hiccups(trace: Trace) -> Mapping[int, Blocked]:
    """The requests that change something and met a closed connection or a gateway's error, by their place in the trace.

    They may not be repeated. If a quarter of an operation's requests, and at least two, ended so, it is no accident and
    they are judged like others.
    """
    broken = [place for place, seen in enumerate(trace) if _broken_once(seen)]
    if not broken:
        return {}
    sent = Counter(seen.case.operation for seen in trace)
    hit = Counter(trace.observations[place].case.operation for place in broken)
    # One accident, or less than a quarter: such an operation works in general.
    rare = {name for name, count in hit.items() if count < 2 or count * 4 < sent[name]}
    blocked = Blocked(Outcome.UNAVAILABLE, _HICCUP)
    return {place: blocked for place in broken if trace.observations[place].case.operation in rare}


def _broken_once(seen: Observation) -> bool:
    """True if a request that can't be repeated ended with a closed connection or a gateway's error."""
    exchange = seen.exchange
    closed = exchange.fault is not None and exchange.fault.kind is FaultKind.CLOSED
    if not closed and exchange.status not in (502, 504):
        return False
    # What can be repeated has been repeated, so its last answer counts.
    return not exchange.attempts and not seen.case.changes_nothing


def blocked(check: Check, seen: Observation) -> Blocked | None:
    """Why an exchange check can't judge this exchange; None if it can."""
    exchange, status = seen.exchange, seen.exchange.status
    if exchange.unreached:
        return Blocked(Outcome.UNAVAILABLE, exchange.unreached_because)
    if check.needs is Needs.ANY:
        return None
    response = exchange.response
    if response is not None and response.unread:
        return Blocked(Outcome.NOT_TESTABLE, response.unread)
    # A stream that was cut off still has events that can be judged one by one.
    if exchange.fault is not None and response is not None and response.media_type != "text/event-stream":
        return Blocked(Outcome.NOT_TESTABLE, f"the answer is not whole: {exchange.fault.message}")
    if status is None:
        fault = exchange.fault
        return Blocked(Outcome.NOT_TESTABLE, f"no answer: {fault.message if fault else 'nothing came'}")
    if status == 429:
        return Blocked(Outcome.UNAVAILABLE, "429 after all retries")
    if status >= 500:
        return Blocked(Outcome.NOT_TESTABLE, f"the target answered {status}")
    return _by_status(check, seen, status)


def _by_status(check: Check, seen: Observation, status: int) -> Blocked | None:
    """Why an answer below 500 isn't of the kind that the check needs; None if it is."""
    excused = excuse(seen)
    if check.needs is Needs.ANSWER:
        return Blocked(excused.outcome, excused.reason, excused=True) if excused else None
    wanted = check.needs is Needs.SUCCESS
    if wanted and seen.case.expect is Expect.REJECT:
        # Nothing documents the success of an invalid request. That it was accepted is judged by another check.
        return Blocked(Outcome.NOT_APPLICABLE)
    if wanted == (200 <= status < 300) and (wanted or status >= 400):
        return None
    if not wanted or seen.case.expect is not Expect.ACCEPT:
        return Blocked(Outcome.NOT_APPLICABLE)
    if excused:
        return Blocked(excused.outcome, excused.reason)
    return Blocked(Outcome.NOT_TESTABLE, f"needs a success, the target answered {status}")


def failed_step(seen: Observation) -> Blocked | None:
    """Why a step of a script that should have succeeded didn't; None if it did."""
    exchange, status = seen.exchange, seen.exchange.status
    what = f"the step {seen.case.role or seen.case.step or seen.case.operation!r}"
    if exchange.response is not None and exchange.response.unread:
        return Blocked(Outcome.NOT_TESTABLE, f"{what}: {exchange.response.unread}")
    if exchange.ok:
        return _nameless(seen, what)
    if exchange.unreached:
        return Blocked(Outcome.UNAVAILABLE, f"{what}: {exchange.unreached_because}")
    if status is None or exchange.fault is not None:
        fault = exchange.fault
        return Blocked(
            Outcome.NOT_TESTABLE, f"{what} got no whole answer: {fault.message if fault else 'nothing came'}"
        )
    if status == 429:
        return Blocked(Outcome.UNAVAILABLE, f"{what} was answered with 429 after all retries")
    excused = excuse(seen)
    if excused is not None:
        return Blocked(excused.outcome, f"{what}: {excused.reason}", excused=True)
    return Blocked(Outcome.NOT_TESTABLE, f"{what} was answered with {status}")


def _nameless(seen: Observation, what: str) -> Blocked | None:
    """Why a creation that succeeded can't be built on: its answer names no id. None where it does, or made nothing."""
    case = seen.case
    if set(case.creates) <= set(created_ids(case, seen.exchange)):
        return None
    pointers = " and ".join(case.creates.values())
    told = f"{what} was answered with {seen.exchange.status} and without an id at {pointers}"
    return Blocked(Outcome.NOT_TESTABLE, told)
