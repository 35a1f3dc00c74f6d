"""Checks of what must be refused, and of the form of a refusal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from attrs import evolve

from conformance.evidence.exchange import Exchange, Response
from conformance.evidence.json_faults import why_not_json
from conformance.evidence.trace import Observation
from conformance.judging.check import Needs, check
from conformance.judging.counterexamples import admitted, earlier_success, odd_version, path_of, when_refused
from conformance.requests.case import OTHER_VERSION, Case, Expect
from conformance.requests.selectors import Selector
from conformance.schema.validators import validator_for
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level

#: Statuses that a gateway in front of the API gives, in a form of its own.
GATEWAY = frozenset({401, 403, 405, 413, 414, 415, 429})

#: Roles of probes that are refused before the API itself is reached, whatever the status.
_BEFORE_ROUTING = ("probe.route", "probe.method", "probe.api-version")


def _breaks_a_rule(spec: Spec, case: Case) -> bool:
    """The request breaks a documented rule."""
    return case.expect is Expect.REJECT and not case.role.startswith("probe.")


#: Fields of a body on which the form of a good answer depends.
_SHAPING = (
    "n",
    "stream",
    "input",
    "prompt",
    "dimensions",
    "encoding_format",
    "logprobs",
    "top_logprobs",
    "tool_choice",
    "stop",
    "response_format",
)


def _let_pass(exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: an invalid request is answered like an earlier good one that differs from it in one field."""
    response, body = exchange.response, exchange.request.json
    if response is None or response.status != 400 or not isinstance(body, dict) or not body or odd_version(exchange):
        return None
    for past in reversed(earlier):
        good = past.request.json
        if past.ok and past.response and isinstance(good, dict) and path_of(past.request) == path_of(exchange.request):
            differing = [name for name in {*good, *body} if good.get(name) != body.get(name)]
            # The good answer must fit the invalid request in everything but the broken field; otherwise other rules are
            # broken too.
            if len(differing) == 1 and not any(name in _SHAPING for name in differing):
                return exchange.answered(past.response)
    return None


@check(
    "errors.rejected",
    Level.MUST,
    clause="errors-violation-rejected",
    counterexample=_let_pass,
    about=_breaks_a_rule,
    contrast=True,
    witness=admitted,
    # An answer to another request may hold what nobody asked for here.
    entails=("errors.some-rejected", "chat.context.only-when-asked"),
)
def rejected(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """A request that breaks one documented constraint is refused with a 4xx status.

    It is MUST only if a source says that the service refuses the request; otherwise accepting it is a warning.
    """
    status = seen.response.status
    if not 400 <= status < 500:
        broken = seen.case.breaks
        what = f"{broken.keyword} at {broken.location} {broken.pointer or '/'}" if broken else seen.case.reason
        yield seen.finding(
            f"a request that breaks {what} was answered with {status}",
            place="status",
            expected="4xx",
            actual=status,
            level=seen.case.level,
        )


def _malformed(spec: Spec, case: Case) -> bool:
    """The body is malformed JSON that must be refused."""
    return case.role.startswith("probe.json.") and case.expect is Expect.REJECT


def _swallow(exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: malformed JSON is answered like a good request."""
    response = exchange.response
    if response is None or not 400 <= response.status < 500 or exchange.request.json is not None:
        return None
    if not exchange.request.body or exchange.request.header("content-type") != "application/json":
        return None
    good = earlier_success(exchange, earlier)
    return exchange.answered(good) if good is not None else None


@check(
    "errors.malformed-json",
    Level.MUST,
    clause="errors-malformed-json",
    counterexample=_swallow,
    about=Selector(_malformed, derived=True),
    provenance="standard",
    contrast=True,
    witness=admitted,
)
def malformed_json(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """A body that is labelled as JSON but isn't JSON is refused with a 4xx status (RFC 8259, RFC 9110 section 15.5).

    A target that guesses what was meant may act on something that the caller did not send.
    """
    status = seen.response.status
    if not 400 <= status < 500:
        yield seen.finding(f"malformed JSON was answered with {status}", place="status", expected="4xx", actual=status)


def _no_envelope(_exchange: Exchange, response: Response) -> Response | None:
    """Counterexample: the refusal has another form."""
    return response.with_json({"detail": "something was wrong"}) if response.body else None


@check(
    "errors.envelope",
    Level.MUST,
    clause="errors-envelope",
    counterexample=when_refused(_no_envelope, 400, 404, 422),
    needs=Needs.REFUSAL,
)
def envelope(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """A refusal has an error object: ``error.code`` is a string or null, ``error.message`` a string.

    A code or ``param`` that is a text like ``None`` is a warning: a gateway wrote down a value that it had lost. So is
    a code that is absent, which no document requires, or a number, which clients can't tell from the status.
    The form that the document gives for this operation's errors is accepted as well. Clients create their exceptions
    from it. Answers of a gateway (401, 403, 405, 413, 414, 415, 429; any answer to an unknown route, method or
    api-version) should have this form; their flat form is accepted.
    """
    response = seen.response
    # An answer to HEAD has no content (RFC 9110 section 9.3.2).
    if seen.case.method == "HEAD":
        return
    # Of a recorded 404 nobody knows whether the service has that api-version.
    unrouted = seen.case.role == OTHER_VERSION and response.status == 404
    gateway = response.status in GATEWAY or seen.case.role.startswith(_BEFORE_ROUTING) or unrouted
    level = Level.SHOULD if gateway else None
    value: Any = response.json
    # A gateway answers before the API, in the form of its own product.
    if gateway and _flat(value):
        return
    if _own_form(spec, seen):
        return
    error = value.get("error") if isinstance(value, dict) else None
    if not isinstance(error, dict):
        unread = "" if response.is_json or not response.body else f"; it is not JSON: {why_not_json(response.content)}"
        yield seen.finding(
            f"the body has no error object{unread}",
            place="/error",
            expected='{"error": {"code": …, "message": …}}',
            actual=response.body[:120].decode("utf-8", "replace") or "an empty body",
            level=level,
        )
        return
    if not isinstance(error.get("message"), str):
        yield seen.finding(
            "error.message is not a string", place="/error/message", actual=error.get("message"), level=level
        )
    code = error.get("code")
    if "code" not in error or not isinstance(code, str | None):
        number = isinstance(code, int | float) and not isinstance(code, bool)
        yield seen.finding(
            "error.code is neither a string nor null",
            place="/error/code",
            actual=error.get("code", "absent"),
            level=Level.SHOULD if number or "code" not in error else level,
        )
    for name in ("code", "param"):
        if error.get(name) in _LOST:
            yield seen.finding(
                f"error.{name} is a text that stands for nothing",
                place=f"/error/{name}",
                expected="null" if name == "param" else "a word, or null",
                actual=error[name],
                level=Level.SHOULD,
            )


#: What a program writes that turns a missing value into a text. Clients compare the code with words.
_LOST = ("None", "null", "undefined")


def _flat(value: Any) -> bool:
    """Return True for the flat form of a gateway's error."""
    return isinstance(value, dict) and "statusCode" in value and isinstance(value.get("message"), str)


def _own_form(spec: Spec, seen: Observation) -> bool:
    """Return True if the document gives a form for this error and the body has it."""
    operation = operations_of(spec).get(seen.case.operation)
    media = (operation.answer(seen.response.status) or {}).get("application/json") if operation else None
    if media is None or not isinstance(seen.json, dict) or not isinstance(seen.json.get("message"), str):
        return False
    form = validator_for(spec, media.schema)
    # A schema without demands fits any body. Only one that refuses a wrong message really describes the form.
    return any(form.errors({**seen.json, "message": 0})) and not any(form.errors(seen.json))


def _error_as_text(_exchange: Exchange, response: Response) -> Response | None:
    """Counterexample: the refusal is labelled as plain text."""
    return response.with_header("content-type", "text/plain") if response.body else None


@check(
    "errors.media-type",
    Level.SHOULD,
    clause="errors-media-type",
    counterexample=when_refused(_error_as_text),
    needs=Needs.REFUSAL,
)
def error_media_type(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """The body of a refusal is labelled ``application/json``, even if a stream was requested.

    JSON without any label is a note: the service's gateway was recorded to send its 404 so.
    """
    response = seen.response
    if response.body and response.media_type not in ("application/json", "application/problem+json"):
        yield seen.finding(
            "the refusal is not labelled as JSON",
            place="header:content-type",
            expected="application/json",
            actual=response.header("content-type") or "absent",
            note=response.is_json and response.header("content-type") is None,
        )


def _without_id(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: the request ids are missing."""
    response = exchange.response
    if response is None:
        return None
    kept = tuple((k, v) for k, v in response.headers if k.lower() not in _IDS)
    return exchange.answered(evolve(response, headers=kept))


#: The headers with a request id.
_IDS = ("apim-request-id", "x-request-id")


@check(
    "http.request-id",
    Level.OBS,
    clause="http-request-id",
    counterexample=_without_id,
    provenance="observed",
)
def request_id(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """Answers have the header ``apim-request-id`` or ``x-request-id``. Support asks for it."""
    if not any(seen.response.header(name) for name in _IDS):
        yield seen.finding("no request id header", place="header:apim-request-id")
