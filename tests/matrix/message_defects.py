"""Defects of the messages under the API: statuses, header fields, codings, framing."""

from __future__ import annotations

import gzip
from collections.abc import Callable

from answers import Change, is_stream, on_json, on_response, with_bytes, with_headers
from attrs import evolve
from defects import defect, put

from conformance.evidence.exchange import Chunk, Exchange, Fault, FaultKind, Response


def refused(change: Callable[[Response], Response | None]) -> Change:
    return on_response(lambda r: change(r) if 400 <= r.status < 500 else None)


put("http.refused-as-200", "refusals have the status 200", refused(lambda r: evolve(r, status=200)))
put("http.refused-as-500", "refusals have the status 500", refused(lambda r: evolve(r, status=500)))


def as_page(response: Response) -> Response:
    made = with_bytes(response, b"<html><body><h1>Bad Request</h1></body></html>")
    return evolve(made, headers=(("content-type", "text/html"),))


put("http.html", "refusals are pages", refused(as_page))
put("http.error-as-text", "the error is a text", on_json(
    lambda value: {"error": str((value.get("error") or {}).get("message"))}, good=False
))  # fmt: skip
put("http.error-no-message", "errors have no message", on_json(
    lambda value: (value.get("error") or {}).pop("message", None) and None, good=False
))  # fmt: skip


def refusal(response: Response) -> Response | None:
    if response.status >= 300:
        return None
    return evolve(with_bytes(response, b'{"error":{"code":"BadRequest","message":"no"}}'), status=400)


put("http.accepted-refused", "what is right is refused", on_response(refusal))
put("http.no-type", "answers have no Content-Type", with_headers(content_type=None))


def packed(response: Response) -> Response | None:
    if not response.body:
        return None
    made = with_bytes(response, gzip.compress(response.body, mtime=0))
    return evolve(made, headers=(*made.headers, ("content-encoding", "gzip")))


put("http.surplus", "bytes follow the announced content", on_response(lambda r: evolve(r, surplus=2)))
put("http.two-lengths", "a length stands beside the chunked coding", with_headers(
    content_length="2", transfer_encoding="chunked"
))  # fmt: skip
put("http.coded", "answers are packed though nobody asked", on_response(packed))
put("http.coded-label", "a coding is named that was not applied", with_headers(content_encoding="gzip"))


def in_latin(response: Response) -> Response | None:
    if response.body.isascii() or response.media_type != "application/json":
        return None
    return with_bytes(response, response.body.decode().encode("latin-1", "replace"))


put("http.latin", "JSON is sent in Latin-1", on_response(in_latin))


@defect("http.cut", "JSON is cut off and the connection closed")
def cut(exchange: Exchange) -> Exchange | None:
    response = exchange.response
    if response is None or is_stream(response) or len(response.body) < 20 or response.status >= 300:
        return None
    half = evolve(response, chunks=(Chunk(0.1, response.body[:15]),), complete=False)
    return evolve(exchange, response=half, fault=Fault(FaultKind.CLOSED, "closed", 0.1), control_ok=True)
