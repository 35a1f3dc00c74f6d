"""Valid requests that a target refuses: the corpus must send them."""

from __future__ import annotations

from typing import Any

from wire_stage import Example, Played, WireCase, answer, exchanged, played

from conformance.corpus.corpus import build_corpus
from conformance.requests.case import Case
from conformance.requests.profile import Profile
from conformance.spec.loading import load

from .limits_and_values import chat

CHAT = "chat.completions.create"


def _of_the_corpus(messages: list[Any]) -> Case:
    """A request that standard sends and that has the same roles, with an empty text in the same place."""
    corpus = build_corpus(load("2024-05-01-preview"), Profile.STANDARD, 0)
    wanted = [(one["role"], one["content"] == "") for one in messages]
    for part in corpus.parts:
        for case in part.cases if part.operation == CHAT else ():
            sent = case.json.get("messages", ()) if isinstance(case.json, dict) else ()
            if all(isinstance(m, dict) for m in sent) and [(m["role"], m.get("content") == "") for m in sent] == wanted:
                return case
    raise AssertionError("no request of the corpus has these turns")


def refused(example: Example) -> Played:
    """The request of the corpus that is like the example's, with the example's answer."""
    case = _of_the_corpus(example["request"]["messages"])
    if example["status"] == 200:
        return chat({"request": {}, "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}})
    return played(exchanged(CHAT, case.json, answer(example), expect=case.expect))


TURNS = [
    {"role": "user", "content": "One"},
    {"role": "assistant", "content": ""},
    {"role": "user", "content": "Two"},
]
REFUSAL = {"error": {"code": "empty", "message": "content must not be empty"}}
CASES = (
    WireCase(
        "empty-assistant-turn",
        "fail",
        refused,
        {"request": {"messages": TURNS}, "status": 400, "body": REFUSAL},
        told={"http.accepted": "content must not be empty"},
        near=[{"request": {"messages": TURNS}, "status": 200, "body": {}}],
    ),
)
