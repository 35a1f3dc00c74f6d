"""Checks of how each choice of a chat or completion stream ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from conformance.evidence.trace import Observation
from conformance.judging.check import Needs, check
from conformance.judging.stream_counterexamples import Draft, each_json, on_events
from conformance.requests.request import Request
from conformance.spec.spec import Spec
from conformance.streams.chunks import by_choice, choice_breaches, choices_in, pieces, stopped
from conformance.streams.reading import DATA_ONLY, Reading, over_stream, streamed
from conformance.verdict import Finding, Level

#: The number of findings of one kind that are reported for one stream.
MOST = 5

#: The values of finish_reason that at least one version documents.
FINISHES = frozenset({"stop", "length", "tool_calls", "content_filter", "function_call"})


def _finish_twice(events: list[Draft], _request: Request) -> Sequence[Draft] | None:
    """Counterexample: the chunk with the finish_reason comes twice."""
    for index, event in enumerate(events):
        value = event.json
        if any(choice.get("finish_reason") for _, choice in choices_in(value)):
            # The same chunk again, right behind the first one.
            return [*events[: index + 1], event, *events[index + 1 :]]
    return None


@check(
    "stream.finish-reason.once",
    Level.MUST,
    clause="chat-finish-reason-once",
    counterexample=on_events(_finish_twice, *DATA_ONLY),
    about=streamed(*DATA_ONLY),
    needs=Needs.SUCCESS,
)
@over_stream
def finish_once(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """Each choice gets exactly one finish_reason.

    It tells a complete answer from a cut-off one. Only choices with a delta count; filter chunks may follow.
    """
    for index, breach in choice_breaches(reading):
        if breach.rule == "finish-reason-once" and breach.tag is not None:
            yield seen.finding(
                f"choice {index} gets a second finish_reason",
                place=f"{breach.tag.place}/finish_reason",
                expected="one finish_reason",
                actual=breach.tag.finish,
            )
        elif breach.rule == "finish-reason-missing":
            end = f"byte:{reading.stream.size}"
            yield seen.finding(f"choice {index} ends without finish_reason", place=end, expected="a finish_reason")
    # Without any choice there is no state machine that could report the missing end.
    if reading.ended and not by_choice(reading) and not stopped(reading):
        yield seen.finding("the stream has no choice at all", expected="a choice with a finish_reason")


def _late_text(events: list[Draft], _request: Request) -> Sequence[Draft] | None:
    """Counterexample: text comes after the finish_reason."""
    for index, event in enumerate(events):
        value = event.json
        if any(choice.get("finish_reason") for _, choice in choices_in(value)):
            for choice in value["choices"]:
                # A second reason would break another rule.
                choice["finish_reason"] = None
                if "text" in choice:
                    choice["text"] = "late"
                else:
                    choice["delta"] = {"content": "late"}
            return [*events[: index + 1], event.with_json(value), *events[index + 1 :]]
    return None


@check(
    "stream.finish-reason.last",
    Level.MUST,
    clause="chat-finish-reason-once",
    counterexample=on_events(_late_text, *DATA_ONLY),
    about=streamed(*DATA_ONLY),
    needs=Needs.SUCCESS,
    entails=("stream.logprobs.present", "stream.logprobs.tokens", "stream.tool-calls.forced", "stream.equals-plain"),
)
@over_stream
def finish_last(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """A choice has no content after its finish_reason. Clients ignore what follows."""
    for index, breach in choice_breaches(reading):
        if breach.rule == "nothing-after-finish" and breach.tag is not None:
            yield seen.finding(
                f"choice {index} goes on after its finish_reason",
                place=breach.tag.place,
                expected="nothing",
                actual=dict(breach.tag.delta) or breach.tag.text,
            )


def _empty_finish(value: dict[str, Any], _index: int) -> dict[str, Any] | None:
    """Counterexample: the finish_reason is an empty string until the end."""
    for _, choice in choices_in(value):
        if "finish_reason" in choice and choice["finish_reason"] is None:
            choice["finish_reason"] = ""
    return value


@check(
    "stream.finish-reason.value",
    Level.MUST,
    clause="chat-finish-reason-value",
    counterexample=each_json(_empty_finish, *DATA_ONLY),
    about=streamed(*DATA_ONLY),
    needs=Needs.SUCCESS,
    entails=("sse.event.schema", "stream.finish-reason.once", "stream.finish-reason.last"),
)
@over_stream
def finish_value(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """``finish_reason`` is null until the choice ends, then a reason; never an empty string or the word null.

    Clients stop at the first value that isn't null, or fail on an unknown one. A reason that no version documents is
    only a note.
    """
    shown = 0
    for piece in pieces(reading):
        value = piece.choice.get("finish_reason", "absent")
        if value is None or (isinstance(value, str) and value in FINISHES):
            continue
        if value == "absent":
            # Such a target leaves the field out in every chunk, so one finding says it.
            if reading.shape.protocol == "chat-chunks" and shown == 0:
                shown = MOST
                yield seen.finding(
                    "finish_reason is absent, not null", place=piece.place, expected="null", level=Level.SHOULD
                )
            continue
        known_form = isinstance(value, str) and value not in ("", "null", "None")
        if shown < MOST:
            shown += 1
            yield seen.finding(
                "an unknown finish_reason" if known_form else "finish_reason is neither null nor a reason",
                place=f"{piece.place}/finish_reason",
                expected="null, " + ", ".join(sorted(FINISHES)),
                actual=repr(value),
                note=known_form,
            )
