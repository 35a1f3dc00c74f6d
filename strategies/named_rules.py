"""Cross-field rules that JSON Schema can't express, by name: does a body keep the rule, what breaks it, what repairs
it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from attrs import frozen

__all__ = ["NAMED", "NamedRule"]


@frozen
class NamedRule:
    """One rule between fields of a body.

    ``holds`` returns True if a body keeps the rule. ``broken`` returns a body that breaks only this rule, or None if
    the given body has no part in which it can be broken. ``pointer`` names the faulty field of that body. ``fields``
    are the top-level fields that the rule mentions. ``mended`` returns a body that keeps the rule.
    """

    holds: Callable[[Any], bool]
    broken: Callable[[Any], Any]
    pointer: str = ""
    fields: tuple[str, ...] = ()
    mended: Callable[[Any], Any] | None = None


def _messages(body: Any) -> list[dict[str, Any]]:
    """The messages of a chat body that are objects."""
    found = body.get("messages") if isinstance(body, dict) else None
    return [m for m in found if isinstance(m, dict)] if isinstance(found, list) else []


def _calls(message: Mapping[str, Any]) -> list[str]:
    """The ids of the tool calls in an assistant message."""
    return [call.get("id", "") for call in message.get("tool_calls") or () if isinstance(call, dict)]


def _answered(body: Any) -> bool:
    """Each tool call is answered by a tool message before the next other message, and no tool message answers
    nothing.
    """
    open_calls: set[str] = set()
    for message in _messages(body):
        if message.get("role") == "tool":
            if message.get("tool_call_id") not in open_calls:
                return False
            open_calls.discard(message["tool_call_id"])
            continue
        if open_calls:
            return False
        open_calls = set(_calls(message))
    return not open_calls


def _stray_tool_message(body: Any) -> Any:
    """The body with a tool message that answers no call."""
    stray = {"role": "tool", "tool_call_id": "call_none", "content": "7"}
    return {**body, "messages": [*body["messages"], stray]}


def _tool_names(body: Any, key: str) -> set[str]:
    """The names of the functions under ``tools`` or ``functions``."""
    names: set[str] = set()
    for tool in body.get(key) or ():
        if isinstance(tool, dict):
            inner = tool.get("function", tool)
            names.add(inner.get("name", "") if isinstance(inner, dict) else "")
    return names


def _choice_named(body: Any) -> bool:
    """``tool_choice`` names a function only if it is among ``tools``."""
    choice = body.get("tool_choice") if isinstance(body, dict) else None
    if not isinstance(choice, dict):
        return True
    inner = choice.get("function", choice)
    name = inner.get("name") if isinstance(inner, dict) else None
    return name is None or name in _tool_names(body, "tools")


def _choice_unknown(body: Any) -> Any:
    """The body with a ``tool_choice`` that names no tool, or None if it doesn't name a function."""
    choice = body.get("tool_choice")
    if not isinstance(choice, dict):
        return None
    made = copy.deepcopy(body)
    inner = made["tool_choice"].get("function", made["tool_choice"])
    if "name" not in inner:
        return None
    inner["name"] = "not_among_the_tools"
    return made


def _function_named(body: Any) -> bool:
    """``function_call`` names one of ``functions``."""
    call = body.get("function_call") if isinstance(body, dict) else None
    return not isinstance(call, dict) or call.get("name") in _tool_names(body, "functions")


def _function_unknown(body: Any) -> Any:
    """The body with a ``function_call`` that names no function, or None without ``function_call``."""
    if not isinstance(body.get("function_call"), dict):
        return None
    return {**body, "function_call": {"name": "not_among_the_functions"}}


def _asks_json(body: Any) -> bool:
    """With JSON mode some message contains the word JSON; the service refuses the request otherwise."""
    shape = body.get("response_format") if isinstance(body, dict) else None
    if not isinstance(shape, dict) or shape.get("type") != "json_object":
        return True
    return "json" in str([m.get("content") for m in _messages(body)]).lower()


def _without_json_word(body: Any) -> Any:
    """The body with one message that doesn't mention JSON, or None without ``response_format``."""
    if "response_format" not in body:
        return None
    return {**body, "messages": [{"role": "user", "content": "Say hello."}]}


def _best_of(body: Any) -> bool:
    """``best_of`` is at least ``n``."""
    best, count = body.get("best_of"), body.get("n")
    if not isinstance(best, int) or isinstance(best, bool):
        return True
    return best >= (count if isinstance(count, int) else 1)


def _mend_best_of(body: Any) -> Any:
    """The body with ``best_of`` raised to ``n``."""
    count = body.get("n")
    return {**body, "best_of": max(count, 1) if isinstance(count, int) else 1}


def _objects(value: Any, kind: str = "") -> Iterator[dict[str, Any]]:
    """Yield every object in a JSON value, at any depth; with ``kind`` those whose ``type`` it is."""
    if isinstance(value, dict):
        if not kind or value.get("type") == kind:
            yield value
        for item in value.values():
            yield from _objects(item, kind)
    elif isinstance(value, list):
        for item in value:
            yield from _objects(item, kind)


def _sizes(body: Any) -> Iterator[dict[str, Any]]:
    """Yield the objects that have both sizes of a static chunking strategy."""
    for each in _objects(body):
        if isinstance(each.get("chunk_overlap_tokens"), int) and isinstance(each.get("max_chunk_size_tokens"), int):
            yield each


def _overlaps(body: Any) -> bool:
    """Chunks overlap by at most half of their size."""
    return all(2 * each["chunk_overlap_tokens"] <= each["max_chunk_size_tokens"] for each in _sizes(body))


def _too_much_overlap(body: Any) -> Any:
    """The body with one overlap above half of the chunk size, or None without a static chunking strategy."""
    made = copy.deepcopy(body)
    for each in _sizes(made):
        each["chunk_overlap_tokens"] = each["max_chunk_size_tokens"] // 2 + 1
        return made
    return None


def _less_overlap(body: Any) -> Any:
    """The body with overlaps cut to half of the chunk size."""
    made = copy.deepcopy(body)
    for each in _sizes(made):
        each["chunk_overlap_tokens"] = min(each["chunk_overlap_tokens"], each["max_chunk_size_tokens"] // 2)
    return made


def _window(body: Any) -> bool:
    """``created_after`` is not later than ``created_before``."""
    for each in _objects(body):
        early, late = each.get("created_after"), each.get("created_before")
        if isinstance(early, int) and isinstance(late, int) and early > late:
            return False
    return True


def _closed_window(body: Any) -> Any:
    """The body with ``created_after`` later than ``created_before``, or None without stored completions."""
    made = copy.deepcopy(body)
    for each in _objects(made, "stored_completions"):
        each.update(created_after=1_800_000_000, created_before=1_700_000_000)
        return made
    return None


def _open_window(body: Any) -> Any:
    """The body with ``created_before`` moved to ``created_after`` where it was earlier."""
    made = copy.deepcopy(body)
    for each in _objects(made):
        if isinstance(each.get("created_after"), int) and isinstance(each.get("created_before"), int):
            each["created_before"] = max(each["created_after"], each["created_before"])
    return made


#: The two pairs of opposite sides of a crop box.
_SIDES = (("left_fraction", "right_fraction"), ("top_fraction", "bottom_fraction"))


def _crop(body: Any) -> bool:
    """Every crop box has a width and a height above 0."""
    return not any(
        isinstance(each.get(low), int | float) and isinstance(each.get(high), int | float) and each[low] >= each[high]
        for each in _objects(body)
        for low, high in _SIDES
    )


def _empty_crop(body: Any) -> Any:
    """The body with the sides of one crop box exchanged, or None without a crop box."""
    made = copy.deepcopy(body)
    for each in _objects(made):
        for low, high in _SIDES:
            if low in each and high in each:
                each[low], each[high] = 0.75, 0.25
                return made
    return None


def _whole_crop(body: Any) -> Any:
    """The body with each empty crop box extended to the edge of the picture."""
    made = copy.deepcopy(body)
    for each in _objects(made):
        for low, high in _SIDES:
            if low in each and high in each and each[low] >= each[high]:
                each[low], each[high] = (0, each[high]) if each[high] > 0 else (each[low], 1)
    return made


def _answers_call(body: Any) -> bool:
    """Each function output among the input items answers a function call there.

    With ``previous_response_id`` the call may be in the earlier response, so the rule says nothing then.
    """
    items = body.get("input") if isinstance(body, dict) else None
    if not isinstance(items, list) or body.get("previous_response_id"):
        return True
    made = {i.get("call_id") for i in items if isinstance(i, dict) and i.get("type") == "function_call"}
    return all(
        i.get("call_id") in made for i in items if isinstance(i, dict) and i.get("type") == "function_call_output"
    )


def _stray_output(body: Any) -> Any:
    """The body with a function output that answers no call, or None if the input is no list of items."""
    items = body.get("input")
    if not isinstance(items, list) or body.get("previous_response_id"):
        return None
    stray = {"type": "function_call_output", "call_id": "call_none", "output": "7"}
    return {**body, "input": [*items, stray]}


def _with_call(body: Any) -> Any:
    """The body with a function call put before the outputs that lack one."""
    items = body.get("input")
    if not isinstance(items, list):
        return body
    names = {i.get("call_id") for i in items if isinstance(i, dict) and i.get("type") == "function_call_output"}
    calls = [
        {"type": "function_call", "call_id": n, "name": "get_weather", "arguments": "{}"}
        for n in sorted(names, key=str)
    ]
    return {**body, "input": [*calls, *items]}


def _forms(body: Any) -> tuple[list[dict[str, Any]], list[str]]:
    """The inpaint items and the names of the attached files of a video job."""
    items = [i for i in body.get("inpaint_items") or () if isinstance(i, dict)]
    files = [str(f) for f in body.get("files") or ()]
    return items, files


def _attached(body: Any) -> bool:
    """Each inpaint item names an attached file."""
    from .sample_files import FILES, file_named

    items, files = _forms(body) if isinstance(body, dict) else ([], [])
    names = {file_named(name).filename for name in files if name in FILES}
    return all(item.get("file_name") in names for item in items)


def _not_attached(body: Any) -> Any:
    """The body with an inpaint item that names a file which isn't attached, or None without inpaint items."""
    items, _ = _forms(body)
    if not items:
        return None
    return {**body, "inpaint_items": [{**items[0], "file_name": "missing.png"}, *items[1:]]}


def _labels(body: Any) -> bool:
    """The passing labels of a label grader are among its labels."""
    return all(
        set(map(str, each.get("passing_labels") or ())) <= set(map(str, each.get("labels") or ()))
        for each in _objects(body, "label_model")
    )


def _unknown_label(body: Any) -> Any:
    """The body with a passing label that isn't among the labels, or None without a label grader."""
    made = copy.deepcopy(body)
    for each in _objects(made, "label_model"):
        each["passing_labels"] = ["not-among-the-labels"]
        return made
    return None


def _known_labels(body: Any) -> Any:
    """The body with the passing labels added to the labels."""
    made = copy.deepcopy(body)
    for each in _objects(made, "label_model"):
        each["labels"] = list(dict.fromkeys([*(each.get("labels") or ()), *(each.get("passing_labels") or ())]))
    return made


def _two_files(body: Any) -> bool:
    """The validation file differs from the training file."""
    return body.get("validation_file") is None or body.get("validation_file") != body.get("training_file")


#: The name of a rule, as the clauses of the Specs spell it → the rule.
NAMED: Mapping[str, NamedRule] = {
    "tool-message-answers-call": NamedRule(_answered, _stray_tool_message, "/messages"),
    "tool-choice-names-tool": NamedRule(_choice_named, _choice_unknown, "/tool_choice", ("tools", "tool_choice")),
    "responses-tool-choice-names-tool": NamedRule(
        _choice_named, _choice_unknown, "/tool_choice", ("tools", "tool_choice")
    ),
    "function-call-names-function": NamedRule(
        _function_named, _function_unknown, "/function_call", ("functions", "function_call")
    ),
    "json-mode-mentions-json": NamedRule(_asks_json, _without_json_word, "/messages", ("response_format",)),
    "best-of-at-least-n": NamedRule(
        _best_of, lambda body: {**body, "n": 2, "best_of": 1}, "/best_of", ("n", "best_of"), _mend_best_of
    ),
    "chunk-overlap-at-most-half": NamedRule(
        _overlaps, _too_much_overlap, "/chunking_strategy", ("chunking_strategy",), _less_overlap
    ),
    "created-window-not-empty": NamedRule(_window, _closed_window, "/data_source", (), _open_window),
    "crop-box-not-empty": NamedRule(_crop, _empty_crop, "/inpaint_items", (), _whole_crop),
    "function-output-answers-call": NamedRule(_answers_call, _stray_output, "/input", (), _with_call),
    "inpaint-file-attached": NamedRule(_attached, _not_attached, "/inpaint_items", ("inpaint_items",)),
    "passing-labels-subset": NamedRule(_labels, _unknown_label, "/testing_criteria", (), _known_labels),
    "validation-file-differs": NamedRule(
        _two_files,
        lambda body: {**body, "validation_file": body["training_file"]},
        "/validation_file",
        ("validation_file",),
    ),
}
