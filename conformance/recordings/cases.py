"""The case that a recorded request stands for, before it is known what to expect of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from typing import Any

from conformance.evidence.exchange import Exchange
from conformance.recordings.cleaning import Unusable
from conformance.recordings.recorded import Recorded
from conformance.recordings.routing import Route
from conformance.redaction import Secrets
from conformance.requests.case import OTHER_VERSION, RECORDED, Body, Case, Family, JsonBody, Multipart, Part, RawBody
from conformance.requests.headers import first_value

__all__ = ["draft_of"]


def draft_of(route: Route, recorded: Recorded, exchange: Exchange, secrets: Secrets) -> Case | Unusable:
    """The case of a request, or why it can't be judged: its body is missing or can't be read."""
    body = _body(route, recorded, exchange, secrets)
    if isinstance(body, Unusable):
        return body
    operation = route.operation
    return Case(
        operation=operation.id,
        method=operation.method,
        path=operation.path,
        path_params=dict(route.names),
        query=route.query,
        headers=tuple(_documented(route, exchange)),
        body=body,
        family=Family.SCENARIO,
        capability=operation.facts.capability,
        role="" if route.exact else OTHER_VERSION,
        scenario=RECORDED + operation.id,
        step=recorded.place,
    )


def _documented(route: Route, exchange: Exchange) -> Iterator[tuple[str, str]]:
    """Yield the header fields of a request that the document describes."""
    for parameter in route.operation.parameters:
        value = exchange.request.header(parameter.name) if parameter.location == "header" else None
        if value is not None:
            yield parameter.name, value


def _body(route: Route, recorded: Recorded, exchange: Exchange, secrets: Secrets) -> Body | Unusable:
    """The body of the request."""
    media = (first_value(recorded.request_headers, "content-type") or "").lower()
    if recorded.form:
        fields = ((name, value.encode("utf-8", "surrogatepass")) for name, value in recorded.form)
        return Multipart(tuple(Part(name, secrets.data(value)) for name, value in fields))
    data = exchange.request.body
    if not data:
        return Unusable("the body of the request is not recorded") if _missing(route, recorded) else None
    if media.startswith("multipart/"):
        return _form(data, first_value(recorded.request_headers, "content-type") or "")
    if media and "json" not in media:
        return RawBody(data, media)
    value = exchange.request.json
    # ``null`` is JSON too, and gives None as well as text that isn't JSON.
    if value is None and data.strip() != b"null":
        if "application/json" in route.operation.body:
            return Unusable("the recorded body of the request is not JSON; it may have been shortened")
        return RawBody(data, media)
    if not _finite(value):
        return Unusable("the recorded body of the request has a number that is too large, or none")
    return JsonBody(value)


def _finite(value: Any) -> bool:
    """True for a value that JSON can hold. Python reads ``NaN``, and takes ``1e999`` for infinite."""
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        return False
    return True


def _missing(route: Route, recorded: Recorded) -> bool:
    """True if a body was sent that the recording doesn't have."""
    return recorded.request_body is None or route.operation.body_required


def _form(data: bytes, content_type: str) -> Multipart | Unusable:
    """A multipart body (RFC 7578) by its parts."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode("utf-8", "replace")
    # A form has the structure of a mail message (RFC 7578 section 4).
    message = message_from_bytes(head + data)
    if not message.is_multipart():
        return Unusable("the recorded form can't be read; it may have been shortened")
    parts = [part for part in message.get_payload() if isinstance(part, Message)]
    return Multipart(tuple(_part(part) for part in parts))


def _part(part: Message) -> Part:
    content = part.get_payload(decode=True)
    return Part(
        name=str(part.get_param("name", "", "content-disposition")),
        data=content if isinstance(content, bytes) else b"",
        filename=part.get_filename() or "",
        content_type=part.get_content_type() if part.get("content-type") else "",
    )
