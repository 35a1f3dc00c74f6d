"""Answers have ids of their own, and log probabilities say of which tokens they are."""

from __future__ import annotations

from typing import Any

import pytest
from kinds.content_coding import HEAD
from kinds.tool_calls import PLAIN, USAGE
from wild_answers import LATER, spec_of
from wire_stage import answer, exchanged, lines

from conformance.checks.catalogue import all_checks
from conformance.evidence.trace import Observation, Trace
from conformance.judging.judge import judge
from conformance.verdict import Outcome

CREATE = "chat.completions.create"
HELLO = {"messages": [{"role": "user", "content": "Hello"}]}


def plain(id_: str, **choice: Any) -> Observation:
    """A plain answer; ``choice`` changes its choice and the request asks for log probabilities if it has some."""
    message = {"role": "assistant", "content": "Hi you"}
    given = {"index": 0, "finish_reason": "stop", "message": message, "logprobs": None, **choice}
    asked = {**HELLO, "logprobs": True} if given["logprobs"] else HELLO
    body = {**PLAIN, "id": id_, "choices": [given], "usage": USAGE}
    return exchanged(CREATE, asked, answer({"body": body}), LATER)


def stream(*ids: str) -> Observation:
    """A stream with a chunk for each id: the first has filter results only, the others a text."""
    first, *others = ids
    choice = {"index": 0, "delta": {"content": "Hi"}, "finish_reason": None}
    chunks = [{**HEAD, "id": id_, "choices": [choice]} for id_ in others]
    return exchanged(
        CREATE, {**HELLO, "stream": True}, answer({"body": lines({**HEAD, "id": first, "choices": []}, *chunks)}), LATER
    )


@pytest.mark.parametrize(
    ("outcome", "answers"),
    [
        (Outcome.WARN, (stream("", "a", "a"), stream("", "a", "a"))),
        (Outcome.WARN, (plain("a"), stream("", "a"))),
        (Outcome.WARN, (plain("a"), plain("b"), plain("a"))),
        (Outcome.PASS, (stream("", "a", "a"), stream("", "b", "b"), plain("c"))),
        (Outcome.NOT_APPLICABLE, (stream("", "", ""), stream("", "", ""))),
        (Outcome.WARN, (plain(""), plain("a"))),
    ],
    ids=["streams", "plain-and-stream", "plain", "all-differ", "no-ids", "an-empty-id"],
)
def test_an_id_names_one_answer_streamed_or_not(outcome: Outcome, answers: tuple[Observation, ...]) -> None:
    verdict = judge(spec_of(LATER), all_checks()["model.answer-ids"], Trace("corpus.chat.completions.create", answers))
    assert outcome is verdict.outcome, verdict


@pytest.mark.parametrize(
    ("outcome", "tokens"),
    [
        (Outcome.FAIL, ("", "")),
        (Outcome.PASS, ("Hi", " you")),
        (Outcome.PASS, ("", "Hi you")),
    ],
)
def test_tokens_that_are_all_empty_say_nothing(outcome: Outcome, tokens: tuple[str, ...]) -> None:
    content = [{"token": token, "logprob": -0.5, "bytes": None, "top_logprobs": []} for token in tokens]
    seen = plain("a", logprobs={"content": content, "refusal": None})
    verdict = judge(spec_of(LATER), all_checks()["chat.logprobs"], Trace("corpus.chat.completions.create", (seen,)))
    assert outcome is verdict.outcome, verdict
