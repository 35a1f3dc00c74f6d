"""Checks of JSON bodies against the document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from conformance.checks.http.answers import READ_FROM_JSON
from conformance.evidence.exchange import Exchange
from conformance.evidence.json_faults import why_not_json
from conformance.evidence.trace import Observation
from conformance.judging.check import Needs, check
from conformance.judging.counterexamples import on_json
from conformance.judging.schema_findings import drift_findings, level_of_error
from conformance.requests.case import Case, Expect
from conformance.requests.request import Request
from conformance.requests.selectors import streams
from conformance.schema.validators import validator_for
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level

#: The number of schema errors that are reported for one answer; further ones rarely tell more.
MOST = 5


def _json_expected(spec: Spec, case: Case) -> bool:
    """The document gives JSON for the answer to this request."""
    operation = operations_of(spec).get(case.operation)
    if operation is None or case.method != operation.method or streams(spec, case) or case.expect is Expect.REJECT:
        return False
    return "application/json" in (operation.answer(operation.success[0] if operation.success else 200) or {})


def _no_json(exchange: Exchange, _earlier: object) -> Exchange | None:
    """Counterexample: a stray brace before the JSON text."""
    response = exchange.response
    if response is None or not exchange.ok or response.media_type != "application/json" or not response.body:
        return None
    return exchange.answered(response.with_body(b"{" + response.body))


@check(
    "http.json",
    Level.MUST,
    clause="http-json-parses",
    counterexample=_no_json,
    about=_json_expected,
    needs=Needs.SUCCESS,
    provenance="standard",
    entails=("schema.response", *READ_FROM_JSON),
)
def json_parses(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """A body labelled ``application/json`` is one JSON text in UTF-8 (RFC 8259). The message says why it is none."""
    yield from _not_json(seen)


def _not_json(seen: Observation) -> Iterator[Finding]:
    """Report a body that is labelled as JSON and is none."""
    response = seen.response
    if response.media_type == "application/json" and response.status != 204 and not response.is_json:
        yield seen.finding(
            f"the body is not JSON: {why_not_json(response.content)}",
            expected="a JSON text in UTF-8",
            actual=response.body[:80].decode("utf-8", "replace"),
        )


def _drop_required(value: Any, _request: Request) -> Any:
    """Counterexample: a basic field has the wrong type."""
    for key in ("object", "created", "id"):
        if key in value:
            value[key] = {"wrong": True}
            return value
    return None


def _wrong_types(value: Any, _request: Request) -> Any:
    """Witness: every field has the wrong type."""
    return {key: {"wrong": True} for key in value} or {"object": 0}


@check(
    "schema.response",
    Level.MUST,
    clause="http-body-schema",
    counterexample=on_json(_drop_required),
    witness=on_json(_wrong_types),
    about=_json_expected,
    needs=Needs.SUCCESS,
    provenance="spec",
    entails=("conversations.items.removed",),
)
def response_schema(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """A successful JSON body is valid against the corrected document.

    Unknown extra fields are allowed. An unknown member of an open union is drift: it is shown and never scored.
    An absent field, null and an empty value don't stand for each other: only what the document allows in a place
    is valid.
    """
    response = seen.response
    media = (operations_of(spec)[seen.case.operation].answer(response.status) or {}).get("application/json")
    if media is None or response.media_type != "application/json" or not response.is_json:
        yield from _not_json(seen)
        return
    wrong = 0
    for error in validator_for(spec, media.pointer).errors(response.json):
        drift = drift_findings(spec, seen, error, response.json)
        yield from drift
        wrong += not drift
        if not drift and wrong <= MOST:
            yield seen.finding(
                error.message,
                place=error.instance_pointer,
                expected=error.keyword,
                pointer=error.schema_pointer,
                level=level_of_error(seen, error),
            )
