"""Event types: what the document names for each protocol of streams, and what was seen in this run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from attrs import Factory, define

from conformance.errors import HarnessError, UsageError
from conformance.evidence.event_stream import stream_of
from conformance.evidence.timeline import visible
from conformance.requests.selectors import shape_of
from conformance.spec.loading import load
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec
from conformance.streams.event_schemas import event_schemas

from .headline import headline
from .jsonl import Report

__all__ = ["NAME", "render", "types_of"]

NAME = "event-types.md"

#: How events without a name are listed.
_UNNAMED = "(events without a name)"


@define
class _Protocol:
    """What is known of one protocol: the types that the document names, the streams, and how often a type came.

    ``documented`` has one entry for each type: its names, of which most types have one.
    """

    documented: set[tuple[str, ...]] = Factory(set)
    asked: int = 0
    answered: int = 0
    seen: Counter[str] = Factory(Counter)


def render(report: Report, run_dir: str) -> str:  # noqa: ARG001 - every format has this signature
    """Markdown text: for each protocol the streams that were asked for, and the event types with their counts.

    A type that was not seen was not elicited by any request, or the target doesn't send it.
    """
    version = report.header["api_version"]
    lines = [f"# {version}: event types", "", headline(report).text, ""]
    try:
        spec = load(version)
    except (UsageError, HarnessError):
        return "\n".join([*lines, "The documents of this api-version are not at hand.", ""])
    for name, protocol in _protocols(spec, report).items():
        lines += _section(name, protocol)
    return visible("\n".join(lines).rstrip() + "\n")


def _protocols(spec: Spec, report: Report) -> dict[str, _Protocol]:
    """The protocols of the version by name."""
    found: dict[str, _Protocol] = {}
    for operation in operations_of(spec).values():
        if operation.stream is not None:
            one = found.setdefault(operation.stream.protocol, _Protocol())
            one.documented |= types_of(event_schemas(spec, operation.stream))
    able = {operation.id for operation in operations_of(spec).values() if operation.stream is not None}
    for name, outline in report.outlines.items():
        # To read a trace takes time; most have no operation that can stream.
        if not any(step.operation in able for step in outline):
            continue
        for seen in report.traces[name]:
            shape, response = shape_of(spec, seen.case), seen.exchange.response
            if shape is None:
                continue
            one = found[shape.protocol]
            one.asked += 1
            if response is not None and seen.exchange.ok and response.media_type == "text/event-stream":
                one.answered += 1
                # The sentinel that closes a stream is no event of the document.
                sent = [event for event in stream_of(response).events if event.data != shape.done]
                one.seen.update(event.name or _UNNAMED for event in sent)
    return found


def types_of(schemas: Mapping[str | None, str]) -> set[tuple[str, ...]]:
    """The names of each type. Names of one entry of the document are spellings of one type: a target sends one."""
    found: dict[str, list[str]] = {}
    for name, pointer in schemas.items():
        found.setdefault(pointer, []).append(name or _UNNAMED)
    return {tuple(names) for names in found.values()}


def _section(name: str, protocol: _Protocol) -> Iterator[str]:
    """Yield the lines of one protocol."""
    known = [names for names in protocol.documented if any(protocol.seen[name] for name in names)]
    others = {(name,) for name in protocol.seen} - {(name,) for names in protocol.documented for name in names}
    yield f"## {name}"
    yield ""
    yield (
        f"{protocol.asked} streams asked for, {protocol.answered} answered; "
        f"{len(known)} of {len(protocol.documented)} documented event types seen."
    )
    yield ""
    yield "| event type | documented | seen |"
    yield "|---|---|---|"
    for names in sorted(protocol.documented | others):
        many = sum(protocol.seen[name] for name in names)
        yield f"| {' or '.join(names)} | {'no' if names in others else 'yes'} | {many} |"
    yield ""
