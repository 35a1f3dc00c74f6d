"""From recorded exchanges to the traces that are judged: one for each operation of each api-version. Pure.

A recording is judged in the order of its files. What earlier answers showed to be there counts for later requests.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import urlsplit

from attrs import define, evolve, field, frozen

from conformance.evidence.exchange import Exchange
from conformance.evidence.trace import Observation, Trace
from conformance.recordings.cases import draft_of
from conformance.recordings.cleaning import Unusable, exchange_of, secrets_of, url_without
from conformance.recordings.expectation import expectation, path_of
from conformance.recordings.lives import lives
from conformance.recordings.outages import Outages
from conformance.recordings.recorded import Recorded
from conformance.recordings.routing import Route, asked_in, route_of
from conformance.redaction import Secrets
from conformance.requests.case import RECORDED, Case, Expect
from conformance.spec.spec import Spec
from conformance.target.foreign import words_of

__all__ = ["Sorted", "sorted_out"]

_KEY = "the recording doesn't tell which key was sent"
_MOVED = "the client was sent elsewhere"
_SLOW = "the client was too slow"

#: Status → why a valid request may be answered with it, for reasons that no recording shows.
_EXCUSED = {
    **dict.fromkeys((401, 403), _KEY),
    **dict.fromkeys((301, 302, 303, 307, 308), _MOVED),
    408: _SLOW,
    404: "what the request names may have been removed meanwhile, by others or in time",
    409: "another request may have been at the same object",
}


@frozen
class Sorted:
    """What recordings hold: traces by api-version and scenario, and what can't be judged.

    ``lives`` are the traces of objects that were created. Their exchanges are in ``traces`` too.

    ``unknown`` counts the exchanges of routes that no document has: (version on the wire or "", ``GET /healthz``).
    ``unusable`` counts those that can't be judged, by reason. ``nearest`` counts those that are judged by the document
    of another version: (version on the wire, version of the document).
    """

    traces: Mapping[str, tuple[Trace, ...]]
    unknown: Mapping[tuple[str, str], int]
    unusable: Mapping[str, int]
    nearest: Mapping[tuple[str, str], int]
    lives: Mapping[str, tuple[Trace, ...]]

    @property
    def judged(self) -> int:
        """The number of exchanges that are judged."""
        return sum(len(trace.observations) for traces in self.traces.values() for trace in traces)


@define
class _Sorting:
    """What was seen so far."""

    specs: Sequence[Spec]
    forced: bool
    outages: Outages
    secrets: Secrets
    there: dict[str, set[str]] = field(factory=dict)
    seen: dict[str, dict[str, list[Observation]]] = field(factory=dict)
    order: dict[str, list[Observation]] = field(factory=dict)
    unknown: Counter[tuple[str, str]] = field(factory=Counter)
    unusable: Counter[str] = field(factory=Counter)
    nearest: Counter[tuple[str, str]] = field(factory=Counter)

    def take(self, recorded: Recorded, exchange: Exchange | Unusable) -> None:
        """Sort one exchange."""
        url = url_without(recorded.url, self.secrets)
        route = route_of(recorded.method.upper(), url, self.specs, forced=self.forced)
        if route is None:
            self.unknown[asked_in(url), f"{recorded.method.upper()} {urlsplit(url).path or '/'}"] += 1
            return
        draft = exchange if isinstance(exchange, Unusable) else draft_of(route, recorded, exchange, self.secrets)
        if isinstance(draft, Unusable):
            self.unusable[draft.reason] += 1
            return
        assert isinstance(exchange, Exchange)  # noqa: S101 - a draft is made of an exchange alone
        self._answers(route, exchange)
        case = self._expecting(route, draft, exchange)
        if not route.exact:
            self.nearest[route.asked or "no api-version", route.spec.version] += 1
        made = Observation(case, self._told(exchange))
        self.seen.setdefault(route.spec.version, {}).setdefault(route.operation.id, []).append(made)
        self.order.setdefault(route.spec.version, []).append(made)
        self._note(route, case, exchange)

    def _answers(self, route: Route, exchange: Exchange) -> None:
        """Note that a deployment or a model of a host answered."""
        facts, body = route.operation.facts, exchange.request.json
        if exchange.ok and facts.cost and not facts.model_used_later:
            there = self.there.setdefault(_host(exchange), set())
            there |= {value for name, value in route.names.items() if "deployment" in name}
            there |= {body["model"]} if isinstance(body, dict) and isinstance(body.get("model"), str) else set()

    def _expecting(self, route: Route, draft: Case, exchange: Exchange) -> Case:
        """The case with what is expected of the answer."""
        known = self.there.get(_host(exchange), set())
        wanted = expectation(route.spec, route.operation, draft, known, exact=route.exact)
        case = evolve(draft, expect=wanted.expect, level=wanted.level, reason=wanted.reason, breaks=wanted.breaks)
        why = _EXCUSED.get(exchange.status or 0, "")
        return evolve(case, expect=Expect.EITHER, reason=why) if why and case.expect is Expect.ACCEPT else case

    def _told(self, exchange: Exchange) -> Exchange:
        """The exchange; a 5xx that may have been an outage can't be judged."""
        why = self.outages.reason(exchange)
        return evolve(exchange, outside=why) if why else exchange

    def _note(self, route: Route, case: Case, exchange: Exchange) -> None:
        """Note that an object was there when it was read. A change of any object of the host may have changed it."""
        if not exchange.ok or exchange.response is None:
            return
        there = self.there.setdefault(_host(exchange), set())
        if route.operation.method == "GET":
            there.add(path_of(case))
        elif route.operation.mutates and not route.operation.facts.cost:
            there -= {one for one in there if one.startswith("/")}


def sorted_out(recorded: Iterable[Recorded], specs: Sequence[Spec], *, forced: bool = False) -> Sorted:
    """Sort recorded exchanges by api-version and operation. ``forced``: the specs are what the user chose."""
    everything = tuple(recorded)
    secrets = secrets_of(everything, frozenset().union(*(words_of(spec.document) for spec in specs)))
    pairs = [(one, exchange_of(one, secrets)) for one in everything]
    outages = Outages.of(exchange for _, exchange in pairs if isinstance(exchange, Exchange))
    sorting = _Sorting(specs, forced, outages, secrets)
    for one, exchange in pairs:
        sorting.take(one, exchange)
    return Sorted(
        traces={
            spec.version: tuple(
                Trace(RECORDED + name, tuple(seen)) for name, seen in sorting.seen[spec.version].items()
            )
            for spec in specs
            if spec.version in sorting.seen
        },
        unknown=dict(sorting.unknown),
        unusable=dict(sorting.unusable),
        nearest=dict(sorting.nearest),
        lives={spec.version: tuple(lives(sorting.order.get(spec.version, ()))) for spec in specs},
    )


def _host(exchange: Exchange) -> str:
    """The host that was asked: what one resource has says nothing about another."""
    return urlsplit(exchange.request.url).netloc
