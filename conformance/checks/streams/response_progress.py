"""Checks of how a Responses stream makes progress: its numbers, its first events, tools, images and annotations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from conformance.evidence.event_stream import Event
from conformance.evidence.trace import Observation
from conformance.judging.check import Needs, check
from conformance.judging.stream_counterexamples import Draft, each_json, on_events
from conformance.pointer import look_up
from conformance.requests.request import Request
from conformance.requests.selectors import value_at
from conformance.schema.integers import is_integer
from conformance.spec.spec import Spec
from conformance.streams.reading import Reading, over_stream, streamed
from conformance.streams.responses import kind_of
from conformance.verdict import Finding, Level

RESPONSES = "responses"


def _gap(value: dict[str, Any], index: int) -> dict[str, Any] | None:
    """Counterexample: a number is left out."""
    number = value.get("sequence_number")
    return {**value, "sequence_number": number + 1} if index and is_integer(number) else None


@check(
    "responses.sequence.dense",
    Level.OBS,
    clause="responses-stream-sequence-dense",
    counterexample=each_json(_gap, RESPONSES),
    about=streamed(RESPONSES),
    needs=Needs.SUCCESS,
    provenance="observed",
)
@over_stream
def sequence_dense(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """``sequence_number`` begins with 0 and leaves no number out: a client sees by it that an event was lost.

    It is a note: the service was seen to begin with 1 and to leave numbers out.
    """
    for wanted, (event, value) in enumerate(reading.values):
        number = value.get("sequence_number")
        if is_integer(number) and number != wanted:
            yield seen.finding(
                "a sequence number is left out", place=f"{event.place}/sequence_number", expected=wanted, actual=number
            )
            return


def _unannounced(events: list[Draft], _request: Request) -> Sequence[Draft] | None:
    """Counterexample: no event says that the response is in progress."""
    kept = [event for event in events if event.name != "response.in_progress"]
    return kept if len(kept) < len(events) else None


@check(
    "responses.in-progress.first",
    Level.SHOULD,
    clause="responses-stream-in-progress",
    counterexample=on_events(_unannounced, RESPONSES),
    about=streamed(RESPONSES),
    needs=Needs.SUCCESS,
)
@over_stream
def in_progress_first(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """``response.in_progress`` comes before the first item, after ``response.created`` and ``response.queued``."""
    for event, value in reading.values:
        kind = kind_of(event, value)
        if kind == "response.in_progress":
            return
        if kind == "response.output_item.added":
            yield seen.finding(
                "an item begins before the response is in progress", place=event.place,
                expected="response.in_progress", actual=kind,
            )  # fmt: skip
            return


#: State in the name of an event of a hosted tool → how far its call is.
_PROGRESS = {"in_progress": 0, "searching": 1, "interpreting": 1, "generating": 1, "completed": 2, "failed": 2}


def _state_of(kind: str) -> str:
    """The state that the type of an event about a hosted tool names, or ""."""
    tool, _, state = kind.removeprefix("response.").partition(".")
    return state if state in _PROGRESS and tool.endswith(("_call", "mcp_list_tools")) else ""


def _exchanged(events: list[Draft], _request: Request) -> Sequence[Draft] | None:
    """Counterexample: a call of a hosted tool begins after it has ended."""
    names = [event.name or "" for event in events]
    tools = [name.removesuffix(".in_progress") for name in names if _state_of(name) == "in_progress"]
    tool = next((tool for tool in tools if f"{tool}.completed" in names), None)
    if tool is None:
        return None
    first, last = (events[names.index(f"{tool}.{state}")] for state in ("in_progress", "completed"))
    changed = list(events)
    for old, other in ((first, last), (last, first)):
        changed[events.index(old)] = Draft(old.with_json({**old.json, "type": other.name}).data, other.name, old.at)
    return changed


@check(
    "responses.tool.progress",
    Level.SHOULD,
    clause="responses-stream-tool-progress",
    counterexample=on_events(_exchanged, RESPONSES),
    about=streamed(RESPONSES),
    needs=Needs.SUCCESS,
)
@over_stream
def tool_progress(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """A call of a hosted tool is in progress, then at work, then completed or failed. It may skip states."""
    far: dict[Any, tuple[int, str]] = {}
    for event, value in reading.values:
        state, item = _state_of(kind_of(event, value)), str(value.get("item_id", value.get("output_index")))
        if not state:
            continue
        before = far.get(item, (0, ""))
        if _PROGRESS[state] < before[0]:
            yield seen.finding(
                "a call of a tool goes back to an earlier state", place=event.place,
                expected=f"nothing before {before[1]}", actual=state,
            )  # fmt: skip
            return
        far[item] = (_PROGRESS[state], state)


_PARTIAL = "response.image_generation_call.partial_image"


def _later_image(value: dict[str, Any], _index: int) -> dict[str, Any] | None:
    """Counterexample: the partial images are numbered from 7."""
    number = value.get("partial_image_index")
    return {**value, "partial_image_index": number + 7} if is_integer(number) else None


@check(
    "responses.partial-images",
    Level.SHOULD,
    clause="responses-stream-partial-images",
    counterexample=each_json(_later_image, RESPONSES),
    about=streamed(RESPONSES),
    needs=Needs.SUCCESS,
    features=("responses.image_generation",),
)
@over_stream
def partial_images(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """Partial images of a call are numbered from 0, and are not more than ``partial_images`` of the tool."""
    tools = value_at(seen.case, "/tools")
    given = [look_up(tool, "/partial_images") for tool in tools] if isinstance(tools, list) else []
    most = max((number for number in given if is_integer(number)), default=None)
    many: dict[str, int] = {}
    for event, value in reading.values:
        if kind_of(event, value) != _PARTIAL:
            continue
        item = str(value.get("item_id"))
        wanted, number = many.get(item, 0), value.get("partial_image_index")
        many[item] = wanted + 1
        if number != wanted or (most is not None and wanted >= most):
            yield seen.finding(
                "a partial image has the wrong number", place=f"{event.place}/partial_image_index",
                expected=wanted if most is None or wanted < most else f"at most {most} images", actual=number,
            )  # fmt: skip
            return


_ANNOTATED = "response.output_text.annotation.added"


def _later_note(value: dict[str, Any], _index: int) -> dict[str, Any] | None:
    """Counterexample: the annotations are numbered from 7."""
    number = value.get("annotation_index")
    return {**value, "annotation_index": number + 7} if is_integer(number) else None


@check(
    "responses.annotations.numbered",
    Level.SHOULD,
    clause="responses-stream-annotation-index",
    counterexample=each_json(_later_note, RESPONSES),
    about=streamed(RESPONSES),
    needs=Needs.SUCCESS,
)
@over_stream
def annotations_numbered(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """The annotations of a part are numbered from 0, and the finished part has as many."""
    many: dict[tuple[Any, Any], int] = {}
    last: dict[tuple[Any, Any], tuple[Event, dict[str, Any]]] = {}
    for event, value in reading.values:
        kind, key = kind_of(event, value), (str(value.get("output_index")), str(value.get("content_index")))
        if kind == _ANNOTATED:
            wanted = many.get(key, 0)
            many[key] = wanted + 1
            if value.get("annotation_index") != wanted:
                yield seen.finding(
                    "an annotation has the wrong number", place=f"{event.place}/annotation_index", expected=wanted,
                    actual=value.get("annotation_index"),
                )  # fmt: skip
                return
        elif kind == "response.content_part.done" and key in many:
            last[key] = (event, value)
    for key, (event, value) in last.items():
        notes = look_up(value, "/part/annotations")
        if isinstance(notes, list) and len(notes) != many[key]:
            yield seen.finding(
                "the finished part has another number of annotations", place=f"{event.place}/part/annotations",
                expected=many[key], actual=len(notes),
            )  # fmt: skip
