"""Faulty and unusual answers reported from real servers, rebuilt, and judged by every check of single answers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import offline
from attrs import evolve, field, frozen

from conformance.checks.catalogue import all_checks
from conformance.emulator.app import App
from conformance.emulator.behaviour import Settings
from conformance.emulator.store import Clock
from conformance.evidence.exchange import Chunk, Exchange, Fault, FaultKind, Response
from conformance.evidence.trace import Observation
from conformance.judging.blocking import Blocked
from conformance.judging.check import Scope
from conformance.judging.judge import judge_exchange, outcome_of
from conformance.requests.case import Auth, Case, Expect, Multipart, Part, Version
from conformance.requests.wire import to_request
from conformance.scenarios.steps import call, path_names
from conformance.spec.loading import load
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec
from conformance.verdict import Outcome

V1, DATED, LATER = "v1-preview", "2024-05-01-preview", "2025-01-01-preview"

HELLO = {"messages": [{"role": "user", "content": "Say hello."}]}


@frozen
class Wild:
    """One divergence: what is asked, what was seen in the wild, and which checks must object to it.

    ``bad`` None: the catalogue calls the answer right (it is the true service), so it must raise no failure.
    """

    id: str
    what: str
    operation: str
    body: Any = None
    bad: Response | None = None
    by: tuple[str, ...] = ()
    right: Response | None = None
    version: str = DATED
    more: Mapping[str, Any] = field(factory=dict)
    fault: Fault | None = None
    #: The optional ability that a version must document for the request; "" for none.
    feature: str = ""

    @property
    def name(self) -> str:
        """For test ids."""
        return f"{self.id}-{self.what.replace(' ', '-')}"


#: The newest version of each surface. What is played in an older one is played there too.
NEWEST = ("2025-04-01-preview", "v1")


def in_newest(wilds: Iterable[Wild]) -> list[Wild]:
    """The divergences that are played in an older version, in the newest ones, as far as these have the request."""

    def asks(wild: Wild, spec: Spec) -> bool:
        return wild.operation in operations_of(spec) and (not wild.feature or spec.has(wild.feature))

    return [evolve(wild, version=version) for version in NEWEST for wild in wilds if asks(wild, load(version))]


def named_with_version(wild: Wild) -> str:
    """For test ids of divergences that are played in several versions."""
    return f"{wild.version}-{wild.name}"


def plain(value: Any, status: int = 200, **headers: str) -> Response:
    """A JSON answer."""
    kept = tuple(
        (name.replace("_", "-"), text) for name, text in {"content_type": "application/json", **headers}.items()
    )
    return Response(status, kept, (Chunk(0.0, json.dumps(value).encode()),))


def error(status: int, code: Any, message: str = "no", **more: Any) -> Response:
    """A refusal in the service's envelope."""
    return plain({"error": {"code": code, "message": message, **more}}, status)


def raw(data: bytes, media: str, status: int = 200) -> Response:
    """Any other content."""
    return Response(status, (("content-type", media),), (Chunk(0.0, data),))


@cache
def _app(version: str) -> App:
    return App([load(version)], Settings(), Clock.fixed())


@cache
def spec_of(version: str) -> Spec:
    """The Spec of a version."""
    return load(version)


def fields_of(spec: Spec, schema: Mapping[str, Any]) -> set[str]:
    """The names of the fields of an object, those of the schemas that it is joined of too."""
    node = spec.deref(schema)
    joined = (fields_of(spec, part) for part in node.get("allOf", ()))
    return set(node.get("properties", ())).union(*joined)


def case_of(wild: Wild) -> Case:
    """The request. On dated routes the deployment stands in the path, on v1 in the body."""
    spec = spec_of(wild.version)
    names = path_names(operations_of(spec)[wild.operation])
    ids = ["{deployment}" if "deployment" in name else f"{name[:4]}_1" for name in names]
    body, more = wild.body, dict(wild.more)
    if isinstance(body, dict) and not any("deployment" in name for name in names):
        media = operations_of(spec)[wild.operation].body.get("application/json")
        if media is not None and "model" in fields_of(spec, media.schema):
            body = {"model": "{deployment}", **body}
    if isinstance(body, Multipart):
        more["form"], body = body, None
    return call(spec, wild.operation, *ids, role=more.pop("role", "wild"), body=body, **more)


def observed(wild: Wild, response: Response | None) -> Observation:
    """The request with an answer; None takes the emulator's."""
    spec, case = spec_of(wild.version), case_of(wild)
    settings = Settings()
    bindings = {"deployment": offline.deployment_for(settings, case.capability), "run": "run0"}
    request = to_request(case, spec, origin="http://emulator", bindings=bindings)
    if response is None:
        return Observation(case, offline.answering(_app(wild.version), spec)(case, request))
    return Observation(case, Exchange(request, response, wild.fault if response is wild.bad else None))


def objections(observation: Observation, version: str) -> dict[str, str]:
    """What every check of single answers says that isn't quiet: outcome by check id; ``note`` for what only shows."""
    spec, found = spec_of(version), {}
    for check in all_checks().values():
        if check.scope is Scope.EXCHANGE and check.covers(observation.case.operation):
            if not check.about(spec, observation.case):
                continue
            said = judge_exchange(spec, check, observation)
            if isinstance(said, Blocked):
                if said.findings:
                    found[check.id] = "note"
                continue
            outcome = outcome_of(check, said)
            if outcome in (Outcome.FAIL, Outcome.WARN, Outcome.ERROR):
                found[check.id] = outcome.value
            elif said:
                found[check.id] = "note"
    return found


def failures(wild: Wild) -> dict[str, str]:
    """The checks that fail, or crash, over the right answer: outcome by check id."""
    found = objections(observed(wild, wild.right), wild.version)
    return {name: outcome for name, outcome in found.items() if outcome in ("fail", "error")}


def form(**parts: str | tuple[str, bytes, str]) -> Multipart:
    """Text parts, and files as (name, bytes, type)."""
    made = [
        Part(name, value[1], value[0], value[2]) if isinstance(value, tuple) else Part(name, value.encode())
        for name, value in parts.items()
    ]
    return Multipart(tuple(made))


EITHER = {"expect": Expect.EITHER}
NO_VERSION = {"api_version": Version.MISSING, "role": "probe.api-version.missing", "expect": Expect.REJECT}
OTHER_VERSION = {"api_version": Version.UNKNOWN, "role": "probe.api-version.unknown", "expect": Expect.REJECT}
NO_KEY = {"auth": Auth.NONE, "role": "probe.auth.none", "expect": Expect.REJECT}
CLOSED = Fault(FaultKind.CLOSED, "closed in the middle", 0.1)
