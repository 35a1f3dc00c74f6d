"""What a broken constraint deserves: refused for sure, probably, or rightly either way.

The default is SHOULD be refused. MUST needs a ``[[refusal]]`` of the Spec (a document or a second source says that the
service refuses). Between the document's bound and the widest one that any witness states, both outcomes are right.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from attrs import field, frozen

from conformance.requests.case import Expect
from conformance.spec.spec import Spec
from conformance.verdict import Level

__all__ = ["GATES", "Judgement", "Levels", "content_gate", "gate_of"]


@frozen
class Judgement:
    """What is expected of a request, how hard it is judged, and why."""

    expect: Expect
    level: Level
    reason: str = ""


_NOTES: Mapping[str, str] = {
    "between": "lies between two documented bounds",
    "float": "a whole number written with a fraction may be taken for an integer",
    "extra": "an unknown field may be ignored",
    "null": "null may be taken for absent",
}

#: Fields whose use rightly depends on the model, the deployment or the account, with the reason. By pointer pattern.
GATES: Mapping[str, str] = {
    r"/data_sources(/.*)?": "needs a data source that the account owns",
    r"/enhancements(/.*)?": "needs a vision resource that the account owns",
    r"/reasoning_effort|/reasoning(/.*)?": "only reasoning models take it",
    r"/verbosity|/text/verbosity": "only some models take it",
    r"/prediction(/.*)?": "only some models take predicted outputs",
    r"/(modalities|audio)(/.*)?": "only audio models answer in sound",
    r"/user_security_context(/.*)?": "needs a security plan of the account",
    r"/integrations(/.*)?|/method/(dpo|reinforcement)(/.*)?": "how a model can be tuned depends on the account",
    r"/service_tier": "tiers depend on the account",
    r"/store": "storing may be switched off for the account",
    r"/parallel_tool_calls": "only some models take it",
    r"/max_completion_tokens": "only some models take it",
    r"/web_search_options(/.*)?": "the service may not offer web search",
    r"/(truncation|background)": "only some models take it",
    r"/best_of": "whether it may equal n is said both ways",
    r"/suffix": "only some models insert text",
    r"/completion_config|/cache_level": "has no documented values",
    r"/input_type": "has no documented values",
    r".*/server_url": "the service must be able to reach the server",
}

_GATES = tuple((re.compile(pattern), reason) for pattern, reason in GATES.items())


def gate_of(pointer: str) -> str:
    """Why the outcome of using a field depends on more than the document; "" where it doesn't."""
    return next((reason for pattern, reason in _GATES if pattern.fullmatch(pointer)), "")


#: Kinds of parts, items and tools whose outcome rightly depends on more than the document. By first word of the
#: operation, then by the value of ``type``.
_KINDS: Mapping[str, Mapping[str, str]] = {
    "chat": {
        "input_audio": "only audio models hear",
        "file": "only some models read files",
        "image_url": "the service must be able to fetch the picture",
    },
    "fine_tuning": dict.fromkeys(
        ("dpo", "reinforcement", "wandb"), "whether a model can be tuned, and how, depends on the account"
    ),
    "responses": {
        **dict.fromkeys(
            (
                "computer_use_preview",
                "web_search_preview",
                "web_search_preview_2025_03_11",
                "image_generation",
                "local_shell",
                "mcp",
                "code_interpreter",
                "file_search",
                "custom",
            ),
            "hosted tools depend on the model and the account",
        ),
        **dict.fromkeys(
            (
                "computer_call",
                "computer_call_output",
                "web_search_call",
                "file_search_call",
                "image_generation_call",
                "code_interpreter_call",
                "local_shell_call",
                "local_shell_call_output",
                "mcp_list_tools",
                "mcp_approval_request",
                "mcp_approval_response",
                "mcp_call",
                "reasoning",
                "item_reference",
            ),
            "an item of an earlier answer that never was",
        ),
        **dict.fromkeys(("input_audio", "output_audio"), "only audio models hear"),
        **dict.fromkeys(("input_image", "input_file"), "only some models see and read files"),
        **dict.fromkeys(("refusal", "output_text"), "an answer that was never given"),
    },
}


def _kinds(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("type"), str):
            yield value["type"]
        for item in value.values():
            yield from _kinds(item)
    elif isinstance(value, list):
        for item in value[:200]:
            yield from _kinds(item)


def content_gate(operation: str, body: Any) -> str:
    """Why the outcome of a body depends on more than the document, by the kinds of things in it; "" otherwise.

    A picture in a data URL needs no fetching; it is left to the deployment's capability.
    """
    known = _KINDS.get(operation.split(".", maxsplit=1)[0], {})
    for kind in _kinds(body):
        if kind in known and not (kind == "image_url" and "https://" not in str(body)):
            return known[kind]
    return ""


@frozen
class Levels:
    """The refusals and widest bounds of one operation."""

    spec: Spec = field(repr=False)
    operation: str

    def widest(self, location: str, pointer: str) -> Mapping[str, Any]:
        """Keyword → the widest bound, for one field."""
        return {
            item.keyword: item.value
            for item in self.spec.widest
            if self._named(item.operations) and _same(item.pointer, location, pointer)
        }

    def judge(self, location: str, pointer: str, keyword: str, note: str = "") -> Judgement:
        """What a request that breaks ``keyword`` at ``pointer`` (a pattern such as ``/messages/*/role``) deserves."""
        if note in ("between", "float", "extra", "null"):
            exact = self._refusal(location, pointer, keyword) if note == "null" else None
            if exact is None:
                return Judgement(Expect.EITHER, Level.SHOULD, _NOTES[note])
            return exact
        return self._refusal(location, pointer, keyword) or Judgement(Expect.REJECT, Level.SHOULD)

    def disputed(self, location: str, pointer: str, keyword: str) -> str:
        """Why a value at the edge of a bound may be refused too; "" where the bound is undisputed.

        A disputed smallest size is about what is smaller, so its edge is sure.
        """
        if keyword in ("minItems", "minLength", "minProperties"):
            return ""
        found = self._refusal(location, pointer, keyword)
        return found.reason if found is not None and found.expect is Expect.EITHER else ""

    def _refusal(self, location: str, pointer: str, keyword: str) -> Judgement | None:
        found = [
            item
            for item in self.spec.refusals
            if self._named(item.operations)
            and item.keyword in ("*", keyword)
            and (_same(item.pointer, location, pointer) or _covers(item.pointer, item.keyword, location, pointer))
        ]
        if not found:
            return None
        exact = next((item for item in found if item.keyword == keyword), found[-1])
        expect = Expect.EITHER if exact.expect == "either" else Expect.REJECT
        return Judgement(expect, Level(exact.level), f"{exact.id}: {exact.source}" if expect is Expect.EITHER else "")

    def _named(self, operations: tuple[str, ...]) -> bool:
        return self.operation in operations or "*" in operations


def _same(written: str, location: str, pointer: str) -> bool:
    place, _, rest = written.partition(":")
    if place in ("query", "header", "path"):
        return place == location and rest.strip("/") == pointer.strip("/")
    return location == "body" and re.sub(r"/\d+(?=/|$)", "/*", written) == pointer


def _covers(written: str, keyword: str, location: str, pointer: str) -> bool:
    return keyword == "*" and location == "body" and pointer.startswith(written + "/")
