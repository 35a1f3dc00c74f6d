"""Answers that look wrong and are right: the service gives them, or no document forbids them."""

from __future__ import annotations

import json
from typing import Any

from good_streams import SPOKEN_RESPONSE
from wild_answers import V1
from wire_stage import Example, Played, WireCase, answer, exchanged, lines, played

from .content_coding import FIRST
from .tool_calls import NAMED, asked, stream_of

SAY = [{"role": "user", "content": "Say hello."}]
RESPOND = {"input": "Say hello.", "stream": True}


def filtered(example: Example) -> Played:
    """A stream of text that the asynchronous filter stops with the example's events."""
    events = [event.removeprefix("data: ") for event in example["events"]]
    first = example.get("first", FIRST)
    body = lines(
        *([first] if first else []),
        *(event if event == "[DONE]" else json.loads(event) for event in events),
        done=False,
    )
    sent = {"messages": SAY, "stream": True, **example.get("asked", {})}
    return played(exchanged("chat.completions.create", sent, answer({"body": body})))


def responded(change: Any) -> Any:
    """A builder: the events of a good Responses stream, changed by the example."""

    def build(example: Example) -> Played:
        events = [event for one in SPOKEN_RESPONSE for event in change(json.loads(json.dumps(one)), example)]
        numbered = [{**event, "sequence_number": example.get("number", int)(n)} for n, event in enumerate(events)]
        body = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in numbered)
        seen = exchanged("responses.create", RESPOND, answer({"body": body}), V1, capability="responses")
        return played(seen, version=V1)

    return build


def _without_deltas(event: dict[str, Any], _example: Example) -> list[dict[str, Any]]:
    return [] if event["type"] == "response.function_call_arguments.delta" else [event]


def _as_it_is(event: dict[str, Any], _example: Example) -> list[dict[str, Any]]:
    return [event]


def _with_floats(example: Example) -> Played:
    return responded(_as_it_is)({"number": float})


def _encrypted(event: dict[str, Any], example: Example) -> list[dict[str, Any]]:
    """A reasoning item stands before the others."""
    done, last = example["output_item.done"], example["response.completed"]
    if "output_index" in event:
        event["output_index"] += 1
    if event["type"] == "response.completed":
        event["response"]["output"] = [last, *event["response"]["output"]]
    if event["type"] == "response.in_progress":
        added = {**done, "encrypted_content": ""}
        return [
            event,
            {"type": "response.output_item.added", "output_index": 0, "item": added},
            {"type": "response.output_item.done", "output_index": 0, "item": done},
        ]
    return [event]


def _newer(event: dict[str, Any], example: Example) -> list[dict[str, Any]]:
    """An item of a new type stands behind the others, and the echo names a new tool."""
    if event["type"] != "response.completed":
        return [event]
    (item,) = example["output"]
    event["response"]["output"] += [item]
    event["response"]["tools"] = example["tools"]
    announced = {"output_index": 2, "item": item}
    return [
        {"type": "response.output_item.added", **announced},
        {"type": "response.output_item.done", **announced},
        event,
    ]


def _events(*choices: dict[str, Any]) -> list[str]:
    head = {"id": "", "object": "", "created": 0, "model": ""}
    return ["data: " + json.dumps({**head, "choices": [{"index": 0, **one}]}) for one in choices] + ["data: [DONE]"]


def _job(example: Example) -> Played:
    """A fine-tuning job that ended."""
    job = {"id": "ftjob-1", "object": "fine_tuning.job", "created_at": 1, "model": "m", "training_file": "file-1",
           "hyperparameters": {"n_epochs": 1}, "result_files": [], "validation_file": None, "trained_tokens": 1,
           "fine_tuned_model": "m:ft", "error": None, "organization_id": "o", "seed": 1, **example}  # fmt: skip
    sent = {"model": "m", "training_file": "file-1"}
    seen = exchanged("fine_tuning.jobs.create", sent, answer({"status": 200, "body": job}), V1)
    return played(seen, version=V1, scenario="fine_tuning.jobs")


OFFSETS = {"content_filter_offsets": {"check_offset": 9, "start_offset": 0, "end_offset": 9}}
SAFE = {"finish_reason": None, "content_filter_results": {"hate": {"filtered": False, "severity": "safe"}}, **OFFSETS}
HIT = {"protected_material_text": {"detected": True, "filtered": True}}
STOP = {"finish_reason": "content_filter", "content_filter_results": HIT, **OFFSETS}
#: The beginning of a call of a forced tool: the first half of its arguments.
CUT_CALL = json.loads(stream_of('{"ci').split("\n\n")[0].removeprefix("data: "))
CUT_CALL["choices"][0]["delta"]["tool_calls"][0]["function"]["arguments"] = '{"ci'
REASONED = {"id": "rs_9", "type": "reasoning", "summary": [], "encrypted_content": "one"}
CASES = (
    WireCase(
        "blocked-by-asynchronous-filter",
        "quiet",
        filtered,
        {"events": _events(SAFE, {"finish_reason": "content_filter", "content_filter_results": HIT, **OFFSETS})},
    ),
    WireCase(
        "call-cut-by-asynchronous-filter",
        "quiet",
        filtered,
        {"asked": asked(NAMED), "first": CUT_CALL, "events": _events(STOP)},
    ),
    WireCase(
        "stopped-by-asynchronous-filter-before-all-text",
        "note",
        filtered,
        {"first": None, "events": _events(STOP)},
    ),
    WireCase("job-in-an-unlisted-state", "note", _job, {"status": "archived", "finished_at": 5}),
    WireCase("arguments-without-deltas", "note", responded(_without_deltas), {}),
    WireCase("sequence-number-as-a-float", "note", _with_floats, {}),
    WireCase(
        "encrypted-anew",
        "quiet",
        responded(_encrypted),
        {"output_item.done": REASONED, "response.completed": {**REASONED, "encrypted_content": "two"}},
    ),
    WireCase(
        "newer-member-of-an-open-family",
        "note",
        responded(_newer),
        {
            "output": [{"id": "new_1", "type": "tomorrow", "note": "x"}],
            "tools": [{"type": "search_of_tomorrow", "depth": "low"}],
        },
    ),
)
