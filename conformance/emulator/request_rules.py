"""Cross-field rules of requests. Schema rules are data of a clause; those that JSON Schema can't express are here, by
name.

A named rule is a function of the body. It returns None if the body keeps the rule, else the dotted path of the fault.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from conformance.pointer import matches

__all__ = ["NAMED", "Named", "places"]

Named = Callable[[Any], str | None]
#: Every named rule by its name in the clauses.
NAMED: dict[str, Named] = {}


def _named(name: str) -> Callable[[Named], Named]:
    """Decorator: enter the rule under a name."""

    def enter(rule: Named) -> Named:
        NAMED[name] = rule
        return rule

    return enter


def places(value: Any, pointer: str) -> Iterator[tuple[str, Any]]:
    """All places that a pointer with ``*`` reaches, each as (dotted path, value). None if the pointer leads nowhere."""
    for path, held in matches(value, pointer):
        dotted = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
        yield dotted.removeprefix("."), held


def _messages(body: Any) -> list[Mapping[str, Any]]:
    """The messages of a chat body that are objects."""
    messages = body.get("messages") if isinstance(body, Mapping) else None
    return [m for m in messages if isinstance(m, Mapping)] if isinstance(messages, list) else []


def _call_ids(message: Mapping[str, Any]) -> list[str]:
    """The ids of the tool calls in a message."""
    calls = message.get("tool_calls")
    return [c["id"] for c in calls if isinstance(c, Mapping) and "id" in c] if isinstance(calls, list) else []


@_named("tool-message-answers-call")
def tool_message_answers_call(body: Any) -> str | None:
    """A tool message answers an open call of the assistant message before it, and every call is answered."""
    open_calls: list[str] = []
    asked = 0
    for index, message in enumerate(_messages(body)):
        if message.get("role") == "tool":
            if message.get("tool_call_id") not in open_calls:
                return f"messages[{index}].tool_call_id"
            open_calls.remove(message["tool_call_id"])
        elif open_calls:
            break
        else:
            open_calls, asked = _call_ids(message), index
    return f"messages[{asked}].tool_calls" if open_calls else None


@_named("tool-choice-names-tool")
def tool_choice_names_tool(body: Any) -> str | None:
    """A forced function is among the tools."""
    choice = body.get("tool_choice") if isinstance(body, Mapping) else None
    function = choice.get("function") if isinstance(choice, Mapping) else None
    if not isinstance(function, Mapping):
        return None
    tools = body.get("tools") or []
    names = [t.get("function", {}).get("name") for t in tools if isinstance(t, Mapping)]
    return None if function.get("name") in names else "tool_choice"


@_named("function-call-names-function")
def function_call_names_function(body: Any) -> str | None:
    """In the deprecated form: a forced function is among the functions."""
    choice = body.get("function_call") if isinstance(body, Mapping) else None
    if not isinstance(choice, Mapping):
        return None
    names = [f.get("name") for f in body.get("functions") or [] if isinstance(f, Mapping)]
    return None if choice.get("name") in names else "function_call"


@_named("json-mode-mentions-json")
def json_mode_mentions_json(body: Any) -> str | None:
    """With JSON mode, some message contains the word JSON."""
    wanted = body.get("response_format") if isinstance(body, Mapping) else None
    if not isinstance(wanted, Mapping) or wanted.get("type") != "json_object":
        return None
    return None if "json" in json.dumps(body.get("messages")).lower() else "messages"


@_named("best-of-at-least-n")
def best_of_at_least_n(body: Any) -> str | None:
    """``best_of`` counts the candidates and ``n`` those that are returned, so ``n`` can't be larger."""
    if not isinstance(body, Mapping):
        return None
    best_of, n = body.get("best_of"), body.get("n")
    if not isinstance(best_of, (int, float)):
        return None
    return "best_of" if best_of < (n if isinstance(n, (int, float)) else 1) else None


def _items(value: Any, name: str) -> list[Mapping[str, Any]]:
    """The objects in an array field; empty if it isn't an array."""
    found = value.get(name) if isinstance(value, Mapping) else None
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


@_named("function-output-answers-call")
def function_output_answers_call(body: Any) -> str | None:
    """A function output answers a call in the input. With a previous response the call may be there; the handler checks
    it.
    """
    if isinstance(body, Mapping) and body.get("previous_response_id"):
        return None
    items = _items(body, "input")
    made = {item.get("call_id") for item in items if item.get("type") == "function_call"}
    outputs = [item for item in items if item.get("type") == "function_call_output"]
    return next(("input" for item in outputs if item.get("call_id") not in made), None)


@_named("responses-tool-choice-names-tool")
def responses_tool_choice_names_tool(body: Any) -> str | None:
    """A forced function is among the tools. In this API the name stands in the tool itself."""
    choice = body.get("tool_choice") if isinstance(body, Mapping) else None
    if not isinstance(choice, Mapping) or choice.get("type") != "function":
        return None
    return None if choice.get("name") in [tool.get("name") for tool in _items(body, "tools")] else "tool_choice"


@_named("chunk-overlap-at-most-half")
def chunk_overlap_at_most_half(body: Any) -> str | None:
    """Chunks overlap by at most half of their size."""
    strategy = body.get("chunking_strategy") if isinstance(body, Mapping) else None
    static = strategy.get("static") if isinstance(strategy, Mapping) else None
    if not isinstance(static, Mapping):
        return None
    size, overlap = static.get("max_chunk_size_tokens"), static.get("chunk_overlap_tokens")
    if not isinstance(size, (int, float)) or not isinstance(overlap, (int, float)):
        return None
    return "chunking_strategy.static.chunk_overlap_tokens" if 2 * overlap > size else None


@_named("validation-file-differs")
def validation_file_differs(body: Any) -> str | None:
    """The validation file is not the training file."""
    if not isinstance(body, Mapping) or body.get("validation_file") is None:
        return None
    return "validation_file" if body["validation_file"] == body.get("training_file") else None


@_named("passing-labels-subset")
def passing_labels_subset(body: Any) -> str | None:
    """The passing labels of a label grader are among its labels."""
    for index, grader in enumerate(_items(body, "testing_criteria")):
        labels, passing = grader.get("labels"), grader.get("passing_labels")
        if isinstance(labels, list) and isinstance(passing, list) and any(one not in labels for one in passing):
            return f"testing_criteria[{index}].passing_labels"
    return None


@_named("created-window-not-empty")
def created_window_not_empty(body: Any) -> str | None:
    """``created_after`` is not later than ``created_before``."""
    data = body.get("data_source") if isinstance(body, Mapping) else None
    source = data.get("source") if isinstance(data, Mapping) else None
    if not isinstance(source, Mapping):
        return None
    after, before = source.get("created_after"), source.get("created_before")
    if not isinstance(after, (int, float)) or not isinstance(before, (int, float)):
        return None
    return "data_source.source.created_after" if after > before else None


@_named("inpaint-file-attached")
def inpaint_file_attached(body: Any) -> str | None:
    """An inpaint item names a file that the form contains."""
    files = body.get("files") if isinstance(body, Mapping) else None
    names = {getattr(file, "filename", None) for file in (files if isinstance(files, list) else [files])}
    for index, item in enumerate(_items(body, "inpaint_items")):
        if item.get("file_name") not in names:
            return f"inpaint_items[{index}].file_name"
    return None


@_named("crop-box-not-empty")
def crop_box_not_empty(body: Any) -> str | None:
    """The left edge lies left of the right one, the top above the bottom. Missing edges are those of the picture."""
    for index, item in enumerate(_items(body, "inpaint_items")):
        box = item.get("crop_bounds")
        if not isinstance(box, Mapping):
            continue
        for low, high in (("left_fraction", "right_fraction"), ("top_fraction", "bottom_fraction")):
            start, end = box.get(low, 0), box.get(high, 1)
            if isinstance(start, (int, float)) and isinstance(end, (int, float)) and start >= end:
                return f"inpaint_items[{index}].crop_bounds.{low}"
    return None
