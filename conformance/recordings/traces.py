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
from conformance.recordings.recorded import Recorded
from conformance.recordings.routing import Route, route_of
from conformance.redaction import Secrets
from conformance.requests.case import RECORDED, Case, Expect
from conformance.spec.spec import Spec
from conformance.target.foreign import words_of

__all__ = ["Sorted", "sorted_out"]

#: Statuses by which a service refuses a key. A recording holds no key that could be judged.
_KEY = (401, 403)


@frozen
class Sorted:
    """What recordings hold: traces by api-version and scenario, and what can't be judged.

    ``lives`` are the traces of objects that were created. Their exchanges are in ``traces`` too.

    ``unknown`` counts the exchanges of routes that no document has (``GET /healthz``), ``unusable`` those that can't be
    judged, by reason. ``nearest`` counts those that are judged by the document of another version: (version on the
    wire, version of the document).
    """

    traces: Mapping[str, tuple[Trace, ...]]
    unknown: Mapping[str, int]
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
    failing: Mapping[tuple[str, str, bytes], int]
    secrets: Secrets
    answering: frozenset[str]
    there: set[str] = field(factory=set)
    seen: dict[str, dict[str, list[Observation]]] = field(factory=dict)
    order: dict[str, list[Observation]] = field(factory=dict)
    unknown: Counter[str] = field(factory=Counter)
    unusable: Counter[str] = field(factory=Counter)
    nearest: Counter[tuple[str, str]] = field(factory=Counter)

    def take(self, recorded: Recorded, exchange: Exchange | Unusable) -> None:
        """Sort one exchange."""
        url = url_without(recorded.url, self.secrets)
        route = route_of(recorded.method.upper(), url, self.specs, forced=self.forced)
        if route is None:
            self.unknown[f"{recorded.method.upper()} {urlsplit(url).path or '/'}"] += 1
            return
        draft = exchange if isinstance(exchange, Unusable) else draft_of(route, recorded, exchange, self.secrets)
        if isinstance(draft, Unusable):
            self.unusable[draft.reason] += 1
            return
        assert isinstance(exchange, Exchange)  # noqa: S101 - a draft is made of an exchange alone
        case = self._expecting(route, draft, exchange)
        if not route.exact:
            self.nearest[route.asked or "no api-version", route.spec.version] += 1
        made = Observation(case, self._told(exchange))
        self.seen.setdefault(route.spec.version, {}).setdefault(route.operation.id, []).append(made)
        self.order.setdefault(route.spec.version, []).append(made)
        self._note(route, case, exchange)

    def _expecting(self, route: Route, draft: Case, exchange: Exchange) -> Case:
        """The case with what is expected of the answer."""
        wanted = expectation(route.spec, route.operation, draft, self.answering | self.there, exact=route.exact)
        case = evolve(draft, expect=wanted.expect, level=wanted.level, reason=wanted.reason, breaks=wanted.breaks)
        if exchange.status in _KEY and case.expect is Expect.ACCEPT:
            case = evolve(case, expect=Expect.EITHER, reason="the recording doesn't tell which key was sent")
        return case

    def _told(self, exchange: Exchange) -> Exchange:
        """The exchange; a 5xx that was not repeated may have been an outage, and can't be judged."""
        once = self.failing.get(_request_key(exchange), 0) < 2
        if exchange.status is not None and exchange.status >= 500 and once:
            return evolve(exchange, outside=f"a {exchange.status} that was not repeated may have been an outage")
        return exchange

    def _note(self, route: Route, case: Case, exchange: Exchange) -> None:
        """Note that an object was there when it was read. A change of any object may have changed it too."""
        if not exchange.ok or exchange.response is None:
            return
        if route.operation.method == "GET":
            self.there.add(path_of(case))
        elif route.operation.mutates and not route.operation.facts.cost:
            self.there.clear()


def sorted_out(recorded: Iterable[Recorded], specs: Sequence[Spec], *, forced: bool = False) -> Sorted:
    """Sort recorded exchanges by api-version and operation. ``forced``: the specs are what the user chose."""
    everything = tuple(recorded)
    secrets = secrets_of(everything, frozenset().union(*(words_of(spec.document) for spec in specs)))
    pairs = [(one, exchange_of(one, secrets)) for one in everything]
    failing = Counter(
        _request_key(exchange)
        for _, exchange in pairs
        if isinstance(exchange, Exchange) and (exchange.status or 0) >= 500
    )
    sorting = _Sorting(specs, forced, failing, secrets, frozenset(_deployments(pairs, specs, forced=forced)))
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


def _deployments(
    pairs: Iterable[tuple[Recorded, Exchange | Unusable]], specs: Sequence[Spec], *, forced: bool
) -> set[str]:
    """The deployments and models that answered anywhere in the recording: nothing removes them in between."""
    found = set()
    for recorded, exchange in pairs:
        if isinstance(exchange, Exchange) and exchange.ok:
            route = route_of(recorded.method.upper(), recorded.url, specs, forced=forced)
            body = exchange.request.json
            if route is not None and route.operation.facts.cost and not route.operation.facts.model_used_later:
                found |= {value for name, value in route.names.items() if "deployment" in name}
                found |= {body["model"]} if isinstance(body, dict) and isinstance(body.get("model"), str) else set()
    return found


def _request_key(exchange: Exchange) -> tuple[str, str, bytes]:
    """What makes two requests the same."""
    return exchange.request.method, exchange.request.url, exchange.request.body
