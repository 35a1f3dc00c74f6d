"""HAR 1.2: what browsers, proxies and load testers export (``log.entries``).

The form is that of the HTTP Archive specification, version 1.2. Two fields of our own keep what it has no place for:
``_arrivals`` of an answer's content, pairs of seconds and bytes, and ``_encoding`` of posted data.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from conformance.evidence.exchange import Chunk
from conformance.recordings.form import Node, text_bytes, unbase64
from conformance.recordings.recorded import Recorded
from conformance.requests.headers import Headers

TITLE = "HAR 1.2"


def recognises(document: Any) -> bool:
    """Return True for an object with a ``log`` that has ``entries``."""
    return isinstance(document, dict) and isinstance(document.get("log"), dict) and "entries" in document["log"]


def read(document: Node) -> Iterator[Recorded]:
    """Yield the entries in the order of the file."""
    entries = Node(document.get("log").get("entries").value, f"{document.where}: entries")
    for entry in entries.items("entry"):
        request, response = entry.get("request"), entry.get("response")
        body = _content(response)
        yield Recorded(
            place=entry.where,
            method=request.get("method").text(),
            url=request.get("url").url(),
            request_headers=request.get("headers").headers(),
            request_body=_posted(request),
            form=_params(request.get("postData")),
            status=0 if _broken_off(entry) else response.get("status").status(),
            reason=response.get("statusText").text(""),
            headers=response.get("headers").headers(),
            body=body,
            arrivals=_arrivals(response.get("content"), body),
            elapsed=max(0.0, entry.get("time").number() / 1000),
            started=entry.get("startedDateTime").seconds(),
        )


def _broken_off(entry: Node) -> bool:
    """True if the recorder noted an error: what came of the answer may be a part of it."""
    return any(node.get("_error").value for node in (entry, entry.get("response")))


def _posted(request: Node) -> bytes | None:
    """The request's body; None if there was one that the file leaves out."""
    posted = request.get("postData")
    text, size = posted.get("text"), request.get("bodySize").number(-1)
    if text.value is not None:
        if posted.get("encoding", "_encoding").text("") == "base64":
            return unbase64(text.text(), text.where)
        return text_bytes(text.text())
    return None if size > 0 or posted.get("params").value else b""


def _params(posted: Node) -> tuple[tuple[str, str], ...]:
    """The fields of a form that is given as a list of parameters. Files are left out."""
    if posted.get("params").value is None or posted.get("text").value:
        return ()
    fields = [one for one in posted.get("params").items("parameter") if one.get("fileName").value is None]
    return tuple((one.get("name").text(), one.get("value").text("")) for one in fields)


def _content(response: Node) -> bytes | None:
    """The answer's body; None if there was one that the file leaves out, or of which it has a part."""
    content = response.get("content")
    text, size = content.get("text"), content.get("size").number(-1)
    if text.value is None:
        # Some recorders leave bodies out and give no size, or 0; what went over the wire is then larger.
        sent = response.get("bodySize").number(-1)
        told = any(name.lower() == "content-length" and value.strip() != "0" for name, value in _fields(response))
        return b"" if size == 0 and sent <= 0 and not told and not content.get("comment").value else None
    if content.get("encoding").text("") == "base64":
        return unbase64(text.text(), text.where)
    body = text_bytes(text.text())
    return None if size > len(body) else body


def _fields(response: Node) -> Headers:
    """The header fields of an answer."""
    return response.get("headers").headers()


def _arrivals(content: Node, body: bytes | None) -> tuple[Chunk, ...]:
    """The pieces of the body with their times, if the file says how long each is and the lengths add up."""
    given = content.get("_arrivals")
    if given.value is None or body is None:
        return ()
    made, start = [], 0
    for at, size in given.arrivals():
        length = size.length()
        made.append(Chunk(at, body[start : start + length]))
        start += length
    return tuple(made) if start == len(body) else ()
