"""``judge`` is as sharp as ``run``: a defect in a recording that is otherwise right is found by the check about it."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from good_streams import SPOKEN_RESPONSE
from miniatures import CHUNKS, SAID, chat, chunk, entry, events, streamed

from conformance.checks.catalogue import all_checks
from conformance.judging.check import Scope
from conformance.judging.judge import judge
from conformance.recordings.form import Node
from conformance.recordings.formats import plain_entries
from conformance.recordings.traces import sorted_out
from conformance.spec.loading import load, versions
from conformance.verdict import Outcome

SPECS = [load(name) for name in versions()]
Entry = dict[str, Any]

EMBEDDED = {"object": "list", "model": "m", "usage": {"prompt_tokens": 2, "total_tokens": 2}, "data": [
    {"object": "embedding", "index": place, "embedding": [0.6, 0.8]} for place in range(2)]}  # fmt: skip
COMPLETED = {"id": "cmpl-1", "object": "text_completion", "created": 1, "model": "m", "choices": [
    {"text": "Hi", "index": 0, "finish_reason": "stop", "logprobs": None}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}}  # fmt: skip
ASSISTANT = {"id": "asst_1", "object": "assistant", "created_at": 1, "name": None, "description": None, "model": "m",
             "instructions": None, "tools": [], "metadata": {}, "tool_resources": {}, "temperature": 1.0, "top_p": 1.0,
             "response_format": "auto"}  # fmt: skip
REFUSED = {"error": {"code": "BadRequest", "message": "temperature is too high", "param": "temperature", "type": "x"}}
CALL = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "f", "arguments": ""}}
MORE = {"index": 0, "function": {"arguments": '{"a":1}'}}
TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}]
HEAD = chunk({"role": "assistant", "content": None, "tool_calls": [CALL]})
CALLING = [CHUNKS[0], HEAD, chunk({"tool_calls": [MORE]}), chunk({}, "tool_calls")]
MEASURED = {**chunk({}), "choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}}
ASKED = {"messages": [{"role": "user", "content": "Say hello."}], "stream": True}

COUNTED = {"input_tokens": 1, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 1,
           "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 2}  # fmt: skip
FINISHED = {**SPOKEN_RESPONSE[-1]["response"], "usage": COUNTED}


def numbered(parts: Any = SPOKEN_RESPONSE) -> str:
    """Events of a response with names and numbers."""
    made = [{**part, "sequence_number": number} for number, part in enumerate(parts)]
    return "".join(f"event: {part['type']}\ndata: {json.dumps(part)}\n\n" for part in made)


GOOD: dict[str, Entry] = {
    "chat": chat(),
    "stream": streamed(),
    "calls": chat(events(CALLING), {**ASKED, "tools": TOOLS}),
    "usage": chat(
        events([CHUNKS[0], *({**each, "usage": None} for each in CHUNKS[1:]), MEASURED]),
        {**ASKED, "stream_options": {"include_usage": True}},
        query="api-version=2024-12-01-preview",
    ),
    "embeddings": entry("/deployments/e/embeddings", EMBEDDED, body={"input": ["a", "b"]}),
    "completions": entry("/deployments/c/completions", COMPLETED, body={"prompt": "Hi"}),
    "list": entry("/assistants", {"object": "list", "data": [ASSISTANT], "first_id": "asst_1", "last_id": "asst_1",
                                  "has_more": False}, method="GET"),
    "refusal": chat(REFUSED, {**ASKED, "stream": False, "temperature": 9}, status=400),
    "response": entry("/v1/responses", FINISHED, body={"model": "m", "input": "Hi"}, query=""),
    "events": entry("/v1/responses", numbered(), body={"model": "m", "input": "Hi", "stream": True}, query=""),
}  # fmt: skip


def changed(name: str, change: Callable[[Any], Any]) -> Entry:
    """A good entry whose answer was changed in place, or replaced by what the function returns."""
    made = copy.deepcopy(GOOD[name])
    told = change(made["body"])
    return {**made, "body": made["body"] if told is None else told}


def put(name: str, *path: Any) -> Callable[[Any], Entry]:
    """A function of a value that makes the entry with that value in a place of its answer."""

    def made(value: Any) -> Entry:
        def change(body: Any) -> None:
            for step in path[:-1]:
                body = body[step]
            body[path[-1]] = value

        return changed(name, change)

    return made


def text(name: str, old: str, new: str, count: int = -1) -> Entry:
    """The entry with a piece of its stream replaced."""
    assert old in GOOD[name]["body"]
    return {**GOOD[name], "body": GOOD[name]["body"].replace(old, new, count)}


def lacking(name: str, field: str) -> Entry:
    return changed(name, lambda body: {key: value for key, value in body.items() if key != field})


HTML = [["content-type", "text/html"]]
TWO = {"role": "assistant", "content": "x"}

#: what is wrong → (the entry, the check that must say so)
DEFECTS: dict[str, tuple[Entry, str]] = {
    "total is no sum": (put("chat", "usage", "total_tokens")(8), "usage.adds-up"),
    "no choices": (lacking("chat", "choices"), "schema.response"),
    "created as a text": (put("chat", "created")("today"), "schema.response"),
    "the wrong object": (put("chat", "object")("chat.completion.chunk"), "schema.response"),
    "an index that begins at 1": (put("chat", "choices", 0, "index")(1), "chat.choices.index"),
    "a choice too many": (put("chat", "choices")([*SAID["choices"], *SAID["choices"]]), "chat.choices.count"),
    "a body that isn't JSON": ({**GOOD["chat"], "body": "{" + json.dumps(SAID)}, "http.json"),
    "JSON labelled as HTML": ({**GOOD["chat"], "headers": HTML}, "http.media-type"),
    "an odd success": ({**GOOD["chat"], "status": 203}, "http.status.documented"),
    "a valid request refused": (chat(REFUSED, status=400), "http.accepted"),
    "an invalid request accepted": ({**GOOD["refusal"], "status": 200, "body": SAID}, "errors.rejected"),
    "a refusal without envelope": ({**GOOD["refusal"], "body": {"detail": "no"}}, "errors.envelope"),
    "a refusal labelled as text": (
        {**GOOD["refusal"], "headers": [["content-type", "text/plain"]]},
        "errors.media-type",
    ),
    "no [DONE]": (text("stream", "data: [DONE]\n\n", ""), "sse.done.once"),
    "no finish_reason": (streamed(CHUNKS[:-1]), "stream.finish-reason.once"),
    "two finish_reasons": (streamed([*CHUNKS, CHUNKS[-1]]), "stream.finish-reason.once"),
    "an id that changes": (streamed([*CHUNKS[:2], {**CHUNKS[2], "id": "x"}, CHUNKS[3]]), "stream.id.constant"),
    "created that moves": (streamed([*CHUNKS[:2], {**CHUNKS[2], "created": 1}, CHUNKS[3]]), "stream.created.constant"),
    "chunks that claim to be whole": (
        text("stream", "chat.completion.chunk", "chat.completion"),
        "stream.chunk.object",
    ),
    "a keep-alive text as data": (text("stream", "data: ", "data: : PING\n\ndata: ", 1), "sse.data.json"),
    "a named event": (text("stream", "data: ", "event: tool\ndata: ", 1), "sse.event.unnamed"),
    "a role again": (streamed([*CHUNKS[:2], chunk(TWO), CHUNKS[3]]), "stream.role.once"),
    "a stream for a plain request": (
        {**GOOD["stream"], "request_body": GOOD["chat"]["request_body"]},
        "http.media-type",
    ),
    "a call without its id": (text("calls", '"id":"call_1",', ""), "stream.tool-calls.head"),
    "arguments that are no JSON": (text("calls", '{\\"a\\":1}', '{\\"a\\":'), "stream.tool-calls.arguments.json"),
    "usage asked for and not sent": (
        {**GOOD["usage"], "body": events([CHUNKS[0], *({**each, "usage": None} for each in CHUNKS[1:])])},
        "stream.usage.once",
    ),
    "an embedding too few": (changed("embeddings", lambda body: body["data"].pop() and None), "embeddings.count"),
    "a text that is a number": (put("completions", "choices", 0, "text")(5), "schema.response"),
    "a last_id of another object": (put("list", "last_id")("asst_9"), "lists.ends"),
    "a list without has_more": (lacking("list", "has_more"), "schema.response"),
    "error fields in a completed response": (
        put("response", "error")({"code": "server_error", "message": "x"}),
        "state.fields",
    ),
    "a completed response that counts nothing": (put("response", "usage")(None), "responses.usage.given"),
    "an output item with a number as id": (put("response", "output", 0, "id")(7), "schema.response"),
    "sequence numbers that stand still": (
        {**GOOD["events"], "body": GOOD["events"]["body"].replace('"sequence_number": 4', '"sequence_number": 3')},
        "responses.sequence-number",
    ),
    "no end of a response": ({**GOOD["events"], "body": numbered(SPOKEN_RESPONSE[:-1])}, "responses.terminal.once"),
    "a text that differs from its deltas": (
        text("events", '"delta": "lo"', '"delta": "la"'),
        "responses.deltas.concatenate",
    ),
}


def found(one: Entry) -> set[str]:
    """The checks that fail or warn about an entry beside the good ones."""
    entries = [*GOOD.values(), one]
    sorted_ = sorted_out(plain_entries.read(Node(entries, "a.jsonl")), SPECS)
    bad = set()
    for version, traces in sorted_.traces.items():
        for trace in traces:
            for check in all_checks().values():
                if check.scope is Scope.EXCHANGE and check.concerns(
                    trace.scenario, [trace.observations[0].case.operation]
                ):
                    verdict = judge(load(version), check, trace)
                    bad |= {check.id} if verdict.outcome in (Outcome.FAIL, Outcome.WARN, Outcome.ERROR) else set()
    return bad


def test_the_recording_without_a_defect_is_right() -> None:
    assert set() == found(GOOD["chat"])


def test_there_are_thirty_defects_and_more() -> None:
    assert 30 <= len(DEFECTS)
    assert len(DEFECTS) == len({json.dumps(one, sort_keys=True) for one, _ in DEFECTS.values()})


@pytest.mark.parametrize(("one", "check"), DEFECTS.values(), ids=DEFECTS.keys())
def test_a_planted_defect_is_found(one: Entry, check: str) -> None:
    assert check in found(one)
