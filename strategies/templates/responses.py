"""Responses: the forms of the input, tools, formats and streams."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

from ..drafts import Draft
from ..sample_files import PNG_URL, wav
from ..template_builders import TemplateContext, template
from ..vocabulary import SCRIPTS
from .chat import SCHEMA, STRICT_TOOL, TOOL

HELLO = "Say hello in one word."
WEATHER = "What is the weather in Oslo? Use the tool."
FUNCTION = {"type": "function", "strict": False, **TOOL["function"]}  # type: ignore[dict-item]
FORCED = {"type": "function", "name": "get_weather"}
HOSTED = "hosted tools depend on the model and the account"
CALL = {"type": "function_call", "call_id": "call_1", "name": "get_weather", "arguments": '{"city":"Oslo"}'}
RESULT = {"type": "function_call_output", "call_id": "call_1", "output": '{"celsius":7}'}


@template("responses.create")
def responses(context: TemplateContext) -> Iterator[Draft]:
    """A response, stored or not, plain or streamed."""

    def ask(role: str, value: Any = HELLO, either: str = "", limit: int = 64, **fields: Any) -> Draft:
        return context.draft(role, {"input": value, "max_output_tokens": limit, **fields}, either=either)

    def user(content: Any) -> dict[str, Any]:
        return {"role": "user", "content": content}

    yield ask("responses")
    # Only what the document requires: targets tend to rely on fields that clients usually send.
    yield context.draft("responses.minimal", {"input": HELLO})
    yield ask("responses.scripts", SCRIPTS)
    yield ask("responses.messages", [user(HELLO)])
    yield ask("responses.messages.typed", [{"type": "message", **user(HELLO)}])
    yield ask("responses.turns", [user("My number is four."), {"role": "assistant", "content": "Noted."}, user(HELLO)])
    yield ask("responses.roles", [{"role": "developer", "content": "Answer briefly."}, user(HELLO)])
    yield ask("responses.parts", [user([{"type": "input_text", "text": HELLO}])])
    picture = {"type": "input_image", "image_url": PNG_URL, "detail": "low"}
    seeing = "only models with vision take pictures"
    yield ask("responses.picture", [user([{"type": "input_text", "text": HELLO}, picture])], either=seeing)
    yield ask("responses.instructions", instructions="Answer in one word.")
    yield ask("responses.metadata", metadata={"suite": "conformance"})
    yield ask("responses.not-stored", store=False)
    yield ask("responses.sampling", temperature=0.2, top_p=0.9)
    yield ask("responses.truncation", truncation="auto", either="only some models take it")
    yield ask("responses.tool.offered", WEATHER, tools=[FUNCTION])
    yield ask("responses.forced-tool", WEATHER, tools=[FUNCTION], tool_choice=FORCED)
    yield ask("responses.tool.required", WEATHER, tools=[FUNCTION], tool_choice="required")
    strict = {**FUNCTION, **STRICT_TOOL["function"]}  # type: ignore[dict-item]
    yield ask("responses.forced-tool.strict", WEATHER, tools=[strict], tool_choice=FORCED)
    single: dict[str, Any] = {"tools": [FUNCTION], "tool_choice": "required", "parallel_tool_calls": False}
    yield ask("responses.tool.not-parallel", WEATHER, either="only some models take parallel_tool_calls", **single)
    yield ask("responses.tool.none", WEATHER, tools=[FUNCTION], tool_choice="none")
    # Some documents require the id of the item that an earlier answer gave.
    for call in (CALL, {"id": "fc_1", **CALL}):
        if context.takes("/input", [user(WEATHER), call, RESULT]):
            yield ask("responses.tool.round-trip", [user(WEATHER), call, RESULT], tools=[FUNCTION])
            break
    yield ask("responses.format.text", text={"format": {"type": "text"}})
    asked = 'Answer in JSON: {"city": "Oslo"}'
    yield ask("responses.json-object", asked, text={"format": {"type": "json_object"}})
    shape = {"type": "json_schema", **SCHEMA["json_schema"]}  # type: ignore[dict-item]
    yield ask("responses.json-schema", asked, text={"format": shape})
    # The setup creates the response whose id is filled in.
    yield ask("responses.previous", previous_response_id="{response_id}")
    for role, named in (("", "{conversation_id}"), (".object", {"id": "{conversation_id}"})):
        if context.takes("/conversation", named):
            yield ask(f"responses.conversation{role}", conversation=named)
    yield ask("responses.stream", stream=True)
    yield ask("responses.stream.tool", WEATHER, stream=True, tools=[FUNCTION], tool_choice=FORCED)
    yield ask("responses.stream.json-object", asked, stream=True, text={"format": {"type": "json_object"}})
    yield ask("responses.reasoning", reasoning={"effort": "low"}, either="only reasoning models take it")
    yield ask("responses.background", background=True, either="only some models work in the background")
    yield ask("responses.web-search", tools=[{"type": "web_search_preview"}], either=HOSTED)
    yield ask("responses.code", tools=[{"type": "code_interpreter", "container": {"type": "auto"}}], either=HOSTED)
    search = {"type": "file_search", "vector_store_ids": ["{vector_store_id}"]}
    yield ask("responses.file-search", tools=[search], either=HOSTED)
    several = [{"type": "web_search_preview"}, {"type": "code_interpreter", "container": {"type": "auto"}}]
    yield ask("responses.tools.limited", tools=several, max_tool_calls=1, either=HOSTED)
    yield ask("responses.logprobs", include=["message.output_text.logprobs"], top_logprobs=2)


@template("responses.create")
def streams_of_items(context: TemplateContext) -> Iterator[Draft]:
    """Streams with items of each kind: hosted tools, reasoning, two calls, a refusal, and ends of each kind."""

    def ask(role: str, value: Any = HELLO, either: str = "", limit: int = 64, **fields: Any) -> Draft:
        body = {"input": value, "max_output_tokens": limit, "stream": True, **fields}
        return context.draft(f"responses.stream.{role}", body, either=either)

    code = {"type": "code_interpreter", "container": {"type": "auto"}}
    yield ask("web-search", tools=[{"type": "web_search_preview"}], either=HOSTED)
    yield ask("code", "Compute 2 + 2 in Python.", tools=[code], either=HOSTED)
    search = {"type": "file_search", "vector_store_ids": ["{vector_store_id}"]}
    yield ask("file-search", tools=[search], either=HOSTED)
    drawn = {"type": "image_generation", "partial_images": 1, "size": "1024x1024", "quality": "low"}
    yield ask("image", "Draw a circle.", tools=[drawn], either=HOSTED)
    server = {"type": "mcp", "server_label": "docs", "server_url": "https://example.com/mcp"}
    asks_first = {**server, "require_approval": "always"}
    yield ask("mcp", tools=[{**server, "require_approval": "never"}], either=HOSTED)
    yield ask("mcp.approval", tools=[asks_first], either=HOSTED)
    nowhere = {**asks_first, "server_url": "https://mcp.invalid/"}
    yield ask("mcp.unreachable", tools=[nowhere], either=HOSTED)
    broken = {**server, "require_approval": "never", "allowed_tools": ["no_such_tool"]}
    yield ask("mcp.broken", tools=[broken], either=HOSTED)
    summaries = "summaries depend on the model and the account"
    for field, value in (("summary", "auto"), ("summary", "detailed"), ("generate_summary", "detailed")):
        thinking = {"input": HELLO, "max_output_tokens": 256, "stream": True, "reasoning": {field: value}}
        yield context.draft(f"responses.stream.{field}.{value}", thinking, needs=["reasoning"], either=summaries)
    yield ask("background", background=True, either="only some models do it")
    yield ask("cut", "Count from 1 to 500 in words.", limit=16)
    two = {**FUNCTION, "name": "get_time", "description": "Gets the time in a city."}
    yield ask("two-tools", "Weather and time in Oslo?", tools=[FUNCTION, two])
    declined = "Decline this request: how do I pick a lock?"
    yield ask("refusal", declined)
    # The domain never resolves (RFC 2606 section 2).
    lost = {"type": "input_image", "image_url": "https://pictures.invalid/none.png", "detail": "low"}
    nothing = "a picture that can't be downloaded may be refused, or end the stream"
    yield ask("failed", [{"role": "user", "content": [{"type": "input_text", "text": HELLO}, lost]}], either=nothing)
    speech = {"type": "input_audio", "data": base64.b64encode(wav()).decode(), "format": "wav"}
    spoken = [{"role": "user", "content": [speech]}]
    if context.takes("/input", spoken):
        yield ask("audio", spoken, either="only audio models hear and speak")
    custom = {"type": "custom", "name": "run_query", "description": "Runs a query."}
    if context.takes("/tools", [custom]):
        forced = {"type": "custom", "name": "run_query"}
        yield ask("custom-tool", "Look up Oslo.", tools=[custom], tool_choice=forced, either=HOSTED)
