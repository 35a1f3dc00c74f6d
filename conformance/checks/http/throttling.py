"""Checks of 429 answers: they say when to try again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from attrs import evolve

from conformance.evidence.exchange import Exchange
from conformance.evidence.trace import Observation
from conformance.judging.check import Needs, check
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level

#: Headers that say how long to wait: in seconds (RFC 9110 section 10.2.3) and in milliseconds.
WAITS = ("retry-after", "retry-after-ms")


def _speechless(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: a 429 without a waiting time."""
    response = exchange.response
    if response is None or not exchange.ok or exchange.request.method != "GET":
        return None
    kept = tuple((name, value) for name, value in response.headers if name.lower() not in WAITS)
    error = {"error": {"code": "429", "message": "Too many requests."}}
    refused = evolve(response, status=429, headers=kept, chunks=response.chunks[:1])
    return exchange.answered(refused.with_header("content-type", "application/json").with_json(error))


@check(
    "http.retry-after",
    Level.SHOULD,
    clause="http-retry-after",
    counterexample=_speechless,
    needs=Needs.ANY,
)
def retry_after(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """A 429 says when to try again: ``Retry-After`` in seconds, or ``retry-after-ms``.

    Clients that are told no waiting time try again at once, which makes the overload worse.
    """
    response = seen.exchange.response
    if response is not None and response.status == 429 and not any(response.header(name) for name in WAITS):
        yield seen.finding(
            "the answer doesn't say when to try again", place="header:retry-after", expected="seconds", actual="absent"
        )
