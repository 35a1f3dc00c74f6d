"""Checks of fields that contradict each other or the status: where a body ends, its charset, the methods of a path."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from attrs import evolve

from conformance.evidence.exchange import Exchange, Response
from conformance.evidence.trace import Observation
from conformance.judging.check import Needs, check
from conformance.judging.counterexamples import when_refused
from conformance.requests.case import Case
from conformance.requests.selectors import Selector
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level


def _values(response: Response, name: str) -> list[str]:
    """All values of a field, in order."""
    return [value.strip() for key, value in response.headers if key.lower() == name]


def _two_lengths(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: an answer has a length and is chunked too."""
    response = exchange.response
    if response is None or not exchange.ok or not response.body:
        return None
    framed = response.with_header("content-length", str(len(response.body)))
    return exchange.answered(framed.with_header("transfer-encoding", "chunked"))


@check(
    "http.framing.one-length",
    Level.MUST,
    clause="http-one-length",
    counterexample=_two_lengths,
    needs=Needs.ANSWER,
    provenance="standard",
)
def one_length(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """No message has both Content-Length and Transfer-Encoding (RFC 9112 section 6.2).

    Some clients refuse such a message, others believe one of the fields: requests are smuggled past proxies so.
    """
    lengths, codings = _values(seen.response, "content-length"), _values(seen.response, "transfer-encoding")
    if lengths and codings:
        yield seen.finding(
            "the answer has Content-Length and Transfer-Encoding",
            place="header:content-length",
            expected="one of them",
            actual=f"Content-Length: {', '.join(lengths)}; Transfer-Encoding: {', '.join(codings)}",
        )


def _more(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: seven bytes follow the message."""
    response = exchange.response
    if response is None or exchange.fault is not None or not response.complete:
        return None
    return exchange.answered(evolve(response, surplus=7))


@check(
    "http.framing.nothing-after",
    Level.MUST,
    clause="http-nothing-after",
    counterexample=_more,
    needs=Needs.ANSWER,
    provenance="standard",
)
def nothing_after(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """No bytes follow the end of an answer (RFC 9112 section 6.3); HEAD, 204 and 304 have no content at all.

    On a kept connection a client takes such bytes for the beginning of the next answer. They come from a Content-Length
    that is too small, for instance after a proxy changed the body, or from content where the method or the status
    allows none (RFC 9110 sections 9.3.2, 15.3.5 and 15.4.5).
    """
    response, many = seen.response, seen.response.surplus
    if not many:
        return
    lengths = _values(response, "content-length")
    if seen.exchange.request.method == "HEAD":
        cause, expected = "the answer to HEAD has content", "no content in an answer to HEAD"
    elif response.status in (204, 304):
        cause, expected = f"a {response.status} has content", f"no content in a {response.status}"
    elif _values(response, "transfer-encoding"):
        cause, expected = "bytes follow the last chunk", "nothing after the last chunk"
    else:
        told = ", ".join(lengths)
        cause, expected = f"bytes follow the content that Content-Length: {told} announces", f"{told} bytes"
    yield seen.finding(cause, place=f"byte:{response.size}", expected=expected, actual=f"at least {many} bytes more")


def _length_of_nothing(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: a 204 has content and announces it."""
    response = exchange.response
    if response is None or response.status != 204:
        return None
    return exchange.answered(response.with_body(b"{}").with_header("content-length", "2"))


@check(
    "http.no-content",
    Level.MUST,
    clause="http-no-content",
    counterexample=_length_of_nothing,
    needs=Needs.SUCCESS,
    provenance="standard",
    # On a connection the content of a 204 follows the end of the message.
    entails=("http.framing.nothing-after",),
)
def no_content(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """A 204 has no content and announces none (RFC 9110 sections 6.4.1 and 8.6, RFC 9112 section 6.1).

    A client takes the bytes that follow for the beginning of the next answer. ``Content-Length: 0`` is tolerated.
    """
    response = seen.response
    announced = [value for value in _values(response, "content-length") if value != "0"]
    announced += _values(response, "transfer-encoding")
    if response.status == 204 and (announced or response.body):
        yield seen.finding(
            "a 204 with content",
            place="header:content-length" if announced else "byte:0",
            expected="no content",
            actual=", ".join(announced) or f"{len(response.body)} bytes",
        )


def _without_allow(_exchange: Exchange, response: Response) -> Response | None:
    """Counterexample: 405 without Allow."""
    return response.with_header("allow", None) if response.header("allow") is not None else None


def _wrong_method(spec: Spec, case: Case) -> bool:
    """The request has a method that the path doesn't document."""
    return case.role == "probe.method.wrong"


@check(
    "http.allow",
    Level.SHOULD,
    clause="http-allow",
    counterexample=when_refused(_without_allow, 405),
    about=Selector(_wrong_method, derived=True),
    needs=Needs.REFUSAL,
    provenance="standard",
)
def allow(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """A 405 lists the methods of the path in Allow (RFC 9110 section 15.5.6)."""
    if seen.response.status == 405 and seen.response.header("allow") is None:
        yield seen.finding(
            "405 without Allow", place="header:allow", expected="the methods of the path", actual="absent"
        )


def _latin(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: JSON says that it is in Latin-1."""
    response = exchange.response
    if response is None or response.media_type != "application/json" or not response.body:
        return None
    return exchange.answered(response.with_header("content-type", "application/json; charset=iso-8859-1"))


@check(
    "http.json.charset",
    Level.SHOULD,
    clause="http-json-charset",
    counterexample=_latin,
    needs=Needs.ANSWER,
    provenance="standard",
)
def json_charset(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """JSON has no other charset than UTF-8 (RFC 8259 sections 8.1 and 11).

    The media type has no such parameter. Clients that believe it read every letter beyond ASCII wrongly.
    """
    given = seen.response.header("content-type") or ""
    if seen.response.media_type != "application/json":
        return
    for part in given.split(";")[1:]:
        name, _, value = part.partition("=")
        charset = value.strip().strip('"').lower()
        if name.strip().lower() == "charset" and charset not in ("utf-8", "utf8"):
            yield seen.finding(
                f"JSON is labelled with the charset {charset}",
                place="header:content-type",
                expected="utf-8",
                actual=given,
            )
