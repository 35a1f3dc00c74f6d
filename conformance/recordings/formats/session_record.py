"""Session records of the test proxy of the Azure SDKs: a JSON object with ``Entries``.

JSON bodies are kept as values, texts as a text or a list of lines, everything else in base64.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from conformance.errors import UsageError
from conformance.recordings.form import Node, json_bytes, text_bytes, unbase64
from conformance.recordings.recorded import Recorded
from conformance.requests.headers import Headers, first_value

TITLE = "session record of the Azure SDKs' test proxy"

#: Words in a media type whose content is kept as text.
_TEXT = ("text/", "json", "xml", "x-www-form-urlencoded")


def recognises(document: Any) -> bool:
    """Return True for an object with ``Entries``."""
    return isinstance(document, dict) and "Entries" in document


def read(document: Node) -> Iterator[Recorded]:
    """Yield the entries in the order of the record."""
    for entry in document.get("Entries").items("entry"):
        sent, received = entry.get("RequestHeaders").headers(), entry.get("ResponseHeaders").headers()
        yield Recorded(
            place=entry.where,
            method=entry.get("RequestMethod").text(),
            url=entry.get("RequestUri").url(),
            request_headers=sent,
            request_body=_body(entry.get("RequestBody"), sent),
            status=entry.get("StatusCode").status(),
            headers=received,
            body=_body(entry.get("ResponseBody"), received),
        )


def _body(body: Node, headers: Headers) -> bytes:
    """The bytes of a body."""
    value = body.value
    media = (first_value(headers, "content-type") or "").lower()
    if value is None:
        return b""
    if isinstance(value, list) and "json" not in media and all(isinstance(line, str) for line in value):
        return text_bytes("".join(value))
    if not isinstance(value, str):
        return json_bytes(value, body.where)
    if not any(word in media for word in _TEXT) and media:
        try:
            return unbase64(value, body.where)
        except UsageError:
            return text_bytes(value)  # older recorders keep every body as text
    return text_bytes(value)
