"""JSON lines of a form that is easily written: one exchange in each line, or an object whose ``entries`` lists them.

==================  ============================================================================================
``method``          the method
``url``             the URL; or ``path`` as sent, and ``query`` without the question mark
``request_headers``  header fields: an object, or a list of pairs; none if absent
``request_body``    a JSON value, or the text as sent; null if there was none
``request_base64``  the same in base64
``request_form``    in place of it: fields of a multipart request, without its files
``status``          the status code
``headers``         header fields of the answer
``body``            a JSON value, or the text as received, an event stream for instance; absent if the recording
                    leaves it out
``body_base64``     the same in base64
``chunks``          in place of it: pairs of seconds after the request and the text that arrived then
``started``         date and time of RFC 3339
==================  ============================================================================================
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from conformance.evidence.exchange import Chunk
from conformance.recordings.form import Node, json_bytes, text_bytes, unbase64
from conformance.recordings.recorded import Recorded

TITLE = "JSON lines of exchanges"


def recognises(document: Any) -> bool:
    """Return True for a list of exchanges, or an object that is one or has ``entries``."""
    if isinstance(document, dict):
        return "entries" in document or _is_entry(document)
    return isinstance(document, list) and bool(document) and _is_entry(document[0])


def _is_entry(value: Any) -> bool:
    return isinstance(value, dict) and "method" in value and ("url" in value or "path" in value)


def read(document: Node) -> Iterator[Recorded]:
    """Yield the exchanges in their order."""
    if isinstance(document.value, list):
        entries = Node(document.value, document.where).items("line")
    elif _is_entry(document.value):
        entries = Node([document.value], document.where).items("line")
    else:
        entries = document.get("entries").items("entry")
    for entry in entries:
        chunks = _chunks(entry.get("chunks"))
        yield Recorded(
            place=entry.where,
            method=entry.get("method").text(),
            url=_url(entry),
            request_headers=entry.get("request_headers").headers(),
            request_body=_body(entry.get("request_body"), entry.get("request_base64")),
            form=tuple(_fields(entry.get("request_form"))),
            status=entry.get("status").status(),
            headers=entry.get("headers").headers(),
            body=b"".join(chunk.data for chunk in chunks) or _answer(entry),
            arrivals=chunks,
            elapsed=chunks[-1].at if chunks else 0.0,
            started=entry.get("started").seconds(),
        )


def _url(entry: Node) -> str:
    """The URL; of an exchange with path and query alone that of an unnamed host."""
    if entry.get("url").value is not None:
        return entry.get("url").url()
    query = entry.get("query").text("")
    path = entry.get("path")
    return Node(f"https://recorded.invalid{path.text()}{'?' + query if query else ''}", path.where).url()


def _body(body: Node, packed: Node) -> bytes:
    """The bytes of a body."""
    if packed.value is not None:
        return unbase64(packed.text(), packed.where)
    if body.value is None:
        return b""
    return text_bytes(body.value) if isinstance(body.value, str) else json_bytes(body.value, body.where)


def _answer(entry: Node) -> bytes | None:
    """The body of the answer; None if nothing is said of it."""
    said = {"body", "body_base64", "chunks"} & set(entry.mapping())
    return _body(entry.get("body"), entry.get("body_base64")) if said else None


def _fields(form: Node) -> Iterator[tuple[str, str]]:
    """The fields of a form, one for each value."""
    for name, value in form.mapping().items():
        for one in value if isinstance(value, list) else [value]:
            text = one if isinstance(one, str) else json_bytes(one, form.where).decode("utf-8", "surrogatepass")
            yield str(name), text  # YAML has keys that are no texts


def _chunks(chunks: Node) -> tuple[Chunk, ...]:
    """The pieces of an answer with their times."""
    return tuple(Chunk(at, text_bytes(text.text())) for at, text in chunks.arrivals())
