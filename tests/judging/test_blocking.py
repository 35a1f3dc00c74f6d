"""Reasons why an exchange can't be judged: statuses at their boundaries, faults, excuses, accidents of the network."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from conformance.evidence.body import shortened
from conformance.evidence.exchange import Exchange, Fault, FaultKind, Response
from conformance.evidence.trace import Observation, Trace
from conformance.judging.blocking import Blocked, blocked, failed_step, hiccups
from conformance.judging.check import Check, Needs, check
from conformance.judging.excuses import Excuse, excuse
from conformance.requests.case import Case, Expect
from conformance.requests.request import Request
from conformance.verdict import Level, Outcome

JUDGED = None
UNTESTABLE, AWAY, NONE = Outcome.NOT_TESTABLE, Outcome.UNAVAILABLE, Outcome.NOT_APPLICABLE
FILTERED = {"error": {"code": "content_filter", "message": "m"}}
CLOSED = Fault(FaultKind.CLOSED, "reset", 0.0)


def rule(needs: Needs) -> Check:
    @check("a.check", Level.MUST, clause="c", counterexample=lambda exchange, _earlier: exchange, needs=needs)
    def judged(spec: Any, seen: Observation) -> Any:
        """A rule."""
        return ()

    return judged


def seen(
    status: int | None,
    value: Any = None,
    *,
    expect: Expect = Expect.ACCEPT,
    fault: Fault | None = None,
    media_type: str = "application/json",
    **case: Any,
) -> Observation:
    bare = Response(status, (("content-type", media_type),)) if status is not None else None
    response = bare.with_json(value) if bare is not None and value is not None else bare
    made = Case(**{"operation": "o", "method": "POST", "path": "/p", "expect": expect, **case})
    return Observation(made, Exchange(Request("POST", "http://t.example/p"), response, fault))


def outcome(needs: Needs, one: Observation) -> Outcome | None:
    found = blocked(rule(needs), one)
    return found and found.outcome


STATUSES = (199, 200, 204, 299, 300, 399, 400, 428, 429, 430, 499, 500, 599)


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("expect", list(Expect))
def test_what_a_check_needs_decides_by_the_status(status: int, expect: Expect) -> None:
    one = seen(status, expect=expect)
    failed = AWAY if status == 429 else UNTESTABLE if status >= 500 else None
    good, refused = 200 <= status < 300, 400 <= status < 500
    other = UNTESTABLE if expect is Expect.ACCEPT else NONE
    assert JUDGED is outcome(Needs.ANY, one)
    assert (failed or JUDGED) is outcome(Needs.ANSWER, one)
    assert (failed or (NONE if expect is Expect.REJECT else JUDGED if good else other)) is outcome(Needs.SUCCESS, one)
    assert (failed or (JUDGED if refused else NONE)) is outcome(Needs.REFUSAL, one)


@pytest.mark.parametrize("needs", [Needs.ANSWER, Needs.SUCCESS, Needs.REFUSAL])
def test_without_an_answer_only_checks_of_faults_speak(needs: Needs) -> None:
    broken, nothing = seen(None, fault=CLOSED), seen(None)
    assert (UNTESTABLE, "no answer: reset") == (outcome(needs, broken), reason(needs, broken))
    assert (UNTESTABLE, "no answer: nothing came") == (outcome(needs, nothing), reason(needs, nothing))
    assert JUDGED is outcome(Needs.ANY, broken)


def reason(needs: Needs, one: Observation) -> str:
    found = blocked(rule(needs), one)
    return found.reason if found else ""


@pytest.mark.parametrize("needs", list(Needs))
def test_of_an_answer_that_broke_off_streams_are_judged_and_other_bodies_not(needs: Needs) -> None:
    body, stream = (seen(200, fault=CLOSED, media_type=kind) for kind in ("application/json", "text/event-stream"))
    whole = needs is not Needs.ANY
    assert ("the answer is not whole: reset" if whole else "") == reason(needs, body)
    assert (NONE if needs is Needs.REFUSAL else JUDGED) is outcome(needs, stream)


@pytest.mark.parametrize("needs", list(Needs))
def test_behind_a_fault_of_the_network_nothing_is_judged(needs: Needs) -> None:
    one = seen(200, fault=Fault(FaultKind.DNS, "unknown", 0.0))
    assert (AWAY, "dns: unknown") == (outcome(needs, one), reason(needs, one))
    gone = evolve(one, exchange=evolve(one.exchange, fault=CLOSED, control_ok=False))
    assert (AWAY, "closed: reset; then the target was away") == (outcome(needs, gone), reason(needs, gone))


def test_a_refusal_of_the_model_is_told_as_an_excuse() -> None:
    one = seen(400, FILTERED)
    told = "refused with content_filter, which is not about conformance"
    assert Blocked(Outcome.INCONCLUSIVE, told, excused=True) == blocked(rule(Needs.ANSWER), one)
    assert Blocked(Outcome.INCONCLUSIVE, told, excused=False) == blocked(rule(Needs.SUCCESS), one)
    assert None is blocked(rule(Needs.REFUSAL), one)
    assert "needs a success, the target answered 404" == reason(Needs.SUCCESS, seen(404, {}))
    assert False is Blocked(Outcome.PASS).excused


# -- excuses ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("excused", "status"), [(False, 399), (True, 400), (True, 499), (False, 500), (False, None)])
def test_only_a_4xx_can_be_excused(excused: bool, status: int | None) -> None:
    assert excused is (excuse(seen(status, FILTERED)) is not None)


@pytest.mark.parametrize("expect", [Expect.REJECT, Expect.EITHER])
def test_only_a_request_that_should_be_accepted_needs_an_excuse(expect: Expect) -> None:
    assert None is excuse(seen(400, FILTERED, expect=expect))


FILTER = ("content_filter", "ContentFilter", "ResponsibleAIPolicyViolation")
QUOTA = ("insufficient_quota", "QuotaExceeded")
OTHER_MODEL = ("OperationNotSupported", "unsupported_parameter", "unsupported_value", "unsupported_model")


@pytest.mark.parametrize(
    ("outcome", "code"),
    [*((Outcome.INCONCLUSIVE, code) for code in (*FILTER, *QUOTA)), *((NONE, code) for code in OTHER_MODEL)],
)
@pytest.mark.parametrize("flat", [True, False])
def test_codes_of_the_service_are_excuses_whatever_their_case(outcome: Outcome, code: str, flat: bool) -> None:
    inner = {"code": code, "message": "m"}
    told = Excuse(outcome, f"refused with {code}, which is not about conformance")
    assert told == excuse(seen(400, inner if flat else {"error": inner}))


@pytest.mark.parametrize(
    "value",
    [
        {"error": {"code": "invalid_value", "message": "content_filter"}},
        {"error": {"code": None, "message": None}},
        {"error": {"code": ["content_filter"], "message": ["enabled only for api versions"]}},
        {"error": "content_filter"},
        ["content_filter"],
        {},
        None,
    ],
)
def test_no_other_refusal_is_an_excuse(value: Any) -> None:
    assert None is excuse(seen(400, value))


def test_a_model_that_another_api_version_has_is_an_excuse() -> None:
    message = "This model is Enabled only for API versions 2025-01-01-preview and later"
    told = Excuse(NONE, f"refused with {message!r}, which is not about conformance")
    assert told == excuse(seen(400, {"error": {"code": "BadRequest", "message": message}}))


# -- hiccups ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hiccup", "status", "fault", "case"),
    [
        (True, 502, None, {}),
        (True, 504, None, {}),
        (True, None, CLOSED, {}),
        (True, 200, CLOSED, {}),
        (False, 500, None, {}),
        (False, 501, None, {}),
        (False, 503, None, {}),
        (False, 505, None, {}),
        (False, None, Fault(FaultKind.READ_TIMEOUT, "silent", 0.0), {}),
        (False, 200, None, {}),
        (False, 502, None, {"method": "GET"}),
        (False, 504, None, {"path": "/deployments/d/chat"}),
    ],
)
def test_a_closed_connection_or_a_gateway_may_cut_one_change(
    hiccup: bool, status: int | None, fault: Fault | None, case: dict[str, Any]
) -> None:
    """RFC 9110 sections 15.6.3 and 15.6.5: 502 and 504 come from a gateway, and tell nothing about what lies behind."""
    found = hiccups(Trace("s", (seen(200), seen(status, fault=fault, **case))))
    assert ([1] if hiccup else []) == list(found)
    assert [AWAY] * hiccup == [one.outcome for one in found.values()]


def test_what_was_sent_again_is_no_hiccup() -> None:
    one = seen(502)
    again = evolve(one, exchange=evolve(one.exchange, attempts=(one.exchange,)))
    assert {} == hiccups(Trace("s", (again,)))


@pytest.mark.parametrize(
    ("hiccup", "broken", "sent"),
    [(True, 1, 1), (True, 2, 9), (False, 2, 8), (False, 2, 2), (True, 3, 13), (False, 3, 12)],
)
def test_where_a_quarter_of_an_operation_is_cut_it_is_no_hiccup(hiccup: bool, broken: int, sent: int) -> None:
    """Each operation is counted by itself."""
    story = [seen(502)] * broken + [seen(200)] * (sent - broken) + [seen(200, operation="other")] * 50
    assert (broken if hiccup else 0) == len(hiccups(Trace("s", tuple(story))))


def test_an_operation_that_is_always_cut_does_not_hide_behind_another() -> None:
    story = [seen(502), seen(502), seen(502, operation="other")]
    assert [2] == list(hiccups(Trace("s", tuple(story))))


# -- steps of a story -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expected", "one"),
    [
        (None, seen(200, role="create")),
        (Blocked(UNTESTABLE, "the step 'create' was answered with 404"), seen(404, {}, role="create", step="s")),
        (Blocked(UNTESTABLE, "the step 's' was answered with 500"), seen(500, {}, step="s")),
        (Blocked(AWAY, "the step 'o' was answered with 429 after all retries"), seen(429, FILTERED)),
        (Blocked(UNTESTABLE, "the step 'o' got no whole answer: nothing came"), seen(None)),
        (Blocked(UNTESTABLE, "the step 'o' got no whole answer: reset"), seen(200, fault=CLOSED)),
        (Blocked(UNTESTABLE, "the step 'o' got no whole answer: reset"), seen(None, fault=CLOSED)),
        (
            Blocked(AWAY, "the step 'o': connect: refused"),
            seen(None, fault=Fault(FaultKind.CONNECT, "refused", 0.0)),
        ),
        (
            Blocked(
                Outcome.INCONCLUSIVE,
                "the step 'o': refused with content_filter, which is not about conformance",
                excused=True,
            ),
            seen(400, FILTERED),
        ),
    ],
)
def test_why_a_step_did_not_succeed(expected: Blocked | None, one: Observation) -> None:
    assert expected == failed_step(one)


@pytest.mark.parametrize("needs", list(Needs))
def test_a_shortened_answer_is_judged_only_as_a_message(needs: Needs) -> None:
    """It may be whole and legal: what it holds is not known."""
    whole = seen(200, ["a" * 10_000])
    short = evolve(whole, exchange=evolve(whole.exchange, response=shortened(whole.response, "no room")))
    assert JUDGED is (blocked(rule(needs), whole) if needs is not Needs.REFUSAL else None)
    found = blocked(rule(needs), short)
    expected = Blocked(UNTESTABLE, "the answer is not kept whole: no room")
    assert (JUDGED if needs is Needs.ANY else expected) == found
    assert Blocked(UNTESTABLE, "the step 'o': the answer is not kept whole: no room") == failed_step(short)
