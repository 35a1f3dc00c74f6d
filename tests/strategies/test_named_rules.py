"""The rules between fields that are code: known by name everywhere, and never in the way of a body of any form."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from json_values import BODIES, VALUES

from conformance._parts import part
from conformance.emulator.request_rules import NAMED
from conformance.requests import field_rules
from conformance.spec.loading import load, versions

RULES = part("strategies.named_rules").named_rules()
JUDGES = {name: field_rules._rules()[name] for name in RULES}
MENDABLE = sorted(name for name, rule in RULES.items() if rule.mended is not None)


def good() -> dict[str, Any]:
    """A body that keeps every rule and has a part for each of them."""
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    return {
        "messages": [{"role": "assistant", "tool_calls": [call]}, {"role": "tool", "tool_call_id": "c1"}],
        "tools": [{"type": "function", "name": "f", "function": {"name": "f"}}],
        "tool_choice": {"type": "function", "name": "f", "function": {"name": "f"}},
        "functions": [{"name": "f"}],
        "function_call": {"name": "f"},
        "n": 2,
        "best_of": 2,
        "chunking_strategy": {"static": {"max_chunk_size_tokens": 200, "chunk_overlap_tokens": 100}},
        "data_source": {"source": {"type": "stored_completions", "created_after": 1, "created_before": 2}},
        "input": [{"type": "function_call", "call_id": "c"}, {"type": "function_call_output", "call_id": "c"}],
        "files": ["file:png"],
        "inpaint_items": [{"file_name": "picture.png", "crop_bounds": {"left_fraction": 0.1, "right_fraction": 0.9}}],
        "testing_criteria": [{"type": "label_model", "labels": ["a", "b"], "passing_labels": ["b"]}],
        "training_file": "a",
        "validation_file": "b",
    }


def judged(name: str, body: dict[str, Any]) -> list[str]:
    """What the second opinion says; it reads the names of files as they stand in a form."""
    files = {"files": ["picture.png"] if body.get("files") == ["file:png"] else body.get("files")}
    return list(JUDGES[name]({**body, **files}))


def test_every_named_rule_has_three_readings() -> None:
    """What the clauses name is known to the strategies, to the second opinion and to the emulator; nothing else is."""
    clauses = [clause for version in versions() for clause in load(version).clauses]
    named = {clause.rule.named for clause in clauses if clause.rule is not None and clause.rule.named}
    assert named == set(RULES)
    assert named == field_rules.known_names()
    assert named == set(NAMED)


@pytest.mark.parametrize("name", sorted(RULES))
def test_a_rule_is_kept_by_a_good_body_and_broken_by_its_breach(name: str) -> None:
    """Both opinions agree on the good body, on the broken one, and on the mended one."""
    rule = RULES[name]
    assert rule.holds(good())
    assert [] == judged(name, good())
    broken = rule.broken(good())
    assert not rule.holds(broken)
    assert [] != judged(name, broken)
    if rule.mended is not None:
        mended = rule.mended(broken)
        assert rule.holds(mended)
        assert [] == judged(name, mended)


@pytest.mark.parametrize(
    ("name", "tool", "choice"),
    [
        ("responses-tool-choice-names-tool", {"type": "web_search_preview"}, {"type": "function", "name": ""}),
        ("tool-choice-names-tool", {"type": "custom"}, {"type": "function", "function": {"name": ""}}),
    ],
)
def test_a_tool_without_a_name_is_not_the_one_that_is_named(name: str, tool: Any, choice: Any) -> None:
    body = {"tools": [tool], "tool_choice": choice}
    assert not RULES[name].holds(body)
    assert [] != judged(name, body)


@pytest.mark.parametrize("name", sorted(RULES))
def test_a_breach_breaks_no_other_rule(name: str) -> None:
    """Else it would stay open for which rule a target refuses the request."""
    broken = RULES[name].broken(good())
    related = {
        "tool-choice-names-tool",
        "responses-tool-choice-names-tool",
    }  # one field, in the forms of two operations
    others = {other for other, rule in RULES.items() if not rule.holds(broken)} - {name}
    assert others <= (related if name in related else set())


def _no_rule_raises(body: Any) -> None:
    for name, rule in RULES.items():
        assert isinstance(rule.holds(body), bool), name
        broken = rule.broken(body)
        assert broken is None or not rule.holds(broken), name


def _mended(body: Any) -> None:
    for name in MENDABLE:
        mend = RULES[name].mended
        assert mend is not None
        assert RULES[name].holds(mend(body)), name


def _second_opinion(body: dict[str, Any]) -> None:
    for name, judge in JUDGES.items():
        assert all(isinstance(message, str) for message in judge(body)), name


# Each body is given to all rules, because drawing it takes longer than asking them.


@given(body=BODIES | VALUES)
def test_no_json_value_makes_a_rule_raise(body: Any) -> None:
    """A breach is a breach and a repair is a repair, whatever they are made from."""
    _no_rule_raises(body)
    _mended(body)


@given(body=BODIES)
def test_no_json_object_makes_the_second_opinion_raise(body: dict[str, Any]) -> None:
    _second_opinion(body)


@pytest.mark.deep
@settings(max_examples=500)
@given(body=BODIES | VALUES)
def test_no_json_value_makes_a_rule_or_the_second_opinion_raise_at_length(body: Any) -> None:
    _no_rule_raises(body)
    _mended(body)
    if isinstance(body, dict):
        _second_opinion(body)


@pytest.mark.parametrize(
    ("expected", "messages"),
    [
        ((), [{"role": "user", "content": "Answer in Json."}]),
        ((), [{"role": "system", "content": "JSON, please"}, {"role": "user", "content": "Hello."}]),
        ((), [{"role": "user", "content": [{"type": "image_url"}, {"type": "text", "text": "as json"}]}]),
        (("chat-json-mode-word",), [{"role": "user", "content": "Say hello."}]),
        (("chat-json-mode-word",), [{"role": "json", "content": None}]),
        (("chat-json-mode-word",), []),
    ],
)
@pytest.mark.parametrize("mode", ["json_object", "text"])
def test_json_mode_is_asked_for_in_words(mode: str, expected: tuple[str, ...], messages: list[Any]) -> None:
    """A rule that JSON Schema can express is data; text mode needs no word."""
    spec, operation = load("2024-10-21"), "chat.completions.create"
    body = {"messages": messages, "response_format": {"type": mode}}
    found = tuple(each.clause for each in field_rules.broken_rules(spec, operation, body))
    assert (expected if mode == "json_object" else ()) == found
    rules = part("strategies.body_rules").BodyRules.of(spec, operation)
    assert found == tuple(clause.id for clause in rules.broken(body))
