"""Cassettes of VCR.py, VCR (Ruby) and Betamax, in YAML or JSON.

VCR.py lists ``interactions`` whose request has a ``uri`` and a plain ``body``, and whose answer has a ``status`` with
``code`` and a ``body`` with ``string``. VCR and Betamax list ``http_interactions`` whose bodies are objects with
``string`` or ``base64_string``. Some serialisers keep JSON bodies as values, in ``parsed_body``; older ones keep the
answer of httpx in ``status_code`` and ``content``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from conformance.recordings.form import Node, json_bytes, text_bytes, unbase64
from conformance.recordings.recorded import Recorded

TITLE = "cassette of VCR or Betamax"

_LISTS = ("interactions", "http_interactions")


def recognises(document: Any) -> bool:
    """Return True for an object with a list of interactions."""
    return isinstance(document, dict) and any(name in document for name in _LISTS)


def read(document: Node) -> Iterator[Recorded]:
    """Yield the interactions in the order of the cassette."""
    for each in document.get(*_LISTS).items("interaction"):
        request, response = each.get("request"), each.get("response")
        status = response.get("status")
        code = status.get("code") if isinstance(status.value, dict) else response.get("status_code", "status")
        reason = status.get("message").text("") if isinstance(status.value, dict) else ""
        yield Recorded(
            place=each.where,
            method=request.get("method").text().upper(),
            url=request.get("uri", "url").url(),
            request_headers=request.get("headers").headers(),
            request_body=_body(request),
            status=code.status(),
            reason=reason,
            headers=response.get("headers").headers(),
            body=_body(response),
            started=each.get("recorded_at").seconds(),
        )


def _body(message: Node) -> bytes:
    """The body of a request or an answer; empty where there is none."""
    parsed = message.get("parsed_body")
    if parsed.value is not None:
        return json_bytes(parsed.value, parsed.where)
    body = message.get("body", "content")
    if isinstance(body.value, dict):
        packed = body.get("base64_string")
        if packed.value is not None:
            return unbase64(packed.text(), packed.where)
        if set(body.value) & {"string", "encoding"} or not body.value:
            return _plain(body.get("string"))
        return json_bytes(body.value, body.where)
    return _plain(body)


def _plain(body: Node) -> bytes:
    """The bytes of a body that is a text, bytes or nothing."""
    if isinstance(body.value, bytes):
        return body.value
    return text_bytes(body.text(""))
