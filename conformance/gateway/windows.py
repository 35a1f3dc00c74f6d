"""Which requests at the upstream belong to which request of a client: one at a time on one clock, or by canaries.

Header fields don't survive every gateway. But while one client alone sends one request, all that arrives at the
upstream belongs to it. The window stays open after the client's end until every answer of the upstream has ended: late
repeats and streams that nobody reads belong to it too. What arrives between two windows nobody has asked for.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from attrs import define, evolve, field

from conformance.emulator.faults import NO_FAULT, UpstreamFault
from conformance.emulator.tape import Tape
from conformance.errors import HarnessError
from conformance.evidence.exchange import Exchange, Response
from conformance.evidence.upstream import UpstreamCall
from conformance.gateway.canaries import ambiguous, calls_with, canary, planted
from conformance.passage.passage import Passage
from conformance.requests.case import Case
from conformance.requests.headers import EMULATOR_HEADER
from conformance.target.target import Target

__all__ = ["Windows", "marked"]


@define(eq=False)
class Windows:
    """Sends cases through a gateway, one after the other, and notes what reached the upstream for each.

    ``linger`` is the most seconds that a window stays open after the client's end, ``patience`` those for which the
    upstream waits for several requests at once. ``strays`` are the requests that arrived outside of any window.
    """

    target: Target
    tape: Tape | None
    secret: str = ""
    upstream: str = ""
    linger: float = 5.0
    patience: float = 5.0
    strays: list[UpstreamCall] = field(factory=list)
    volleys: int = field(default=0, init=False)
    _seen: int = field(default=0, init=False)

    def passage(self, case: Case, fault: UpstreamFault = NO_FAULT, direct: Exchange | None = None) -> Passage:
        """Send a case through the gateway. Raises :class:`~conformance.target.limits.Withheld` if it may not be
        sent.
        """
        if self.tape is None:
            return self._one_sided(case, direct)
        with self._window(self.tape, fault) as mark:
            exchange, began, over = self._timed(marked(case))
        calls = self.tape.since(mark)
        return Passage(
            case=case,
            through=exchange,
            began=began,
            over=over,
            calls=calls,
            direct=direct,
            fault=fault.name,
            secret=self.secret,
            upstream=self.upstream,
            unclear=_unclear(calls, exchange),
        )

    def volley(self, cases: Sequence[Case], directs: Sequence[Exchange | None], gather: int = 0) -> tuple[Passage, ...]:
        """Send cases at once, each with a canary (``canaries.py``). Every case must have a text for one.

        With ``gather`` the upstream answers none before so many have arrived. Then each client begins once the request
        of the one before it has arrived, or after a pause: there is an order. The pauses end in the first half of the
        upstream's patience, so that by its end a gateway that holds requests back has held each of them for long.
        """
        tape = self._recording()
        texts = [canary() for _ in cases]
        sent = [marked(_with(case, text)) for case, text in zip(cases, texts, strict=True)]
        fault = UpstreamFault("", gather=gather, patience=self.patience) if gather else NO_FAULT
        self.volleys += 1
        with self._window(tape, fault) as mark, ThreadPoolExecutor(len(sent)) as clients:
            under_way = []
            for number, case in enumerate(sent):
                if gather and number:
                    tape.arrived(mark, number, self.patience / (2 * gather))
                under_way.append(clients.submit(self._timed, case))
            timed = [one.result() for one in under_way]
        calls = tape.since(mark)
        found = {text: calls_with(text, calls) for text in texts}
        unclear = ambiguous(found, calls)
        return tuple(
            Passage(
                case=case,
                through=exchange,
                began=began,
                over=over,
                calls=found[text],
                direct=direct,
                secret=self.secret,
                upstream=self.upstream,
                unclear=unclear.get(text, ""),
                volley=self.volleys,
                gathered=gather,
            )
            for case, text, direct, (exchange, began, over) in zip(cases, texts, directs, timed, strict=True)
        )

    @contextmanager
    def _window(self, tape: Tape, fault: UpstreamFault) -> Iterator[int]:
        """A window in which all requests meet a fault. Yields its beginning on the tape."""
        mark = tape.mark
        self.strays.extend(tape.since(self._seen)[: mark - self._seen])
        tape.expect(fault)
        try:
            yield mark
        finally:
            tape.settled(mark, self.linger)
            tape.expect(NO_FAULT)
            self._seen = tape.mark

    def _timed(self, case: Case) -> tuple[Exchange, float, float]:
        """An exchange, and its beginning and end on the clock of the upstream."""
        sent_at, clock = time.time(), time.monotonic()
        exchange = self.target.send(case)
        return exchange, clock + (exchange.started - sent_at), time.monotonic()

    def _recording(self) -> Tape:
        if self.tape is None:
            raise HarnessError("requests at once are told apart at a recording upstream alone")
        return self.tape

    def skip(self) -> None:
        """What is on the tape now is known: other requests of ours, no strays."""
        if self.tape is not None:
            self._seen = self.tape.mark

    def _one_sided(self, case: Case, direct: Exchange | None) -> Passage:
        """A passage of which only the client's side can be seen."""
        began = time.monotonic()
        exchange = self.target.send(marked(case))
        return Passage(case, exchange, began, time.monotonic(), direct=direct, one_sided=True)


def marked(case: Case) -> Case:
    """The case with ids by which a client finds its request again, new ones each time."""
    one = uuid.uuid4()
    ids = (("x-ms-client-request-id", str(one)), ("traceparent", f"00-{one.hex}-{one.hex[:16]}-01"))
    named = {name.lower() for name, _ in case.headers}
    return evolve(case, headers=(*case.headers, *(pair for pair in ids if pair[0] not in named)))


def _with(case: Case, text: str) -> Case:
    found = planted(case, text)
    if found is None:
        raise HarnessError(f"{case.id} has no text for a canary")
    return found


def _unclear(calls: tuple[UpstreamCall, ...], exchange: Exchange) -> str:
    """Why the calls may belong to another request; "" if they don't.

    A nonce confirms them: an id that the upstream made up for its answer and that the client's answer shows. A single
    request in a window of a single client needs no more. Several that don't ask for the same are somebody else's.
    """
    if len({(call.request.method, call.request.url, call.request.body) for call in calls}) <= 1:
        return ""
    if any(_confirmed(call.answer, exchange.response) for call in calls):
        return ""
    return "several different requests reached the upstream meanwhile: somebody else uses it too"


def _confirmed(answer: Response | None, got: Response | None) -> bool:
    """True if the client's answer shows an id of the upstream's answer."""
    if answer is None or got is None:
        return False
    names = ("apim-request-id", "x-request-id")
    ids = [value for name, value in answer.headers if name.lower() in names]
    held: Mapping[str, object] = answer.json if isinstance(answer.json, dict) else {}
    ids += [str(held["id"])] if isinstance(held.get("id"), str) else []
    values = [value for name, value in got.headers if name.lower() != EMULATOR_HEADER]
    return any(one in values or one.encode() in got.body for one in ids)
