"""Checks of assistants streams: event names, order of states, deltas, and the state of the run at the end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from conformance.evidence.trace import Observation
from conformance.judging.check import Needs, check
from conformance.judging.stream_counterexamples import Draft, each_json, on_events
from conformance.requests.request import Request
from conformance.schema.integers import is_integer
from conformance.spec.spec import Spec
from conformance.streams.assistants import PAUSED, TERMINAL, by_object, lifecycle_events, split_name, state_breaches
from conformance.streams.reading import Reading, over_stream, streamed
from conformance.verdict import Finding, Level

ASSISTANTS = "assistants"

#: The number of findings of one kind that are reported for one stream.
MOST = 5

#: Operations whose stream continues a run that was announced in an earlier stream.
RESUMES = ("threads.runs.submit_tool_outputs",)


def _nameless(events: list[Draft], _request: Request) -> Sequence[Draft]:
    """Counterexample: no event has a name."""
    return [Draft(event.data, None, event.at) for event in events]


@check(
    "assistants.event.named",
    Level.MUST,
    clause="assistants-event-name",
    counterexample=on_events(_nameless, ASSISTANTS),
    about=streamed(ASSISTANTS),
    needs=Needs.SUCCESS,
    entails=("assistants.done.named", "assistants.run.terminal-before-done", "sse.event.schema"),
)
@over_stream
def named(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """Every event of an assistants stream has a name. Clients choose the type of the data by it."""
    bare = [event for event in reading.events if not event.name]
    for event in bare[:MOST]:
        yield seen.finding(
            "an event without a name", place=event.place, expected="event: thread.…", actual=event.data[:80]
        )


def _done_unnamed(events: list[Draft], _request: Request) -> Sequence[Draft]:
    """Counterexample: the sentinel has no name."""
    return [Draft(e.data, None, e.at) if e.data == "[DONE]" else e for e in events]


@check(
    "assistants.done.named",
    Level.MUST,
    clause="assistants-done",
    counterexample=on_events(_done_unnamed, ASSISTANTS),
    about=streamed(ASSISTANTS),
    needs=Needs.SUCCESS,
)
@over_stream
def done_named(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """The sentinel of an assistants stream is an event named ``done``."""
    for event in reading.done[:1]:
        if event.name != "done":
            yield seen.finding("the sentinel has another name", place=event.place, expected="done", actual=event.name)


def _other_object(value: dict[str, Any], _index: int) -> dict[str, Any] | None:
    """Counterexample: the data is another kind of object than the name says."""
    return {**value, "object": "thread.run.chunk"} if value.get("object") == "thread.run" else None


@check(
    "assistants.event.object",
    Level.MUST,
    clause="assistants-event-name",
    counterexample=each_json(_other_object, ASSISTANTS),
    about=streamed(ASSISTANTS),
    needs=Needs.SUCCESS,
    entails=("sse.event.schema",),
)
@over_stream
def event_object(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """``object`` in the data is the kind of object that the event's name says."""
    shown = 0
    for moment in lifecycle_events(reading):
        # Deltas are objects of a kind of their own, such as ``thread.message.delta``.
        wanted = f"{moment.kind}.delta" if moment.state == "delta" else moment.kind
        if moment.value.get("object") != wanted and shown < MOST:
            shown += 1
            yield seen.finding(
                f"{moment.event.name} carries another object",
                place=f"{moment.event.place}/object",
                expected=wanted,
                actual=moment.value.get("object", "absent"),
            )


def _other_status(events: list[Draft], _request: Request) -> Sequence[Draft] | None:
    """Counterexample: the status contradicts the name."""
    changed = list(events)
    for index, event in enumerate(events):
        if event.name == "thread.run.in_progress":
            changed[index] = event.with_json({**event.json, "status": "queued"})
    return changed if changed != events else None


@check(
    "assistants.event.status",
    Level.MUST,
    clause="assistants-event-status",
    counterexample=on_events(_other_status, ASSISTANTS),
    about=streamed(ASSISTANTS),
    needs=Needs.SUCCESS,
)
@over_stream
def event_status(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """The status of the object is the state in the event's name."""
    shown = 0
    for moment in lifecycle_events(reading):
        status = moment.value.get("status")
        # ``created`` is no status, and a delta has only what changed.
        if moment.state in ("created", "delta") or status is None or status == moment.state or shown == MOST:
            continue
        shown += 1
        yield seen.finding(
            f"{moment.event.name} carries another status",
            place=f"{moment.event.place}/status",
            expected=moment.state,
            actual=status,
        )


def _twice(events: list[Draft], _request: Request) -> Sequence[Draft] | None:
    """Counterexample: an event comes twice."""
    for index, event in enumerate(events):
        named_as = split_name(event.name)
        # Deltas may come many times.
        if named_as is not None and named_as[1] != "delta" and index:
            return [*events[: index + 1], event, *events[index + 1 :]]
    return None


#: Rule of the state machine → (what happened, what is expected).
_RULES = {
    "first": ("comes before the object was announced", "created first"),
    "once": ("comes twice", "each state once"),
    "backwards": ("goes back to an earlier state", "states in order"),
    "after-end": ("changes an object that has ended", "nothing after a terminal state"),
}


@check(
    "assistants.order",
    Level.MUST,
    clause="assistants-event-order",
    counterexample=on_events(_twice, ASSISTANTS),
    about=streamed(ASSISTANTS),
    needs=Needs.SUCCESS,
)
@over_stream
def order(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """Each object goes through its states in order, and through each once: created, in progress, deltas, its end.

    A stream that is opened by submitting tool outputs continues where the run was. Clients run a handler once per
    event, so a repeated event does its work twice.
    """
    for count, (moment, breach) in enumerate(state_breaches(reading, resumed=seen.case.operation in RESUMES)):
        if count == MOST:
            break
        what, expected = _RULES[breach.rule]
        yield seen.finding(
            f"{moment.event.name} {what}",
            place=moment.event.place,
            expected=expected,
            actual=f"after {breach.state}" if breach.state != "new" else "first event of the object",
        )


def _unfinished_run(events: list[Draft], _request: Request) -> Sequence[Draft] | None:
    """Counterexample: the run's last state is not announced."""
    kept = [event for event in events if not _stops(event.name)]
    return kept if len(kept) < len(events) and any((e.name or "").startswith("thread.run.") for e in kept) else None


def _stops(name: str | None) -> bool:
    """Return True for an event that ends or pauses a run."""
    named_as = split_name(name)
    return named_as is not None and named_as[0] == "thread.run" and named_as[1] in TERMINAL | {PAUSED}


@check(
    "assistants.run.terminal-before-done",
    Level.MUST,
    clause="assistants-run-ends",
    counterexample=on_events(_unfinished_run, ASSISTANTS),
    about=streamed(ASSISTANTS),
    needs=Needs.SUCCESS,
)
@over_stream
def terminal_before_done(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """Before ``done`` the run has reached a final state or requires an action.

    Otherwise the client waits for tool calls or a result that never come.
    """
    if not reading.ended:
        return
    states = [moment.state for moment in lifecycle_events(reading) if moment.kind == "thread.run"]
    if not states or states[-1] not in TERMINAL | {PAUSED}:
        yield seen.finding(
            "the stream ends while the run goes on",
            place=reading.done[0].place if reading.done else f"byte:{reading.stream.size}",
            expected=f"{', '.join(sorted(TERMINAL))} or {PAUSED}",
            actual=states[-1] if states else "no event of a run",
        )


def _lose_delta(events: list[Draft], _request: Request) -> Sequence[Draft] | None:
    """Counterexample: a delta is missing."""
    for index, event in enumerate(events):
        if event.name == "thread.message.delta":
            return [*events[:index], *events[index + 1 :]]
    return None


@check(
    "assistants.deltas.concatenate",
    Level.MUST,
    clause="assistants-message-deltas",
    counterexample=on_events(_lose_delta, ASSISTANTS),
    about=streamed(ASSISTANTS),
    needs=Needs.SUCCESS,
)
@over_stream
def concatenate(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """The deltas of a message, joined per part, are the text of the completed message.

    The text that a user saw growing must be the text that is stored.
    """
    for (kind, identity), found in by_object(reading).items():
        ended = next((moment for moment in found if moment.state in ("completed", "incomplete")), None)
        if kind != "thread.message" or ended is None or found[0].state != "created":
            continue
        joined: dict[int, str] = {}
        for moment in found:
            if moment.state == "delta":
                for index, text in _texts(moment.value.get("delta"), 0):
                    joined[index] = joined.get(index, "") + text
        whole = dict(_texts(ended.value, 0))
        if joined != whole:
            yield seen.finding(
                f"the deltas of {identity} are not its text",
                place=f"{ended.event.place}/content",
                expected="".join(joined.values())[:80],
                actual="".join(whole.values())[:80],
            )


def _texts(value: Any, start: int) -> Iterator[tuple[int, str]]:
    """Yield (index, text) of each text part."""
    content = value.get("content") if isinstance(value, dict) else None
    for position, part in enumerate(content if isinstance(content, list) else (), start):
        text = part.get("text") if isinstance(part, dict) else None
        words = text.get("value") if isinstance(text, dict) else None
        if isinstance(words, str):
            index = part.get("index", position)
            yield index if is_integer(index) else position, words


def _drift(events: list[Draft], _request: Request) -> Sequence[Draft] | None:
    """Counterexample: a step names another run."""
    changed = list(events)
    for index, event in enumerate(events):
        if event.name == "thread.run.step.completed":
            changed[index] = event.with_json({**event.json, "run_id": "run_of_somebody_else"})
    return changed if changed != events else None


@check(
    "assistants.ids.constant",
    Level.MUST,
    clause="assistants-ids",
    counterexample=on_events(_drift, ASSISTANTS),
    about=streamed(ASSISTANTS),
    needs=Needs.SUCCESS,
)
@over_stream
def ids_constant(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """All events of a stream are about one run on one thread and contain the same ids."""
    first: dict[str, str] = {}
    for moment in lifecycle_events(reading):
        named_ids = {"run_id": moment.value.get("run_id"), "thread_id": moment.value.get("thread_id")}
        if moment.kind == "thread.run":
            named_ids["run_id"] = moment.id
        if moment.kind == "thread":
            named_ids["thread_id"] = moment.id
        for key, given in named_ids.items():
            if isinstance(given, str) and given and first.setdefault(key, given) != given:
                yield seen.finding(
                    f"{key} changes within the stream", place=moment.event.place, expected=first[key], actual=given
                )
                return


def _other_arguments(events: list[Draft], _request: Request) -> Sequence[Draft] | None:
    """Counterexample: the arguments to run differ from the streamed ones."""
    changed = list(events)
    for index, event in enumerate(events):
        if event.name == f"thread.run.{PAUSED}":
            value = event.json
            for call in value["required_action"]["submit_tool_outputs"]["tool_calls"]:
                call["function"]["arguments"] += " "
            changed[index] = event.with_json(value)
    return changed if changed != events else None


@check(
    "assistants.tool-deltas.concatenate",
    Level.SHOULD,
    clause="assistants-tool-deltas",
    counterexample=on_events(_other_arguments, ASSISTANTS),
    about=streamed(ASSISTANTS),
    needs=Needs.SUCCESS,
)
@over_stream
def tool_deltas(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """The arguments of a function call, joined from the step's deltas, are those in ``required_action``.

    A step without deltas for the call is not judged.
    """
    joined: dict[str, str] = {}
    for (kind, _), found in by_object(reading).items():
        ids: dict[Any, str] = {}
        for moment in found if kind == "thread.run.step" else ():
            for call in _step_calls(moment.value) if moment.state == "delta" else ():
                if isinstance(call.get("id"), str):
                    ids.setdefault(call.get("index"), call["id"])
                function = call.get("function")
                words = function.get("arguments") if isinstance(function, dict) else None
                name = ids.get(call.get("index"))
                if name is not None and isinstance(words, str):
                    joined[name] = joined.get(name, "") + words
    for moment in lifecycle_events(reading):
        action = moment.value.get("required_action")
        asked = action.get("submit_tool_outputs") if isinstance(action, dict) else None
        for call in (asked.get("tool_calls") or ()) if isinstance(asked, dict) else ():
            if call.get("id") in joined and joined[call["id"]] != call["function"].get("arguments"):
                yield seen.finding(
                    "the joined arguments are not the ones to run",
                    place=f"{moment.event.place}/required_action",
                    expected=joined[call["id"]][:80],
                    actual=str(call["function"].get("arguments"))[:80],
                )


def _step_calls(value: Any) -> list[dict[str, Any]]:
    """The tool calls in the delta of a step."""
    delta = value.get("delta")
    details = delta.get("step_details") if isinstance(delta, dict) else None
    calls = details.get("tool_calls") if isinstance(details, dict) else None
    return [call for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []
