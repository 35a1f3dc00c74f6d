"""Files attached to an assistant, in versions that have them as objects. The assistant's ``file_ids`` decides."""

from __future__ import annotations

from conformance.emulator import error_answers as errors
from conformance.emulator.call import Call
from conformance.emulator.handlers import handles
from conformance.emulator.resources.objects import Value, deleted, ids
from conformance.emulator.store import Collection
from conformance.evidence.exchange import Response


def _assistant(call: Call) -> Value:
    found: Value = call.found(call.store.collection("assistants"), ids(call)[0], "assistant")
    return found


def _files(call: Call) -> Collection:
    """The attached files, brought into step with the assistant's ``file_ids``."""
    assistant = _assistant(call)
    files = call.store.collection("assistant-files", assistant["id"])
    wanted = dict.fromkeys(assistant["file_ids"])
    for stale in [one["id"] for one in files if one["id"] not in wanted]:
        files.remove(stale)
    for id in wanted:
        if id not in files:
            files.put(
                id,
                {
                    "id": id,
                    "object": "assistant.file",
                    "created_at": call.clock.now(),
                    "assistant_id": assistant["id"],
                },
            )
    return files


@handles("assistants.files.create")
def create(call: Call) -> Response:
    """Attach an uploaded file."""
    assistant, id = _assistant(call), call.body["file_id"]
    if id not in call.store.collection("files"):
        raise errors.missing("file", id, param="file_id")
    if id not in assistant["file_ids"]:
        assistant["file_ids"] = [*assistant["file_ids"], id]
    return call.json(_files(call).get(id))


@handles("assistants.files.list")
def list_(call: Call) -> Response:
    """A page of the attached files."""
    return call.json(call.page(_files(call)))


@handles("assistants.files.get")
def get(call: Call) -> Response:
    """One attached file."""
    return call.json(call.found(_files(call), ids(call)[1], "assistant file"))


@handles("assistants.files.delete")
def delete(call: Call) -> Response:
    """Detach a file. The file itself remains."""
    id = call.found(_files(call), ids(call)[1], "assistant file")["id"]
    assistant = _assistant(call)
    assistant["file_ids"] = [one for one in assistant["file_ids"] if one != id]
    return deleted(call, id, "assistant.file.deleted")
