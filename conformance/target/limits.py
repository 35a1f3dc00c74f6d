"""Upper limits of a run, checked before each request, and what must not be sent any more."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque

from attrs import frozen

from conformance.errors import ConformanceError
from conformance.evidence.exchange import Exchange, FaultKind
from conformance.requests.case import Auth, Case
from conformance.settings.configuration import Budget
from conformance.verdict import Outcome

__all__ = [
    "FILTER_STOP",
    "WRONG_KEY_PROBES",
    "Allowance",
    "Spent",
    "Window",
    "Withheld",
    "failing",
    "filtered",
    "stopped",
]

#: After this many answers of the content filter, a resource gets no more requests: accounts are blocked for abuse.
FILTER_STOP = 3

#: Most requests with a wrong key that a whole run sends to a live target: more may lock the account.
WRONG_KEY_PROBES = 2


#: The number of exchanges that are looked back on. If more than half of them failed, the target is unavailable.
WINDOW = 20


class Withheld(ConformanceError):  # noqa: N818 - not an error: a request left out on purpose
    """A request that was left out on purpose.

    ``outcome`` is the outcome of a scenario that needs it. ``final`` is True if nothing more can be sent at all.
    """

    def __init__(self, message: str, outcome: Outcome, *, final: bool = False) -> None:
        super().__init__(message)
        self.outcome = outcome
        self.final = final


def stopped() -> Withheld:
    """The exception for a request after a stop."""
    return Withheld("the run was stopped", Outcome.INCONCLUSIVE, final=True)


@frozen
class Spent:
    """What was sent so far: the number of requests, with retries and removals, the sums of their upper limits of cost,
    and how many had a wrong key.
    """

    requests: int = 0
    tokens: int = 0
    images: int = 0
    seconds: float = 0.0
    wrong_keys: int = 0

    def __add__(self, other: Spent) -> Spent:
        return Spent(
            self.requests + other.requests,
            self.tokens + other.tokens,
            self.images + other.images,
            self.seconds + other.seconds,
            self.wrong_keys + other.wrong_keys,
        )


#: What a run has spent that has sent nothing yet.
NOTHING = Spent()


class Allowance:
    """Counts the cost and withholds requests that are not allowed. Thread-safe.

    One run has one budget: a process uses one allowance for all its api-versions. ``before`` is what the run has spent
    elsewhere, ``share`` the part of the rest that this process has if several share it, and ``wrong_keys`` its part of
    the probes with a wrong key. ``until`` (in seconds of ``time.monotonic``) is the end of the run's time.
    """

    def __init__(
        self,
        budget: Budget,
        *,
        share: float = 1.0,
        wrong_keys: int = WRONG_KEY_PROBES,
        before: Spent = NOTHING,
        until: float = float("inf"),
    ) -> None:
        self.share = share
        self._budget, self._before = budget, before
        self.until = until
        self._spent = Spent()
        self._kept = 0
        self._most_wrong_keys = wrong_keys
        self._filtered: Counter[str] = Counter()
        self._lock = threading.Lock()

    @property
    def spent(self) -> Spent:
        """The cost so far in this process, without what was spent before."""
        return self._spent

    def take(self, case: Case, resource: str, *, live: bool) -> None:
        """Count one request before it is sent. Raises :class:`Withheld` if it must not be sent.

        ``live`` is True for a target that is protected: its account may be blocked, its owner pays.
        """
        if time.monotonic() >= self.until:
            message = f"the {self._budget.wall_seconds or 0:g} seconds of the run are over (budget.wall_seconds)"
            raise Withheld(message, Outcome.INCONCLUSIVE, final=True)
        with self._lock:
            if live:
                self._check(case, resource)
            cost = case.cost
            after = self._spent + Spent(1, cost.tokens, cost.images, cost.seconds, int(case.auth is Auth.WRONG))
            for name in ("requests", "tokens", "images", "seconds"):
                kept = self._kept if name == "requests" else 0
                if getattr(after, name) + kept > self._most(name):
                    message = f"the budget of {getattr(self._budget, name):g} {name} is used up"
                    if kept:
                        message += f" ({kept} are kept to remove what was created)"
                    # Another case may cost no tokens or images, but each costs a request.
                    raise Withheld(message, Outcome.INCONCLUSIVE, final=name == "requests")
            self._spent = after

    def _most(self, name: str) -> float:
        """The most requests, tokens, images or seconds of this process: its share of what the run has left, so that all
        processes together stay within the cap.
        """
        cap = getattr(self._budget, name)
        return float("inf") if cap is None else (cap - getattr(self._before, name)) * self.share

    def keep(self, requests: int) -> None:
        """Keep requests for the removal of what is about to be created. Raises :class:`Withheld` if there would be no
        room for the creation beside them.
        """
        with self._lock:
            if requests and self._spent.requests + self._kept + 1 + requests > self._most("requests"):
                message = f"the budget of {self._budget.requests} requests has no room to create and remove an object"
                raise Withheld(message, Outcome.INCONCLUSIVE)
            self._kept += requests

    def give_back(self, requests: int) -> None:
        """Nothing was created: what was kept for its removal may be spent otherwise."""
        with self._lock:
            self._kept -= requests

    def pay_removal(self) -> None:
        """Count a request that removes something or looks for it. It is never withheld: it was kept for that, and an
        object left behind would be worse than a budget that is exceeded.
        """
        with self._lock:
            self._kept = max(0, self._kept - 1)
            self._spent += Spent(1)

    def _check(self, case: Case, resource: str) -> None:
        """Raise :class:`Withheld` for expensive requests that aren't allowed, for wrong keys and for filtered
        resources.
        """
        if case.expensive and case.expensive not in self._budget.expensive:
            message = f"{case.expensive} is expensive; budget.expensive doesn't name it"
            raise Withheld(message, Outcome.NOT_APPLICABLE)
        if case.auth is Auth.WRONG and self._spent.wrong_keys >= self._most_wrong_keys:
            message = f"{WRONG_KEY_PROBES} requests with a wrong key in a run are enough for a live resource"
            raise Withheld(message, Outcome.NOT_APPLICABLE)
        if self._filtered[resource] >= FILTER_STOP:
            message = f"{FILTER_STOP} answers of the content filter: {resource} gets nothing more"
            raise Withheld(message, Outcome.INCONCLUSIVE)

    def note(self, exchange: Exchange, resource: str) -> None:
        """Count an answer of the content filter against its resource."""
        if filtered(exchange):
            with self._lock:
                self._filtered[resource] += 1


def filtered(exchange: Exchange) -> bool:
    """True for an answer that the content filter refused or cut off."""
    body = exchange.response.body if exchange.response else b""
    if exchange.status == 400:
        return b'"content_filter"' in body or b"ResponsibleAIPolicyViolation" in body
    # A search in the bytes covers plain answers and every chunk of a stream, without parsing them.
    return b'"finish_reason":"content_filter"' in body.replace(b": ", b":")


def away(exchange: Exchange) -> bool:
    """True if nothing can be said about the target by this exchange.

    Nothing came and no control request was possible, a control request failed too, or the answer is outside the
    contract.
    """
    fault = exchange.fault
    if exchange.outside:
        return True
    if fault is None or fault.kind is FaultKind.CANCELLED:
        return False
    return exchange.control_ok is False or (exchange.response is None and exchange.control_ok is None)


def failing(exchange: Exchange) -> bool:
    """True if the connection or the target as a whole failed, so that no verdict can rest on the exchange.

    Silence counts too, even if the target answers other requests: each of these exchanges costs a whole time limit.
    """
    silent = exchange.fault is not None and exchange.fault.kind in (FaultKind.READ_TIMEOUT, FaultKind.TOTAL_TIMEOUT)
    if away(exchange) or (silent and exchange.response is None):
        return True
    status = exchange.status
    return status == 429 or (status is not None and status >= 500 and exchange.control_ok is False)


class Window:
    """The last exchanges of a scenario. Not thread-safe: its owner locks."""

    def __init__(self, size: int = WINDOW) -> None:
        self._size = size
        self._last: deque[bool] = deque(maxlen=size)

    def add(self, exchange: Exchange) -> None:
        """Note one exchange."""
        self._last.append(failing(exchange))

    @property
    def tripped(self) -> bool:
        """True if the window is full and more than half of it failed."""
        return len(self._last) == self._size and sum(self._last) * 2 > self._size
