"""Behaviour that a request chooses: which tools a run calls, what limits cut, how graders compare, what form fields
mean.
"""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest
from attrs import evolve
from state_steps import FUNCTIONS, MODEL
from state_talk import KEY, Talk

from conformance.emulator.app import App
from conformance.emulator.behaviour import Settings
from conformance.emulator.store import Clock
from conformance.spec.loading import load, versions
from conformance.spec.operations import operations_of


def having(operation: str, *path: str) -> list[str]:
    """The versions that document an operation, and a field of its request body where one is named."""
    found = []
    for version in versions():
        known = operations_of(load(version)).get(operation)
        if known is not None and not load(version).extends:
            schema = load(version).deref(known.body["application/json"].schema)
            if all(name in schema["properties"] for name in path):
                found.append(version)
    return found


# A run needs an assistant; a version may have runs and nothing that makes assistants.
CHOOSING = [name for name in having("threads.runs.create", "tool_choice") if name in having("assistants.create")]
INLINE = having("threads.create", "tool_resources")
RESPONSES = having("responses.create")
GRADERS = having("fine_tuning.alpha.graders.run")


def ended(talk: Talk, **body: Any) -> dict[str, Any]:
    """The run of a new thread after three looks."""
    thread = {"messages": [{"role": "user", "content": body.pop("asked", "hello")}]}
    run = talk.ok("threads.create_and_run", body={**body, "thread": thread})
    for _ in range(3):
        run = talk.ok("threads.runs.get", run["thread_id"], run["id"])
    return run


@pytest.mark.parametrize("version", CHOOSING)
@pytest.mark.parametrize(
    ("choice", "called"),
    [
        ("none", None),
        ("auto", ["weather", "population"]),
        ({"type": "function", "function": {"name": "population"}}, ["population"]),
        ({"type": "code_interpreter"}, None),
    ],
)
def test_a_run_calls_what_the_choice_allows(version: str, choice: Any, called: list[str] | None) -> None:
    talk = Talk(version)
    tools = [*FUNCTIONS, {"type": "code_interpreter"}, {"type": "file_search"}]
    assistant = talk.ok("assistants.create", body={"model": MODEL, "tools": tools})["id"]
    run = ended(talk, assistant_id=assistant, tool_choice=choice)
    if called is None:
        assert "completed" == run["status"]
    else:
        calls = run["required_action"]["submit_tool_outputs"]["tool_calls"]
        assert called == [one["function"]["name"] for one in calls]
        assert all(set(json.loads(one["function"]["arguments"])) == {"city"} for one in calls)


@pytest.mark.parametrize("version", CHOOSING)
def test_a_choice_of_an_unknown_function_fails_the_run(version: str) -> None:
    talk = Talk(version)
    assistant = talk.ok("assistants.create", body={"model": MODEL, "tools": FUNCTIONS})["id"]
    choice = {"type": "function", "function": {"name": "nobody"}}
    run = ended(talk, assistant_id=assistant, tool_choice=choice)
    assert "failed" == run["status"]
    assert "tool choice" in run["last_error"]["message"]


@pytest.mark.parametrize("version", CHOOSING)
@pytest.mark.parametrize(
    ("limit", "asked"),
    [({"max_completion_tokens": 256}, "Count to 900"), ({"max_prompt_tokens": 256}, "word " * 400)],
)
def test_a_limit_that_is_met_makes_a_run_incomplete(version: str, limit: dict[str, int], asked: str) -> None:
    talk = Talk(version)
    assistant = talk.ok("assistants.create", body={"model": MODEL})["id"]
    run = ended(talk, assistant_id=assistant, asked=asked, **limit)
    assert ("incomplete", next(iter(limit))) == (run["status"], run["incomplete_details"]["reason"])
    assert run["completed_at"] is None


@pytest.mark.parametrize("version", CHOOSING)
def test_json_that_is_asked_for_is_json(version: str) -> None:
    talk = Talk(version)
    assistant = talk.ok("assistants.create", body={"model": MODEL, "response_format": {"type": "json_object"}})["id"]
    run = ended(talk, assistant_id=assistant, asked="Answer in JSON.")
    said = talk.ok("threads.messages.list", run["thread_id"])["data"][0]["content"][0]["text"]["value"]
    assert isinstance(json.loads(said), dict)


@pytest.mark.parametrize("version", INLINE)
def test_a_vector_store_that_is_asked_for_inline_is_made(version: str) -> None:
    talk = Talk(version)
    inline = {"file_search": {"vector_stores": [{"file_ids": ["file-a", "file-b"], "metadata": {"k": "v"}}]}}
    thread = talk.ok("threads.create", body={"tool_resources": inline})
    (store,) = thread["tool_resources"]["file_search"]["vector_store_ids"]
    found = talk.ok("vector_stores.get", store)
    assert (2, {"k": "v"}) == (found["file_counts"]["total"], found["metadata"])


@pytest.mark.parametrize("version", RESPONSES)
def test_items_that_are_referred_to_are_read(version: str) -> None:
    talk = Talk(version)
    first = talk.ok("responses.create", body={"model": MODEL, "input": "hello"})
    kept = first["output"][0]["id"]
    items = [{"type": "item_reference", "id": kept}, {"role": "user", "content": "and now?"}]
    second = talk.ok("responses.create", body={"model": MODEL, "input": items})
    listed = talk.ok("responses.input_items.list", second["id"], query={"order": "asc"})["data"]
    assert [kept, "user"] == [listed[0]["id"], listed[1]["role"]]
    unknown = [{"type": "item_reference", "id": "msg_unknown"}]
    assert 404 == talk.status("responses.create", body={"model": MODEL, "input": unknown})


@pytest.mark.parametrize("version", RESPONSES)
def test_a_named_tool_is_called_and_an_unknown_one_is_refused(version: str) -> None:
    talk = Talk(version)
    tools = [
        {"type": "function", "name": name, "strict": True, "parameters": FUNCTIONS[0]["function"]["parameters"]}
        for name in ("weather", "population")
    ]
    asked = {"model": MODEL, "input": "hello", "tools": tools}
    named = talk.ok("responses.create", body={**asked, "tool_choice": {"type": "function", "name": "population"}})
    assert ["population"] == [item["name"] for item in named["output"]]
    assert ["message"] == [
        item["type"] for item in talk.ok("responses.create", body={**asked, "tool_choice": "none"})["output"]
    ]
    wrong = {"type": "function", "name": "nobody"}
    assert 400 == talk.status("responses.create", body={**asked, "tool_choice": wrong})


@pytest.mark.parametrize("version", GRADERS)
@pytest.mark.parametrize(
    ("operation", "sample", "reward"),
    [("eq", "Yes", 1), ("eq", "yes", 0), ("ne", "yes", 1), ("like", "Yes, sir", 1), ("ilike", "oh YES", 1)],
)
def test_a_string_check_compares(version: str, operation: str, sample: str, reward: float) -> None:
    grader = {"type": "string_check", "name": "c", "input": "{{sample.output_text}}", "reference": "Yes"}
    body = {"grader": {**grader, "operation": operation}, "model_sample": sample}
    assert reward == Talk(version).ok("fine_tuning.alpha.graders.run", body=body)["reward"]


@pytest.mark.parametrize("version", GRADERS)
@pytest.mark.parametrize(
    ("formula", "reward", "error"),
    [
        ("a + b * 2", 3.0, None),
        ("(a - b) / 2", 0.0, None),
        ("a ** 2", 0.0, "formula_parse_error"),
        ("a / 0", 0.0, "formula_parse_error"),
        ("one word", 0.0, "formula_parse_error"),
        ("c", 0.0, "invalid_variable_error"),
    ],
)
def test_a_formula_is_computed_or_named_as_wrong(version: str, formula: str, reward: float, error: str | None) -> None:
    check = {"type": "string_check", "name": "c", "input": "x", "reference": "x", "operation": "eq"}
    grader = {"type": "multi", "name": "m", "graders": {"a": check, "b": check}, "calculate_output": formula}
    answer = Talk(version).ok("fine_tuning.alpha.graders.run", body={"grader": grader, "model_sample": "x"})
    wrong = [name for name, value in answer["metadata"]["errors"].items() if value]
    assert (reward, [error] if error else []) == (answer["reward"], wrong)


@pytest.mark.parametrize("version", RESPONSES)
@pytest.mark.parametrize(
    "form",
    [
        {"expires_after[anchor]": "created_at", "expires_after[seconds]": "3600"},
        {"expires_after": json.dumps({"anchor": "created_at", "seconds": 3600})},
    ],
)
def test_a_file_expires_as_the_form_says_in_either_way(version: str, form: dict[str, str]) -> None:
    talk = Talk(version)
    file = talk.ok("files.upload", form={**form, "purpose": "batch", "file": ("a.jsonl", b"{}")})
    assert file["created_at"] + 3600 == file["expires_at"]


def extended(version: str, path: str, method: str, operation: str, like: str) -> Talk:
    """A talk with a version that documents one more operation, answered like a known one."""
    spec = load(version)
    known = operations_of(spec)[like]
    document = deepcopy(dict(spec.document))
    document["paths"].setdefault(path, {})[method] = {**deepcopy(dict(known.raw)), "operationId": operation}
    talk = Talk(version)
    talk.spec = evolve(spec, document=document)
    talk.app = App([talk.spec], Settings(key=KEY), Clock.fixed())
    return talk


@pytest.mark.parametrize("version", RESPONSES)
def test_a_response_in_the_background_can_be_cancelled_where_that_is_documented(version: str) -> None:
    path = "/responses/{response_id}/cancel"
    talk = extended(version, path, "post", "responses.cancel", "responses.get")
    made = talk.ok("responses.create", body={"model": MODEL, "input": "hello", "background": True})["id"]
    assert "cancelled" == talk.ok("responses.cancel", made)["status"]
    assert "cancelled" == talk.ok("responses.get", made)["status"]
    assert 400 == talk.status("responses.cancel", made)


@pytest.mark.parametrize("version", having("threads.messages.create"))
def test_a_message_can_be_deleted_where_that_is_documented(version: str) -> None:
    path = "/threads/{thread_id}/messages/{message_id}"
    talk = extended(version, path, "delete", "threads.messages.delete", "threads.delete")
    talk.judge = False
    thread = talk.ok("threads.create", body={})["id"]
    message = talk.ok("threads.messages.create", thread, body={"role": "user", "content": "hello"})["id"]
    assert talk.ok("threads.messages.delete", thread, message)["deleted"]
    assert 404 == talk.status("threads.messages.get", thread, message)
