"""Defects of single kinds of events of the Responses API: a piece is lost, an end is not what the pieces say, the order
is another.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from answers import on_blocks
from defects import put
from wire_defects import without

#: What is lost → names of the event that has a piece of it, one in each document.
PIECES = {
    "refusal": r"response\.refusal\.delta",
    "summary": r"response\.reasoning_summary_text\.delta",
    "reasoning": r"response\.reasoning_text\.delta",
    "code": r"response\.code_interpreter_call_code\.delta",
    "arguments": r"response\.mcp_call(\.arguments_|_arguments\.)delta",
    "input": r"response\.custom_tool_call_input\.delta",
    "sound": r"response\.audio\.delta",
    "transcript": r"response\.audio[._]transcript\.delta",
}

#: What grows → names of the event that ends it.
ENDS = {
    "refusal": r"response\.refusal\.done",
    "summary": r"response\.reasoning_summary_text\.done",
    "code": r"response\.code_interpreter_call_code\.done",
    "part": r"response\.(content|reasoning_summary)_part\.done",
    "item": r"response\.output_item\.done",
}


def named(pattern: str, all_: Sequence[str]) -> int | None:
    """The place of the first event with such a name."""
    return next((n for n, block in enumerate(all_) if re.search(rf"^event: {pattern}$", block, re.MULTILINE)), None)


def lost(name: str, about: str, pattern: str) -> None:
    put(name, about, without(lambda all_: named(pattern, all_)))


for _what, _pattern in PIECES.items():
    lost(f"event.{_what}-piece-lost", f"a piece of the {_what} is lost", _pattern)
for _what, _pattern in ENDS.items():
    lost(f"event.{_what}-end-lost", f"the end of the {_what} is lost", _pattern)


def error_last(all_: list[str]) -> list[str] | None:
    """The event of an error after the one that ends the response."""
    error, end = named("error", all_), named(r"response\.failed", all_)
    if error is None or end is None or end < error:
        return None
    return [*all_[:error], *all_[error + 1 : end + 1], all_[error], *all_[end + 1 :]]


put("event.error-last", "the event of an error follows the end of the response", on_blocks(error_last))
