"""Judges arbitrary bytes as a stream, offline, with the checks of the suite."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from attrs import evolve

from conformance.checks.catalogue import all_checks
from conformance.evidence.exchange import Chunk, Exchange, Response
from conformance.evidence.trace import Observation, Trace
from conformance.judging.check import Check, Scope
from conformance.judging.judge import judge
from conformance.requests.case import Case, JsonBody
from conformance.requests.request import Request
from conformance.requests.selectors import streams
from conformance.spec.loading import load
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec
from conformance.verdict import Outcome, Verdict

DATED, LATER, V1 = "2024-05-01-preview", "2024-10-21", "v1-preview"


@cache
def spec_of(version: str) -> Spec:
    """A version's Spec."""
    return load(version)


@cache
def stream_checks() -> tuple[Check, ...]:
    """The exchange checks that judge streams."""
    return tuple(
        check for check in all_checks().values() if check.scope is Scope.EXCHANGE and ".checks.streams." in check.module
    )


def frame(data: Any, name: str | None = None, newline: str = "\n") -> bytes:
    """One event. ``data`` is a JSON value, or text that goes out as it stands."""
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
    lines = ([f"event: {name}"] if name else []) + [f"data: {text}"]
    return (newline.join(lines) + newline * 2).encode()


DONE = frame("[DONE]")


def frames(*data: Any, done: bool = True) -> bytes:
    """Data-only events, with the sentinel after them."""
    return b"".join(frame(one) for one in data) + (DONE if done else b"")


def seen(
    operation: str,
    body: Mapping[str, Any],
    data: bytes,
    version: str = DATED,
    *,
    content_type: str | None = "text/event-stream",
    status: int = 200,
    chunks: Sequence[Chunk] | None = None,
    **changed: Any,
) -> Observation:
    """An observation: the operation was asked with the body, and these bytes came."""
    known = operations_of(spec_of(version))[operation]
    case = Case(operation=operation, method=known.method, path=known.path, body=JsonBody(dict(body)))
    url = f"http://target{spec_of(version).base_path}{known.path}"
    request = Request(known.method, url, (("content-type", "application/json"),), json.dumps(body).encode())
    headers = (("content-type", content_type),) if content_type else ()
    given = tuple(chunks) if chunks is not None else (Chunk(0.01, data),)
    response = Response(status=status, headers=headers, chunks=given, elapsed=0.02)
    return Observation(case, evolve(Exchange(request, response), **changed))


def verdicts(
    observation: Observation, version: str = DATED, checks: Iterable[Check] | None = None
) -> dict[str, Verdict]:
    """The verdicts of all exchange checks that are about the case."""
    spec = spec_of(version)
    trace = Trace("offline", (observation,))
    chosen = checks if checks is not None else (c for c in all_checks().values() if c.scope is Scope.EXCHANGE)
    return {
        check.id: judge(spec, check, trace)
        for check in chosen
        if check.covers(observation.case.operation) and check.about(spec, observation.case)
    }


def failed(observation: Observation, version: str = DATED, checks: Iterable[Check] | None = None) -> set[str]:
    """The ids of the checks that fail, warn or err."""
    bad = (Outcome.FAIL, Outcome.WARN, Outcome.ERROR)
    return {name for name, verdict in verdicts(observation, version, checks).items() if verdict.outcome in bad}


def noted(observation: Observation, version: str = DATED) -> set[str]:
    """The ids of the checks that have something to say, scored or not."""
    return {name for name, verdict in verdicts(observation, version).items() if verdict.findings}


def asks_stream(observation: Observation, version: str) -> bool:
    """True for a case that asks for a stream."""
    return streams(spec_of(version), observation.case)
