"""From what a recording holds to evidence: content codings undone, secrets removed. Pure.

A recording is kept by its owner, a report is shown around: no key, token, cookie or signature of a recording gets into
one. Values of secret headers are hidden wherever they occur in their exchange.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator

from attrs import frozen

from conformance.evidence.exchange import Chunk, Exchange, Response
from conformance.recordings.recorded import Recorded
from conformance.requests.headers import REDACTED, Headers, first_value, is_secret, redact
from conformance.requests.request import Request

__all__ = ["Unusable", "exchange_of"]

#: Shorter secrets are hidden in their own header only: such a text may be anywhere by accident.
_SHORTEST = 8

#: The bytes of the largest body that is unpacked; some hundred bytes of gzip can stand for gigabytes.
_LARGEST = 64 * 1024 * 1024

#: Parameters of URLs that are secret: keys, tokens, and the signature of a shared access URL of Azure Storage.
_PARAMETERS = r"sig|api[-_]?key|subscription[-_]key|access[-_]token|token|key|code|password|secret"
#: In a body the signature alone is hidden: the other names are usual words there. ``\\u0026`` is ``&`` in JSON.
_IN_URL = re.compile(rf"(?i)([?&](?:{_PARAMETERS})=)[^&#]*")
_IN_BODY = re.compile(rb"(?i)((?:[?&]|\\u0026|&amp;)sig=)[^&\s\"'<>\\]+")
_USER_INFO = re.compile(r"(?<=://)[^/@?#]*@")

#: Headers that describe how the body was sent. No recording keeps a body in that form.
_CODING = ("content-encoding", "transfer-encoding")


@frozen
class Unusable:
    """Why an exchange of a recording can't be judged."""

    reason: str


def exchange_of(recorded: Recorded) -> Exchange | Unusable:
    """The exchange without secrets, or why it can't be judged: no answer, a body that is missing or can't be
    unpacked.
    """
    if not recorded.status:
        return Unusable("no answer is recorded")
    if recorded.body is None:
        return Unusable("the body of the answer is not recorded")
    body = _decoded(recorded.body, recorded.headers)
    if body is None:
        return Unusable(f"the body can't be unpacked from {first_value(recorded.headers, 'content-encoding')!r}")
    hide = _hider(recorded)
    sent = _decoded(recorded.request_body or b"", recorded.request_headers)
    request = Request(
        method=recorded.method.upper(),
        url=_clean_url(recorded.url, hide),
        headers=_headers(recorded.request_headers, hide),
        body=hide(sent if sent is not None else recorded.request_body or b""),
    )
    chunks, timed = _chunks(recorded, body, hide)
    headers = _headers(recorded.headers, hide)
    size = sum(len(chunk.data) for chunk in chunks)
    response = Response(
        status=recorded.status,
        reason=recorded.reason,
        headers=tuple((name, str(size) if name.lower() == "content-length" else text) for name, text in headers),
        chunks=chunks,
        elapsed=max(recorded.elapsed, chunks[-1].at if chunks else 0.0),
        timed=timed,
    )
    return Exchange(request, response, started=recorded.started)


def _chunks(recorded: Recorded, body: bytes, hide: Callable[[bytes], bytes]) -> tuple[tuple[Chunk, ...], bool]:
    """The body in pieces, and whether they have the times at which they arrived."""
    clean = hide(body)
    if recorded.arrivals and clean == recorded.body:
        return recorded.arrivals, True
    return ((Chunk(recorded.elapsed, clean),) if clean else ()), False


def _decoded(body: bytes, headers: Headers) -> bytes | None:
    """The body without its content coding; the body itself where a recorder undid it already; None if it can't be
    done.
    """
    coding = (first_value(headers, "content-encoding") or "").strip().lower()
    if coding in ("", "identity") or not body:
        return body
    try:
        if body[:2] == b"\x1f\x8b":
            return _inflated(body, 16 + zlib.MAX_WBITS)
        if coding == "deflate":
            return _inflated(body, zlib.MAX_WBITS)
    except zlib.error:
        pass
    # A text is a body that the recorder decoded, and whose header it left.
    return body if _is_text(body) else None


def _inflated(body: bytes, bits: int) -> bytes | None:
    """The unpacked bytes; None for more than the limit."""
    unpacking = zlib.decompressobj(bits)
    made = unpacking.decompress(body, _LARGEST)
    return None if unpacking.unconsumed_tail else made


def _is_text(body: bytes) -> bool:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return b"\0" not in body


def _headers(headers: Headers, hide: Callable[[bytes], bytes]) -> Headers:
    """The header fields without secrets, and without codings: they were undone here or by the recorder."""
    kept = tuple((name, value) for name, value in headers if name.lower() not in _CODING)
    return tuple((name, value if value == REDACTED else _clean_text(value, hide)) for name, value in redact(kept))


def _clean_url(url: str, hide: Callable[[bytes], bytes]) -> str:
    """A URL without user, key and signature."""
    return _clean_text(_USER_INFO.sub("", url), hide)


def _clean_text(text: str, hide: Callable[[bytes], bytes]) -> str:
    return _IN_URL.sub(
        rf"\g<1>{REDACTED}", hide(text.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")
    )


def _hider(recorded: Recorded) -> Callable[[bytes], bytes]:
    """A function that hides the secrets of an exchange in bytes."""
    secrets = sorted(set(_secrets(recorded)), key=len, reverse=True)

    def hide(data: bytes) -> bytes:
        for secret in secrets:
            data = data.replace(secret.encode("utf-8", "surrogatepass"), REDACTED.encode())
        return _IN_BODY.sub(rb"\g<1>" + REDACTED.encode(), data)

    return hide


def _secrets(recorded: Recorded) -> Iterator[str]:
    """Yield the values of secret headers, of a bearer token and of cookies without what stands around them."""
    for name, value in (*recorded.request_headers, *recorded.headers):
        if is_secret(name):
            for part in (value, *re.split(r"[\s;=,]+", value)):
                if len(part) >= _SHORTEST and part.lower() not in ("redacted", "sanitized", REDACTED):
                    yield part
