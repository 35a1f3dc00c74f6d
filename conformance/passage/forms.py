"""The parts of a form (RFC 7578) as values that can be compared: contents by their digest."""

from __future__ import annotations

import hashlib
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

from conformance.requests.request import Request

__all__ = ["parts_of"]


def parts_of(request: Request) -> dict[str, Any]:
    """The parts of a form by name: file name, media type where given, length and digest of the content.

    Several parts of one name are a list. Empty if the body isn't a form that can be read.
    """
    content_type = request.header("content-type") or ""
    if not content_type.lower().startswith("multipart/form-data"):
        return {}
    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1", "replace")
    message = BytesParser(EmailMessage, policy=HTTP).parsebytes(head + request.body)
    found: dict[str, list[dict[str, Any]]] = {}
    for part in message.iter_parts() if message.is_multipart() else ():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        data = content if isinstance(content, bytes) else b""
        told: dict[str, Any] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()[:16]}
        if part.get_filename() is not None:
            told["filename"] = part.get_filename()
            told["type"] = part.get_content_type()
        found.setdefault(str(name), []).append(told)
    return {name: parts[0] if len(parts) == 1 else parts for name, parts in found.items()}
