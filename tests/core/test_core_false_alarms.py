"""Documented or reported behaviour of the service that no check may report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from attrs import evolve

from conformance.checks.catalogue import find_check
from conformance.evidence.exchange import Chunk, Exchange, Response
from conformance.evidence.trace import Observation, Trace
from conformance.judging.blocking import Blocked
from conformance.judging.judge import judge, judge_exchange, outcome_of
from conformance.requests.case import Auth, Case, Expect, JsonBody
from conformance.requests.request import Request
from conformance.run.claims import Claims
from conformance.settings.configuration import Config, Target
from conformance.spec.loading import load
from conformance.target.preflight import Preflight
from conformance.verdict import Outcome

SPEC = load("2024-05-01-preview")
ERROR = {"error": {"code": "404", "message": "Resource not found"}}
FLAT = {"statusCode": 404, "message": "Resource not found"}


def outcome(check: str, case: Case, status: int, value: Any) -> Outcome:
    """What the check says of a JSON answer to the case."""
    bare = Response(status, (("content-type", "application/json"),), (Chunk(0.0, b""),))
    exchange = Exchange(Request(case.method, "http://t.example/openai" + case.path), bare.with_json(value))
    said = judge_exchange(SPEC, find_check(check), Observation(case, exchange))
    return said.outcome if isinstance(said, Blocked) else outcome_of(find_check(check), said)


def asking(operation: str, body: Mapping[str, Any], role: str = "") -> Case:
    return Case(operation, "POST", "/x", body=JsonBody(dict(body)), role=role)


FORCED = {"type": "function", "function": {"name": "f"}}
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
CHAT = [
    ("chat.finish-reason.length", {"max_tokens": 16}, "chat.length", {"role": "assistant", "content": "a"}),
    ("chat.tool.forced", {"tool_choice": FORCED}, "", {"role": "assistant"}),
    ("chat.tool.arguments", {"tool_choice": FORCED}, "", {"tool_calls": [{**CALL, "function": {"name": "f"}}]}),
    ("chat.logprobs", {"logprobs": True}, "", {"role": "assistant", "content": "a"}),
    ("chat.role", {}, "", {}),
]


@pytest.mark.parametrize(("check", "body", "role", "message"), CHAT)
def test_a_choice_that_the_filter_cut_promises_nothing(
    check: str, body: dict[str, Any], role: str, message: dict[str, Any]
) -> None:
    case = asking("chat.completions.create", body, role)
    choice = {"index": 0, "finish_reason": "content_filter", "message": message, "logprobs": None}
    assert Outcome.PASS is outcome(check, case, 200, {"choices": [choice]})
    stopped = {"choices": [{**choice, "finish_reason": "stop"}], "usage": {"completion_tokens": 16}}
    assert outcome(check, case, 200, stopped) in (Outcome.FAIL, Outcome.WARN)


@pytest.mark.parametrize(("concerned", "tools"), [(True, {}), (True, {"tools": []}), (False, {"tools": [FORCED]})])
@pytest.mark.parametrize(
    ("check", "choice"), [("chat.function.forced", {"name": "f"}), ("chat.tool.none", "none")], ids=["forced", "none"]
)
def test_the_old_form_of_a_choice_says_nothing_beside_the_new_one(
    concerned: bool, tools: dict[str, Any], check: str, choice: Any
) -> None:
    """``tools`` took the place of ``functions``: no document says which of the two is followed in such a request."""
    case = asking("chat.completions.create", {"functions": [{"name": "f"}], "function_call": choice, **tools})
    assert concerned is find_check(check).about(SPEC, case)


@pytest.mark.parametrize(("expected", "reason"), [(Outcome.PASS, "content_filter"), (Outcome.FAIL, "stop")])
@pytest.mark.parametrize(
    ("check", "body", "role"),
    [
        ("completions.finish-reason.length", {"max_tokens": 16}, "completions.length"),
        ("completions.echo", {"prompt": "Count", "echo": True}, ""),
        ("completions.logprobs", {"logprobs": 1}, ""),
    ],
)
def test_a_text_that_the_filter_cut_promises_nothing(
    expected: Outcome, reason: str, check: str, body: dict[str, Any], role: str
) -> None:
    choice = {"index": 0, "finish_reason": reason, "text": "a", "logprobs": None}
    answer = {"choices": [choice], "usage": {"completion_tokens": 16}}
    assert expected is outcome(check, asking("completions.create", body, role), 200, answer)


@pytest.mark.parametrize(("expected", "vectors"), [(Outcome.PASS, 0), (Outcome.FAIL, 1)])
def test_no_input_has_no_vector(expected: Outcome, vectors: int) -> None:
    case = evolve(asking("embeddings.create", {"input": []}), expect=Expect.EITHER)
    data = [{"index": n, "embedding": [0.5]} for n in range(vectors)]
    assert expected is outcome("embeddings.count", case, 200, {"data": data})


@pytest.mark.parametrize(
    ("expected", "usage"),
    [
        (Outcome.PASS, {"prompt_tokens": 1, "completion_tokens": 0, "total_tokens": 1}),
        (Outcome.WARN, {"prompt_tokens": 0, "completion_tokens": 1, "total_tokens": 1}),
        (Outcome.WARN, {"prompt_tokens": 2, "completion_tokens": -1, "total_tokens": 1}),
    ],
)
def test_tokens_are_counted(expected: Outcome, usage: dict[str, int]) -> None:
    assert expected is outcome("usage.counted", asking("completions.create", {}), 200, {"usage": usage})


PROBE = Case("chat.completions.create", "POST", "/x", expect=Expect.REJECT, auth=Auth.NONE, role="probe.auth.none")


@pytest.mark.parametrize(
    ("refused", "form", "status"),
    [
        (Outcome.PASS, Outcome.PASS, 401),
        (Outcome.PASS, Outcome.PASS, 403),
        (Outcome.PASS, Outcome.WARN, 302),
        (Outcome.PASS, Outcome.WARN, 404),
        (Outcome.FAIL, Outcome.PASS, 200),
    ],
)
def test_without_a_key_all_but_a_success_is_a_refusal(refused: Outcome, form: Outcome, status: int) -> None:
    assert (refused, form) == (
        outcome("auth.missing.refused", PROBE, status, ERROR),
        outcome("auth.status", PROBE, status, ERROR),
    )


@pytest.mark.parametrize(("expected", "auth"), [(True, "none"), (False, "api-key"), (False, "bearer")])
def test_a_target_without_keys_is_not_probed_for_them(expected: bool, auth: str) -> None:
    claims = Claims(SPEC, Config(Target(url="http://127.0.0.1:1", auth=auth)), Preflight())
    features = find_check("auth.missing.refused").features
    assert expected is (claims.unclaimed(features) is not None)


@pytest.mark.parametrize(
    ("expected", "role", "status", "value"),
    [
        (Outcome.PASS, "probe.route", 404, FLAT),
        (Outcome.PASS, "probe.api-version.missing", 404, FLAT),
        (Outcome.WARN, "probe.api-version.unknown", 404, {}),
        (Outcome.PASS, "violation", 401, FLAT),
        (Outcome.FAIL, "violation", 404, FLAT),
        (Outcome.FAIL, "violation", 400, {}),
        (Outcome.PASS, "violation", 400, ERROR),
        (Outcome.PASS, "violation", 400, {"error": {"code": None, "message": "m", "innererror": {}}}),
        (Outcome.WARN, "violation", 400, {"error": {"code": 400, "message": "m"}}),
        (Outcome.WARN, "violation", 400, {"error": {"message": "m"}}),
        (Outcome.FAIL, "violation", 400, {"error": {"code": {"a": 1}, "message": "m"}}),
        (Outcome.FAIL, "violation", 400, {"error": {"code": True, "message": "m"}}),
        (Outcome.FAIL, "violation", 400, {"error": {"code": "BadRequest", "message": 7}}),
        (Outcome.WARN, "violation", 400, {"error": {"code": "None", "message": "m"}}),
        (Outcome.WARN, "violation", 400, {"error": {"code": "BadRequest", "message": "m", "param": "None"}}),
        (Outcome.PASS, "violation", 400, {"error": {"code": "404", "message": "m", "param": "n"}}),
    ],
)
def test_a_gateway_may_answer_in_its_own_form(expected: Outcome, role: str, status: int, value: Any) -> None:
    case = Case("chat.completions.create", "POST", "/x", expect=Expect.REJECT, role=role)
    assert expected is outcome("errors.envelope", case, status, value)


def test_a_part_of_the_corpus_without_vectors_has_nothing_to_compare() -> None:
    from conformance.checks.catalogue import find_check
    from conformance.evidence.exchange import Exchange, Response
    from conformance.evidence.trace import Observation
    from conformance.requests.case import Case, Expect, JsonBody
    from conformance.requests.request import Request
    from conformance.spec.loading import load
    from conformance.verdict import Outcome

    case = Case("embeddings.create", "POST", "/e", body=JsonBody({"input": 7}), expect=Expect.REJECT)
    seen = Observation(case, Exchange(Request("POST", "http://t/e"), Response(400)))
    trace = Trace("corpus.embeddings.create", (seen,))
    verdict = judge(load("2024-05-01-preview"), find_check("embeddings.same-length"), trace)
    assert Outcome.NOT_APPLICABLE == verdict.outcome


def limited(limit: int, counted: int, finish: str, **more: Any) -> tuple[Case, dict[str, Any]]:
    """A chat request with a token limit, and its answer by finish_reason and counted tokens."""
    case = asking("chat.completions.create", {"max_tokens": limit, **more}, "chat.length")
    choice = {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": "a"}}
    usage = {"prompt_tokens": 9, "completion_tokens": counted, "total_tokens": 9 + counted}
    return case, {"choices": [choice], "usage": usage}


@pytest.mark.parametrize(
    ("check", "expected", "limit", "counted", "finish"),
    [
        # a task that needed fewer tokens than the limit was not cut at all
        ("chat.finish-reason.length", Outcome.PASS, 16, 5, "stop"),
        ("chat.finish-reason.length", Outcome.PASS, 16, 15, "stop"),
        ("chat.finish-reason.length", Outcome.FAIL, 16, 16, "stop"),
        ("chat.finish-reason.length", Outcome.PASS, 16, 16, "length"),
        # cut, and one token less was counted than the limit allows
        ("chat.finish-reason.length.counted", Outcome.WARN, 8, 7, "length"),
        # cut, and nothing was generated
        ("chat.finish-reason.length.counted", Outcome.FAIL, 1, 0, "length"),
        ("chat.finish-reason.length.counted", Outcome.PASS, 8, 8, "length"),
        ("chat.finish-reason.length.counted", Outcome.PASS, 8, 7, "stop"),
        # more tokens than max_tokens allows
        ("usage.limit", Outcome.FAIL, 16, 40, "stop"),
        ("usage.limit", Outcome.PASS, 16, 16, "length"),
    ],
)
def test_what_the_limit_did_is_concluded_from_the_usage(
    check: str, expected: Outcome, limit: int, counted: int, finish: str
) -> None:
    assert expected is outcome(check, *limited(limit, counted, finish)[:1], 200, limited(limit, counted, finish)[1])
