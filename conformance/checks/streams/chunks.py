"""Checks of the chunks of chat and completion streams as parts of one answer: ids, roles, choices.

Chunks with an empty list of choices, and choices without ``delta``, contain filter results of the service. The checks
in this file ignore them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from conformance.evidence.trace import Observation
from conformance.judging.check import Needs, check
from conformance.judging.stream_counterexamples import Draft, each_json, on_events
from conformance.requests.case import Case
from conformance.requests.request import Request
from conformance.schema.integers import is_integer
from conformance.spec.spec import Spec
from conformance.streams.chunks import Piece, by_choice, choices_in, content_chunks, index_of
from conformance.streams.makers import of_another_maker
from conformance.streams.reading import DATA_ONLY, Reading, level_of, over_stream, streamed
from conformance.verdict import Finding, Level

#: The number of findings of one kind that are reported for one stream.
MOST = 5

#: Protocol → the ``object`` of its chunks.
OBJECTS = {"chat-chunks": "chat.completion.chunk", "completion-chunks": "text_completion"}


def _counted(value: Mapping[str, Any]) -> bool:
    """Return True for a chunk with content."""
    return any("delta" in choice or "text" in choice for _, choice in choices_in(value))


def _other_object(value: dict[str, Any], _index: int) -> dict[str, Any] | None:
    """Counterexample: a chunk claims to be a whole completion."""
    return {**value, "object": "chat.completion"} if _counted(value) else None


@check(
    "stream.chunk.object",
    Level.MUST,
    clause="chat-chunk-object",
    counterexample=each_json(_other_object, *DATA_ONLY),
    about=streamed(*DATA_ONLY),
    needs=Needs.SUCCESS,
    entails=("sse.event.schema",),
)
@over_stream
def chunk_object(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """The ``object`` of every chunk with content is ``chat.completion.chunk`` or ``text_completion``.

    Clients choose the type of the chunk by it.
    """
    wanted = OBJECTS[reading.shape.protocol]
    wrong = [(event, chunk) for event, chunk in content_chunks(reading) if chunk.get("object") != wanted]
    for event, chunk in wrong[:MOST]:
        actual = chunk.get("object", "absent")
        yield seen.finding("object is another one", place=f"{event.place}/object", expected=wanted, actual=actual)


def _constant(seen: Observation, reading: Reading, key: str, level: Level) -> Iterator[Finding]:
    """Yield a finding if a field is empty in the first chunk with content or changes later."""
    first: Any = None
    for count, (event, chunk) in enumerate(content_chunks(reading)):
        value = chunk.get(key)
        if count == 0:
            first = value
            # An empty field breaks fewer clients than a changing one, so it is only a warning.
            if value in (None, ""):
                yield seen.finding(f"{key} is empty", place=f"{event.place}/{key}", actual=value, level=Level.SHOULD)
        elif value != first:
            message, place = f"{key} changes within the stream", f"{event.place}/{key}"
            yield seen.finding(message, place=place, expected=first, actual=value, level=level)
            return


def _counting(key: str) -> Any:
    """A counterexample: a field changes with every chunk."""

    def change(value: dict[str, Any], index: int) -> dict[str, Any] | None:
        if not _counted(value):
            return None
        # Numbers are counted up and texts get a suffix, so that the schema still accepts the chunk.
        old = value.get(key)
        return {**value, key: old + index if is_integer(old) else f"{old}-{index}"}

    return each_json(change, *DATA_ONLY)


@check(
    "stream.id.constant",
    Level.MUST,
    clause="chat-chunk-same-id",
    counterexample=_counting("id"),
    about=streamed(*DATA_ONLY),
    needs=Needs.SUCCESS,
)
@over_stream
def id_constant(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """All chunks with content have the same id.

    Clients refuse to append a chunk with another id, or start a second answer. It is MUST if the version's document
    says so, else SHOULD.
    """
    yield from _constant(seen, reading, "id", level_of(spec, _clause("id", reading)))


def _clause(key: str, reading: Reading) -> str:
    """The clause about a constant field, by protocol."""
    return f"{'chat' if reading.shape.protocol == 'chat-chunks' else 'completions'}-chunk-same-{key}"


@check(
    "stream.created.constant",
    Level.MUST,
    clause="chat-chunk-same-created",
    counterexample=_counting("created"),
    about=streamed(*DATA_ONLY),
    needs=Needs.SUCCESS,
)
@over_stream
def created_constant(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """All chunks with content have the same ``created``. It is MUST if the version's document says so, else SHOULD.

    With models of other makers, which the service hosts too, it moves with the clock: that is a note.
    """
    foreign = of_another_maker(reading)
    yield from _constant(
        seen, reading, "created", Level.OBS if foreign else level_of(spec, _clause("created", reading))
    )


@check(
    "stream.model.constant",
    Level.SHOULD,
    clause="chat-chunk-same-model",
    counterexample=_counting("model"),
    about=streamed(*DATA_ONLY),
    needs=Needs.SUCCESS,
)
@over_stream
def model_constant(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """All chunks with content name the same model. Which model is not judged."""
    yield from _constant(seen, reading, "model", Level.SHOULD)


def _no_role(value: dict[str, Any], _index: int) -> dict[str, Any] | None:
    """Counterexample: no delta has a role."""
    for _, choice in choices_in(value):
        if isinstance(choice.get("delta"), dict):
            choice["delta"].pop("role", None)
    return value


@check(
    "stream.role.first",
    Level.SHOULD,
    clause="chat-role-once",
    counterexample=each_json(_no_role, "chat-chunks"),
    about=streamed("chat-chunks"),
    needs=Needs.SUCCESS,
    provenance="observed",
)
@over_stream
def role_first(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """The first delta of each choice has the role ``assistant``.

    Clients store the text that follows under that role. Where the service's filter sent a chunk without delta before,
    it may leave the role out.
    """
    for index, found in by_choice(reading).items():
        first = next((piece for piece in found if "delta" in piece.choice), None)
        if first is None or _filtered_before(reading, first, index):
            continue
        role = first.delta.get("role")
        if role != "assistant":
            place = f"{first.place}/delta"
            yield seen.finding("the first delta has no role", place=place, expected="assistant", actual=repr(role))


def _filtered_before(reading: Reading, first: Piece, index: Any) -> bool:
    """True if a chunk of this choice without delta came before the first delta."""
    for event, chunk in reading.values:
        if event.index >= first.event.index:
            return False
        if any(choice.get("index") == index and "delta" not in choice for _, choice in choices_in(chunk)):
            return True
    return False


def _role_again(events: list[Draft], _request: Request) -> Sequence[Draft] | None:
    """Counterexample: a later delta has a role."""
    for index in range(len(events) - 1, 0, -1):
        value = events[index].json
        if isinstance(value, dict) and _counted(value):
            value["choices"][0]["delta"]["role"] = "assistant"
            changed = [*events[:index], events[index].with_json(value), *events[index + 1 :]]
            earlier = any(_counted(e.json) for e in events[:index] if isinstance(e.json, dict))
            return changed if earlier else None
    return None


@check(
    "stream.role.once",
    Level.SHOULD,
    clause="chat-role-once",
    counterexample=on_events(_role_again, "chat-chunks"),
    about=streamed("chat-chunks"),
    needs=Needs.SUCCESS,
    provenance="observed",
)
@over_stream
def role_once(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """After the first delta of a choice no delta has a role, neither the same one nor an empty one.

    Models of other makers, which the service hosts too, repeat it: that is a note.
    """
    foreign = of_another_maker(reading)
    for found in by_choice(reading).values():
        again = next((piece for piece in found[1:] if "role" in piece.delta), None)
        if again is not None:
            yield seen.finding(
                "a later delta has a role again",
                place=f"{again.place}/delta/role",
                expected="no role",
                actual=repr(again.delta["role"]),
                note=foreign,
            )


def wanted_choices(case: Case) -> int | None:
    """The number of requested choices; None if the request is malformed in this respect."""
    body = case.json
    if not isinstance(body, dict):
        return None
    many = 1 if body.get("n") is None else body["n"]
    prompt = body.get("prompt")
    # A list of numbers is one prompt in tokens; a list of texts or of lists is several prompts.
    prompts = len(prompt) if isinstance(prompt, list) and prompt and isinstance(prompt[0], list | str) else 1
    return many * prompts if isinstance(many, int) and not isinstance(many, bool) and many > 0 else None


def _counts(spec: Spec, case: Case) -> bool:
    """The number of choices is known."""
    return wanted_choices(case) is not None


def _shift_index(value: dict[str, Any], index: int) -> dict[str, Any] | None:
    """Counterexample: the indices begin with 1."""
    for _, choice in choices_in(value):
        if "index" in choice and ("delta" in choice or "text" in choice):
            choice["index"] += 1
    return value


@check(
    "stream.choices.index",
    Level.MUST,
    clause="chat-n-choices",
    counterexample=each_json(_shift_index, *DATA_ONLY),
    about=streamed(*DATA_ONLY, also=_counts),
    needs=Needs.SUCCESS,
    entails=("stream.equals-plain",),
)
@over_stream
def choices_index(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """The choices have the indices 0 to n-1, and each of them appears.

    Choices may be interleaved; only the index tells them apart.
    """
    wanted = wanted_choices(seen.case) or 1
    found = by_choice(reading)
    for index, some in found.items():
        if not (is_integer(index) and 0 <= index < wanted):
            yield seen.finding(
                "a choice with an index that was not asked for",
                place=f"{some[0].place}/index",
                expected=f"0 to {wanted - 1}",
                actual=index,
            )
    missing = [index for index in range(wanted) if index not in found]
    # A wrong index is reported above; only a number of choices that is too small is reported here.
    if reading.ended and found and missing and len(found) < wanted:
        yield seen.finding(f"{len(found)} choices came", expected=wanted, actual=len(found))


def _falling(events: list[Draft], _request: Request) -> Sequence[Draft] | None:
    """Counterexample: ``check_offset`` decreases. It works for the synchronous filter as well, which gives no
    offsets.
    """
    # High enough that it stays positive while it falls with every choice.
    changed, offset = list(events), len(events) * 10
    for index, event in enumerate(events):
        value = event.json
        for _, choice in choices_in(value):
            offset -= 1
            choice["content_filter_offsets"] = {"check_offset": offset, "start_offset": 0, "end_offset": offset}
            changed[index] = event.with_json(value)
    return changed if len(events) > 2 and changed != events else None


@check(
    "stream.filter.offsets",
    Level.SHOULD,
    clause="chat-filter-offsets",
    counterexample=on_events(_falling, "chat-chunks"),
    about=streamed("chat-chunks"),
    needs=Needs.SUCCESS,
)
@over_stream
def filter_offsets(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """The asynchronous content filter moves forward: ``check_offset`` of a choice never decreases.

    A client may show the text up to this offset.
    """
    last: dict[Any, int] = {}
    for event, chunk in reading.values:
        for position, choice in choices_in(chunk):
            offsets = choice.get("content_filter_offsets")
            offset = offsets.get("check_offset") if isinstance(offsets, dict) else None
            if is_integer(offset):
                before = last.get(index_of(choice), 0)
                if offset < before:
                    place = f"{event.place}/choices/{position}/content_filter_offsets/check_offset"
                    yield seen.finding("check_offset falls", place=place, expected=f"at least {before}", actual=offset)
                last[index_of(choice)] = max(offset, before)
