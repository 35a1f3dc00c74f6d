"""What recordings of the service taught, each fact as small bytes of our own; and beside it what remains a mistake."""

from __future__ import annotations

from typing import Any

import pytest
from good_streams import ASK_RESPONSE, FAILED_RESPONSE, SPOKEN_RESPONSE, _run, _step, played
from miniatures import CHUNKS, FIRST, chat, chunk, entry, events, streamed
from stream_stage import frame, seen

from conformance.checks.catalogue import all_checks
from conformance.evidence.trace import Observation
from conformance.judging.blocking import Blocked
from conformance.judging.check import Scope
from conformance.judging.judge import judge_exchange, outcome_of
from conformance.recordings.form import Node
from conformance.recordings.formats import plain_entries
from conformance.recordings.traces import sorted_out
from conformance.spec.loading import load, versions
from conformance.verdict import Outcome

SPECS = [load(name) for name in versions()]
DATED = "2024-05-01-preview"


def _found(observation: Observation, version: str) -> dict[str, Outcome]:
    spec = load(version)
    made = {}
    for check in all_checks().values():
        if check.scope is Scope.EXCHANGE and check.covers(observation.case.operation):
            said = (
                judge_exchange(spec, check, observation)
                if check.about(spec, observation.case)
                else Blocked(Outcome.PASS)
            )
            if not isinstance(said, Blocked) and any(not each.note for each in said):
                made[check.id] = outcome_of(check, said)
    return made


def found(one: dict[str, Any]) -> dict[str, Outcome]:
    """The checks that fail or warn about the last of some entries, with their outcomes."""
    sorted_ = sorted_out(plain_entries.read(Node([one], "a.jsonl")), SPECS)
    ((version, (trace,)),) = sorted_.traces.items()
    bad = _found(trace.observations[-1], version)
    return {name: outcome for name, outcome in bad.items() if outcome in (Outcome.FAIL, Outcome.WARN)}


def page(*items: dict[str, Any]) -> dict[str, Any]:
    ids = [item["id"] for item in items]
    return {"object": "list", "data": [*items], "first_id": ids[0], "last_id": ids[-1], "has_more": False}


def without(value: dict[str, Any], *names: str, **more: Any) -> dict[str, Any]:
    return {**{name: inner for name, inner in value.items() if name not in names}, **more}


STEP = without(
    _step("in_progress", {"type": "message_creation", "message_creation": {"message_id": "msg_1"}}),
    "expired_at",
    expires_at=9,
)
LIMITS = ("max_prompt_tokens", "max_completion_tokens", "truncation_strategy", "incomplete_details")
IN_BATCH = {"id": "file-1", "object": "vector_store.file", "created_at": 1, "vector_store_id": "vs_1",
            "status": "completed", "last_error": None}  # fmt: skip
FILE = {"id": "file-1", "object": "file", "bytes": 3, "filename": "a.jsonl", "purpose": "batch", "created_at": 1,
        "status": "processed", "status_details": None}  # fmt: skip
JOB = {"id": "ftjob-1", "object": "fine_tuning.job", "created_at": 1, "model": "gpt-4o-mini", "seed": 1,
       "status": "pending", "training_file": "file-1", "hyperparameters": {}}  # fmt: skip
TUNE = {"model": "gpt-4o-mini", "training_file": "file-1"}
MODEL = {"model": "DeepSeek-R1"}
ANOTHER = [
    {**chunk({"role": "assistant", "content": ""}), **MODEL},
    {**chunk({"role": None, "content": "Hi"}), **MODEL, "created": 1_700_000_001},
    {**chunk({}, "stop"), **MODEL, "created": 1_700_000_001},
]
USAGE = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2, "prompt_tokens_details": None}
V1CHAT = {"model": "m", "messages": [{"role": "user", "content": "Hi."}]}
SAID = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "usage": USAGE, "choices": [
    {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hi", "refusal": None},
     "logprobs": None}]}  # fmt: skip
FILTERED = {**CHUNKS[1], "choices": [{**CHUNKS[1]["choices"][0], "content_filter_results": "safe"}]}
OFFSETS = {"check_offset": 44, "start_offset": 44, "end_offset": 198}
MARK = {**FIRST, "choices": [
    {"index": 0, "finish_reason": None, "content_filter_results": {}, "content_filter_offsets": OFFSETS}]}  # fmt: skip
STOPPED = {**MARK, "choices": [{**MARK["choices"][0], "finish_reason": "content_filter"}]}
SAFE = {"filtered": False, "severity": "safe"}
PROMPT = {
    "prompt_index": 0,
    "content_filter_results": {"hate": SAFE, "jailbreak": {"filtered": False, "detected": False}},
}
PICTURE = {"prompt_index": 0, "content_filter_result": {"hate": SAFE}}
CUT = {**without(SAID, "usage"), "choices": [{"index": 0, "finish_reason": "content_filter", "logprobs": None,
                            "content_filter_results": {"hate": {"filtered": True, "severity": "high"}}}]}  # fmt: skip
NESTED = {**PROMPT, "content_filter_results": {"hate": "safe"}}
APRIL = "api-version=2025-04-01-preview"
ASKED = {"messages": [{"role": "user", "content": "Hi."}], "stream": True}
NOT_THERE = {"error": {"code": "DeploymentNotFound", "message": "The API deployment for this resource does not exist."}}

QUIET: dict[str, dict[str, Any]] = {
    "a step has expires_at and no expired_at": entry("/threads/thread_1/runs/run_1/steps", page(STEP), method="GET"),
    "files of a batch have no usage_bytes": entry(
        "/vector_stores/vs_1/file_batches/b/files", page(IN_BATCH), method="GET", query="api-version=2025-01-01-preview"
    ),
    "the same on v1": entry("/v1/vector_stores/vs_1/file_batches/b/files", page(IN_BATCH), method="GET", query=""),
    "status_details of a file is null": entry("/v1/files", page(FILE), method="GET", query=""),
    "a new job has few fields and is pending": entry("/v1/fine_tuning/jobs", JOB, body=TUNE, query="", status=201),
    "a cancelled job keeps estimated_finish": entry(
        "/v1/fine_tuning/jobs/ftjob-1/cancel", {**JOB, "status": "cancelled", "estimated_finish": 9}, query=""
    ),
    "another maker's model repeats roles and moves created": entry(
        "/v1/chat/completions", events(ANOTHER), body={**V1CHAT, "stream": True}, query=""
    ),
    "filters of a prompt stand one level below its index": entry(
        "/v1/chat/completions", {**SAID, "prompt_filter_results": [PROMPT]}, body=V1CHAT, query=""
    ),
    "the items of a prompt with a picture name their result otherwise": entry(
        "/v1/chat/completions", {**SAID, "prompt_filter_results": [PICTURE]}, body=V1CHAT, query=""
    ),
    "a choice that the filter cut has no message": entry("/v1/chat/completions", CUT, body=V1CHAT, query=""),
    **{
        f"the same on {version}": chat(CUT, query=f"api-version={version}")
        for version in ("2024-10-21", "2024-12-01-preview", "2025-04-01-preview")
    },
    "a step of v1 has expires_at and no expired_at": entry(
        "/v1/threads/thread_1/runs/run_1/steps", page({**STEP, "usage": None}), method="GET", query=""
    ),
    "chunks have the results of filters": entry(
        "/deployments/d/chat/completions", events([FIRST, *CHUNKS[1:]]), body=ASKED, query=APRIL
    ),
    "details of usage are null": entry("/v1/chat/completions", SAID, body=V1CHAT, query=""),
    "the asynchronous filter stops a stream": streamed([FIRST, CHUNKS[1], CHUNKS[2], MARK, STOPPED]),
    "the filter comes before the first delta, which has no role": streamed([FIRST, MARK, CHUNKS[2], CHUNKS[3]]),
    "a 404 in JSON has no Content-Type": chat(NOT_THERE, status=404, headers=[]),
}


@pytest.mark.parametrize("one", QUIET.values(), ids=QUIET.keys())
def test_what_the_service_was_recorded_to_send_is_quiet(one: dict[str, Any]) -> None:
    assert {} == found(one)


STILL: dict[str, tuple[dict[str, Any], str]] = {
    "a step without status": (
        entry("/threads/thread_1/runs/run_1/steps", page(without(STEP, "status")), method="GET"),
        "schema.response",
    ),
    "expires_at as a text": (
        entry("/threads/thread_1/runs/run_1/steps", page({**STEP, "expires_at": "soon"}), method="GET"),
        "schema.response",
    ),
    "files of the store itself without usage_bytes": (
        entry("/vector_stores/vs_1/files", page(IN_BATCH), method="GET"),
        "schema.response",
    ),
    "status_details as a number": (
        entry("/v1/files", page({**FILE, "status_details": 7}), method="GET", query=""),
        "schema.response",
    ),
    "a job that succeeded without its model": (
        entry("/v1/fine_tuning/jobs", {**JOB, "status": "succeeded"}, body=TUNE, query=""),
        "schema.response",
    ),
    "a model of the service's own with created that moves": (
        streamed([{**each, "model": "gpt-4o"} for each in ANOTHER]),
        "stream.created.constant",
    ),
    "a stream that ends without any finish_reason": (
        streamed([FIRST, CHUNKS[1], CHUNKS[2], MARK]),
        "stream.finish-reason.once",
    ),
    "a first delta without role and nothing before it": (streamed([FIRST, *CHUNKS[2:]]), "stream.role.first"),
    "a filter of a prompt that is a text": (
        entry("/v1/chat/completions", {**SAID, "prompt_filter_results": [NESTED]}, body=V1CHAT, query=""),
        "schema.response",
    ),
    "a choice that nobody cut without a message": (
        entry(
            "/v1/chat/completions",
            {**CUT, "choices": [{**CUT["choices"][0], "finish_reason": "stop"}]},
            body=V1CHAT,
            query="",
        ),
        "schema.response",
    ),
    "a prompt without any result": (
        entry("/v1/chat/completions", {**SAID, "prompt_filter_results": [{"prompt_index": 0}]}, body=V1CHAT, query=""),
        "schema.response",
    ),
    "results of a chunk's filter as a text": (
        entry("/deployments/d/chat/completions", events([FIRST, FILTERED, *CHUNKS[2:]]), body=ASKED, query=APRIL),
        "sse.event.schema",
    ),
    "a 404 in JSON that is labelled as text": (
        chat(NOT_THERE, status=404, headers=[["content-type", "text/plain"]]),
        "errors.media-type",
    ),
}


@pytest.mark.parametrize(("one", "check"), STILL.values(), ids=STILL.keys())
def test_what_it_was_not_recorded_to_send_is_reported(one: dict[str, Any], check: str) -> None:
    assert check in found(one)


@pytest.mark.parametrize(("query", "outcome"), [("api-version=1999-01-01", Outcome.WARN), (None, Outcome.FAIL)])
def test_a_404_of_a_version_that_may_not_exist_is_the_gateways(query: str | None, outcome: Outcome) -> None:
    more = {} if query is None else {"query": query}
    assert outcome is found(chat({"detail": "Not Found"}, status=404, **more))["errors.envelope"]


def _responses(*parts: dict[str, Any]) -> set[str]:
    bad = _found(seen("responses.create", ASK_RESPONSE, played(*parts), "v1-preview"), "v1-preview")
    return {name for name, outcome in bad.items() if outcome in (Outcome.FAIL, Outcome.WARN)}


ERROR = {"type": "error", "code": "insufficient_quota", "message": "No quota.", "param": None}
IMAGE = {"id": "ig_1", "type": "image_generation_call", "status": "generating"}
SEARCH = {"id": "ws_1", "type": "web_search_call", "status": "in_progress", "action": {"type": "search"}}


def _with_item(item: dict[str, Any], ended: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    """A response whose only item is this one, first in progress and then ended."""
    head, tail = SPOKEN_RESPONSE[:2], SPOKEN_RESPONSE[-1]
    final = {**tail, "response": {**tail["response"], "output": [ended]}}
    added = {"type": "response.output_item.added", "output_index": 0, "item": item}
    done = {"type": "response.output_item.done", "output_index": 0, "item": ended}
    return (*head, added, done, final)


def test_failed_may_follow_an_error_and_nothing_else_may() -> None:
    head = SPOKEN_RESPONSE[:2]
    assert set() == _responses(*head, ERROR, FAILED_RESPONSE[-1])
    assert "responses.terminal.once" in _responses(*head, ERROR, FAILED_RESPONSE[-1], FAILED_RESPONSE[-1])
    assert "responses.terminal.once" in _responses(*head, ERROR, SPOKEN_RESPONSE[-1])
    assert "responses.terminal.once" in _responses(*head)


@pytest.mark.parametrize(
    ("item", "last"),
    [(IMAGE, {"result": "aGk="}), (SEARCH, {"action": {"type": "search", "query": "x"}}), (without(SEARCH, "action"),
     {"action": {"type": "search", "query": "x"}})],
)  # fmt: skip
def test_an_item_in_progress_may_lack_what_it_has_when_it_is_done(item: dict[str, Any], last: dict[str, Any]) -> None:
    assert set() == _responses(*_with_item(item, {**item, **last, "status": "completed"}))
    assert "sse.event.schema" in _responses(*_with_item(item, {**item, "status": "completed"}))


def test_what_is_encrypted_anew_isnt_compared() -> None:
    item = {"id": "rs_1", "type": "reasoning", "summary": [], "encrypted_content": "a", "fingerprint": "b"}
    parts = _with_item(item, item)
    last = parts[-1]
    other = {**item, "encrypted_content": "c", "fingerprint": "d"}
    assert set() == _responses(*parts[:-1], {**last, "response": {**last["response"], "output": [other]}})
    changed = {**item, "id": "rs_2"}
    assert _responses(*parts[:-1], {**last, "response": {**last["response"], "output": [changed]}})


def test_runs_in_partsmay_lack_their_limits() -> None:
    bare = without(_run("queued"), *LIMITS)
    body = {"assistant_id": "asst_1", "stream": True}
    data = frame(bare, "thread.run.created")
    assert "sse.event.schema" not in _found(seen("threads.runs.create", body, data), DATED)
    broken = data.replace(b'"thread_id": "thread_1", ', b"")
    assert "sse.event.schema" in _found(seen("threads.runs.create", body, broken), DATED)
