"""The check of the numbers of events in Responses streams."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from conformance.evidence.trace import Observation
from conformance.judging.check import Needs, check
from conformance.judging.stream_counterexamples import each_json
from conformance.requests.case import Case
from conformance.requests.selectors import shape_of
from conformance.schema.integers import is_integer
from conformance.spec.spec import Spec
from conformance.streams.reading import Reading, over_stream, streamed
from conformance.verdict import Finding, Level

RESPONSES = "responses"

#: The number of findings that are reported for one stream.
MOST = 5


def _numbered(spec: Spec, case: Case) -> bool:
    """Return True if some event of the operation is documented with a ``sequence_number``.

    An early document of this protocol knows no numbers; nobody can demand them there.
    """
    shape = shape_of(spec, case)
    return shape is not None and _holds(spec, shape.media.schema, "sequence_number", frozenset())


def _holds(spec: Spec, node: Any, name: str, seen: frozenset[str]) -> bool:
    """Return True if a schema of events, or of their data, documents a property in one of its branches."""
    ref = node.get("$ref")
    if ref in seen:
        return False
    schema = spec.deref(node)
    properties = schema.get("properties", {})
    data = spec.deref(properties.get("data", {})).get("contentSchema")
    parts = [part for keyword in ("allOf", "anyOf", "oneOf") for part in schema.get(keyword, ())]
    inside = seen | {ref} if ref else seen
    return name in properties or any(
        _holds(spec, part, name, inside) for part in (*parts, *([data] if data is not None else []))
    )


def _same_number(value: dict[str, Any], index: int) -> dict[str, Any] | None:
    """Counterexample: all sequence numbers are 0."""
    return {**value, "sequence_number": 0} if index and "sequence_number" in value else None


@check(
    "responses.sequence-number",
    Level.MUST,
    clause="responses-sequence-number",
    counterexample=each_json(_same_number, RESPONSES),
    about=streamed(RESPONSES, also=_numbered),
    needs=Needs.SUCCESS,
)
@over_stream
def sequence_number(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """Every event has a ``sequence_number`` that is larger than the one before.

    A client that resumes a stream, or sorts its events, relies on it.
    """
    last, shown = -1, 0
    for event in reading.events:
        value = event.json
        if not isinstance(value, dict):
            continue
        number = value.get("sequence_number")
        if is_integer(number) and number > last:
            last = number
        elif shown < MOST:
            shown += 1
            yield seen.finding(
                "sequence_number does not grow" if is_integer(number) else "an event without sequence_number",
                place=f"{event.place}/sequence_number",
                expected=f"more than {last}",
                actual=value.get("sequence_number", "absent"),
            )
