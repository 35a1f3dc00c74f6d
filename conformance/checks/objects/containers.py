"""Checks of containers: their settings, the files that are copied into them, and the bytes of these files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from conformance.checks.objects.jobs import on_objects
from conformance.checks.objects.lifecycle import holds, one
from conformance.checks.objects.lists import items_of
from conformance.evidence.exchange import Exchange
from conformance.evidence.trace import Observation, Trace
from conformance.judging.check import trace_check
from conformance.judging.counterexamples import asked, on_json, query_of
from conformance.requests.request import Request
from conformance.scenarios.containers import WANTED
from conformance.scenarios.files import BINARY
from conformance.scenarios.resource_kinds import NOTES
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level

FILES = ("containers.files",)

#: Role of a file's creation → the bytes of the file.
_SENT = {"sent": BINARY.data, "copy": NOTES}

_LIST = asked("GET", r"/containers/\w+/files")


def _other_limit(item: dict[str, Any]) -> Any:
    """Counterexample: the container has another memory limit."""
    return {**item, "memory_limit": "64g"} if item.get("memory_limit") else None


@trace_check(
    "containers.echo",
    Level.SHOULD,
    clause="container-echo",
    counterexample=on_objects("container", _other_limit),
    scenarios=FILES,
    needs=("container",),
)
def echo(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A container has the memory limit and the expiry of its request; without a limit it has 1g."""
    made, read, plain = (one(trace, role) for role in ("container", "container.get", "plain"))
    for seen, wanted in ((made, WANTED), (read, WANTED), (plain, {"memory_limit": "1g"})):
        for name, value in wanted.items() if seen is not None else ():
            # No version requires these fields in an answer.
            if seen is not None and name in seen.json and not holds(seen.json[name], value):
                yield seen.finding(
                    f"{name} is not as asked for", place=f"/{name}", expected=value, actual=seen.json[name]
                )


def _elsewhere(item: dict[str, Any]) -> Any:
    """Counterexample: the file belongs to another container."""
    return {**item, "container_id": "cntr_of_another"} if "container_id" in item else None


@trace_check(
    "containers.files.as-sent",
    Level.SHOULD,
    clause="container-file-of-container",
    counterexample=on_objects("container.file", _elsewhere),
    scenarios=FILES,
    needs=("container", "sent"),
)
def as_sent(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A file of a container names the container and its size, and ``user`` as its source if it was uploaded."""
    container = one(trace, "container")
    if container is None:
        return
    for key, data in _SENT.items():
        wanted = {"container_id": container.json.get("id"), "bytes": len(data)}
        for seen in filter(None, (one(trace, key), one(trace, f"{key}.get"))):
            source = {"source": "user"} if key == "sent" else {}
            for name, value in {**wanted, **source}.items():
                # A missing field is reported by the schema.
                if name in seen.json and seen.json[name] != value:
                    yield seen.finding(
                        f"{name} is not that of the file", place=f"/{name}", expected=value, actual=seen.json[name]
                    )


def _flipped(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: one bit of the content differs."""
    response = exchange.response
    if response is None or not exchange.ok or not response.body or not _CONTENT(exchange):
        return None
    return exchange.answered(response.with_body(bytes([response.body[0] ^ 1]) + response.body[1:]))


_CONTENT = asked("GET", r"/containers/\w+/files/\w+/content")


@trace_check(
    "containers.files.content",
    Level.MUST,
    clause="container-file-content",
    counterexample=_flipped,
    scenarios=FILES,
    needs=("sent", "sent.content"),
)
def content(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """The content of a file in a container is the bytes of the file, also if they are no text."""
    for key, data in _SENT.items():
        for seen in trace.role(f"{key}.content"):
            got = seen.exchange.response.body if seen.exchange.response else b""
            if seen.exchange.ok and got != data:
                place = next((i for i, (a, b) in enumerate(zip(got, data, strict=False)) if a != b), len(got))
                yield seen.finding(
                    "other bytes came back", place=f"byte:{place}", expected=f"{len(data)} bytes as sent",
                    actual=f"{len(got)} bytes, different from byte {place} on",
                )  # fmt: skip


def _nothing_copied(value: Any, request: Request) -> Any:
    """Counterexample: the container has no files."""
    if query_of(request).keys() & {"after", "limit"}:
        return None
    ends = {name: None for name in ("first_id", "last_id") if name in value}
    return {**value, "data": [], **ends, "has_more": False} if value.get("data") else None


def _sizes(page: Observation) -> list[Any]:
    return [item.get("bytes") for item in items_of(page)]


@trace_check(
    "containers.files.copied",
    Level.SHOULD,
    clause="container-files-copied",
    counterexample=on_json(_nothing_copied, when=_LIST),
    scenarios=FILES,
    needs=("container", "copied"),
    entails=("lifecycle.list.holds",),
)
def copied(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A container that is created with ``file_ids`` has copies of these files."""
    page = one(trace, "copied")
    if page is not None and len(NOTES) not in _sizes(page):
        yield page.finding(
            "the file is not in the container", place="/data", expected=f"a file of {len(NOTES)} bytes",
            actual=_sizes(page),
        )  # fmt: skip
