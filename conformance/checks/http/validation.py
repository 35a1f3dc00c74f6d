"""A check of whole operations: a target that refuses nothing validates nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from conformance.checks.http.answers import READ_FROM_JSON
from conformance.evidence.exchange import Exchange
from conformance.evidence.trace import Observation, Trace
from conformance.judging.check import trace_check
from conformance.judging.counterexamples import earlier_success, odd_version
from conformance.requests.case import Expect
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level

#: So many different constraints must have been violated before "none was refused" is the target's doing.
LEAST = 10


#: (place, keyword) of a constraint of the document: a bound, a type or a required field.
Constraint = tuple[str, str]


def _violations(trace: Trace) -> Iterator[tuple[Constraint, Observation]]:
    """Yield (constraint, request) for each request that violates one, whatever was answered."""
    for seen in trace:
        broken = seen.case.breaks
        if broken is None or seen.case.expect is not Expect.REJECT or seen.case.role.startswith("probe."):
            continue
        if broken.location != "transport":
            yield (f"{broken.location} {broken.pointer}", broken.keyword), seen


def _too_few(trace: Trace) -> str:
    """Why so many violations say nothing; "" if they are enough."""
    sent = len({constraint for constraint, _ in _violations(trace)})
    return f"{sent} documented constraints were violated, and the rule is about {LEAST} or more" if sent < LEAST else ""


def _accepted(exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: a request with a fault in its fields is answered like an earlier good one."""
    response, body = exchange.response, exchange.request.json
    if response is None or response.status not in (400, 422) or not isinstance(body, dict) or odd_version(exchange):
        return None
    if body.get("stream") is True:
        return None
    good = earlier_success(exchange, earlier)
    return exchange.answered(good) if good is not None else None


@trace_check(
    "errors.some-rejected",
    Level.MUST,
    clause="errors-input-validated",
    counterexample=_accepted,
    scenarios=("corpus.*",),
    subject=_too_few,
    together=True,
    # What is refused because a model can't do it is answered with less than was asked for.
    entails=("errors.rejected", "chat.logprobs", *READ_FROM_JSON),
)
def some_rejected(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """An operation refuses at least one of ten or more requests that each break another documented constraint.

    One bound that is not enforced is a warning, because a documented bound is no documented refusal. A target that
    enforces none of them doesn't validate its input, and the service does.
    """
    answered = [
        (constraint, seen, status)
        for constraint, seen in _violations(trace)
        if (status := seen.exchange.status) is not None and status != 429 and status < 500
    ]
    # One constraint may be violated by several requests, and each refusal counts.
    constraints = {constraint for constraint, _, _ in answered}
    if len(constraints) < LEAST or any(not 200 <= status < 300 for _, _, status in answered):
        return
    (first_place, first_keyword), first, _ = answered[0]
    yield first.finding(
        f"{len(constraints)} different documented constraints were violated, one in each request, and none was refused",
        place="status",
        expected="a 4xx status for one of them at least",
        actual=f"2xx for all, the first of them {first_keyword} at {first_place}",
    )
