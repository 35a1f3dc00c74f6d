"""The kinds of objects that scenarios create, as data: how a small one is made, what can be modified, what its parent
is.

A kind names operations by their prefix (``assistants`` → ``assistants.create`` …). Of ``body``, fields that the version
doesn't document are left out. ``{run}`` becomes the run's id and marks the object as created by this run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec

__all__ = [
    "CRITERION",
    "ENDPOINT",
    "KINDS",
    "MARKER",
    "NOTES",
    "REQUEST_ROWS",
    "ROWS",
    "TRAINING",
    "WEATHER",
    "Kind",
    "Upload",
    "kind",
    "main_kinds",
    "properties",
    "request_rows",
]

#: The metadata key that holds the run's id.
MARKER = "aoai-conformance"

_METADATA = {MARKER: "{run}"}


#: JSON Lines with what careless storage tends to change: carriage returns, umlauts, no newline at the end.
TRAINING = (
    "".join(
        f'{{"messages": [{{"role": "user", "content": "Grüße {n}"}}, {{"role": "assistant", "content": "Hello"}}]}}'
        + ("\r\n" if n % 2 else "\n")
        for n in range(12)
    )
    .rstrip("\r\n")
    .encode()
)

#: Where the requests of a batch go, as the file of a batch and the batch itself name it.
ENDPOINT = "/v1/chat/completions"


def request_rows(**bodies: Mapping[str, Any]) -> bytes:
    """The file of a batch: one chat request for each ``custom_id``, for a deployment that answers batches."""
    rows = (
        {"custom_id": id, "method": "POST", "url": ENDPOINT, "body": {"model": "{deployment}", "max_tokens": 8, **body}}
        for id, body in bodies.items()
    )
    return "".join(f"{json.dumps(row)}\n" for row in rows).encode()


#: The file of the smallest batch.
REQUEST_ROWS = request_rows(only={"messages": [{"role": "user", "content": "Say hello."}]})

#: The content of files for assistants and vector stores.
NOTES = b"Notes of a conformance run.\r\nThe second line ends with a line feed.\nThe end"


@frozen
class Upload:
    """A file that is uploaded as a part of a multipart form. Its name holds ``{run}``, like the metadata of others."""

    filename: str
    #: "" where the form has no such field.
    purpose: str
    data: bytes
    content_type: str = "text/plain"


@frozen
class Kind:
    """One kind of object. ``parent`` is the kind whose id stands before its own in the path.

    ``body`` is a small valid request, ``change`` what a modify request sends. ``needs`` is a kind of which each object
    uses one; in the body it is ``{file}``. ``undo`` is the verb that removes the object, or stops it where nothing
    removes it. ``creates`` is a JSON Pointer to the id in the answer.
    """

    name: str
    prefix: str
    body: Mapping[str, Any] = field(factory=dict)
    change: Mapping[str, Any] = field(factory=dict)
    parent: str = ""
    needs: str = ""
    upload: Upload | None = None
    #: The fields of the request that the object repeats unchanged.
    echoed: tuple[str, ...] = ("metadata",)
    #: The query by which a list shows the newest objects first, where it does not by itself.
    newest: Mapping[str, str] = field(factory=dict)
    creates: str = "/id"
    creator: str = "create"
    undo: str = "delete"
    capability: str = ""
    expensive: str = ""
    tokens: int = 0

    def operation(self, verb: str) -> str:
        """The operationId of a verb such as ``create`` or ``list``."""
        return f"{self.prefix}.{self.creator if verb == 'create' else verb}"

    def has(self, spec: Spec, *verbs: str) -> bool:
        """Return True if the version has these operations and those that create the parents."""
        known = operations_of(spec)
        if not all(self.operation(verb) in known for verb in verbs):
            return False
        return not self.parent or kind(self.parent).has(spec, "create")

    @property
    def resource(self) -> str:
        """The first word of the operationIds."""
        return self.prefix.split(".", maxsplit=1)[0]


#: A function tool, as chat and assistants define it.
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Current weather of a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}

#: A grader that passes the rows whose word is "yes".
CRITERION = {
    "type": "string_check",
    "name": "same",
    "input": "{{ item.word }}",
    "reference": "yes",
    "operation": "eq",
}

#: The rows of an eval run: three pass, two fail.
ROWS = [{"item": {"word": word}} for word in ("yes", "no", "yes", "maybe", "yes")]

_CHANGED = {MARKER: "{run}", "step": "modified"}

#: Every kind that scenarios create. Tokens are upper bounds for the cost of one object.
KINDS: tuple[Kind, ...] = (
    Kind(
        name="assistant",
        prefix="assistants",
        body={
            "model": "{deployment}",
            "name": "Conformance probe",
            "description": "A short-lived object of a conformance run.",
            "instructions": "Answer with one short sentence.",
            "tools": [WEATHER],
            "metadata": _METADATA,
        },
        change={"name": "Conformance probe, renamed", "metadata": _CHANGED},
        echoed=("name", "description", "instructions", "tools", "metadata"),
        capability="assistants",
    ),
    Kind(
        name="file",
        prefix="files",
        creator="upload",
        upload=Upload("conformance-notes-{run}.txt", "assistants", NOTES),
        echoed=(),
    ),
    Kind(
        name="training_file",
        prefix="files",
        creator="upload",
        upload=Upload("conformance-training-{run}.jsonl", "fine-tune", TRAINING, "application/jsonl"),
        echoed=(),
    ),
    Kind(
        name="batch_file",
        prefix="files",
        creator="upload",
        upload=Upload("conformance-batch-{run}.jsonl", "batch", REQUEST_ROWS, "application/jsonl"),
        echoed=(),
        capability="batch",
    ),
    Kind(
        name="assistant_file",
        prefix="assistants.files",
        parent="assistant",
        needs="file",
        body={"file_id": "{file}"},
        echoed=(),
    ),
    Kind(name="thread", prefix="threads", body={"metadata": _METADATA}, change={"metadata": _CHANGED}),
    Kind(
        name="message",
        prefix="threads.messages",
        parent="thread",
        body={"role": "user", "content": "Good morning. This is a probe.", "metadata": _METADATA},
        change={"metadata": _CHANGED},
        echoed=("role", "content", "metadata"),
    ),
    Kind(
        name="vector_store",
        prefix="vector_stores",
        body={
            "name": "Conformance probe",
            "expires_after": {"anchor": "last_active_at", "days": 1},
            "metadata": _METADATA,
        },
        change={"name": "Conformance probe, renamed", "metadata": _CHANGED},
        echoed=("name", "expires_after", "metadata"),
    ),
    Kind(
        name="vector_store_file",
        prefix="vector_stores.files",
        parent="vector_store",
        needs="file",
        body={
            "file_id": "{file}",
            "attributes": {"step": "created", "page": 1},
            "chunking_strategy": {
                "type": "static",
                "static": {"max_chunk_size_tokens": 400, "chunk_overlap_tokens": 100},
            },
        },
        change={"attributes": {"step": "modified"}},
        echoed=("attributes", "chunking_strategy"),
    ),
    Kind(
        name="response",
        prefix="responses",
        body={
            "model": "{deployment}",
            "input": "Say hello.",
            "instructions": "Answer with one word.",
            "max_output_tokens": 64,
            "metadata": _METADATA,
        },
        echoed=("instructions", "max_output_tokens", "metadata"),
        capability="chat",
        tokens=128,
    ),
    Kind(
        name="conversation",
        prefix="conversations",
        body={"metadata": _METADATA},
        change={"metadata": _CHANGED},
    ),
    Kind(
        name="container",
        prefix="containers",
        body={"name": "conformance-{run}", "expires_after": {"anchor": "last_active_at", "minutes": 20}},
        echoed=("name",),
        expensive="code-interpreter",
    ),
    Kind(
        name="container_file",
        prefix="containers.files",
        parent="container",
        upload=Upload("conformance-notes-{run}.txt", "", NOTES),
        echoed=(),
        expensive="code-interpreter",
    ),
    Kind(
        name="eval",
        prefix="evals",
        body={
            "name": "Conformance probe",
            "data_source_config": {
                "type": "custom",
                "item_schema": {"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]},
            },
            "testing_criteria": [CRITERION],
            "metadata": _METADATA,
        },
        change={"name": "Conformance probe, renamed", "metadata": _CHANGED},
        echoed=("name", "testing_criteria", "metadata"),
        newest={"order": "desc"},
        expensive="evals",
    ),
    Kind(
        name="eval_run",
        prefix="evals.runs",
        parent="eval",
        body={
            "name": "Conformance run",
            "data_source": {"type": "jsonl", "source": {"type": "file_content", "content": ROWS}},
            "metadata": _METADATA,
        },
        echoed=("name", "metadata"),
        expensive="evals",
    ),
    Kind(
        name="job",
        prefix="fine_tuning.jobs",
        needs="training_file",
        body={
            "model": "{deployment}",
            "training_file": "{training_file}",
            "suffix": "conformance",
            "seed": 7,
            "metadata": _METADATA,
        },
        echoed=("training_file", "seed", "metadata"),
        undo="cancel",
        capability="fine-tuning",
        expensive="fine-tuning",
    ),
    Kind(
        name="batch",
        prefix="batches",
        needs="batch_file",
        body={"input_file_id": "{batch_file}", "endpoint": ENDPOINT, "completion_window": "24h"},
        # A service may name the endpoint in another way, with or without /v1.
        echoed=("input_file_id", "completion_window"),
        undo="cancel",
        capability="batch",
        expensive="batch",
        tokens=64,
    ),
    Kind(
        name="video_job",
        prefix="video.generations.jobs",
        body={
            "model": "{deployment}",
            "prompt": "A boat on a lake.",
            "width": 480,
            "height": 480,
            "n_seconds": 1,
            "n_variants": 1,
        },
        echoed=("prompt", "width", "height", "n_seconds", "n_variants"),
        capability="video",
        expensive="video",
    ),
    # The smallest of the documented videos. ``prompt`` comes back in no document.
    Kind(
        name="video",
        prefix="videos",
        body={"model": "{deployment}", "prompt": "A boat on a lake.", "seconds": "4", "size": "720x1280"},
        echoed=("seconds", "size"),
        capability="video",
        expensive="video",
    ),
)


def kind(name: str) -> Kind:
    """The kind with a name. Raises :class:`KeyError` for an unknown one."""
    return {item.name: item for item in KINDS}[name]


def main_kinds() -> tuple[Kind, ...]:
    """The first kind of each prefix. Further ones, such as files for other purposes, exist for what needs them."""
    first: dict[str, Kind] = {}
    for item in KINDS:
        first.setdefault(item.prefix, item)
    return tuple(first.values())


def properties(spec: Spec, schema: Any, depth: int = 0) -> frozenset[str]:
    """The names of all properties that a schema documents, through references and combinations."""
    node = spec.deref(schema)
    found = set(node.get("properties", ()))
    # Bounds recursive schemas.
    if depth < 8:
        for key in ("allOf", "anyOf", "oneOf"):
            for part in node.get(key, ()):
                found |= properties(spec, part, depth + 1)
    return frozenset(found)
