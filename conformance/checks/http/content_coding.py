"""Checks of content codings: the label fits the bytes, and nobody gets a coding that it did not accept."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Sequence

from conformance.evidence.content_coding import GZIP, MOST, ZSTD, codings, unpacked
from conformance.evidence.event_stream import stream_of
from conformance.evidence.exchange import Exchange, Response
from conformance.evidence.trace import Observation
from conformance.judging.check import check
from conformance.requests.selectors import streams
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level


def _mislabelled(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: plain bytes say that they are gzip data."""
    response = exchange.response
    if response is None or not response.body or exchange.request.method == "HEAD" or response.body.startswith(GZIP):
        return None
    return exchange.answered(response.with_header("content-encoding", "gzip"))


@check(
    "http.content-coding", Level.MUST, clause="http-content-coding", counterexample=_mislabelled, provenance="standard"
)
def content_coding(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """Content-Encoding names the codings that were applied to the content (RFC 9110 section 8.4).

    A client that decodes what the field names fails on an answer that was not coded, or was coded in another way. Gzip
    data begin with the bytes 1F 8B (RFC 1952 section 2.3.1).
    """
    response, names = seen.response, codings(seen.response.headers)
    wrong = _wrong(response, names) if names and response.body and seen.exchange.fault is None else ""
    if wrong:
        yield seen.finding(
            f"Content-Encoding is {', '.join(names)}, and {wrong}",
            place="header:content-encoding",
            expected="the codings that were applied, or no such field",
            actual=f"the body begins with {response.body[:8].hex(' ')}",
        )


def _wrong(response: Response, names: tuple[str, ...]) -> str:
    """What is wrong with the label of a body; "" if nothing is, or nobody can tell."""
    last, body = names[-1], response.body
    if last in ("gzip", "x-gzip") and not body.startswith(GZIP):
        return "the bytes are not gzip data"
    if last == "zstd" and not body.startswith(ZSTD):
        return "the bytes are no Zstandard frame"
    if _readable(response):
        return "the bytes are readable without decoding"
    known = set(names) <= {"gzip", "x-gzip", "deflate"}
    found = unpacked(names, body)
    if known and response.complete and not found.whole and not found.too_long:
        return "the bytes can't be decoded so"
    return ""


def _readable(response: Response) -> bool:
    """Return True if the body is what its media type says, as it stands."""
    if response.media_type == "text/event-stream":
        return bool(stream_of(response).events)
    return response.with_body(response.body).is_json


def _coded(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: an answer is coded although the request accepts no coding."""
    response = exchange.response
    accepted = exchange.request.header("accept-encoding") or ""
    if response is None or response.media_type != "application/json" or "gzip" in accepted or not response.body:
        return None
    # What is too long to be unpacked again isn't judged.
    if response.size > MOST:
        return None
    packed = response.with_body(gzip.compress(response.body, mtime=0))
    return exchange.answered(packed.with_header("content-encoding", "gzip"))


@check(
    "http.content-coding.accepted",
    Level.SHOULD,
    clause="http-content-coding-accepted",
    counterexample=_coded,
    about=lambda spec, case: not streams(spec, case),
    provenance="standard",
)
def coding_accepted(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """An answer is coded only in a coding that Accept-Encoding lists (RFC 9110 section 12.5.3).

    Clients that asked for ``identity`` read the bytes as they are. Streams have a check of their own.
    """
    accepted = (seen.exchange.request.header("accept-encoding") or "*").lower()
    unasked = [name for name in codings(seen.response.headers) if name.removeprefix("x-") not in accepted]
    if unasked and "*" not in accepted and not _wrong(seen.response, tuple(unasked)):
        yield seen.finding(
            f"the answer is coded as {', '.join(unasked)}, which the request did not accept",
            place="header:content-encoding",
            expected=accepted,
            actual=", ".join(unasked),
        )
