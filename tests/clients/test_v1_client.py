"""Responses, evaluations, fine-tuning, models and inference of the v1 surface with the openai package."""

from __future__ import annotations

import io
import json
from typing import Any

import openai
import pytest
from client_recorder import Connect, documenting
from pydantic import BaseModel

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # the client warns of old methods
    pytest.mark.parametrize("version", documenting("responses.create", "evals.create", surface="v1")),
]

MODEL = "gpt-4o"
PARAMETERS: Any = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
TOOL: Any = {"type": "function", "name": "weather", "description": "", "strict": True, "parameters": PARAMETERS}


class Place(BaseModel):
    """What a parsed answer becomes."""

    name: str
    number: int


def test_responses_kept_continued_and_deleted(connect: Connect, version: str) -> None:
    responses = connect(version).responses
    first = responses.create(model=MODEL, input="hello", instructions="Be brief.", metadata={"a": "b"})
    assert ("completed", {"a": "b"}) == (first.status, first.metadata)
    assert first.usage.total_tokens == first.usage.input_tokens + first.usage.output_tokens
    assert first.output_text == responses.retrieve(first.id).output_text != ""
    texts: Any = [{"role": "user", "content": f"t{n}"} for n in range(5)]
    second = responses.create(model=MODEL, previous_response_id=first.id, input=texts)
    assert first.id == second.previous_response_id
    assert second.usage.input_tokens > first.usage.input_tokens
    walked = [item.content[0].text for item in responses.input_items.list(second.id, limit=2, order="asc")]
    assert [f"t{n}" for n in range(5)] == walked
    responses.delete(first.id)
    with pytest.raises(openai.NotFoundError):
        responses.retrieve(first.id)
    with pytest.raises(openai.BadRequestError):
        responses.create(model=MODEL, previous_response_id=first.id, input="x")
    hidden = responses.create(model=MODEL, input="x", store=False)
    with pytest.raises(openai.NotFoundError):
        responses.retrieve(hidden.id)
    cut = responses.create(model=MODEL, input="Count to 500", max_output_tokens=20)
    assert ("incomplete", "max_output_tokens") == (cut.status, cut.incomplete_details.reason)


def test_response_tools_and_parsed_answers(connect: Connect, version: str) -> None:
    responses = connect(version).responses
    asked = responses.create(model=MODEL, input="weather?", tools=[TOOL], tool_choice="required")
    calls = [item for item in asked.output if item.type == "function_call"]
    assert ["weather"] == [item.name for item in calls]
    assert {"city"} == set(json.loads(calls[0].arguments))
    output: Any = {"type": "function_call_output", "call_id": calls[0].call_id, "output": "sunny"}
    told = responses.create(model=MODEL, previous_response_id=asked.id, input=[output], tools=[TOOL])
    assert "sunny" in told.output_text
    parsed = responses.parse(model=MODEL, input="a place", text_format=Place)
    assert isinstance(parsed.output_parsed, Place)


def test_responses_streamed(connect: Connect, version: str) -> None:
    responses = connect(version).responses
    events = list(responses.create(model=MODEL, input="hello", stream=True))
    assert list(range(len(events))) == [one.sequence_number for one in events]
    assert ("response.created", "response.completed") == (events[0].type, events[-1].type)
    text = "".join(one.delta for one in events if one.type == "response.output_text.delta")
    assert events[-1].response.output_text == text != ""
    assert text == responses.retrieve(events[-1].response.id).output_text
    with responses.stream(model=MODEL, input="hello") as stream:
        kinds = {event.type for event in stream}
        final = stream.get_final_response()
    assert "response.output_text.done" in kinds
    assert text == final.output_text
    with responses.stream(model=MODEL, input="weather?", tools=[TOOL], tool_choice="required") as stream:
        final = stream.get_final_response()
    assert ["weather"] == [item.name for item in final.output if item.type == "function_call"]


def test_evals(connect: Connect, version: str) -> None:
    client = connect(version)
    evals = client.evals
    schema: Any = {"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]}
    grader: Any = {
        "type": "string_check",
        "name": "same",
        "input": "{{item.word}}",
        "reference": "yes",
        "operation": "eq",
    }
    source: Any = {"type": "custom", "item_schema": schema}
    made = [evals.create(name=f"e{n}", data_source_config=source, testing_criteria=[grader]).id for n in range(5)]
    assert made == [one.id for one in evals.list(limit=2, order="asc") if one.id in made]
    assert "other" == evals.update(made[0], name="other", metadata={"a": "b"}).name
    assert ("other", {"a": "b"}) == (evals.retrieve(made[0]).name, evals.retrieve(made[0]).metadata)
    rows = [{"item": {"word": word}} for word in ("yes", "no", "yes")]
    data: Any = {"type": "jsonl", "source": {"type": "file_content", "content": rows}}
    run = evals.runs.create(made[0], data_source=data, name="r")
    for _ in range(5):
        run = evals.runs.retrieve(run.id, eval_id=made[0])
    assert ("completed", 2, 1, 3) == (
        run.status,
        run.result_counts.passed,
        run.result_counts.failed,
        run.result_counts.total,
    )
    items = list(evals.runs.output_items.list(run.id, eval_id=made[0], limit=2, order="asc"))
    assert ["pass", "fail", "pass"] == [one.status for one in items]
    alone = evals.runs.output_items.retrieve(items[0].id, eval_id=made[0], run_id=run.id)
    assert items[0].model_dump() == alone.model_dump()
    stopped = evals.runs.create(made[0], data_source=data)
    # The client cancels under …/cancel; this surface documents a POST on the run itself.
    with pytest.raises(openai.NotFoundError):
        evals.runs.cancel(stopped.id, eval_id=made[0])
    assert "canceled" == client.post(f"/evals/{made[0]}/runs/{stopped.id}", cast_to=dict[str, Any])["status"]
    assert [run.id, stopped.id] == [one.id for one in evals.runs.list(made[0], limit=1)]
    assert evals.runs.delete(run.id, eval_id=made[0]).deleted
    assert evals.delete(made[0]).deleted
    with pytest.raises(openai.NotFoundError):
        evals.retrieve(made[0])


def test_fine_tuning(connect: Connect, version: str) -> None:
    client = connect(version)
    jobs = client.fine_tuning.jobs
    lines = b'{"messages": [{"role": "user", "content": "hi"}]}\n' * 10
    file = client.files.create(file=("train.jsonl", io.BytesIO(lines)), purpose="fine-tune").id
    made = [jobs.create(model=MODEL, training_file=file, suffix=f"s{n}").id for n in range(4)]
    assert made[::-1] == [one.id for one in jobs.list(limit=3) if one.id in made]
    states = [jobs.retrieve(made[0]).status for _ in range(4)]
    assert ["queued", "running", "succeeded", "succeeded"] == states
    done = jobs.retrieve(made[0])
    assert done.fine_tuned_model
    assert client.files.content(done.result_files[0]).content.startswith(b"step,")
    messages = [one.message for one in jobs.list_events(made[0], limit=2)]
    assert ("Created fine-tuning job", "The job has successfully completed") == (messages[-1], messages[0])
    steps = [one.step_number for one in jobs.checkpoints.list(made[0], limit=2)]
    assert [3, 2, 1] == steps
    assert "cancelled" == jobs.cancel(made[1]).status == jobs.retrieve(made[1]).status
    jobs.pause(made[2])
    held = [jobs.retrieve(made[2]).status for _ in range(3)]
    assert 1 == len(set(held))
    jobs.resume(made[2])
    assert held[0] != jobs.retrieve(made[2]).status


def test_graders(connect: Connect, version: str) -> None:
    graders = connect(version).fine_tuning.alpha.graders
    grader: Any = {
        "type": "string_check",
        "name": "same",
        "input": "{{sample.output_text}}",
        "reference": "{{item.word}}",
        "operation": "eq",
    }
    assert "same" == graders.validate(grader=grader).grader.name
    rewards = [graders.run(grader=grader, model_sample=said, item={"word": "yes"}).reward for said in ("yes", "no")]
    assert [1.0, 0.0] == rewards


def test_models(connect: Connect, version: str) -> None:
    models = connect(version).models
    listed = [one.id for one in models.list()]
    assert MODEL in listed
    assert MODEL == models.retrieve(MODEL).id
    with pytest.raises(openai.NotFoundError):
        models.retrieve("no-such-model")


def test_inference(connect: Connect, version: str) -> None:
    client = connect(version)
    messages: Any = [{"role": "user", "content": "hello"}]
    whole = client.chat.completions.create(model=MODEL, messages=messages)
    with client.chat.completions.stream(model=MODEL, messages=messages) as stream:
        final = stream.get_final_completion()
    assert whole.choices[0].message.content == final.choices[0].message.content
    parsed = client.chat.completions.parse(model=MODEL, messages=messages, response_format=Place)
    assert isinstance(parsed.choices[0].message.parsed, Place)
    assert 64 == len(client.embeddings.create(model="text-embedding-3-small", input="a").data[0].embedding)
