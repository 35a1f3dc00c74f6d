"""Which 5xx of a recording say something about the service, and which may have been an outage. Pure.

Clients repeat a request that was answered with 5xx, some seconds later and by themselves, so the same answer to the
same request is no proof. It is one if it comes again after :data:`LONG`, and the request doesn't succeed later.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from attrs import frozen

from conformance.evidence.exchange import Exchange

__all__ = ["LONG", "MOST_REPEATS", "Outages"]

#: Seconds between two failures of the same request after which they are no single outage.
LONG = 600.0

#: The repeats of a patient client. Where no times are recorded, more failures than that are no single outage.
MOST_REPEATS = 10

#: Method, URL and body: what makes two requests the same.
_Key = tuple[str, str, bytes]


@frozen
class _Failures:
    """The failures of one request: when each began (0 if unknown), and whether the request succeeded after them."""

    times: tuple[float, ...]
    succeeded: bool

    @property
    def lasting(self) -> bool:
        """True if they are no single outage."""
        known = [time for time in self.times if time]
        apart = max(known) - min(known) >= LONG if len(known) == len(self.times) else len(self.times) > MOST_REPEATS
        return apart and not self.succeeded


@frozen
class Outages:
    """The requests of a recording that were answered with 5xx."""

    failures: Mapping[_Key, _Failures]

    @classmethod
    def of(cls, exchanges: Iterable[Exchange]) -> Outages:
        """Collect the failures of some exchanges, which are given in their order."""
        times: dict[_Key, list[float]] = defaultdict(list)
        good: set[_Key] = set()
        for one in exchanges:
            if (one.status or 0) >= 500:
                times[_key(one)].append(one.started)
            elif one.ok and _key(one) in times:
                good.add(_key(one))
        return cls({key: _Failures(tuple(found), key in good) for key, found in times.items()})

    def reason(self, exchange: Exchange) -> str:
        """Why an answer may be that of an outage; "" if it is no 5xx, or says something about the service."""
        found = self.failures.get(_key(exchange)) if (exchange.status or 0) >= 500 else None
        if found is None or found.lasting:
            return ""
        if found.succeeded:
            return f"a {exchange.status} after which the same request succeeded was an outage"
        return f"a {exchange.status} that did not come again after {LONG:g} s may have been an outage"


def _key(exchange: Exchange) -> _Key:
    return exchange.request.method, exchange.request.url, exchange.request.body
