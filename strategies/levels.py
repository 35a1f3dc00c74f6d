"""What a target must do with a broken constraint: refuse it (MUST), probably refuse it (SHOULD), or either.

The default is SHOULD. MUST needs a ``[[refusal]]`` entry of the Spec, which names a source that says the service
refuses. Between the document's bound and the widest one that any source states, both outcomes are right.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from conformance.requests.case import Expect
from conformance.spec.spec import Spec
from conformance.verdict import Level

from .value_types import types_in

__all__ = ["GATES", "Judgement", "Levels", "content_gate", "gate_of"]


@frozen
class Judgement:
    """The expected outcome of a request, how hard a deviation is judged, and why."""

    expect: Expect
    level: Level
    reason: str = ""


#: The note of a breach → why both outcomes are right.
_NOTES: Mapping[str, str] = {
    "between": "lies between two documented bounds",
    "float": "a whole number written with a fraction may be taken for an integer",
    "extra": "an unknown field may be ignored",
    "null": "null may be taken for absent",
}

#: Pointer pattern of a field → why accepting it depends on the model, the deployment or the account.
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
    """Why accepting a field depends on more than the document; "" if it doesn't. ``pointer`` is like
    ``/messages/*/name``.
    """
    return next((reason for pattern, reason in _GATES if pattern.fullmatch(pointer)), "")


#: First word of the operationId → value of ``type`` → why accepting such a part, item or tool depends on more than the
#: document.
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


def content_gate(operation: str, body: Any) -> str:
    """Why accepting a body depends on more than the document, by the types of things in it; "" if it doesn't.

    A picture in a data URL is no such reason: nothing must be fetched, and the capability names a model with vision.
    """
    known = _KINDS.get(operation.split(".", maxsplit=1)[0], {})
    for kind in types_in(body):
        if kind in known and not (kind == "image_url" and "https://" not in str(body)):
            return known[kind]
    return ""


@frozen
class Levels:
    """The ``[[refusal]]`` and ``[[widest]]`` entries of one operation."""

    spec: Spec = field(repr=False)
    operation: str

    def widest(self, location: str, pointer: str) -> Mapping[str, Any]:
        """Keyword → the widest bound that any source states, for one field."""
        return {
            item.keyword: item.value
            for item in self.spec.widest
            if self._named(item.operations) and _same(item.pointer, location, pointer)
        }

    def judge(self, location: str, pointer: str, keyword: str, note: str = "") -> Judgement:
        """The judgement of a request that breaks ``keyword`` at ``pointer`` (a pattern such as ``/messages/*/role``).

        ``note`` is that of the breach: ``between``, ``float``, ``extra`` and ``null`` have judgements of their own.
        """
        if note in ("between", "float", "extra", "null"):
            exact = self._refusal(location, pointer, keyword) if note == "null" else None
            if exact is None:
                return Judgement(Expect.EITHER, Level.SHOULD, _NOTES[note])
            return exact
        return self._refusal(location, pointer, keyword) or Judgement(Expect.REJECT, Level.SHOULD)

    def disputed(self, location: str, pointer: str, keyword: str) -> str:
        """Why a value at the edge of a bound may be refused too; "" if the bound is undisputed.

        A dispute about a minimum size concerns only smaller sizes, so a value exactly at the minimum is never disputed.
        """
        if keyword in ("minItems", "minLength", "minProperties"):
            return ""
        found = self._refusal(location, pointer, keyword)
        return found.reason if found is not None and found.expect is Expect.EITHER else ""

    def _refusal(self, location: str, pointer: str, keyword: str) -> Judgement | None:
        """The judgement by the ``[[refusal]]`` entry that fits best, or None if there is none."""
        found = [
            item
            for item in self.spec.refusals
            if self._named(item.operations)
            and item.keyword in ("*", keyword)
            and (_same(item.pointer, location, pointer) or _covers(item.pointer, item.keyword, location, pointer))
        ]
        if not found:
            return None
        # An entry for this keyword counts more than one for all keywords.
        exact = next((item for item in found if item.keyword == keyword), found[-1])
        expect = Expect.EITHER if exact.expect == "either" else Expect.REJECT
        return Judgement(expect, Level(exact.level), f"{exact.id}: {exact.source}" if expect is Expect.EITHER else "")

    def _named(self, operations: tuple[str, ...]) -> bool:
        """Return True if an entry is about this operation."""
        return self.operation in operations or "*" in operations


def _same(written: str, location: str, pointer: str) -> bool:
    """Return True if the pointer of an entry names the field. ``query:limit`` names a query parameter; ``/tools/0`` any
    tool.
    """
    place, _, rest = written.partition(":")
    if place in ("query", "header", "path"):
        return place == location and rest.strip("/") == pointer.strip("/")
    return location == "body" and re.sub(r"/\d+(?=/|$)", "/*", written) == pointer


def _covers(written: str, keyword: str, location: str, pointer: str) -> bool:
    """Return True if an entry for all keywords names a field that contains this one."""
    return keyword == "*" and location == "body" and pointer.startswith(written + "/")
