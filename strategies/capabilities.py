"""What the deployment behind a request must be able to do: ``chat``, ``chat+vision``, ``embeddings+dimensions`` …"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from conformance.requests.case import Expect
from conformance.spec.operations import Operation

__all__ = ["capability_of"]

#: By operationId; the longest matching beginning counts.
_BY_OPERATION: Mapping[str, str] = {
    "": "chat",
    "chat.completions": "chat",
    "completions": "completions",
    "embeddings": "embeddings",
    "audio.transcriptions": "transcription",
    "audio.translations": "translation",
    "audio.speech": "speech",
    "images.generations": "images",
    "images.edits": "image-edits",
    "video": "video",
    "assistants": "assistants",
    "threads": "assistants",
    "responses": "responses",
}


def _kinds(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("type"), str):
            yield value["type"]
        for item in value.values():
            yield from _kinds(item)
    elif isinstance(value, list):
        for item in value[:20]:
            yield from _kinds(item)


def capability_of(operation: Operation, request: Mapping[str, Any], expect: Expect, needs: tuple[str, ...] = ()) -> str:
    """The capability of a request; what is to be refused anyway needs only a deployment of the right kind."""
    known = [name for name in _BY_OPERATION if operation.id == name or operation.id.startswith(name + ".") or not name]
    base = _BY_OPERATION[max(known, key=len)]
    body = request.get("body")
    if expect is Expect.REJECT or not isinstance(body, dict):
        return base
    wanted = [base, *needs]
    if operation.id in ("chat.completions.create", "responses.create"):
        if body.get("tools") and operation.id.startswith("chat"):
            wanted.append("tools")
        if body.get("logprobs") or body.get("top_logprobs"):
            wanted.append("logprobs")
        if set(_kinds(body.get("messages"))) & {"image_url"}:
            wanted.append("vision")
    if operation.id == "embeddings.create" and body.get("dimensions") is not None:
        wanted.append("dimensions")
    return "+".join(wanted)
