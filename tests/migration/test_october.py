"""From 2024-06-01 to 2024-10-21: what is told, against a table that was read by hand from both published documents.

The published documents of later versions are the second witness for what breaks callers: a field or a null that each of
them lacks has gone.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from conformance.migration.basis import changes_between
from conformance.migration.change import Basis, Change
from conformance.spec.loading import load, versions

DOCUMENTS = Path(__file__).resolve().parents[3] / "shared" / "official-specs"

CHAT, COMPLETIONS = "chat.completions.create", "completions.create"

#: What breaks a caller: (operation, kind, place). The five differences are true, each for the reason beside it.
BREAKING = {
    # 2024-02-01 to 2024-06-01 describe this text; no document since then names it.
    (COMPLETIONS, "removed", "completion_config"),
    # The same for the context of an earlier answer. It is still received: the message of the answer keeps it.
    (CHAT, "removed", "messages[role=assistant].context"),
    # Until 2024-06-01 the content of every message may be null. Since then only that of assistant and function may.
    (CHAT, "narrowed", "messages[role=system].content"),
    (CHAT, "narrowed", "messages[role=user].content"),
    (CHAT, "narrowed", "messages[role=tool].content"),
}

#: What needs nothing from a caller: (operation, request or answer or stream, kind, place).
QUIET = {
    *((COMPLETIONS, "request", "added", name) for name in ("seed", "stream_options")),
    *((COMPLETIONS, "request", "widened", name) for name in ("best_of", "frequency_penalty", "presence_penalty")),
    *((COMPLETIONS, form, "added", "system_fingerprint") for form in ("answer", "stream")),
    *(
        (operation, form, "added", "usage.completion_tokens_details")
        for operation in (COMPLETIONS, CHAT)
        for form in ("answer", "stream")
    ),
    *(
        (CHAT, "request", "added", name)
        for name in ("max_completion_tokens", "parallel_tool_calls", "stream_options", "tools[].function.strict")
    ),
    *((CHAT, "request", "widened", name) for name in ("max_tokens", "frequency_penalty", "presence_penalty")),
    (CHAT, "request", "added", "response_format[type=json_schema]"),
    *((CHAT, "request", "added", f"messages[role={role}].name") for role in ("system", "user", "assistant")),
    *((CHAT, "request", "added", f"messages[role=assistant].{name}") for name in ("refusal", "function_call")),
    # A list of parts, and for the assistant also no content at all beside tool calls.
    *((CHAT, "request", "widened", f"messages[role={role}].content") for role in ("system", "assistant", "tool")),
    (CHAT, "answer", "added", "choices[].message.refusal"),
    *((CHAT, form, "added", "choices[].logprobs.refusal") for form in ("answer", "stream")),
    (CHAT, "stream", "added", "choices[].delta.refusal"),
    # 2024-06-01 knows assistant only.
    (CHAT, "stream", "added", "choices[].delta.role"),
}


def _changes() -> tuple[Change, ...]:
    witnesses = [load(name) for name in versions(drafts=True)]
    return changes_between(load("2024-06-01"), load("2024-10-21"), witnesses)


def test_the_changes_of_the_service_are_those_of_the_table_and_no_others() -> None:
    told = [change for change in _changes() if change.basis is Basis.SERVICE]
    assert BREAKING == {(c.operation, c.kind.value, c.where) for c in told if c.breaks}
    assert QUIET == {(c.operation, c.direction.value, c.kind.value, c.where) for c in told if not c.breaks}


@cache
def _published(name: str) -> Any:
    path = DOCUMENTS / name
    if not path.exists():
        pytest.skip("the published documents are not beside the checkout")
    return json.loads(path.read_text(encoding="utf-8"))


#: The published documents in JSON before the change, and since then. The messages have other names in the two.
BEFORE = ("2024-02-01.json", "2024-05-01-preview.json", "2024-06-01.json")
SINCE = ("2024-10-21.json", "v1-2026-02.json", "v1-preview.json")


def _message(document: str, role: str) -> dict[str, Any]:
    """The members of a message that is sent, whatever the document calls it."""
    schemas = _published(document)["components"]["schemas"]
    names = (f"chatCompletionRequestMessage{role}", f"OpenAI.ChatCompletionRequest{role}Message")
    later = f"chatCompletionRequest{role}Message"
    # The document of October still has an old name beside the new one; nothing refers to it.
    name = later if later in schemas else next(one for one in names if one in schemas)
    schema = schemas[name]
    found: dict[str, Any] = {}
    for part in (schema, *schema.get("allOf", ())):
        found |= part.get("properties", {})
    return found


def _null(schema: dict[str, Any]) -> bool:
    """True if null is allowed, by either way of saying so."""
    forms = (*schema.get("anyOf", ()), *schema.get("oneOf", ()))
    return schema.get("nullable") is True or any(form.get("type") == "null" for form in forms)


@pytest.mark.parametrize("role", ["System", "User", "Tool"])
def test_content_may_be_null_in_every_document_before_and_in_none_since(role: str) -> None:
    assert [True] * 3 == [_null(_message(name, role)["content"]) for name in BEFORE]
    assert [False] * 3 == [_null(_message(name, role)["content"]) for name in SINCE]


def test_the_assistant_may_send_null_in_every_document() -> None:
    assert all(_null(_message(name, "Assistant")["content"]) for name in (*BEFORE, *SINCE))


def test_the_context_of_an_answer_may_be_sent_back_before_and_not_since() -> None:
    assert [True] * 3 == ["context" in _message(name, "Assistant") for name in BEFORE]
    assert [False] * 3 == ["context" in _message(name, "Assistant") for name in SINCE]


def test_no_document_since_names_completion_config() -> None:
    def named(name: str) -> bool:
        return "completion_config" in json.dumps(_published(name))

    assert [True] * 3 == [named(name) for name in BEFORE]
    assert [False] * 3 == [named(name) for name in SINCE]
