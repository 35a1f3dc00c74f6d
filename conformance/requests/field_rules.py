"""An independent judgement of cross-field rules: does a request body keep every rule of its operation?

The strategies, which build the requests, interpret the rules on their own. This module shares no code with them, is
written from the clauses alone, and judges the finished corpus, so that a misunderstood rule is noticed. Schema rules
are judged by ``jsonschema`` itself, not by the fast validator.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from attrs import frozen

from conformance.pointer import matches, pointer_to
from conformance.requests.case import Case, JsonBody, Multipart
from conformance.schema.validators import validator_for
from conformance.spec.spec import Clause, Spec

__all__ = ["Broken", "body_of", "broken_rules", "known_names"]

#: Yields a message for each place in which a body breaks the rule.
Rule = Callable[[Mapping[str, Any]], Iterator[str]]
#: Every named rule by its name in the clauses.
_RULES: dict[str, Rule] = {}


@frozen
class Broken:
    """A rule that a body breaks, and what is wrong."""

    clause: str
    message: str


def _rule(name: str) -> Callable[[Rule], Rule]:
    """Decorator: enter the rule under a name."""

    def enter(rule: Rule) -> Rule:
        _RULES[name] = rule
        return rule

    return enter


def known_names() -> frozenset[str]:
    """The named rules that can be judged."""
    return frozenset(_RULES)


def body_of(case: Case) -> Any:
    """The content of a case's body: its JSON, or the fields of a form (files by name). None for anything else."""
    if isinstance(case.body, JsonBody):
        return case.body.value
    if isinstance(case.body, Multipart):
        fields: dict[str, Any] = {}
        for part in case.body.parts:
            fields.setdefault(part.name, []).append(part.filename or part.data.decode("utf-8", "replace"))
        return {name: values if len(values) > 1 else values[0] for name, values in fields.items()}
    return None


def broken_rules(spec: Spec, operation: str, body: Any) -> tuple[Broken, ...]:
    """The cross-field rules of an operation that a body breaks, in the order of the clauses."""
    found: list[Broken] = []
    for clause in spec.clauses:
        if clause.rule is not None and operation in clause.operations and isinstance(body, Mapping):
            found += [Broken(clause.id, message) for message in _judged(spec, clause, body)]
    return tuple(found)


def _judged(spec: Spec, clause: Clause, body: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with a body by one rule."""
    rule = clause.rule
    if rule is None:
        return
    if rule.named:
        judge = _RULES.get(rule.named)
        if judge is None:
            yield f"no judge for the rule {rule.named}"
            return
        try:
            yield from judge(body)
        except (AttributeError, KeyError, TypeError):
            return  # what isn't of the documented form can't break a rule between its fields
        return
    authority = validator_for(spec, rule.schema).authority
    for path, value in matches(body, rule.pointer):
        if not authority.is_valid(value):
            yield f"{pointer_to(path) or 'the body'} breaks {clause.id}"


def _list(value: Any) -> list[Mapping[str, Any]]:
    """The objects in an array; empty if it isn't an array."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _all(value: Any) -> Iterator[Mapping[str, Any]]:
    """Yield every object in a value, outer ones first."""
    if isinstance(value, Mapping):
        yield value
        for item in value.values():
            yield from _all(item)
    elif isinstance(value, list):
        for item in value:
            yield from _all(item)


@_rule("tool-message-answers-call")
def _tool_answers(body: Mapping[str, Any]) -> Iterator[str]:
    """Each tool message answers an open call, and every call is answered."""
    waiting: list[str] = []
    for number, message in enumerate(_list(body.get("messages"))):
        if message.get("role") == "tool":
            call = message.get("tool_call_id")
            if call in waiting:
                waiting.remove(call)
            else:
                yield f"message {number} answers {call!r}, which was not called"
        else:
            if waiting:
                yield f"message {number} comes before {waiting} was answered"
            waiting = [str(call.get("id")) for call in _list(message.get("tool_calls"))]
    if waiting:
        yield f"{waiting} was never answered"


def _named_function(choice: Any) -> Any:
    """The name in a function choice or a tool, or None."""
    if not isinstance(choice, Mapping):
        return None
    function = choice.get("function")
    return function.get("name") if isinstance(function, Mapping) else None


@_rule("tool-choice-names-tool")
def _choice_of_tools(body: Mapping[str, Any]) -> Iterator[str]:
    """``tool_choice`` names one of the tools."""
    wanted = _named_function(body.get("tool_choice"))
    offered = [_named_function(tool) for tool in _list(body.get("tools"))]
    if wanted is not None and wanted not in offered:
        yield f"tool_choice names {wanted!r}, the tools are {offered}"


@_rule("responses-tool-choice-names-tool")
def _choice_of_flat_tools(body: Mapping[str, Any]) -> Iterator[str]:
    """``tool_choice`` names one of the tools, in the form without a ``function`` object."""
    choice = body.get("tool_choice")
    if isinstance(choice, Mapping) and choice.get("type") == "function":
        offered = [tool.get("name") for tool in _list(body.get("tools")) if tool.get("type") == "function"]
        if choice.get("name") not in offered:
            yield f"tool_choice names {choice.get('name')!r}, the functions are {offered}"


@_rule("function-call-names-function")
def _call_of_functions(body: Mapping[str, Any]) -> Iterator[str]:
    """``function_call`` names one of the functions."""
    call = body.get("function_call")
    offered = [function.get("name") for function in _list(body.get("functions"))]
    if isinstance(call, Mapping) and call.get("name") not in offered:
        yield f"function_call names {call.get('name')!r}, the functions are {offered}"


@_rule("json-mode-mentions-json")
def _says_json(body: Mapping[str, Any]) -> Iterator[str]:
    """With JSON mode, a message contains the word JSON."""
    wanted = body.get("response_format")
    if isinstance(wanted, Mapping) and wanted.get("type") == "json_object":
        texts = [str(message.get("content", "")) for message in _list(body.get("messages"))]
        if not any("JSON" in text.upper() for text in texts):
            yield "no message asks for JSON"


@_rule("best-of-at-least-n")
def _enough_candidates(body: Mapping[str, Any]) -> Iterator[str]:
    """``best_of`` is at least ``n``."""
    best, count = body.get("best_of"), body.get("n")
    if best is not None and best < (count if count is not None else 1):
        yield f"best_of {best} is below n {count}"


@_rule("chunk-overlap-at-most-half")
def _overlap(body: Mapping[str, Any]) -> Iterator[str]:
    """Chunks overlap by at most half of their size."""
    for each in _all(body):
        if {"chunk_overlap_tokens", "max_chunk_size_tokens"} <= set(each):
            overlap, size = each["chunk_overlap_tokens"], each["max_chunk_size_tokens"]
            if overlap > size / 2:
                yield f"an overlap of {overlap} is more than half of {size}"


@_rule("created-window-not-empty")
def _window(body: Mapping[str, Any]) -> Iterator[str]:
    """``created_after`` is not later than ``created_before``."""
    for each in _all(body):
        after, before = each.get("created_after"), each.get("created_before")
        if after is not None and before is not None and before < after:
            yield f"created_after {after} is later than created_before {before}"


@_rule("crop-box-not-empty")
def _crop(body: Mapping[str, Any]) -> Iterator[str]:
    """Each side of a crop box lies before the opposite one."""
    for each in _all(body):
        for low, high in (("left_fraction", "right_fraction"), ("top_fraction", "bottom_fraction")):
            if low in each and high in each and not each[low] < each[high]:
                yield f"{low} {each[low]} is not below {high} {each[high]}"


@_rule("function-output-answers-call")
def _outputs(body: Mapping[str, Any]) -> Iterator[str]:
    """Each function output answers a call in the input."""
    if body.get("previous_response_id") is not None:
        return
    items = _list(body.get("input"))
    calls = [item.get("call_id") for item in items if item.get("type") == "function_call"]
    for item in items:
        if item.get("type") == "function_call_output" and item.get("call_id") not in calls:
            yield f"the output of {item.get('call_id')!r} has no call"


@_rule("inpaint-file-attached")
def _attached(body: Mapping[str, Any]) -> Iterator[str]:
    """Each inpaint item names an attached file."""
    files = body.get("files")
    names = files if isinstance(files, list) else [files]
    for item in _list(body.get("inpaint_items")):
        if item.get("file_name") not in names:
            yield f"{item.get('file_name')!r} is not among the files {names}"


@_rule("passing-labels-subset")
def _labels(body: Mapping[str, Any]) -> Iterator[str]:
    """Passing labels are among the labels."""
    for each in _all(body):
        if "passing_labels" in each:
            strange = [label for label in each["passing_labels"] if label not in each.get("labels", [])]
            if strange:
                yield f"{strange} are not among the labels"


@_rule("validation-file-differs")
def _other_file(body: Mapping[str, Any]) -> Iterator[str]:
    """The validation file is not the training file."""
    if body.get("validation_file") is not None and body["validation_file"] == body.get("training_file"):
        yield "the validation file is the training file"
