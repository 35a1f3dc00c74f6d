"""Responses and realtime sessions of dated versions that have them, with the openai package."""

from __future__ import annotations

import json
from typing import Any

import openai
import pytest
from client_recorder import Connect, documenting

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # the client warns of old methods and models
    pytest.mark.parametrize("version", documenting("responses.create", "realtime.sessions.create", surface="dated")),
]

MODEL = "gpt-4o"
PARAMETERS: Any = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL: Any = {"type": "function", "name": "weather", "description": "", "strict": False, "parameters": PARAMETERS}


def test_responses_are_kept_continued_and_deleted(connect: Connect, version: str) -> None:
    responses = connect(version).responses
    first = responses.create(model=MODEL, input="hello", instructions="Be brief.", metadata={"a": "b"})
    assert ("completed", {"a": "b"}) == (first.status, first.metadata)
    assert first.output_text == responses.retrieve(first.id).output_text != ""
    texts: Any = [{"role": "user", "content": f"t{n}"} for n in range(5)]
    second = responses.create(model=MODEL, previous_response_id=first.id, input=texts)
    assert first.id == second.previous_response_id
    walked = [item.content[0].text for item in responses.input_items.list(second.id, limit=2, order="asc")]
    assert [f"t{n}" for n in range(5)] == walked
    asked = responses.create(model=MODEL, input="weather?", tools=[TOOL], tool_choice="required")
    (called,) = [item for item in asked.output if item.type == "function_call"]
    assert ("weather", {"city"}) == (called.name, set(json.loads(called.arguments)))
    output: Any = {"type": "function_call_output", "call_id": called.call_id, "output": "sunny"}
    told = responses.create(model=MODEL, previous_response_id=asked.id, input=[output], tools=[TOOL])
    assert "sunny" in told.output_text
    responses.delete(first.id)
    with pytest.raises(openai.NotFoundError):
        responses.retrieve(first.id)


def test_responses_streamed(connect: Connect, version: str) -> None:
    responses = connect(version).responses
    events = list(responses.create(model=MODEL, input="hello", stream=True))
    assert list(range(len(events))) == [one.sequence_number for one in events]
    assert ("response.created", "response.completed") == (events[0].type, events[-1].type)
    text = "".join(one.delta for one in events if one.type == "response.output_text.delta")
    assert events[-1].response.output_text == text != ""
    with responses.stream(model=MODEL, input="weather?", tools=[TOOL], tool_choice="required") as stream:
        final = stream.get_final_response()
    assert ["weather"] == [item.name for item in final.output if item.type == "function_call"]


def test_realtime_sessions(connect: Connect, version: str) -> None:
    """The package has no method for the path of this version; its client sends any."""
    client = connect(version)
    body: Any = {"voice": "echo", "instructions": "Be brief."}
    made: Any = client.post("/realtimeapi/sessions", body=body, cast_to=dict[str, Any])
    assert body == {name: made[name] for name in body}
    assert made["client_secret"]["value"]
    heard: Any = client.post("/realtimeapi/transcription_sessions", body={}, cast_to=dict[str, Any])
    assert made["client_secret"]["value"] != heard["client_secret"]["value"]
