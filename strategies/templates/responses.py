"""Responses: the forms of the input, tools, formats and streams."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..drafts import Draft
from ..sample_files import PNG_URL
from ..template_builders import TemplateContext, template
from ..vocabulary import SCRIPTS
from .chat import SCHEMA, TOOL

HELLO = "Say hello in one word."
WEATHER = "What is the weather in Oslo? Use the tool."
FUNCTION = {"type": "function", "strict": False, **TOOL["function"]}  # type: ignore[dict-item]
FORCED = {"type": "function", "name": "get_weather"}
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
    yield ask("responses.tool.none", WEATHER, tools=[FUNCTION], tool_choice="none")
    yield ask("responses.tool.round-trip", [user(WEATHER), CALL, RESULT], tools=[FUNCTION])
    yield ask("responses.format.text", text={"format": {"type": "text"}})
    asked = 'Answer in JSON: {"city": "Oslo"}'
    yield ask("responses.json-object", asked, text={"format": {"type": "json_object"}})
    shape = {"type": "json_schema", **SCHEMA["json_schema"]}  # type: ignore[dict-item]
    yield ask("responses.json-schema", asked, text={"format": shape})
    # The setup creates the response whose id is filled in.
    yield ask("responses.previous", previous_response_id="{response_id}")
    yield ask("responses.stream", stream=True)
    yield ask("responses.stream.tool", WEATHER, stream=True, tools=[FUNCTION], tool_choice=FORCED)
    yield ask("responses.stream.json-object", asked, stream=True, text={"format": {"type": "json_object"}})
    yield ask("responses.reasoning", reasoning={"effort": "low"}, either="only reasoning models take it")
    yield ask("responses.background", background=True, either="only some models work in the background")
    hosted = "hosted tools depend on the model and the account"
    yield ask("responses.web-search", tools=[{"type": "web_search_preview"}], either=hosted)
    yield ask("responses.code", tools=[{"type": "code_interpreter", "container": {"type": "auto"}}], either=hosted)
    search = {"type": "file_search", "vector_store_ids": ["{vector_store_id}"]}
    yield ask("responses.file-search", tools=[search], either=hosted)
