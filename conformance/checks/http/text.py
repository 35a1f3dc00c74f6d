"""Checks of the text in JSON answers: nothing in it was decoded or cut wrongly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from conformance.evidence.text_damage import damage, shows_none, strings, told_once
from conformance.evidence.trace import Observation
from conformance.judging.check import Needs, check
from conformance.judging.counterexamples import on_json
from conformance.requests.case import Case, Expect
from conformance.requests.field_rules import body_of
from conformance.requests.request import Request
from conformance.scenarios.resource_kinds import properties
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec
from conformance.streams.chunks import choices_in
from conformance.verdict import Finding, Level


def undamaged_request(spec: Spec, case: Case) -> bool:
    """The request is valid, and its own text has no damage that an answer could repeat."""
    if case.expect is not Expect.ACCEPT:
        return False
    return all(damage(text) is None for _, text in strings(body_of(case)))


def _cut(value: Any) -> bool:
    """Return True if a limit cut a text of the answer, perhaps in the middle of a character."""
    if not isinstance(value, dict):
        return False
    ends = [choice.get("finish_reason") for _, choice in choices_in(value)]
    return "length" in ends or value.get("status") == "incomplete"


def _set_before(spec: Spec, case: Case, place: str) -> bool:
    """Return True if a text of an answer may stand there since an earlier request.

    So it is in an answer that is only read, and in that to the modification of an object for the fields that a
    modification can set and this one left alone.
    """
    if case.method == "GET":
        return True
    if case.method != "POST" or not case.path.endswith("}"):
        return False
    field = place.split("/")[1] if place else ""
    if isinstance(case.json, dict) and field in case.json:
        return False
    operation = operations_of(spec).get(case.operation)
    media = operation.body.get("application/json") if operation is not None else None
    return media is not None and field in properties(spec, media.schema)


def _halved(value: Any, _request: Request) -> Any:
    """Counterexample: a member that clients may ignore holds half of a surrogate pair."""
    texts = any(isinstance(one, str) or (one and isinstance(one, list | dict)) for one in value.values())
    return {**value, "x_note": "\ud83d"} if texts else None


@check(
    "http.text",
    Level.MUST,
    clause="http-text-undamaged",
    counterexample=on_json(_halved),
    about=undamaged_request,
    needs=Needs.SUCCESS,
    provenance="standard",
)
def text_undamaged(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """Texts of a JSON answer can be written as UTF-8, and were not decoded in another encoding on their way.

    RFC 8259 section 8.1: JSON is UTF-8; section 8.2: nobody knows what a client does with half of a surrogate pair. A
    text that turns into a shorter one when its bytes in Latin-1 are read as UTF-8 was encoded twice. C1 control
    characters and U+FFFD are warnings: a model that is cut in the middle of a character may write the latter. Text
    that is only read, or that a modification left alone, is a note: whoever stored it may have damaged it.
    """
    if shows_none(seen.response.content):
        return
    found = [
        (place, harm)
        for place, text in strings(seen.json)
        if "/logprobs" not in place and (harm := damage(text)) is not None and (harm.certain or not _cut(seen.json))
    ]
    for stored in (False, True):
        for place, harm, message in told_once(one for one in found if _set_before(spec, seen.case, one[0]) is stored):
            yield seen.finding(
                message,
                place=place,
                expected="text that is valid and encoded once, in UTF-8",
                actual=harm.shown,
                level=None if harm.certain else Level.SHOULD,
                note=stored,
            )
