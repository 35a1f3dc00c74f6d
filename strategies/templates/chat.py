"""Chat completions: roles, turns, tools, formats, pictures, streams."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

from ..drafts import Draft
from ..sample_files import PNG_URL, jpeg
from ..template_builders import TemplateContext, template
from ..vocabulary import SCRIPTS

HELLO = {"role": "user", "content": "Say hello in one word."}
WEATHER = {"role": "user", "content": "What is the weather in Oslo? Use the tool."}
COUNT = {"role": "user", "content": "Count from one to five hundred in words, one number per line, without stopping."}
TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Gets the weather of a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string", "description": "Name of a city"}},
            "required": ["city"],
        },
    },
}
#: A second tool for the same city: a question for both may be answered with two calls at once.
TIME_TOOL = {"type": "function", "function": {**TOOL["function"], "name": "get_time",  # type: ignore[dict-item]
                                              "description": "Gets the local time of a city."}}  # fmt: skip
WEATHER_AND_TIME = {
    "role": "user",
    "content": "What is the weather in Oslo, and what is the local time there? Call both tools at once.",
}
FORCED = {"type": "function", "function": {"name": "get_weather"}}
#: A call that is forced once may be broken by the model; what is wrong with each of five is the target's doing.
CITIES = ("Rome", "Lima", "Cairo", "Tokyo")
#: The same tool with a schema that the arguments must keep.
STRICT_TOOL = {
    "type": "function",
    "function": {
        **TOOL["function"],  # type: ignore[dict-item]
        "strict": True,
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string", "description": "Name of a city"}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}
SCHEMA = {
    "type": "json_schema",
    "json_schema": {
        "name": "weather",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "celsius": {"type": "number"}},
            "required": ["city", "celsius"],
            "additionalProperties": False,
        },
    },
}


def weather(city: str) -> dict[str, Any]:
    """A question that the tool answers."""
    return {"role": "user", "content": f"What is the weather in {city}? Use the tool."}


def call(number: int) -> dict[str, Any]:
    """A tool call as an assistant message in the history contains it."""
    return {
        "id": f"call_{number}",
        "type": "function",
        "function": {"name": "get_weather", "arguments": '{"city":"Oslo"}'},
    }


def answer(number: int) -> dict[str, Any]:
    """The tool message that answers :func:`call`."""
    return {"role": "tool", "tool_call_id": f"call_{number}", "content": '{"celsius":7}'}


@template("chat.completions.create")
def plain(context: TemplateContext) -> Iterator[Draft]:
    """Chat requests whose answer is one JSON object."""

    # Short answers: a run sends this many times, and each token costs.
    def chat(role: str, *messages: Any, either: str = "", limit: int = 16, **fields: Any) -> Draft:
        key = "max_tokens" if context.has("/max_tokens") else "max_completion_tokens"
        return context.draft(role, {"messages": list(messages), key: limit, **fields}, either=either)

    system = {"role": "system", "content": "You answer in one short sentence."}
    yield chat("chat", HELLO)
    yield context.draft("chat.minimal", {"messages": [HELLO]})
    yield chat("chat.roles.system", system, HELLO)
    yield chat("chat.roles.developer", {**system, "role": "developer"}, HELLO)
    # Texts that careless handling of encodings changes.
    yield chat("chat.text.scripts", {"role": "user", "content": "Repeat: " + SCRIPTS}, limit=64)
    yield chat("chat.text.control", {"role": "user", "content": "one\ttwo\r\nthree\u0007\u001b[0m end"})
    yield chat("chat.text.names", {"role": "user", "name": "Ada_1", "content": "Say my name."})
    yield chat("chat.stream.absent-false", HELLO, stream=False)
    yield chat(
        "chat.turns",
        system,
        {"role": "user", "content": "My number is four."},
        {"role": "assistant", "content": "Noted: four."},
        {"role": "user", "content": "Which number did I say?"},
    )
    silent = ({"role": "user", "content": "Say A"}, {"role": "assistant", "content": ""}, HELLO)
    yield chat("chat.turns.silent", *silent)
    yield chat("chat.text.parts", {"role": "user", "content": [{"type": "text", "text": "Say hello in one word."}]})
    yield chat("chat.n", HELLO, n=2)
    # The word stands in the prompt, so that a model repeats it and the stop sequence is met.
    yield chat("chat.stop", {"role": "user", "content": "Repeat exactly: red green blue"}, stop="green")
    yield chat("chat.stop.list", {"role": "user", "content": "Repeat exactly: red green blue"}, stop=["green", "blue"])
    yield chat("chat.seed", HELLO, seed=42, temperature=0)
    yield chat("chat.sampling", HELLO, temperature=0.2, presence_penalty=0.1, frequency_penalty=-0.1)
    yield chat("chat.user", HELLO, user="conformance-user")
    # Counting to five hundred needs far more tokens, so the limit certainly cuts the answer.
    yield chat("chat.length", COUNT, limit=16)
    yield chat("chat.length.more", COUNT, limit=32)
    yield chat("chat.logprobs", HELLO, logprobs=True)
    yield chat("chat.logprobs.top", HELLO, logprobs=True, top_logprobs=2)
    ask_json = {"role": "user", "content": 'Answer in JSON: {"city": "Oslo"}'}
    yield chat("chat.json-object", ask_json, limit=64, response_format={"type": "json_object"})
    yield chat("chat.json-schema", WEATHER | {"content": "Oslo has 7 degrees."}, limit=64, response_format=SCHEMA)
    yield chat("chat.text-format", HELLO, response_format={"type": "text"})
    # A reasoning model spends tokens before its first word; with a small limit its answer would be empty.
    voice = {"voice": "alloy", "format": "wav"}
    yield context.draft("chat.audio", {"messages": [HELLO], "modalities": ["text", "audio"], "audio": voice})
    thinking = {"messages": [HELLO], "max_completion_tokens": 256, "reasoning_effort": "low"}
    yield context.draft("chat.reasoning", thinking, needs=["reasoning"])
    yield chat("chat.data-sources", HELLO, either="needs a data source that the account owns", data_sources=[_SEARCH])


@template("chat.completions.create")
def streams(context: TemplateContext) -> Iterator[Draft]:
    """Chat requests whose answer is an event stream."""

    def chat(role: str, *messages: Any, limit: int = 16, **fields: Any) -> Draft:
        key = "max_tokens" if context.has("/max_tokens") else "max_completion_tokens"
        return context.draft(role, {"messages": list(messages), key: limit, "stream": True, **fields})

    usage = {"include_usage": True}
    ask_json = {"role": "user", "content": 'Answer in JSON: {"city": "Oslo"}'}
    yield chat("chat.stream", HELLO)
    yield chat("chat.stream.long", COUNT, limit=64)
    yield chat("chat.stream.scripts", {"role": "user", "content": "Repeat: " + SCRIPTS}, limit=64)
    silent = ({"role": "user", "content": "Say A"}, {"role": "assistant", "content": ""}, HELLO)
    yield chat("chat.stream.turns.silent", *silent)
    yield chat("chat.stream.n", HELLO, n=2)
    yield chat("chat.stream.stop", {"role": "user", "content": "Repeat exactly: red green blue"}, stop="green")
    yield chat("chat.stream.usage", HELLO, stream_options=usage)
    yield chat("chat.stream.usage.n", HELLO, stream_options=usage, n=2)
    yield chat("chat.stream.logprobs", HELLO, logprobs=True, top_logprobs=2)
    yield chat("chat.stream.tool", WEATHER, limit=64, tools=[TOOL], tool_choice=FORCED)
    yield chat("chat.stream.tool.usage", WEATHER, limit=64, tools=[TOOL], tool_choice=FORCED, stream_options=usage)
    for city in CITIES:
        yield chat("chat.stream.tool.again", weather(city), limit=64, tools=[TOOL], tool_choice=FORCED)
    yield chat("chat.stream.tool.strict", WEATHER, limit=64, tools=[STRICT_TOOL], tool_choice=FORCED)
    # No field forces two calls, but nearly every model makes them here.
    yield chat("chat.stream.tool.parallel", WEATHER_AND_TIME, limit=128, tools=[TOOL, TIME_TOOL])
    yield chat("chat.stream.json-object", ask_json, limit=64, response_format={"type": "json_object"})
    yield chat("chat.stream.json-schema", ask_json, limit=64, response_format=SCHEMA)


@template("chat.completions.create")
def tools(context: TemplateContext) -> Iterator[Draft]:
    """Requests with tools or functions, and the follow-up requests that send their results."""

    def chat(role: str, *messages: Any, either: str = "", **fields: Any) -> Draft:
        key = "max_tokens" if context.has("/max_tokens") else "max_completion_tokens"
        return context.draft(role, {"messages": list(messages), key: 64, **fields}, either=either)

    asked = {"role": "assistant", "content": None, "tool_calls": [call(1)]}
    yield chat("chat.tool.offered", WEATHER, tools=[TOOL])
    yield chat("chat.tool.parallel", WEATHER_AND_TIME, tools=[TOOL, TIME_TOOL])
    yield chat("chat.tool.none", WEATHER, tools=[TOOL], tool_choice="none")
    yield chat("chat.forced-tool", WEATHER, tools=[TOOL], tool_choice=FORCED)
    for city in CITIES:
        yield chat("chat.forced-tool.again", weather(city), tools=[TOOL], tool_choice=FORCED)
    yield chat("chat.forced-tool.strict", WEATHER, tools=[STRICT_TOOL], tool_choice=FORCED)
    yield chat("chat.tool.required", WEATHER, tools=[TOOL], tool_choice="required")
    yield chat("chat.tool.round-trip", WEATHER, asked, answer(1), tools=[TOOL])
    yield chat("chat.content.null", WEATHER, asked, answer(1), {"role": "user", "content": "Thanks."}, tools=[TOOL])
    # The schema allows both forms, and clients send both.
    absent = {key: value for key, value in asked.items() if key != "content"}
    doubt = "some models want the key content beside tool_calls"
    yield chat("chat.content.absent", WEATHER, absent, answer(1), tools=[TOOL], either=doubt)
    both = {"role": "assistant", "content": None, "tool_calls": [call(1), call(2)]}
    yield chat("chat.tool.parallel-round-trip", WEATHER, both, answer(1), answer(2), tools=[TOOL])
    yield chat("chat.tool.second-turn", WEATHER, asked, answer(1), {"role": "assistant", "content": "7 °C."}, HELLO)
    parallel = "only some models take parallel_tool_calls"
    yield chat("chat.tool.not-parallel", WEATHER, tools=[TOOL], parallel_tool_calls=False, either=parallel)
    function = TOOL["function"]
    yield chat("chat.function.offered", WEATHER, functions=[function])
    yield chat("chat.function.forced", WEATHER, functions=[function], function_call={"name": "get_weather"})
    spoken = {"role": "assistant", "content": None, "function_call": {"name": "get_weather", "arguments": "{}"}}
    result = {"role": "function", "name": "get_weather", "content": '{"celsius":7}'}
    yield chat("chat.function.round-trip", WEATHER, spoken, result, functions=[function])


@template("chat.completions.create")
def pictures(context: TemplateContext) -> Iterator[Draft]:
    """Requests with pictures in a message."""

    def seen(role: str, *parts: Any, either: str = "") -> Draft:
        key = "max_tokens" if context.has("/max_tokens") else "max_completion_tokens"
        ask = {"type": "text", "text": "Which colour is this?"}
        return context.draft(role, {"messages": [{"role": "user", "content": [ask, *parts]}], key: 16}, either=either)

    jpeg_url = "data:image/jpeg;base64," + base64.b64encode(jpeg()).decode("ascii")
    png_part = {"type": "image_url", "image_url": {"url": PNG_URL}}
    yield seen("chat.image.png", png_part)
    yield seen("chat.image.jpeg", {"type": "image_url", "image_url": {"url": jpeg_url}})
    # Low detail has a fixed, small price.
    low = {"type": "image_url", "image_url": {"url": PNG_URL, "detail": "low"}}
    yield seen("chat.image.detail", low)
    yield seen("chat.image.two", png_part, low)
    remote = {"type": "image_url", "image_url": {"url": "https://example.com/picture.png"}}
    yield seen("chat.image.url", remote, either="the service must be able to fetch the picture")


_SEARCH = {
    "type": "azure_search",
    "parameters": {
        "endpoint": "https://example.com/",
        "index_name": "conformance",
        "authentication": {"type": "system_assigned_managed_identity"},
    },
}
