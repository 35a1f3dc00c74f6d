"""Checks of every answer: status, media type, a complete message, no server error."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from attrs import evolve

from conformance.evidence.exchange import BROKEN_OFF, Exchange, Fault, FaultKind
from conformance.evidence.trace import Observation
from conformance.judging.check import Needs, check
from conformance.requests.case import Case, Expect
from conformance.requests.selectors import streams
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level, Outcome

#: Checks that fail as well if a JSON body can't be read, because they count or compare what is in it.
READ_FROM_JSON = (
    "chat.choices.count",
    "completions.choices.count",
    "embeddings.count",
    "images.count",
    "lists.walk.complete",
    "lifecycle.get.same",
    "lifecycle.list.holds",
    "responses.ended",
)

#: 2xx statuses that another published document gives for the same kind of operation.
EQUIVALENT = {"POST": (200, 201), "DELETE": (200, 204)}


def _expects_success(spec: Spec, case: Case) -> bool:
    """The request must be accepted."""
    return case.expect is Expect.ACCEPT


def _documented(spec: Spec, case: Case) -> bool:
    """The request is one that the version documents."""
    return case.operation in operations_of(spec) and case.method == operations_of(spec)[case.operation].method


def _refuse(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: a valid request is refused."""
    response = exchange.response
    if response is None or not exchange.ok or exchange.request.method == "DELETE":
        return None
    # A stream becomes one short body, so that no rule on streams is broken too.
    refused = evolve(response, status=400, chunks=response.chunks[:1]).with_header("content-type", "application/json")
    return exchange.answered(refused.with_json({"error": {"code": "BadRequest", "message": "This was not expected"}}))


@check(
    "http.accepted",
    Level.MUST,
    clause="http-valid-request-accepted",
    counterexample=_refuse,
    about=_expects_success,
    entails=("stream.cancel.next-answers",),
)
def accepted(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """A valid request succeeds with a 2xx status.

    The request keeps every documented rule and uses nothing that depends on the model or the account. A target that
    refuses it breaks clients that work with the service.
    """
    status = seen.response.status
    if not 200 <= status < 300:
        message = _message(seen)
        yield seen.finding(
            f"a valid request was answered with {status}{': ' + message if message else ''}",
            place="status",
            expected="2xx",
            actual=status,
        )


def _message(seen: Observation) -> str:
    """The error message of an answer, shortened."""
    value = seen.json
    error = value.get("error") if isinstance(value, dict) else None
    return str(error.get("message", ""))[:200] if isinstance(error, dict) else ""


def _odd_success(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: a success has the status 203."""
    response = exchange.response
    return exchange.answered(evolve(response, status=203)) if response is not None and exchange.ok else None


@check(
    "http.status.documented",
    Level.SHOULD,
    clause="http-status-documented",
    counterexample=_odd_success,
    about=_documented,
    needs=Needs.SUCCESS,
)
def status_documented(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """A success has the documented status, or the one that another published document gives for such an operation.

    Clients test for 200. Another 2xx works for most of them, so it is a warning.
    """
    operation = operations_of(spec)[seen.case.operation]
    # Documents of the same operation disagree about 200 and 201, 200 and 204.
    allowed = {*operation.success, *EQUIVALENT.get(operation.method, (200,))}
    if seen.response.status not in allowed:
        yield seen.finding(
            f"success with an undocumented status {seen.response.status}",
            place="status",
            expected=" or ".join(map(str, sorted(allowed))),
            actual=seen.response.status,
        )


def _other_media(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: JSON is labelled as HTML."""
    response = exchange.response
    if response is None or not exchange.ok or response.media_type != "application/json":
        return None
    return exchange.answered(response.with_header("content-type", "text/html"))


def _unknown_media(exchange: Exchange, _others: Sequence[Exchange]) -> Exchange | None:
    """Witness: the media type is unknown."""
    response = exchange.response
    if response is None or not exchange.ok or not response.body:
        return None
    return exchange.answered(response.with_header("content-type", "x-conformance/none"))


def _documented_and_plain(spec: Spec, case: Case) -> bool:
    """The request is documented and asks for no stream."""
    return _documented(spec, case) and not streams(spec, case)


@check(
    "http.media-type",
    Level.MUST,
    clause="http-media-type-documented",
    counterexample=_other_media,
    witness=_unknown_media,
    about=_documented_and_plain,
    needs=Needs.SUCCESS,
    provenance="spec",
)
def media_type(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """The media type of the answer is one that the document gives for the operation.

    Clients choose the parser by it. Parameters such as charset don't matter. A documented ``audio/*`` allows every
    subtype.
    """
    response = seen.response
    documented = operations_of(spec)[seen.case.operation].answer(response.status) or {}
    names = {name.split(";", 1)[0].strip().lower() for name in documented if name != "text/event-stream"}
    # Without content there is no media type to judge (RFC 9110 section 8.3).
    if response.status == 204 or not names or not response.body:
        return
    if not any(fnmatchcase(response.media_type, name) for name in names):
        yield seen.finding(
            "the media type is not a documented one",
            place="header:content-type",
            expected=" or ".join(sorted(names)),
            actual=response.header("content-type") or "absent",
        )


def _server_error(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: an answer has the status 500."""
    response = exchange.response
    if response is None or exchange.request.method == "DELETE":
        return None
    made = evolve(response, status=500, chunks=response.chunks[:1]).with_header("content-type", "application/json")
    return exchange.answered(made.with_json({"error": {"code": "InternalServerError", "message": "went wrong"}}))


@check(
    "http.no-server-error",
    Level.MUST,
    clause="http-no-server-error",
    counterexample=_server_error,
    needs=Needs.ANY,
    provenance="standard",
)
def no_server_error(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """No request is answered with a 5xx status, whatever it contains (RFC 9110 section 15.6).

    A bad request is the client's fault and gets a 4xx. A 5xx counts if it was repeated and a control request to the
    same target succeeded; otherwise the target is considered unavailable.
    """
    status = seen.exchange.status
    if status is not None and status >= 500:
        # The target as a whole is down, so this request is not to blame.
        down = seen.exchange.control_ok is False
        yield seen.finding(
            f"the target answered {status}" + (" and a control request failed too" if down else ""),
            place="status",
            expected="below 500",
            actual=status,
            outcome=Outcome.UNAVAILABLE if down else None,
        )


def _cut(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: the connection is closed in the middle of the body."""
    response = exchange.response
    if response is None or not exchange.ok or len(response.body) < 2 or response.media_type == "text/event-stream":
        return None
    half = response.with_body(response.body[: len(response.body) // 2])
    headers = tuple((k, v) for k, v in response.headers)
    cut = evolve(half, complete=False, headers=headers)
    return evolve(
        exchange, response=cut, fault=Fault(FaultKind.CLOSED, "closed in the middle of the body", cut.elapsed)
    )


def _cut_anywhere(exchange: Exchange, _others: Sequence[Exchange]) -> Exchange | None:
    """Witness: the connection is closed before the end of the message."""
    response = exchange.response
    if response is None:
        return None
    cut = evolve(response, complete=False)
    return evolve(exchange, response=cut, fault=Fault(FaultKind.CLOSED, "closed before the end", cut.elapsed))


def _not_cancelled(spec: Spec, case: Case) -> bool:
    """The request asks for no stream and is read to its end."""
    return case.cancel_after is None and not streams(spec, case)


@check(
    "http.message.whole",
    Level.MUST,
    clause="http-message-whole",
    counterexample=_cut,
    witness=_cut_anywhere,
    about=_not_cancelled,
    needs=Needs.ANY,
    provenance="standard",
    entails=("schema.response", "http.json", "stream.cancel.next-answers", *READ_FROM_JSON),
)
def message_whole(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """The answer is a complete HTTP message that ends within the limits (RFC 9112 sections 2 and 6.3).

    If a body is cut off, never ends or isn't HTTP, no client can know whether it has everything. An answer that is
    larger than our own limits may be a whole message: it is not judged.
    """
    fault = seen.exchange.fault
    if fault is not None:
        yield seen.finding(
            f"{_HOW.get(fault.kind, 'the exchange ended early')}: {fault.message}{_announced(seen.exchange)}",
            place=f"byte:{seen.exchange.response.size}" if seen.exchange.response else "",
            outcome=Outcome.NOT_TESTABLE if fault.kind is FaultKind.TOO_LARGE else None,
            expected="a whole HTTP message",
            actual=f"{fault.kind} after {fault.at:.2f} s",
        )


#: A length that is believed: ASCII digits (RFC 9110 section 8.6), and no more than 64 bits have.
_LENGTH = re.compile(r"[0-9]{1,20}")


def _announced(exchange: Exchange) -> str:
    """What Content-Length announced, if less came before the answer broke off; else ""."""
    response, fault = exchange.response, exchange.fault
    if response is None or fault is None or fault.kind not in BROKEN_OFF:
        return ""
    length = response.header("content-length") or ""
    if not _LENGTH.fullmatch(length):
        return ""
    return f"; Content-Length announces {length} bytes, {response.size} came" if int(length) > response.size else ""


#: What each kind of fault means for the message.
_HOW = {
    FaultKind.CLOSED: "the connection was closed before the message ended",
    FaultKind.READ_TIMEOUT: "nothing came within the idle limit",
    FaultKind.TOTAL_TIMEOUT: "the message did not end within the limit",
    FaultKind.TOO_LARGE: "the message is larger than the limit",
    FaultKind.PROTOCOL: "the answer is not HTTP",
}
