"""Requests of the published examples are accepted: with 2xx, or with 404 if they name an object that doesn't exist."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from state_talk import Talk

from conformance.spec.loading import load, versions
from conformance.spec.operations import operations_of

EXAMPLES = Path(__file__).resolve().parents[2].parent / "shared" / "official-specs" / "examples"

#: What an example's file name speaks of → the operation's prefix.
NOUNS = {
    "assistant": "assistants",
    "assistants": "assistants",
    "thread": "threads",
    "message": "threads.messages",
    "messages": "threads.messages",
    "run": "threads.runs",
    "runs": "threads.runs",
    "run_step": "threads.runs.steps",
    "run_steps": "threads.runs.steps",
    "vector_store": "vector_stores",
    "vector_stores": "vector_stores",
    "vector_store_file": "vector_stores.files",
    "vector_store_files": "vector_stores.files",
    "vector_store_file_batch": "vector_stores.file_batches",
}
VERBS = {
    "create": "create",
    "retrieve": "get",
    "get": "get",
    "modify": "modify",
    "delete": "delete",
    "cancel": "cancel",
}
WHOLE = {
    "create_thread_and_run": "threads.create_and_run",
    "submit_tool_outputs_to_run": "threads.runs.submit_tool_outputs",
    "list_vector_store_file_batch": "vector_stores.file_batches.list_files",
}
#: Inference examples by the beginning of their name, with the emulator's deployment that can do it.
INFERENCE = {
    "chat_completions": ("chat.completions.create", "gpt-4o"),
    "completions": ("completions.create", "gpt-35-turbo-instruct"),
    "embeddings": ("embeddings.create", "text-embedding-3-small"),
    "image_generation": ("images.generations.create", "dall-e-3"),
}


def operation_of(name: str) -> tuple[str, tuple[str, ...]]:
    """The operation of an example and what its path begins with; "" for one that is not asked here."""
    plain = name.removeprefix("generated_")
    for start, (operation, deployment) in INFERENCE.items():
        if plain.startswith(start):
            return operation, (deployment,)
    verb, _, noun = name.partition("_")
    if name in WHOLE:
        return WHOLE[name], ()
    verb = "list" if verb == "list" else VERBS.get(verb, "")
    return (f"{NOUNS[noun]}.{verb}", ()) if verb and noun in NOUNS else ("", ())


def examples() -> Iterator[Any]:
    """(version, file name, operation, what the path begins with)."""
    for version in versions():
        known = operations_of(load(version))
        for file in sorted((EXAMPLES / version).glob("*.json")):
            operation, start = operation_of(file.stem)
            if operation in known:
                yield pytest.param(version, file, operation, start, id=f"{version}-{file.stem}")


@pytest.mark.parametrize(("version", "file", "operation", "start"), list(examples()))
def test_a_published_example_is_accepted(version: str, file: Path, operation: str, start: tuple[str, ...]) -> None:
    talk = Talk(version)
    example = json.loads(file.read_text("utf-8"))
    known = operations_of(talk.spec)[operation]
    given = example["parameters"]
    named = [given[p.name] for p in known.parameters if p.location == "path" and p.name in given]
    ids = list(start) or named
    query = {p.name: given[p.name] for p in known.parameters if p.location == "query" and p.name in given}
    query.pop(talk.spec.api_version.name, None)
    status = talk.status(operation, *ids, body=given.get("body", example.get("body")), query=query)
    names_something = bool(set(ids) - set(start)) or "assistant_id" in (given.get("body") or {})
    assert status == 200 or (status == 404 and names_something)
