"""Case → Exchange: the only way to the network. Every rule that protects the target's owner is enforced here.

The order is: the guards, the budget, the journal, the request without its key, the key, the attempts, the evidence
without secrets. ``transport.py`` sends the bytes, ``retry.py`` decides what may be repeated.
"""

from __future__ import annotations

import secrets as randomness
import threading
import time
from collections.abc import Mapping
from functools import cached_property
from urllib.parse import urlsplit

from attrs import evolve

from conformance import __version__
from conformance.errors import UsageError
from conformance.evidence.exchange import Exchange, FaultKind
from conformance.redaction import Secrets
from conformance.requests.case import Auth, Case
from conformance.requests.headers import Headers
from conformance.requests.request import Request
from conformance.requests.wire import to_request
from conformance.settings.configuration import Config
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec
from conformance.target.bookkeeping import Bookkeeping, check_objects
from conformance.target.concurrency import ConcurrencyLimit
from conformance.target.control import Control
from conformance.target.created import removal
from conformance.target.credential import REFUSED_SINCE, Credential
from conformance.target.foreign import ForeignObjects, words_of
from conformance.target.guards import check_origin, check_path_ids, check_scheme, path_ids, strip, with_undo
from conformance.target.journal import Entry, Journal
from conformance.target.limits import Allowance, Withheld, stopped
from conformance.target.proxy import proxy_for
from conformance.target.retry import Pace, delay
from conformance.target.room import Room, Turns, kept
from conformance.target.sending import Sending
from conformance.target.silence import Silence
from conformance.target.transport import Answer, Transport
from conformance.verdict import Outcome

__all__ = ["Target"]

#: After this many unanswered repetitions alone, requests without an answer are no longer repeated: each costs a time
#: limit.
_ALONE_IN_VAIN = 3


class Target:
    """A target under test. Thread-safe; use it as a context manager.

    Without a ``journal`` nothing may be sent that changes an object by id, and requests that create something raise
    :class:`~conformance.errors.UsageError`. ``allowance`` is what this process may still spend; without one, the whole
    budget. ``live`` is True for a target that is protected as somebody's resource.
    """

    def __init__(
        self,
        config: Config,
        spec: Spec,
        *,
        journal: Journal | None = None,
        run_id: str | None = None,
        allowance: Allowance | None = None,
        control: Case | None = None,
    ) -> None:
        settings = config.target
        if not settings.url:
            raise UsageError("no target is configured", hint="--target URL, or url in [target] of conformance.toml")
        check_scheme(settings.url, loopback=settings.loopback, allow_http=settings.allow_http)
        keyless = settings.auth == "none" or settings.asks_for_tokens
        if not keyless and not settings.key and (settings.live or not settings.loopback):
            told = f"no key: the environment has no {settings.key_env}"
            raise UsageError(told, hint="key_env names a variable; or set target.key_file, or target.auth = none")
        parts = urlsplit(settings.url)
        self.config, self.spec, self.journal = config, spec, journal
        self.live = settings.protected
        self.origin = f"{parts.scheme}://{parts.netloc}"
        #: A path in the URL stands before the version's own base path (a proxy in a subfolder).
        own = spec.base_path if settings.base_path is None else settings.base_path
        self.base_path = parts.path.rstrip("/") + own
        self.run_id = run_id or randomness.token_hex(4)
        self.allowance = allowance or Allowance(config.budget)
        self._room = Room(int(config.limits.evidence_bytes * self.allowance.share))
        #: A cheap request that a working target answers below 500: tells one broken request from a broken target.
        self.control = control
        self._control = Control(self._ask)
        self._pace = Pace(settings.retries, 0.5 if self.live else 0.02)
        proxy = proxy_for(self.origin)
        self._transport = Transport(self.origin, settings.timeouts, config.limits, proxy)
        self._transport.until = self.allowance.until
        self._silence, self._turns = Silence(), Turns()
        self._stopped = threading.Event()
        self._credential = Credential(settings, self._words | frozenset(settings.deployments), proxy)
        lasts = self._pace.longest(settings.timeouts.whole)
        self._books = None if journal is None else Bookkeeping(spec, journal, lasts, live=self.live)
        self._concurrency, self._alone_in_vain = ConcurrencyLimit(), 0
        self._resources = {name: operation.resource for name, operation in operations_of(spec).items()}

    def __enter__(self) -> Target:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._stopped.set()
        self._transport.close()

    def stop(self) -> None:
        """Send nothing new: waiting retries end, new requests are withheld."""
        self._stopped.set()

    def abort(self) -> None:
        """Cut off the exchanges in flight."""
        self._stopped.set()
        self._transport.abort()

    def resume(self) -> None:
        """Allow sending again after a stop or after the end of the run's time, to remove what was created."""
        self._transport.until = float("inf")
        self._stopped.clear()
        self._transport.resume()

    def trust_key(self) -> None:
        """Note that the target accepted the key before: if it refuses it now, that concerns the account."""
        self._credential.trust()

    @property
    def secrets(self) -> Secrets:
        """What is taken out of everything that is kept of this target."""
        return self._credential.secrets

    def foreign(self) -> ForeignObjects | None:
        """What hides the objects of others in the evidence of one scenario; None for a target that isn't live."""
        if not self.live:
            return None
        return ForeignObjects(self.journal.owned if self.journal is not None else (), self._words)

    @cached_property
    def _words(self) -> frozenset[str]:
        return words_of(self.spec.document)

    def resource(self, case: Case) -> str:
        """The resource that a case acts on."""
        return self._resources.get(case.operation, case.operation.split(".")[0])

    def bindings(self, case: Case) -> dict[str, str]:
        """The values that a run has from the start: ``{run}``, and ``{deployment}`` by the case's capability.

        In a case that creates something, ``{run}`` is a mark that no other request has. Raises :class:`Withheld` if no
        configured deployment has the capability.
        """
        found = {"run": self._mark() if case.creates else self.run_id, **self._able}
        capability = case.capability
        if capability:
            name = self.config.target.deployment_for(capability) or ""
            if not name:
                main, _, rest = capability.partition("+")
                lacking = bool(rest) and self.config.target.deployment_for(main) is not None
                outcome = Outcome.NOT_APPLICABLE if lacking else Outcome.NOT_TESTABLE
                raise Withheld(f"no configured deployment can do {capability}", outcome)
            found["deployment"] = name
        elif self.config.target.deployments:
            found["deployment"] = next(iter(self.config.target.deployments))
        return found

    @cached_property
    def _able(self) -> Mapping[str, str]:
        """``deployment.<capability>`` → the first configured deployment that has it."""
        deployments = self.config.target.deployments.items()
        found = [(f"deployment.{capability}", name) for name, can in deployments for capability in sorted(can)]
        return dict(reversed(found))

    def _mark(self) -> str:
        """A value of ``{run}`` that no other request has."""
        return f"{self.run_id}-{randomness.token_hex(8)}"

    def send(self, case: Case, bindings: Mapping[str, str] | None = None) -> Exchange:
        """Send a case, with its retries, and return the evidence without secrets.

        Raises :class:`Withheld` for a request that may not be sent now, :class:`GuardError` for one that must never be
        sent.
        """
        self._silence.check(case.operation)
        case = with_undo(case, self.spec)
        values = {**self.bindings(case), **(bindings or {})}
        books = self._books
        check_objects(case, values, books)
        request = self._request(case, values)
        if books is None and (case.creates or case.undo is not None):
            raise UsageError(f"{case.operation} creates something and there is no journal to write it down")
        sending = Sending(case, values, books, self.allowance, removal(self.spec, case))
        sending.begin()
        try:
            exchange = self._attempts(case, request, sending)
        except Withheld:
            sending.withheld()
            raise
        self._silence.note(case.operation, exchange)
        with self._turns.turn(exchange.response):
            sending.settle(exchange)
            return kept(exchange, self._room.take)

    def answers(self, operation: str) -> bool:
        """True if the last request of an operation that a scenario sent was answered."""
        return self._silence.answers(operation)

    def undo(self, entry: Entry, seconds: float = float("inf")) -> Exchange:
        """Remove what a journal entry names. It is counted, and sent even if the budget is used up: objects left behind
        would be worse. Each attempt may take so many seconds. Raises :class:`UsageError` if no operation does that.
        """
        return self._about(entry.undo, seconds)

    def look(self, entry: Entry) -> Exchange:
        """Read what a journal entry names. Raises :class:`UsageError` if no operation does that."""
        exchange = self._about(entry.look)
        if self._books is not None and entry.look is not None:
            self._books.note_names(entry.look, exchange, entry)
        return exchange

    def page(self, listing: Case) -> Exchange:
        """Read one page of a list, to look for what was created."""
        return self._about(listing)

    def _about(self, case: Case | None, seconds: float = float("inf")) -> Exchange:
        if case is None:
            raise UsageError("the API has no operation for that")
        values = {"run": self.run_id, **case.bindings}
        return self._attempts(case, self._request(case, values, set(path_ids(case, values))), seconds=seconds)

    def _request(self, case: Case, values: Mapping[str, str], owned: set[str] | None = None) -> Request:
        """The request of a case without its key. Raises :class:`GuardError` if it must never be sent."""
        known = owned if owned is not None else (self.journal.owned if self.journal is not None else set())
        check_path_ids(case, values, known)
        request = to_request(
            case,
            self.spec,
            origin=self.origin,
            bindings=values,
            base_path=self.base_path,
            api_version=self.config.target.api_version,
            versioned=self.config.target.unsupported_reason("api-version") is None,
        )
        check_origin(request.url, self.origin)
        named = {name.lower() for name, _ in request.headers}
        extra = {"accept": "*/*", "accept-encoding": "identity", "user-agent": f"aoai-conformance/{__version__}"}
        added = {**extra, **{name.lower(): value for name, value in self.config.target.headers.items()}}
        return evolve(
            request, headers=(*request.headers, *((name, value) for name, value in added.items() if name not in named))
        )

    def _attempts(
        self, case: Case, request: Request, sending: Sending | None = None, *, seconds: float = float("inf")
    ) -> Exchange:
        """Send a request until it is answered for good, by the rules of ``retry.py``. Without a ``sending`` it belongs
        to the removal of what was created.
        """
        resource, removes = self.resource(case), sending is None
        request = self._stripped(case, request)
        earlier: list[Exchange] = []
        while True:
            try:
                self._may_send(case, removes=removes)
                if sending is not None and earlier and sending.anew(earlier[-1], self._mark()):
                    request = self._stripped(case, self._request(case, sending.values))
            except Withheld:
                # If the budget allows no retry, an answer stands; one closed connection is no result.
                if earlier and earlier[-1].fault is None:
                    return evolve(earlier[-1], attempts=tuple(earlier[:-1]))
                raise
            # A request that can't be sent again needs a new connection: its server might just be closing a kept one.
            # Nor can a wrong key: each attempt counts against the few of a run, also one that never arrived.
            once = not case.changes_nothing or case.auth is Auth.WRONG
            with self._concurrency.shared() as in_flight:
                used = self._credential.headers(case.auth)
                answer, exchange = self._try(case, request, used, fresh=once, seconds=seconds)
            wait = delay(case, answer, len(earlier) + 1, self._pace, again=removes)
            if wait is None:
                break
            earlier.append(exchange)
            self._stopped.wait(max(0.0, min(wait, self._transport.until - time.monotonic())))
        if not removes:
            if self._credential.refused_since(case.auth, exchange.status):
                exchange = self._with_new_key(case, request, exchange, used, earlier)
            else:
                exchange = self._asked_alone(case, request, exchange, in_flight.others, earlier)
            exchange = self._control.judged(case, exchange, self.control)
        self.allowance.note(exchange, resource)
        return evolve(exchange, attempts=tuple(earlier)) if earlier else exchange

    def _stripped(self, case: Case, request: Request) -> Request:
        """The request without anything secret if the case is about requests without a valid key."""
        if case.auth is Auth.VALID:
            return request
        return evolve(request, headers=strip(request.headers, self._credential.keys))

    def _try(
        self, case: Case, request: Request, key: Headers, *, fresh: bool, seconds: float = float("inf")
    ) -> tuple[Answer, Exchange]:
        """One attempt with a credential."""
        started = time.time()
        live = evolve(request, headers=(*request.headers, *key))
        answer = self._transport.send(live, case.cancel_after, fresh=fresh, seconds=seconds)
        with self._turns.turn(answer.response):
            exchange = self._credential.evidence(live, answer.response, answer.fault, started)
        self._credential.note(case.auth, exchange)
        return answer, exchange

    def _with_new_key(
        self, case: Case, request: Request, exchange: Exchange, used: Headers, earlier: list[Exchange]
    ) -> Exchange:
        """Repeat a request once whose key was accepted before, if there is another key by now; else mark it so.

        ``used`` is the key that was refused: another request may have been refused and have read a new one meanwhile.
        """
        if not self._credential.renew(used) or not self._paid(case):
            return evolve(exchange, outside=REFUSED_SINCE)
        earlier.append(exchange)
        _, exchange = self._try(case, request, self._credential.headers(case.auth), fresh=True)
        again = self._credential.refused_since(case.auth, exchange.status)
        return evolve(exchange, outside=REFUSED_SINCE) if again else exchange

    def _asked_alone(
        self, case: Case, request: Request, exchange: Exchange, others: int, earlier: list[Exchange]
    ) -> Exchange:
        """Repeat a request once and alone if our other requests may be the reason for the silence, else mark it so."""
        silent = exchange.fault is not None and exchange.fault.kind is FaultKind.READ_TIMEOUT
        if not (silent and exchange.response is None and others) or self._alone_in_vain >= _ALONE_IN_VAIN:
            return exchange
        beside = f"silent while {others} other requests of this run were under way"
        if not case.changes_nothing or not self._paid(case):
            return evolve(exchange, outside=f"{beside}; it may have changed something and is not sent again")
        earlier.append(exchange)
        with self._concurrency.exclusive():
            _, exchange = self._try(case, request, self._credential.headers(case.auth), fresh=True)
        if exchange.response is None:
            self._alone_in_vain += 1
        else:
            self._concurrency.reduce(others)
        return exchange

    def _paid(self, case: Case) -> bool:
        """True if the budget allows another request; it is counted."""
        try:
            self._may_send(case)
        except Withheld:
            return False
        return True

    def _may_send(self, case: Case, *, removes: bool = False) -> None:
        """Count a request. Raises :class:`Withheld` after a stop, or without budget for one that removes nothing."""
        if self._stopped.is_set():
            raise stopped()
        if removes:
            self.allowance.pay_removal()
        else:
            self.allowance.take(case, self.resource(case), live=self.live)

    def _ask(self, control: Case) -> Answer:
        """The answer to a control request, which is counted like any other."""
        self._may_send(control)
        live = self._request(control, self.bindings(control))
        live = evolve(live, headers=(*live.headers, *self._credential.headers(Auth.VALID)))
        return self._transport.send(live, fresh=True)
