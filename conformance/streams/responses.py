"""Responses streams: the response, its items, their parts, and the texts that deltas add to.

Every event names its place: ``output_index`` with ``item_id``; within an item ``content_index`` or ``summary_index``.
:class:`Outline` walks the events once and keeps what was announced, closed and joined.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import define, field, frozen

from conformance.evidence.event_stream import Event
from conformance.schema.integers import is_integer
from conformance.streams.machine import Breach, Machine
from conformance.streams.reading import Reading

__all__ = [
    "GROWING_TEXTS",
    "RESPONSE",
    "TERMINAL",
    "GrowingText",
    "NestingFault",
    "Outline",
    "comparable",
    "kind_of",
    "order_breaches",
]

#: Events that end a response. Each contains the finished response.
TERMINAL = ("response.completed", "response.incomplete", "response.failed")

#: The response. ``opens`` is created, ``waits`` is queued or in_progress, ``works`` are all events about items.
#: An error (``errs``) ends it, and response.failed (``fails``) may say so once more: recorded streams have both.
RESPONSE = Machine(
    name="response",
    start="new",
    moves={
        ("new", "opens"): "open",
        ("open", "waits"): "open",
        ("open", "works"): "working",
        ("open", "ends"): "ended",
        ("open", "errs"): "failing",
        ("open", "fails"): "ended",
        ("working", "works"): "working",
        ("working", "ends"): "ended",
        ("working", "errs"): "failing",
        ("working", "fails"): "ended",
        ("failing", "fails"): "ended",
    },
    breaks={
        ("new", "waits"): ("created-first", "open"),
        ("new", "works"): ("created-first", "working"),
        ("new", "ends"): ("created-first", "ended"),
        ("new", "errs"): ("created-first", "failing"),
        ("new", "fails"): ("created-first", "ended"),
        ("open", "opens"): ("created-once", "open"),
        ("working", "opens"): ("created-once", "working"),
        ("ended", "opens"): ("nothing-after-end", "ended"),
        ("ended", "waits"): ("nothing-after-end", "ended"),
        ("ended", "works"): ("nothing-after-end", "ended"),
        ("ended", "ends"): ("ends-once", "ended"),
        ("ended", "errs"): ("ends-once", "ended"),
        ("ended", "fails"): ("ends-once", "ended"),
        ("failing", "opens"): ("nothing-after-end", "failing"),
        ("failing", "waits"): ("nothing-after-end", "failing"),
        ("failing", "works"): ("nothing-after-end", "failing"),
        ("failing", "ends"): ("ends-once", "ended"),
        ("failing", "errs"): ("ends-once", "failing"),
    },
    ends={"new": "never-ends", "open": "never-ends", "working": "never-ends"},
)


def kind_of(event: Event, value: Mapping[str, Any]) -> str:
    """The type of an event: that of its data, else its name."""
    given = value.get("type")
    return given if isinstance(given, str) else event.name or ""


def _symbol(kind: str) -> str:
    """The machine's symbol for an event type."""
    if kind in ("error", "response.failed"):
        return "errs" if kind == "error" else "fails"
    if kind in TERMINAL:
        return "ends"
    if kind == "response.created":
        return "opens"
    return "waits" if kind in ("response.queued", "response.in_progress") else "works"


def order_breaches(reading: Reading) -> Iterator[Breach[Event]]:
    """Yield the events that the response's machine doesn't allow. A bare ``error`` event counts as an end."""
    typed = [
        (kind_of(event, event.json), event)
        for event in reading.events
        if isinstance(event.json, dict) and kind_of(event, event.json)
    ]
    # Events of other types are ignored by clients, so they break no order. The check of event schemas reports them.
    known = [(kind, event) for kind, event in typed if kind == "error" or kind.startswith("response.")]
    yield from RESPONSE.run(((_symbol(kind), event) for kind, event in known), ended=reading.whole)


@frozen
class GrowingText:
    """A text that deltas add to: the prefix of its event names, the field of its done event, its index within the
    item. The finished part, or without an index the finished item, has the text in a field of the same name.
    """

    prefix: str
    delta: str
    done: str
    field: str
    inner: str = ""


#: All such texts. The names are those of the documented events.
GROWING_TEXTS: tuple[GrowingText, ...] = (
    GrowingText("response.output_text", ".delta", ".done", "text", "content_index"),
    GrowingText("response.refusal", ".delta", ".done", "refusal", "content_index"),
    GrowingText("response.function_call_arguments", ".delta", ".done", "arguments"),
    GrowingText("response.reasoning_summary_text", ".delta", ".done", "text", "summary_index"),
    GrowingText("response.code_interpreter_call_code", ".delta", ".done", "code"),
    # The spelling of the last dated document; recordings show the one before.
    GrowingText("response.code_interpreter_call.code", ".delta", ".done", "code"),
    GrowingText("response.mcp_call", ".arguments_delta", ".arguments_done", "arguments"),
    GrowingText("response.mcp_call_arguments", ".delta", ".done", "arguments"),
    GrowingText("response.custom_tool_call_input", ".delta", ".done", "input"),
    GrowingText("response.reasoning_text", ".delta", ".done", "text", "content_index"),
)

_BY_DELTA = {growth.prefix + growth.delta: growth for growth in GROWING_TEXTS}
_BY_DONE = {growth.prefix + growth.done: growth for growth in GROWING_TEXTS}
_BY_PREFIX = {growth.prefix: growth for growth in GROWING_TEXTS}

#: Event that announces a part → (event that closes it, name of its index).
_PARTS = {
    "response.content_part.added": ("response.content_part.done", "content_index"),
    "response.reasoning_summary_part.added": ("response.reasoning_summary_part.done", "summary_index"),
}
_PARTS_DONE = {done: (added, inner) for added, (done, inner) in _PARTS.items()}


@frozen
class NestingFault:
    """A broken rule of the nesting: ``announced``, ``closed``, ``joined`` or ``part-type``."""

    rule: str
    event: Event
    message: str
    expected: str = ""
    actual: str = ""


@define
class _Item:
    """An announced item: its id and type, its parts, and its texts as far as they have grown."""

    id: Any
    type: Any
    event: Event
    parts: dict[tuple[str, Any], Event] = field(factory=dict)
    closed_parts: set[tuple[str, Any]] = field(factory=set)
    texts: dict[tuple[str, Any], str] = field(factory=dict)
    finished: set[tuple[str, Any]] = field(factory=set)
    #: Texts with a delta that isn't a string (the document allows any value for some). They are not compared.
    opaque: set[tuple[str, Any]] = field(factory=set)
    done: Mapping[str, Any] | None = None

    def joined(self) -> Iterator[tuple[tuple[str, Any], str]]:
        """Yield the key of each text that can be compared, and what its deltas add up to."""
        yield from ((key, text) for key, text in self.texts.items() if key not in self.opaque)


@define
class Outline:
    """What a Responses stream announced, closed and joined. Use :meth:`of` to build it."""

    items: dict[Any, _Item] = field(factory=dict)
    faults: list[NestingFault] = field(factory=list)
    final: tuple[Event, Mapping[str, Any]] | None = None

    @classmethod
    def of(cls, reading: Reading) -> Outline:
        """Walk the events of a stream once."""
        outline = cls()
        for event, value in reading.values:
            outline._take(event, kind_of(event, value), value)
        # Only a completed response must have closed everything: a failed or incomplete one may stop anywhere.
        if outline.final is not None and outline.final[1].get("status", "completed") == "completed":
            outline._all_closed(outline.final[0])
        return outline

    def rule(self, *names: str) -> list[NestingFault]:
        """The faults of some rules, in order."""
        return [fault for fault in self.faults if fault.rule in names]

    def _fault(self, rule: str, event: Event, message: str, expected: object = "", actual: object = "") -> None:
        """Note a fault."""
        self.faults.append(NestingFault(rule, event, message, str(expected)[:160], str(actual)[:160]))

    def _take(self, event: Event, kind: str, value: Mapping[str, Any]) -> None:
        """Take one event into the outline."""
        if kind in TERMINAL:
            response = value.get("response")
            # A second final event is a fault of order; the first one says how the response ended.
            self.final = self.final or (event, response if isinstance(response, dict) else {})
        elif kind == "response.output_item.added":
            self._added(event, value)
        elif "output_index" in value or "item_id" in value:
            item = self._announced(event, value)
            if item is None:
                return
            if kind == "response.output_item.done":
                self._done(event, item, value)
            elif kind in _PARTS:
                self._part_added(event, item, kind, value)
            elif kind in _PARTS_DONE:
                self._part_done(event, item, kind, value)
            elif kind in _BY_DELTA:
                self._grow(event, item, _BY_DELTA[kind], value)
            elif kind in _BY_DONE:
                self._grown(event, item, _BY_DONE[kind], value)

    def _added(self, event: Event, value: Mapping[str, Any]) -> None:
        """An item is announced: it must have the next index."""
        item, index = value.get("item"), value.get("output_index")
        if not isinstance(item, dict):
            self._fault("announced", event, "an item is announced without the item", "an item", item)
            item = {}
        # In Python ``True == 1``, in JSON a boolean is no index.
        if index != len(self.items) or isinstance(index, bool):
            self._fault("announced", event, "output_index is not the next one", len(self.items), index)
        # With a wrong index the item is still entered, so that one defect doesn't make each later event of the item a
        # fault.
        key = index if is_integer(index) else len(self.items)
        self.items[key] = _Item(item.get("id"), item.get("type"), event)

    def _announced(self, event: Event, value: Mapping[str, Any]) -> _Item | None:
        """The item that an event is about. Notes a fault if it was not announced, is another one, or is already
        closed.
        """
        index = value.get("output_index")
        item = self.items.get(index) if is_integer(index) else None
        if item is None:
            self._fault("announced", event, f"output_index {index} was not announced", sorted(self.items), index)
            return None
        inner = value.get("item")
        # Events that contain the whole item name it there; the others have ``item_id``, or only the index.
        given = inner.get("id") if isinstance(inner, dict) else value.get("item_id", item.id)
        if given != item.id:
            self._fault("announced", event, "the id is not the one of the announced item", item.id, given)
        elif item.done is not None:
            self._fault("announced", event, f"item {index} had been closed", "nothing more", event.name)
        return item

    def _part_added(self, event: Event, item: _Item, kind: str, value: Mapping[str, Any]) -> None:
        """A part is announced: it must have the next index."""
        inner = _PARTS[kind][1]
        index = value.get(inner)
        many = sum(1 for added, _ in item.parts if added == kind)
        if index != many:
            self._fault("announced", event, f"{inner} is not the next one", many, index)
        part = value.get("part")
        part_type = part.get("type") if isinstance(part, dict) else None
        if kind == "response.content_part.added" and item.type == "reasoning" and part_type != "reasoning_text":
            self._fault("part-type", event, "a content part in a reasoning item", "reasoning_summary_part", part_type)
        item.parts[kind, index] = event

    def _part_done(self, event: Event, item: _Item, kind: str, value: Mapping[str, Any]) -> None:
        """A part is closed: it was announced, and its text is what the deltas add up to."""
        added, inner = _PARTS_DONE[kind]
        key = (added, value.get(inner))
        if key not in item.parts:
            self._fault("announced", event, f"{inner} {key[1]} was not announced", sorted(map(str, item.parts)), key[1])
            return
        item.closed_parts.add(key)
        given = value.get("part")
        part = given if isinstance(given, dict) else {}
        for (prefix, index), grown in item.joined():
            growth = _BY_PREFIX[prefix]
            if growth.inner == inner and index == key[1] and part.get(growth.field, grown) != grown:
                self._fault("joined", event, "the part is not what its deltas say", grown, part[growth.field])

    def _grow(self, event: Event, item: _Item, growth: GrowingText, value: Mapping[str, Any]) -> None:
        """A delta adds to a text that isn't finished."""
        key = self._inner(event, item, growth, value)
        delta = value.get("delta")
        if isinstance(delta, str):
            item.texts[key] = item.texts.get(key, "") + delta
        else:
            item.opaque.add(key)
        if key in item.finished:
            self._fault("announced", event, f"a delta after {growth.prefix}{growth.done}", "nothing more", delta)

    def _grown(self, event: Event, item: _Item, growth: GrowingText, value: Mapping[str, Any]) -> None:
        """A text is finished: it is what the deltas add up to."""
        key = self._inner(event, item, growth, value)
        joined, whole = item.texts.get(key, ""), value.get(growth.field)
        # Short arguments may come in one piece: no document says that a delta of them must come.
        silent = key not in item.texts and growth.field == "arguments"
        if isinstance(whole, str) and whole != joined and key not in item.opaque and not silent:
            self._fault("joined", event, f"{growth.field} is not what the deltas say", joined, whole)
        item.finished.add(key)
        # A text without deltas may be empty, and counts as announced.
        item.texts.setdefault(key, whole if silent and isinstance(whole, str) else "")

    def _inner(self, event: Event, item: _Item, growth: GrowingText, value: Mapping[str, Any]) -> tuple[str, Any]:
        """The key of a text within its item. Notes a fault if its part was not announced."""
        index = value.get(growth.inner) if growth.inner else None
        for added, (_, inner) in _PARTS.items():
            if growth.inner == inner and (added, index) not in item.parts:
                self._fault("announced", event, f"{inner} {index} was not announced", "a part", index)
        return growth.prefix, index

    def _done(self, event: Event, item: _Item, value: Mapping[str, Any]) -> None:
        """An item is closed: its texts are what the deltas add up to."""
        done = value.get("item")
        item.done = done if isinstance(done, dict) else {}
        for (prefix, index), joined in item.joined():
            whole = _within(item.done, _BY_PREFIX[prefix], index)
            if whole is not None and whole != joined:
                self._fault("joined", event, "the item is not what its deltas say", joined, whole)

    def _all_closed(self, end: Event) -> None:
        """Note a fault for each item, part and text that was never closed."""
        for index, item in self.items.items():
            if item.done is None:
                self._fault("closed", end, f"item {index} was never closed", "response.output_item.done")
            for key in item.parts:
                if key not in item.closed_parts:
                    self._fault("closed", end, f"part {key[1]} of item {index} was never closed", _PARTS[key[0]][0])
            for prefix, inner in item.texts:
                if (prefix, inner) not in item.finished:
                    self._fault("closed", end, f"{prefix} of item {index} has no end", f"{prefix}.done")


def _within(item: Mapping[str, Any], growth: GrowingText, index: Any) -> Any:
    """The text in a finished item, or None if the item doesn't contain it."""
    if not growth.inner:
        return item.get(growth.field)
    # Of ``content_index`` the parts are in ``content``, of ``summary_index`` in ``summary``.
    parts = item.get(growth.inner.removesuffix("_index"))
    if isinstance(parts, list) and is_integer(index) and 0 <= index < len(parts):
        part = parts[int(index)]
        return part.get(growth.field) if isinstance(part, dict) else None
    return None


#: Fields of an item that may differ between the end of the item and the completed response.
_VARIES = frozenset({"status", "encrypted_content", "fingerprint", "content_filter_results", "content_filters"})


def comparable(value: Any) -> Any:
    """A value without the fields that may differ between the end of an item and the completed response."""
    if isinstance(value, dict):
        return {key: comparable(inner) for key, inner in value.items() if key not in _VARIES}
    return [comparable(inner) for inner in value] if isinstance(value, list) else value
