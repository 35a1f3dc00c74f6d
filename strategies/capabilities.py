"""The capability that a deployment must have to answer a request, such as ``chat``, ``chat+vision``, ``embeddings``.

Configuration maps deployments to these words (``aoai-conformance list capabilities``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformance.requests.case import Expect
from conformance.spec.operations import Operation

from .value_types import types_in

__all__ = ["capability_of"]

#: operationId, or its beginning up to a dot → capability. The longest match counts; "" is the default.
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


def capability_of(operation: Operation, request: Mapping[str, Any], expect: Expect, needs: tuple[str, ...] = ()) -> str:
    """The capability that a request needs, as words joined by ``+``.

    A request that must be refused needs only a deployment of the right kind: the refusal comes before the model.
    """
    known = [name for name in _BY_OPERATION if operation.id == name or operation.id.startswith(name + ".") or not name]
    base = _BY_OPERATION[max(known, key=len)]
    body = request.get("body")
    if expect is Expect.REJECT or not isinstance(body, dict):
        return base
    wanted = [base, *needs]
    # Models differ in these abilities within one kind, so a deployment must name them.
    if operation.id in ("chat.completions.create", "responses.create"):
        if body.get("tools") and operation.id.startswith("chat"):
            wanted.append("tools")
        if body.get("logprobs") or body.get("top_logprobs"):
            wanted.append("logprobs")
        if set(types_in(body.get("messages"))) & {"image_url"}:
            wanted.append("vision")
    if operation.id == "embeddings.create" and body.get("dimensions") is not None:
        wanted.append("dimensions")
    return "+".join(wanted)
