"""Chat does what the request says: counts, limits, stops, forced calls, forced JSON; streamed it says the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest

from conformance.emulator.behaviour import Settings
from conformance.emulator.call import Documented
from conformance.emulator.documented_fields import Shape
from conformance.emulator.inference.text import tokenize
from conformance.evidence.event_stream import parse
from conformance.evidence.exchange import Response
from conformance.spec.loading import load
from conformance.spec.operations import operations_of

Infer = Callable[..., Response]
PATH = "/chat/completions"
HELLO = [{"role": "user", "content": "Tell me about rivers."}]
WEATHER = {
    "type": "object",
    "properties": {"city": {"type": "string", "minLength": 9}, "days": {"type": "integer", "minimum": 3}},
    "required": ["city", "days"],
}
TOOLS = [
    {"type": "function", "function": {"name": "get_weather", "parameters": WEATHER}},
    {"type": "function", "function": {"name": "book_flight", "parameters": {"type": "object", "properties": {}}}},
]
FORCED = {"type": "function", "function": {"name": "get_weather"}}


@pytest.fixture
def version(chat_version: str) -> str:
    return chat_version


@pytest.fixture
def body(version: str, documented: Callable[[str, str], Shape]) -> Shape:
    """What the version documents in the request."""
    return documented(version, "chat.completions.create")


@pytest.fixture
def chunk(version: str) -> Shape:
    """What the version documents in a chunk."""
    spec = load(version)
    return Documented(spec, operations_of(spec)["chat.completions.create"]).event_data(None)


@pytest.fixture
def chat(version: str, inference: Infer) -> Callable[..., Any]:
    """The answer's JSON; it must be a 200."""

    def call(deployment: str = "gpt-4o", **body: Any) -> Any:
        answer = inference(version, PATH, deployment, {"messages": HELLO, **body})
        assert 200 == answer.status, answer.body
        return answer.json

    return call


@pytest.fixture
def chunks(version: str, inference: Infer) -> Callable[..., list[Any]]:
    """The data of each event before ``[DONE]``, which must be there once and last."""

    def call(settings: Settings | None = None, **body: Any) -> list[Any]:
        answer = inference(version, PATH, "gpt-4o", {"messages": HELLO, "stream": True, **body}, settings)
        assert (200, "text/event-stream") == (answer.status, answer.media_type)
        data = [event.data for event in parse(answer.chunks).events]
        assert ["[DONE]"] == data[-1:]
        assert 1 == data.count("[DONE]")
        return [json.loads(one) for one in data[:-1]]

    return call


def gathered(chunks: list[Any]) -> dict[int, dict[str, Any]]:
    """Content, calls, finish reasons and logprobs of each choice, put together again."""
    found: dict[int, dict[str, Any]] = {}
    for chunk in chunks:
        for choice in chunk["choices"]:
            if "delta" not in choice:
                continue
            one = found.setdefault(choice["index"], {"content": "", "calls": {}, "finish": [], "tokens": []})
            delta = choice["delta"]
            one["content"] += delta.get("content") or ""
            for call in delta.get("tool_calls", ()):
                name, arguments = one["calls"].get(call["index"], ("", ""))
                function = call["function"]
                one["calls"][call["index"]] = (name + function.get("name", ""), arguments + function["arguments"])
            one["finish"] += [choice["finish_reason"]] if choice["finish_reason"] else []
            one["tokens"] += [entry["token"] for entry in (choice.get("logprobs") or {}).get("content") or ()]
    return found


def test_n_choices_with_their_numbers(chat: Callable[..., Any]) -> None:
    answer = chat(n=3)
    assert [0, 1, 2] == [choice["index"] for choice in answer["choices"]]
    assert 3 == len({choice["message"]["content"] for choice in answer["choices"]})
    assert {"stop"} == {choice["finish_reason"] for choice in answer["choices"]}


def test_usage_adds_up(chat: Callable[..., Any]) -> None:
    usage = chat(n=2)["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert min(usage["prompt_tokens"], usage["completion_tokens"]) > 0
    longer = chat(messages=[*HELLO, {"role": "user", "content": "And more words."}])["usage"]
    assert longer["prompt_tokens"] > usage["prompt_tokens"]


@pytest.mark.parametrize("limit", [1, 2, 16])
def test_max_tokens_ends_with_length(chat: Callable[..., Any], limit: int) -> None:
    answer = chat(max_tokens=limit, n=2)
    assert ["length", "length"] == [choice["finish_reason"] for choice in answer["choices"]]
    assert 2 * limit == answer["usage"]["completion_tokens"]


def test_a_generous_limit_changes_nothing(chat: Callable[..., Any]) -> None:
    assert chat()["choices"] == chat(max_tokens=4_000)["choices"]


def test_stop_ends_before_the_sequence(chat: Callable[..., Any]) -> None:
    told = [{"role": "user", "content": "Count to 20"}]
    whole = chat(messages=told)["choices"][0]["message"]["content"]
    cut = chat(messages=told, stop=["17", "7,"])["choices"][0]
    assert whole.startswith("1, 2, 3")
    assert ("1, 2, 3, 4, 5, 6, ", "stop") == (cut["message"]["content"], cut["finish_reason"])


def test_stop_as_a_text(chat: Callable[..., Any]) -> None:
    told = [{"role": "user", "content": "Repeat: alpha beta gamma"}]
    assert chat(messages=told, stop="beta")["choices"][0]["message"]["content"] == "alpha "


@pytest.mark.parametrize("many", [0, 1, 5])
def test_logprobs_are_one_per_token(chat: Callable[..., Any], many: int) -> None:
    answer = chat(logprobs=True, top_logprobs=many, max_tokens=20)
    choice = answer["choices"][0]
    entries = choice["logprobs"]["content"]
    assert choice["message"]["content"] == "".join(entry["token"] for entry in entries)
    assert answer["usage"]["completion_tokens"] == len(entries)
    for entry in entries:
        assert entry["bytes"] == list(entry["token"].encode())
        ranked = [one["logprob"] for one in entry["top_logprobs"]]
        assert (many, sorted(ranked, reverse=True)) == (len(ranked), ranked)
        assert entry["token"] in [one["token"] for one in entry["top_logprobs"]] or many == 0
        assert max([entry["logprob"], *ranked]) <= 0


def test_no_logprobs_unless_asked(chat: Callable[..., Any]) -> None:
    assert chat()["choices"][0].get("logprobs") is None


def test_a_forced_tool_is_called_with_valid_arguments(chat: Callable[..., Any]) -> None:
    choice = chat(tools=TOOLS, tool_choice=FORCED)["choices"][0]
    (call,) = choice["message"]["tool_calls"]
    assert ("function", "get_weather", "stop") == (call["type"], call["function"]["name"], choice["finish_reason"])
    assert choice["message"].get("content") is None
    jsonschema.validate(json.loads(call["function"]["arguments"]), WEATHER)


@pytest.mark.parametrize(
    ("asked", "choice", "called"),
    [
        ("What is the weather?", "auto", ["get_weather"]),
        ("What is the weather?", None, ["get_weather"]),
        ("Weather and a flight?", "auto", ["get_weather", "book_flight"]),
        ("Hello", "auto", []),
        ("What is the weather?", "none", []),
    ],
)
def test_tools_are_called_when_spoken_of(
    chat: Callable[..., Any], asked: str, choice: str | None, called: list[str]
) -> None:
    extra = {} if choice is None else {"tool_choice": choice}
    answer = chat(messages=[{"role": "user", "content": asked}], tools=TOOLS, **extra)["choices"][0]
    calls = answer["message"].get("tool_calls") or []
    assert called == [call["function"]["name"] for call in calls]
    assert len(calls) == len({call["id"] for call in calls})
    assert answer["finish_reason"] == ("tool_calls" if called else "stop")


def test_required_calls_even_where_nothing_was_said(chat: Callable[..., Any], body: Shape) -> None:
    if "required" not in body.values("tool_choice"):
        pytest.skip("not documented in this version")
    answer = chat(tools=TOOLS, tool_choice="required")
    assert 1 == len(answer["choices"][0]["message"]["tool_calls"])


def test_an_answered_call_is_not_made_again(chat: Callable[..., Any]) -> None:
    asked = {"role": "user", "content": "What is the weather?"}
    first = chat(messages=[asked], tools=TOOLS)["choices"][0]["message"]
    call = first["tool_calls"][0]
    turn = {"role": "assistant", "content": None, "tool_calls": first["tool_calls"]}
    result = {"role": "tool", "tool_call_id": call["id"], "content": "rain"}
    answer = chat(messages=[asked, turn, result], tools=TOOLS)["choices"][0]
    assert "tool_calls" not in answer["message"]
    assert answer["message"]["content"]


@pytest.mark.parametrize("change", [{"tool_call_id": "other"}, {"role": "user"}])
def test_a_call_without_its_answer_is_refused(version: str, inference: Infer, change: dict[str, str]) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
    turn = {"role": "assistant", "content": None, "tool_calls": [call]}
    result = {"role": "tool", "tool_call_id": "c1", "content": "rain"} | change
    result = {k: v for k, v in result.items() if result["role"] == "tool" or k != "tool_call_id"}
    answer = inference(version, PATH, "gpt-4o", {"messages": [*HELLO, turn, result]})
    assert 400 == answer.status


def test_a_forced_tool_that_is_not_offered_is_refused(version: str, inference: Infer) -> None:
    forced = {"type": "function", "function": {"name": "other"}}
    answer = inference(version, PATH, "gpt-4o", {"messages": HELLO, "tools": TOOLS, "tool_choice": forced})
    assert 400 == answer.status


def test_deprecated_functions(chat: Callable[..., Any]) -> None:
    function = TOOLS[0]["function"]
    forced = chat(functions=[function], function_call={"name": "get_weather"})["choices"][0]
    free = chat(functions=[function], messages=[{"role": "user", "content": "weather?"}])["choices"][0]
    assert ("stop", "function_call") == (forced["finish_reason"], free["finish_reason"])
    for choice in (forced, free):
        jsonschema.validate(json.loads(choice["message"]["function_call"]["arguments"]), WEATHER)


def test_json_mode_gives_an_object(chat: Callable[..., Any]) -> None:
    told = [{"role": "user", "content": "Answer in JSON."}]
    answer = chat(messages=told, response_format={"type": "json_object"})
    assert isinstance(json.loads(answer["choices"][0]["message"]["content"]), dict)


def test_a_schema_is_satisfied(chat: Callable[..., Any], body: Shape) -> None:
    if not body.has("response_format", "json_schema"):
        pytest.skip("not documented in this version")
    schema = {**WEATHER, "additionalProperties": False}
    wanted = {"type": "json_schema", "json_schema": {"name": "weather", "strict": True, "schema": schema}}
    answer = chat(response_format=wanted)
    jsonschema.validate(json.loads(answer["choices"][0]["message"]["content"]), schema)


@pytest.mark.parametrize(
    "asked",
    [
        {"n": 2},
        {"max_tokens": 5, "n": 2},
        {"stop": ["the"]},
        {"logprobs": True, "top_logprobs": 2},
        {"tools": TOOLS, "tool_choice": FORCED},
        {"tools": TOOLS, "messages": [{"role": "user", "content": "weather and flight"}]},
        {"messages": [{"role": "user", "content": "Repeat: naïve 日本語 👩‍👩‍👧 text\nin two lines"}]},
    ],
)
def test_streamed_it_says_the_same(
    chat: Callable[..., Any], chunks: Callable[..., list[Any]], asked: dict[str, Any]
) -> None:
    whole, streamed = chat(**asked), gathered(chunks(**asked))
    for choice in whole["choices"]:
        other = streamed[choice["index"]]
        calls = [(c["function"]["name"], c["function"]["arguments"]) for c in choice["message"].get("tool_calls", ())]
        assert (choice["message"].get("content") or "") == other["content"]
        assert calls == list(other["calls"].values())
        assert [choice["finish_reason"]] == other["finish"]
        tokens = [entry["token"] for entry in (choice.get("logprobs") or {}).get("content") or ()]
        assert tokens == other["tokens"]
    assert len(whole["choices"]) == len(streamed)


def test_the_order_of_chunks(chunks: Callable[..., list[Any]], chunk: Shape) -> None:
    rest = chunks()
    if chunk.has("prompt_filter_results"):
        first, *rest = rest
        assert ([], "", 0) == (first["choices"], first["id"], first["created"])
        assert first["prompt_filter_results"]
    assert rest[0]["choices"][0]["delta"]["role"] == "assistant"
    assert "role" not in rest[1]["choices"][0]["delta"]
    assert ({}, "stop") == (rest[-1]["choices"][0]["delta"], rest[-1]["choices"][0]["finish_reason"])
    assert 1 == len({(one["id"], one["created"], one["model"], one["object"]) for one in rest})
    assert {"chat.completion.chunk"} == {one["object"] for one in rest}


def test_usage_comes_last_where_it_is_asked_for(chunks: Callable[..., list[Any]], body: Shape) -> None:
    found = chunks(stream_options={"include_usage": True}, max_tokens=4)
    if not body.has("stream_options"):
        assert not any("usage" in one for one in found)
        return
    *others, last = found
    assert ([], 4) == (last["choices"], last["usage"]["completion_tokens"])
    assert {None} == {one["usage"] for one in others}


def test_without_the_filter_chunk_the_role_is_first(chunks: Callable[..., list[Any]]) -> None:
    found = chunks(Settings(filter_first_chunk=False))
    assert found[0]["choices"][0]["delta"]["role"] == "assistant"


def test_the_asynchronous_filter_annotates_after_the_end(chunks: Callable[..., list[Any]], chunk: Shape) -> None:
    found = chunks(Settings(asynchronous_filter=True))
    if not chunk.has("choices", "*", "content_filter_results"):
        assert "stop" == found[-1]["choices"][0]["finish_reason"]
        return
    annotation = found[-1]["choices"][0]
    assert "delta" not in annotation
    assert annotation["content_filter_offsets"]["check_offset"] == len(gathered(found)[0]["content"])
    assert not any(c.get("content_filter_results") for one in found[:-1] for c in one["choices"])
    assert found[-2]["choices"][0]["finish_reason"] == "stop"


def test_filter_annotations_of_a_whole_answer(chat: Callable[..., Any]) -> None:
    answer = chat()
    assert {"filtered": False, "severity": "safe"} == answer["choices"][0]["content_filter_results"]["violence"]
    assert 0 == answer["prompt_filter_results"][0]["prompt_index"]


def test_on_your_data_brings_its_context(version: str, inference: Infer, body: Shape) -> None:
    if not body.has("data_sources"):
        return
    source = {
        "type": "azure_search",
        "parameters": {
            "endpoint": "https://example.com",
            "index_name": "i",
            "authentication": {"type": "api_key", "key": "k"},
        },
    }
    answer = inference(version, PATH, "gpt-4o", {"messages": HELLO, "data_sources": [source]})
    message = answer.json["choices"][0]["message"]
    assert 1 == len(message["context"]["citations"])
    assert isinstance(message["context"]["intent"], str)


def test_a_reasoning_model_counts_its_thoughts(version: str, inference: Infer, body: Shape) -> None:
    answer = inference(version, PATH, "o1", {"messages": HELLO, "max_tokens": 30})
    assert (400, "unsupported_parameter") == (answer.status, answer.json["error"]["code"])
    if not body.has("max_completion_tokens"):
        return
    answer = inference(version, PATH, "o1", {"messages": HELLO, "max_completion_tokens": 30})
    assert "length" == answer.json["choices"][0]["finish_reason"]
    assert 30 == answer.json["usage"]["completion_tokens"]
    assert 14 == len(tokenize(answer.json["choices"][0]["message"]["content"]))


def test_what_is_no_schema_is_refused(version: str, inference: Infer) -> None:
    broken = [{"type": "function", "function": {"name": "a", "parameters": {"properties": 1}}}]
    answer = inference(version, PATH, "gpt-4o", {"messages": HELLO, "tools": broken})
    assert (400, "tools") == (answer.status, answer.json["error"]["param"])
