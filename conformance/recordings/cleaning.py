"""From what a recording holds to evidence: content codings undone, secrets removed. Pure.

A recording is kept by its owner, a report is shown around: no key, token, cookie or signature of a recording gets into
one. What stands in a secret header, parameter or member of a request's body anywhere in the files is hidden wherever it
occurs in them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from urllib.parse import parse_qsl, urlsplit

from attrs import frozen

from conformance.evidence.body import chunks_without
from conformance.evidence.content_coding import GZIP, codings, undone
from conformance.evidence.exchange import Chunk, Exchange, Response
from conformance.recordings.body_secrets import body_secrets, is_secret_member
from conformance.recordings.placeholders import is_placeholder
from conformance.recordings.recorded import Recorded
from conformance.redaction import REDACTED, Secrets, parts_of
from conformance.requests.headers import Headers, first_value, is_secret, redact
from conformance.requests.request import Request

__all__ = ["Unusable", "exchange_of", "secrets_of", "url_without"]

#: The bytes of the largest body that is unpacked; some hundred bytes of gzip can stand for gigabytes.
_LARGEST = 64 * 1024 * 1024

#: Parameters of URLs that are secret. The signature of a SAS URL is hidden by ``redaction.py``.
_PARAMETERS = frozenset(
    ("api-key", "api_key", "apikey", "subscription-key", "access_token", "access-token", "token", "key", "code", "sig")
)

#: Headers that describe how the body was sent. No recording keeps a body in that form.
_CODING = ("content-encoding", "transfer-encoding")


@frozen
class Unusable:
    """Why an exchange of a recording can't be judged."""

    reason: str


def secrets_of(recorded: Iterable[Recorded], words: Collection[str] = ()) -> Secrets:
    """All secrets of some recordings. ``words`` are those of the API, which no secret may hide in a body."""
    found = Secrets(words)
    values = (value for one in recorded for value in _secret_values(one))
    found.add(*(value for value in dict.fromkeys(values) if not is_placeholder(value)))
    return found


def _secret_values(recorded: Recorded) -> Iterator[str]:
    """Yield the values of secret headers and parameters, and the secrets of the request's body."""
    for name, value in (*recorded.request_headers, *recorded.headers):
        if is_secret(name):
            yield from parts_of(value)
    for name, value in parse_qsl(urlsplit(recorded.url).query):
        if name.lower() in _PARAMETERS:
            yield value
    for name, value in recorded.form:
        if is_secret_member(name) or name.lower() in _PARAMETERS:
            yield value
    sent = recorded.request_body or b""
    yield from body_secrets(_decoded(sent, recorded.request_headers) or sent)


def url_without(url: str, secrets: Secrets) -> str:
    """A URL without secrets, which can still be taken apart."""
    scheme, mark, rest = secrets.text(url).partition("://")
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    # In the authority brackets stand for an IPv6 address (RFC 3986 section 3.2.2).
    made = f"{scheme}{mark}{authority.replace(REDACTED, 'redacted')}{rest[len(authority) :]}"
    try:
        urlsplit(made)
    except ValueError:
        return REDACTED
    return made


def exchange_of(recorded: Recorded, secrets: Secrets) -> Exchange | Unusable:
    """The exchange without secrets, or why it can't be judged: no answer, a body that is missing or can't be
    unpacked.
    """
    if not recorded.status:
        return Unusable("no answer is recorded")
    if recorded.body is None:
        return Unusable("the body of the answer is not recorded")
    if recorded.status == 499:
        return Unusable("the client hung up before the answer (499)")
    if recorded.status == 304:
        return Unusable("the answer is in the client's cache and not in the recording (304)")
    if _shortened(recorded):
        return Unusable("the recorded body is shorter than its Content-Length says")
    body = _decoded(recorded.body, recorded.headers)
    if body is None:
        return Unusable(f"the body can't be unpacked from {first_value(recorded.headers, 'content-encoding')!r}")
    sent = _decoded(recorded.request_body or b"", recorded.request_headers)
    request = Request(
        method=recorded.method.upper(),
        url=url_without(recorded.url, secrets),
        headers=_headers(recorded.request_headers, secrets),
        body=secrets.data(sent if sent is not None else recorded.request_body or b""),
    )
    # The arrival times are those of the packed bytes, so they don't fit an unpacked body.
    timed = bool(recorded.arrivals) and body == recorded.body
    arrived = recorded.arrivals if timed else (Chunk(recorded.elapsed, body),) if body else ()
    chunks = chunks_without(secrets, arrived)
    size = sum(len(chunk.data) for chunk in chunks)
    headers = _headers(recorded.headers, secrets)
    response = Response(
        status=recorded.status,
        reason=recorded.reason,
        headers=tuple((name, str(size) if name.lower() == "content-length" else text) for name, text in headers),
        chunks=chunks,
        elapsed=max(recorded.elapsed, chunks[-1].at if chunks else 0.0),
        timed=timed,
    )
    return Exchange(request, response, started=recorded.started)


def _shortened(recorded: Recorded) -> bool:
    """True if the recorder kept a part of the body only: no client would have taken half an answer for a whole one."""
    told = first_value(recorded.headers, "content-length") or ""
    coded = first_value(recorded.headers, "content-encoding") or first_value(recorded.headers, "transfer-encoding")
    known = told.isascii() and told.isdigit() and not coded and recorded.method.upper() != "HEAD"
    # More than fifteen digits are no length.
    return known and len(told) < 16 and len(recorded.body or b"") < int(told)


def _decoded(body: bytes, headers: Headers) -> bytes | None:
    """The body without its content coding; the body itself where a recorder undid it already; None if it can't be
    done.
    """
    names = codings(headers)
    # Some recorders drop the header, and keep the bytes as they were.
    if not body or not (names or body.startswith(GZIP)):
        return body
    made = undone(names, body, _LARGEST) if names else None
    if made is None and body.startswith(GZIP):
        made = undone(("gzip",), body, _LARGEST)  # the header alone may be wrong
    # A text is a body that the recorder decoded, and whose header it left.
    return body if made is None and _is_text(body) else made


def _is_text(body: bytes) -> bool:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return b"\0" not in body


def _headers(headers: Headers, secrets: Secrets) -> Headers:
    """The header fields without secrets, and without codings: they were undone here or by the recorder."""
    kept = ((name, value) for name, value in headers if name.lower() not in _CODING)
    return redact((name, secrets.header(name, value)) for name, value in kept)
