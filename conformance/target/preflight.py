"""The preflight: requests before the corpus that find out what the target serves, without spending a token.

A deployment that exists refuses an empty body ``{}`` with 400; a list request shows whether its resource is served. The
preflight stops the run only if nothing could be judged: no connection, a refused key, a deployment that doesn't exist.
Any other answer lets the corpus begin.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from attrs import evolve, field, frozen

from conformance.errors import Unreachable, UsageError
from conformance.evidence.exchange import Exchange, FaultKind
from conformance.judging.causes import declared
from conformance.requests.case import Case, Expect, Family, JsonBody
from conformance.requests.headers import EMULATOR_HEADER
from conformance.spec.operations import Operation, operations_of
from conformance.spec.spec import Spec
from conformance.target.guards import with_undo
from conformance.target.limits import Withheld
from conformance.target.target import Target
from conformance.verdict import Finding, Outcome, Verdict

__all__ = ["SERVED_CHECK", "Preflight", "answered_by_emulator", "from_emulator", "preflight", "probes", "served"]

#: The id under which claims are judged. It isn't in the catalogue of checks, because it judges no single exchange.
SERVED_CHECK = "claims.served"

#: An id that no object has.
_NOBODY = "0" * 24

#: The error code for an unknown route. A missing object gets another code with the same status.
_NO_ROUTE = "404"

#: What a refusal says if the resource as a whole isn't served.
_NOT_SUPPORTED = re.compile(r"not[ _-]?(?:supported|implemented|available|enabled)|unsupported", re.IGNORECASE)

#: After this many refusals with 403 and no success the key is taken to be refused. One may concern a resource alone,
#: and more wrong keys could lock an account.
_FORBIDDEN = 2

_SILENT = (FaultKind.READ_TIMEOUT, FaultKind.TOTAL_TIMEOUT)

_NO_CONNECTION = (FaultKind.CONNECT, FaultKind.CONNECT_TIMEOUT, FaultKind.DNS, FaultKind.TLS)


@frozen
class Preflight:
    """The result of a preflight.

    ``resources`` and ``operations`` hold what isn't served, ``surprises`` what is served although unclaimed, each with
    a reason; ``cases`` the ids of the requests that showed it. ``control`` is a cheap request that the target answered.
    If it answered none at all, it is the first one: an answer to it would show that the target is back. ``emulated`` is
    True if every answer came from the emulator of this suite, ``accepted`` if the target accepted the key.
    """

    resources: Mapping[str, str] = field(factory=dict)
    operations: Mapping[str, str] = field(factory=dict)
    surprises: Mapping[str, str] = field(factory=dict)
    cases: Mapping[str, str] = field(factory=dict)
    requests: int = 0
    control: Case | None = None
    emulated: bool = False
    accepted: bool = False

    def __add__(self, other: Preflight) -> Preflight:
        """What two preflights of one target found together."""
        return Preflight(
            resources={**self.resources, **other.resources},
            operations={**self.operations, **other.operations},
            surprises={**self.surprises, **other.surprises},
            cases={**self.cases, **other.cases},
            requests=self.requests + other.requests,
            control=self.control or other.control,
            emulated=self.emulated and other.emulated,
            accepted=self.accepted or other.accepted,
        )

    def missing(self, operation: str, resource: str) -> str | None:
        """Why an operation isn't served; None if it is served or wasn't looked at."""
        return self.operations.get(operation) or self.resources.get(resource)

    def verdicts(self) -> tuple[Verdict, ...]:
        """One verdict for each resource or operation that is claimed but not served, or served but not claimed."""
        made = []
        found = (
            ("resource", self.resources, Outcome.FAIL, "claimed and not served"),
            ("operation", self.operations, Outcome.FAIL, "claimed and not served"),
            ("served", self.surprises, Outcome.WARN, "listed as unsupported and served all the same"),
        )
        for kind, names, outcome, text in found:
            for name, reason in names.items():
                message = f"{name} is {text}: {reason}{_remedy(kind, name)}"
                case = self.cases.get(name, "")
                finding = Finding(message, case, place="status", outcome=outcome)
                made.append(Verdict(SERVED_CHECK, f"{kind}.{name}", outcome, (finding,), judged=1, reason=message))
        return tuple(made)

    def to_json(self) -> dict[str, Any]:
        """A JSON object from which :meth:`from_json` builds an equal value."""
        return {
            "resources": dict(self.resources),
            "operations": dict(self.operations),
            "surprises": dict(self.surprises),
            "cases": dict(self.cases),
            "requests": self.requests,
            "control": self.control.to_json() if self.control else None,
            "emulated": self.emulated,
            "accepted": self.accepted,
        }

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Preflight:
        """The inverse of :meth:`to_json`."""
        return cls(**{**plain, "control": Case.from_json(plain["control"]) if plain["control"] else None})


def _remedy(kind: str, name: str) -> str:
    """The line of ``conformance.toml`` that would declare what was found."""
    if kind == "served":
        return "; take it out of [target.unsupported]"
    glob = f"{name}.*" if kind == "resource" else name
    return f"; {declared(glob)}"


def probes(spec: Spec, capabilities: frozenset[str]) -> tuple[Case, ...]:
    """The requests of a preflight. They create nothing and spend nothing. ``capabilities``: those of the deployments.

    A POST is among them only if the document requires a field of its body, so that ``{}`` must be refused.
    """
    operations = operations_of(spec).values()
    found = [case for operation in operations if (case := _probe(spec, operation, capabilities)) is not None]
    looked_at = {operation.resource for operation in operations if operation.id in {case.operation for case in found}}
    # A resource that can't be listed is asked for an object that doesn't exist, preferably by a method that reads.
    for operation in sorted(operations, key=lambda operation: operation.mutates):
        # One request for each resource is enough to see whether its routes exist.
        case = None if operation.resource in looked_at else _nobody(operation)
        if case is not None:
            looked_at.add(operation.resource)
            found.append(case)
    return tuple(found)


def _nobody(operation: Operation) -> Case | None:
    """A request for an object that doesn't exist. The code of its 404 says whether the route exists."""
    names = [p.name for p in operation.parameters if p.location == "path"]
    if not names or "/deployments/" in operation.path:
        return None
    return Case(
        operation=operation.id,
        method=operation.method,
        path=operation.path,
        path_params=dict.fromkeys(names, _NOBODY),
        family=Family.TEMPLATE,
        expect=Expect.EITHER,
        role="preflight",
    )


def _probe(spec: Spec, operation: Operation, capabilities: frozenset[str]) -> Case | None:
    """A request without ids for an operation; None if there is none that is refused or free of charge."""
    names = [p.name for p in operation.parameters if p.location == "path"]
    deployment = [name for name in names if "/deployments/{" + name + "}" in operation.path]
    # A path with ids needs an object, which the preflight must not create.
    if names != deployment:
        return None
    capability = operation.resource if operation.resource in capabilities else ""
    case = Case(
        operation=operation.id,
        method=operation.method,
        path=operation.path,
        path_params=dict.fromkeys(deployment, "{deployment}"),
        family=Family.TEMPLATE,
        expect=Expect.EITHER,
        role="preflight",
        capability=capability,
    )
    if operation.method == "GET":
        limited = operation.parameter("query", "limit") is not None
        asked = [p for p in operation.parameters if p.location == "query" and p.name != spec.api_version.name]
        required = any(p.required for p in asked)
        if deployment or required:
            return None
        return evolve(case, query=(("limit", "1"),) if limited else ())
    # A POST that creates something is never sent before the run has begun.
    if operation.method != "POST" or not capability or with_undo(case, spec) is not case:
        return None
    media = operation.body.get("application/json")
    if media is None or not spec.deref(media.schema).get("required"):
        return None
    return evolve(case, body=JsonBody({}))


def preflight(target: Target, spec: Spec, concurrency: int = 1) -> Preflight:
    """Find out what the target serves. At most ``concurrency`` requests are in flight together, and one alone until an
    answer shows that the key is accepted.

    Raises :class:`Unreachable` if there is no connection, :class:`UsageError` if the key is refused or a configured
    deployment doesn't exist.
    """
    settings = target.config.target
    capabilities = frozenset().union(*settings.deployments.values()) if settings.deployments else frozenset()
    resources = {name: operation.resource for name, operation in operations_of(spec).items()}
    answers: dict[str, tuple[Case, Exchange]] = {}
    control: Case | None = None
    first: Case | None = None
    silent, served_something, accepted = True, False, False
    hung = False
    forbidden: list[tuple[Case, Exchange]] = []

    def at_once() -> int:
        # One long wait is enough; the corpus will show what is wrong.
        return 0 if hung else concurrency if served_something else 1

    for case, exchange in _asked(target, probes(spec, capabilities), at_once):
        first = first or case
        if exchange.status == 403:
            forbidden.append((case, exchange))
        if exchange.status != 403 or (len(forbidden) == _FORBIDDEN and not served_something):
            _stop_where_hopeless(target, case, exchange)
        accepted = accepted or exchange.ok
        served_something = served_something or (exchange.status not in (None, 403, 429) and exchange.status < 500)
        if exchange.fault is not None and exchange.fault.kind in _SILENT:
            hung = True
            continue
        answers[case.operation] = (case, exchange)
        silent = silent and exchange.status is None
        if control is None and exchange.status is not None and exchange.status < 500 and exchange.status != 429:
            control = target.control = case
    if forbidden and len(forbidden) == len(answers):
        _stop_where_hopeless(target, *forbidden[-1])
    absent = {name: why for name, (case, exchange) in answers.items() if (why := _absent(case, exchange))}
    gone = {
        resource: next(why for name, why in absent.items() if resources[name] == resource)
        for resource in dict.fromkeys(resources[name] for name in absent)
        if all(name in absent for name in answers if resources[name] == resource)
    }
    single = {name: why for name, why in absent.items() if resources[name] not in gone}
    listed = {name: reason for name in answers if (reason := settings.unclaimed(name, resources[name])) is not None}
    surprises = {name: f"HTTP {answers[name][1].status}" for name in listed if served(answers[name][1], name in absent)}
    return Preflight(
        resources={name: why for name, why in gone.items() if settings.unclaimed_resource(name) is None},
        operations={name: why for name, why in single.items() if name not in listed},
        surprises=surprises,
        cases={name: case.id for name, (case, _) in answers.items()}
        | {resources[name]: case.id for name, (case, _) in answers.items()},
        requests=sum(1 + len(exchange.attempts) for _, exchange in answers.values()),
        control=control or (first if silent else None),
        emulated=from_emulator(exchange for _, exchange in answers.values()),
        accepted=accepted,
    )


def _asked(target: Target, cases: Sequence[Case], at_once: Callable[[], int]) -> Iterator[tuple[Case, Exchange]]:
    """Yield the requests that may be sent, in order, with their answers. ``at_once`` says before each round how many
    requests it has; 0 ends it.
    """

    def send(case: Case) -> Exchange | None:
        try:
            return target.send(case)
        except Withheld:
            return None

    left = deque(cases)
    # Threads are started only when they are needed.
    pool = ThreadPoolExecutor(max(1, len(left)), "preflight")
    try:
        while left and (many := at_once()):
            batch = [left.popleft() for _ in range(min(many, len(left)))]
            # A single one is sent by this thread.
            answers = map(send, batch) if len(batch) == 1 else pool.map(send, batch)
            yield from ((case, seen) for case, seen in zip(batch, answers, strict=True) if seen is not None)
    except BaseException:  # an interruption, or a target that can't be judged: nobody waits for the other answers
        pool.shutdown(wait=False, cancel_futures=True)
        target.abort()
        raise
    pool.shutdown()


def answered_by_emulator(target: Target, spec: Spec) -> bool:
    """Ask one cheap request: True if the emulator of this suite answers it."""
    for case in probes(spec, frozenset()):
        try:
            return from_emulator([target.send(case)])
        except Withheld:
            continue
    return False


def from_emulator(exchanges: Iterable[Exchange]) -> bool:
    """True if there were answers and the emulator of this suite sent them all, as a header of it says.

    A gateway may pass some routes on to an emulator and others to a live resource: then the target is live.
    """
    answers = [exchange.response for exchange in exchanges if exchange.response is not None]
    return bool(answers) and all(answer.header(EMULATOR_HEADER) for answer in answers)


def served(exchange: Exchange, absent: bool = False) -> bool:
    """True for an answer of something behind the route: a success, or the refusal of this request."""
    status = exchange.status
    if absent or exchange.fault is not None or status is None:
        return False
    return 200 <= status < 300 or (status in (400, 409, 422) and not _NOT_SUPPORTED.search(_message(exchange)))


def _message(exchange: Exchange) -> str:
    """The beginning of the answer's body as text."""
    body = exchange.response.body[:2000] if exchange.response else b""
    return body.decode("utf-8", "replace")


def _code(exchange: Exchange) -> str:
    """The code of an error; "" if there is none."""
    value = exchange.response.json if exchange.response else None
    error = value.get("error", value) if isinstance(value, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, str) else ""


def _absent(case: Case, exchange: Exchange) -> str | None:
    """Why an answer shows that the route isn't served; None if it doesn't."""
    if exchange.status in (404, 405, 410, 501) and exchange.fault is None:
        code = _code(exchange)
        if _NOBODY in case.path_params.values() and (exchange.status, code) != (404, _NO_ROUTE):
            return None
        told = f" {code}" if code not in ("", str(exchange.status)) else ""
        return f"{case.method} {case.path} answered {exchange.status}{told}"
    return None


def _stop_where_hopeless(target: Target, case: Case, exchange: Exchange) -> None:
    """Raise if the answer shows that nothing can be judged."""
    url = target.config.target.url
    if exchange.fault is not None and exchange.fault.kind in _NO_CONNECTION:
        raise Unreachable(f"no connection: {exchange.fault.message}", where=url)
    if exchange.status == 401 and target.config.target.auth == "none":
        raise UsageError(
            "the target wants a key: it answered 401",
            where=url,
            hint="target.auth is none; say what it wants",
        )
    if exchange.status in (401, 403) and target.config.target.auth != "none":
        raise UsageError(
            f"the target refused the key with {exchange.status}",
            where=url,
            hint="check the key, target.auth, and whether key authentication and this network are allowed",
        )
    if exchange.status == 404 and _code(exchange) == "DeploymentNotFound":
        name = target.bindings(case).get("deployment", "")
        hint = "name the real ones in [target.deployments]"
        raise UsageError(f"there is no deployment {name!r}", where=url, hint=hint)
