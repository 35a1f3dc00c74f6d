"""Divergences of single answers that were seen in the wild: caught where a server was wrong, quiet where it was right.

The ids are those of the catalogue that the suite was designed with. Each is played as our own bytes, or listed with
the reason why no answer can show it.
"""

from __future__ import annotations

import base64
import json
import struct
from pathlib import Path

import pytest
from wild_answers import (
    CLOSED,
    EITHER,
    HELLO,
    LATER,
    NO_KEY,
    NO_VERSION,
    OTHER_VERSION,
    V1,
    Wild,
    error,
    failures,
    form,
    in_newest,
    named_with_version,
    objections,
    observed,
    plain,
    raw,
)

from conformance.requests.case import Expect

AREAS = ("envelope", "embeddings", "images", "audio", "params", "errors", "auth", "api-version")

CHAT, EMBED, RESPOND = "chat.completions.create", "embeddings.create", "responses.create"
SPEAK, HEAR, DRAW = "audio.speech.create", "audio.transcriptions.create", "images.generations.create"

#: Not to be shown by what a target answers, with the reason.
LISTED = {
    "DIV-088": "A client's assumption: it reads one of two headers. Either is enough for http.retry-after.",
    "DIV-105": "Empty texts for type and param are texts; the two fields may be absent, null or any text.",
    "DIV-106": "A client builds the wrong URL; that such a route is refused is shown by DIV-097.",
    "DIV-107": "A change of the documented default; both values are accepted by the v1 document.",
    "DIV-110": "A client's assumption: it demands a parameter that the v1 surface does without.",
    "DIV-111": "A client's assumption: it fixes an api-version; the suite's version is an option.",
    "DIV-114": "About a tool that could not read OpenAPI 3.1; the suite reads it.",
    "DIV-148": "A proxy changes the request on its way; what the target answers is right either way.",
    "DIV-158": "An error of the documentation; the transcription names the real field.",
}

TURNS = [
    {"role": "user", "content": "How is the weather in Oslo?"},
    {"role": "assistant", "tool_calls": [
        {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}]},
    {"role": "tool", "tool_call_id": "call_1", "content": "sunny"},
]  # fmt: skip


def answered(choices: int = 1, **more: object) -> dict[str, object]:
    """A chat answer with some choices."""
    one = {"finish_reason": "stop", "message": {"role": "assistant", "content": "Hello."}}
    made = [{"index": number, **one, **more.pop("choice", {})} for number in range(choices)]  # type: ignore[dict-item]
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    head = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1_700_000_000, "model": "gpt-4o"}
    return {**head, "choices": made, "usage": usage, **more}


def vectors(size: int) -> dict[str, object]:
    """An embedding of some size as numbers."""
    data = [{"object": "embedding", "index": 0, "embedding": [0.1] * size}]
    return {"object": "list", "data": data, "model": "m", "usage": {"prompt_tokens": 2, "total_tokens": 2}}


def packed(size: int) -> dict[str, object]:
    """The same as base64 of little-endian numbers."""
    value = vectors(size)
    text = base64.b64encode(struct.pack(f"<{size}f", *[0.1] * size)).decode()
    return {**value, "data": [{"object": "embedding", "index": 0, "embedding": text}]}


def response_object(**more: object) -> dict[str, object]:
    """What the Responses API answers, by the emulator."""
    seen = observed(Wild("", "", RESPOND, {"input": "Say hello."}, version=V1, more={"capability": "responses"}), None)
    value = seen.exchange.response.json if seen.exchange.response else {}
    return {**value, **more}


CALLED = {"role": "assistant", "tool_calls": TURNS[1]["tool_calls"]}
REASONS = {"capability": "reasoning+chat", **EITHER}
WAV = form(file=("a.wav", b"RIFF\x24\x00\x00\x00WAVEfmt ", "audio/wav"), response_format="srt")
VERBOSE = form(file=("a.wav", b"RIFF", "audio/wav"), response_format="verbose_json")
SUBTITLES = "1\n00:00:00,000 --> 00:00:01,000\nHello.\n"
STREAM = {**HELLO, "stream": True}
EVENTS = "text/event-stream"
FIRST = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o",
         "choices": [{"index": 0, "delta": {"role": "assistant", "content": "He"}, "finish_reason": None}]}  # fmt: skip
CHUNK = b"data: " + json.dumps(FIRST).encode() + b"\n\n"
HATE = {"hate": {"filtered": True, "severity": "high"}}
INNER = {"code": "ResponsibleAIPolicyViolation", "content_filter_result": HATE}
FILTERED = plain({"error": {"code": "content_filter", "message": "filtered", "type": None,
                            "param": "prompt", "status": 400, "innererror": INNER}}, 400)  # fmt: skip
NOT_FOUND = error(404, "404", "Resource not found")
UNKNOWN_ARGUMENT = error(400, None, "unknown argument", type="invalid_request_error", param=None)

#: Wrong servers: the bad answer is caught by at least these checks; the good one is the emulator's, or given.
WRONG = (
    Wild("DIV-082", "code is a number", CHAT, HELLO, error(400, 400, "too long", type="BadRequestError"),
         ("errors.envelope",), right=error(400, "context_length_exceeded", "too long"), more=EITHER),
    Wild("DIV-085", "refusal inside a stream", CHAT, STREAM,
         raw(b'data: {"error":{"message":"Error code: 400"}}\n\n', EVENTS), ("stream.no-error",)),
    Wild("DIV-087", "wait under another name", CHAT, HELLO,
         plain({"error": {"code": "429", "message": "wait"}}, 429, llm_provider_retry_after="3"),
         ("http.retry-after",), right=plain({"error": {"code": "429", "message": "wait"}}, 429, retry_after="3")),
    Wild("DIV-089", "envelope as an event", RESPOND, {"input": "Say hello.", "stream": True},
         raw(b'data: {"error":{"message":"no","code":"500"}}\n\n', EVENTS), ("responses.terminal.once",), version=V1,
         more={"capability": "responses"}),
    Wild("DIV-090", "end in the middle", CHAT, STREAM, raw(CHUNK, EVENTS), ("sse.done.once",)),
    Wild("DIV-091", "a field called error", CHAT, STREAM, raw(CHUNK + b'error: {"code":500}\n\n', EVENTS),
         ("sse.done.once", "sse.fields")),
    Wild("DIV-093", "error with 200", CHAT, HELLO, plain({"code": 404, "object": "error", "message": "no such model"}),
         ("schema.response",)),
    Wild("DIV-118", "api-key refused", CHAT, HELLO, error(401, "401"), ("http.accepted",)),
    Wild("DIV-119", "both credentials demanded", EMBED, {"input": "hello"}, error(401, "401"), ("http.accepted",)),
    Wild("DIV-131", "one choice of two", CHAT, {**HELLO, "n": 2}, plain(answered(1)), ("chat.choices.count",)),
    Wild("DIV-142", "object of completions", CHAT, HELLO, plain(answered(object="text_completion")),
         ("schema.response",)),
    Wild("DIV-144", "details of tokens missing", RESPOND, {"input": "Say hello."},
         plain(response_object(usage={"input_tokens": 1, "output_tokens": 1, "total_tokens": 2})),
         ("schema.response",), version=V1, more={"capability": "responses"}),
    Wild("DIV-147", "no content beside calls", CHAT, HELLO,
         plain(answered(choice={"message": CALLED, "finish_reason": "tool_calls"})), ("chat.message.content",)),
    Wild("DIV-149", "assistant without content refused", CHAT, {"messages": TURNS},
         raw(b"can't be read", "text/plain", 422), ("http.accepted", "errors.media-type"), version=LATER),
    Wild("DIV-151", "base64 ignored", EMBED, {"input": "hello", "encoding_format": "base64"},
         plain(vectors(1536)), ("embeddings.encoding",), right=plain(packed(1536)), version=LATER),
    Wild("DIV-153", "tokens give 500", EMBED, {"input": [15339, 1917]}, error(500, "500"), ("http.no-server-error",),
         version=V1, more={"capability": "embeddings"}, feature="embeddings.tokens"),
    Wild("DIV-155", "dimensions ignored", EMBED, {"input": "hello", "dimensions": 1536}, plain(vectors(3072)),
         ("embeddings.dimensions",), right=plain(vectors(1536)), version=LATER),
    Wild("DIV-159", "subtitles as a JSON text", HEAR, WAV, plain(SUBTITLES), ("schema.response",),
         right=raw(SUBTITLES.encode(), "text/plain")),
    Wild("DIV-161", "always wav", SPEAK, {"input": "Hello.", "voice": "alloy"},
         raw(b"RIFF\x24\x00\x00\x00WAVE", "audio/mpeg"),
         ("audio.speech.format",), right=raw(b"\xff\xfb\x18\xc4" + bytes(140), "audio/mpeg")),
)  # fmt: skip

#: The true service: whatever surprised a client, the suite must not call it a failure.
RIGHT = (
    Wild("DIV-084", "singular key in the refusal", CHAT, HELLO, right=FILTERED),
    Wild("DIV-086", "another wording", CHAT, HELLO, right=error(400, "content_filter", "Something else.")),
    Wild("DIV-096", "only for later versions", RESPOND, {"input": "hello"}, version=V1, right=error(
        400, "BadRequest", "it is enabled only for api versions from 2025-03-01-preview on"), more=EITHER),
    Wild("DIV-097", "preview on a wrong route", CHAT, HELLO, right=NOT_FOUND, more=OTHER_VERSION),
    Wild("DIV-098", "not below deployments", CHAT, HELLO, right=NOT_FOUND, more=OTHER_VERSION),
    Wild("DIV-099", "unknown parameter", "threads.create", {"file_ids": ["file-1"]},
         right=UNKNOWN_ARGUMENT, more=EITHER),
    Wild("DIV-100", "missing version is 404", CHAT, HELLO, right=NOT_FOUND, more=NO_VERSION),
    Wild("DIV-101", "code is a text", CHAT, HELLO, right=NOT_FOUND, more=OTHER_VERSION),
    Wild("DIV-102", "a model's version", CHAT, HELLO, right=NOT_FOUND, more=OTHER_VERSION),
    Wild("DIV-103", "base path", CHAT, HELLO, right=NOT_FOUND, more=OTHER_VERSION),
    Wild("DIV-104", "json_schema too early", CHAT, HELLO, right=error(400, "BadRequest", "response_format value as "
         "json_schema is enabled only for api versions 2024-08-01-preview and later", type=None)),
    Wild("DIV-109", "mixed path", CHAT, HELLO, right=NOT_FOUND, more=OTHER_VERSION),
    Wild("DIV-112", "new fields at any time", CHAT, HELLO, right=plain(answered(brand_new={"a": 1}))),
    Wild("DIV-113", "gated by a header", "evals.list", right=error(400, "BadRequest"), version=V1, more=EITHER),
    Wild("DIV-121", "max_tokens and reasoning", CHAT, {**HELLO, "max_tokens": 9}, right=error(
        400, "unsupported_parameter", "no", type="invalid_request_error", param="max_tokens")),
    Wild("DIV-122", "max_completion_tokens too early", CHAT, HELLO, right=UNKNOWN_ARGUMENT, more=EITHER),
    Wild("DIV-123", "parallel_tool_calls gated", CHAT, HELLO, right=UNKNOWN_ARGUMENT, more=EITHER),
    Wild("DIV-124", "text with a link", CHAT, HELLO, right=UNKNOWN_ARGUMENT, more=EITHER),
    Wild("DIV-125", "stream_options gated", CHAT, STREAM, right=error(400, "unknown_parameter", param="stream_options"),
         more=EITHER),
    Wild("DIV-126", "tools on old versions", CHAT, HELLO, right=UNKNOWN_ARGUMENT, more=EITHER),
    Wild("DIV-127", "temperature and reasoning", CHAT, {**HELLO, "temperature": 0.1}, right=error(
        400, "unsupported_value", "no", type="invalid_request_error", param="temperature")),
    Wild("DIV-128", "the other code", CHAT, {**HELLO, "temperature": 0.1}, right=error(400, "unsupported_parameter")),
    Wild("DIV-129", "content required once", CHAT, {"messages": TURNS},
         right=error(400, None, "content is missing"), more=EITHER),
    Wild("DIV-143", "name of the model", CHAT, HELLO, right=plain(answered(model="gpt-35-turbo"))),
    Wild("DIV-154", "no dimensions for ada", EMBED, {"input": "hello", "dimensions": 64}, version=LATER, more=EITHER,
         right=error(400, None, "no dimensions here", param=None)),
    Wild("DIV-156", "no response_format for gpt-image", DRAW, {"prompt": "A boat.", "response_format": "b64_json"},
         right=error(400, "unknown_parameter", "unknown parameter"), more=EITHER),
    Wild("DIV-157", "a URL by default", DRAW, {"prompt": "A boat."},
         right=plain({"created": 1_700_000_000, "data": [{"url": "https://example.com/boat.png"}]})),
    Wild("DIV-162", "verbose_json gated", HEAR, VERBOSE,
         right=error(400, "unsupported_value", "not compatible", param="response_format")),
    Wild("DIV-163", "no transcription on v1", HEAR, form(file=("a.wav", b"RIFF", "audio/wav"), model="whisper"),
         right=error(404, "DeploymentNotFound"), version=V1, more=EITHER),
    Wild("DIV-164", "text alone", HEAR, form(file=("a.wav", b"RIFF", "audio/wav")), right=plain({"text": "Hello."})),
)  # fmt: skip


@pytest.mark.parametrize("wild", WRONG, ids=lambda wild: wild.name)
def test_a_wrong_answer_is_caught(wild: Wild) -> None:
    is_caught(wild)


@pytest.mark.prove
@pytest.mark.parametrize("wild", in_newest(WRONG), ids=named_with_version)
def test_a_wrong_answer_is_caught_in_the_newest_versions(wild: Wild) -> None:
    is_caught(wild)
    assert {} == failures(wild)


@pytest.mark.prove
@pytest.mark.parametrize("wild", in_newest(RIGHT), ids=named_with_version)
def test_the_right_answer_raises_no_failure_in_the_newest_versions(wild: Wild) -> None:
    assert {} == failures(wild)


def is_caught(wild: Wild) -> None:
    found = objections(observed(wild, wild.bad), wild.version)
    assert set(wild.by) <= set(found), found
    assert "error" not in found.values(), found


@pytest.mark.parametrize("wild", [*WRONG, *RIGHT], ids=lambda wild: wild.name)
def test_the_right_answer_raises_no_failure(wild: Wild) -> None:
    assert {} == failures(wild)


def test_every_divergence_of_these_areas_is_played_or_listed() -> None:
    file = Path(__file__).resolve().parents[3] / "shared" / "reference" / "divergences.json"
    if not file.is_file():
        pytest.skip("the catalogue does not come with the checkout")
    wanted = {one["id"] for one in json.loads(file.read_text("utf-8")) if one["area"] in AREAS}
    wrong, right = {one.id for one in WRONG}, {one.id for one in RIGHT}
    counts = f"{len(wanted)} divergences: {len(wrong)} caught, {len(right)} right and quiet, {len(LISTED)} listed"
    print("\n" + counts)  # noqa: T201 - pytest -s shows the count
    assert wanted == wrong | right | set(LISTED)
    assert len(wrong) + len(right) + len(LISTED) == len(wanted)


def test_every_listed_divergence_has_a_reason() -> None:
    assert [] == [id for id, reason in LISTED.items() if len(reason) < 40]


def test_probes_are_what_they_are_called() -> None:
    """The refusals above are judged as probes, so that a success there would be a failure."""
    for more in (NO_KEY, NO_VERSION, OTHER_VERSION):
        wild = Wild("", "", CHAT, HELLO, more=more)
        assert Expect.REJECT is more["expect"]
        assert "fail" in objections(observed(wild, plain(answered())), wild.version).values()


def test_an_answer_that_breaks_off_is_caught() -> None:
    wild = Wild("", "", CHAT, HELLO, bad=raw(b'{"id": "chat', "application/json"), fault=CLOSED)
    assert "http.message.whole" in objections(observed(wild, wild.bad), wild.version)
