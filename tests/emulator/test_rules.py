"""The named rules between fields: each accepts a valid body, refuses an invalid one, and ignores malformed ones."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from json_values import BODIES, VALUES

from conformance.emulator.call import Part
from conformance.emulator.request_rules import NAMED, places
from conformance.spec.loading import load

CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
ASKED = {"role": "assistant", "content": None, "tool_calls": [CALL]}
ANSWER = {"role": "tool", "tool_call_id": "c1", "content": "x"}
PICTURE = Part("files", "a.png", "image/png", b"")


def inpaint(**item: Any) -> dict[str, Any]:
    return {"files": [PICTURE], "inpaint_items": [{"file_name": "a.png", **item}]}


@pytest.mark.parametrize(
    ("rule", "good", "bad", "place"),
    [
        (
            "tool-message-answers-call",
            {"messages": [ASKED, ANSWER]},
            {"messages": [ANSWER]},
            "messages[0].tool_call_id",
        ),
        (
            "tool-message-answers-call",
            {"messages": [ASKED, ANSWER, ASKED, ANSWER]},
            {"messages": [ASKED, ANSWER, ANSWER]},
            "messages[2].tool_call_id",
        ),
        (
            "tool-message-answers-call",
            {"messages": [{"role": "user"}]},
            {"messages": [{"role": "user"}, ASKED, {"role": "user"}, ANSWER]},
            "messages[1].tool_calls",
        ),
        (
            "tool-choice-names-tool",
            {"tools": [{"function": {"name": "f"}}], "tool_choice": {"function": {"name": "f"}}},
            {"tools": [{"function": {"name": "f"}}], "tool_choice": {"function": {"name": "g"}}},
            "tool_choice",
        ),
        ("function-call-names-function", {"function_call": "auto"}, {"function_call": {"name": "f"}}, "function_call"),
        ("best-of-at-least-n", {"best_of": 2, "n": 2}, {"best_of": 1, "n": 2}, "best_of"),
        (
            "function-output-answers-call",
            {"input": [{"type": "function_call", "call_id": "c"}, {"type": "function_call_output", "call_id": "c"}]},
            {"input": [{"type": "function_call_output", "call_id": "c"}]},
            "input",
        ),
        (
            "function-output-answers-call",
            {"previous_response_id": "r", "input": [{"type": "function_call_output", "call_id": "c"}]},
            {"previous_response_id": None, "input": [{"type": "function_call_output", "call_id": "c"}]},
            "input",
        ),
        (
            "responses-tool-choice-names-tool",
            {"tools": [{"name": "f"}], "tool_choice": {"type": "function", "name": "f"}},
            {"tools": [], "tool_choice": {"type": "function", "name": "f"}},
            "tool_choice",
        ),
        (
            "chunk-overlap-at-most-half",
            {"chunking_strategy": {"static": {"max_chunk_size_tokens": 200, "chunk_overlap_tokens": 100}}},
            {"chunking_strategy": {"static": {"max_chunk_size_tokens": 200, "chunk_overlap_tokens": 101}}},
            "chunking_strategy.static.chunk_overlap_tokens",
        ),
        (
            "chunk-overlap-at-most-half",
            {"file_search": {"vector_stores": [{}, {"max_chunk_size_tokens": 200, "chunk_overlap_tokens": 100}]}},
            {"file_search": {"vector_stores": [{}, {"max_chunk_size_tokens": 200, "chunk_overlap_tokens": 101}]}},
            "file_search.vector_stores[1].chunk_overlap_tokens",
        ),
        (
            "validation-file-differs",
            {"training_file": "a", "validation_file": "b"},
            {"training_file": "a", "validation_file": "a"},
            "validation_file",
        ),
        (
            "passing-labels-subset",
            {"testing_criteria": [{"labels": ["a", "b"], "passing_labels": ["b"]}]},
            {"testing_criteria": [{"labels": ["a"], "passing_labels": ["b"]}]},
            "testing_criteria[0].passing_labels",
        ),
        (
            "created-window-not-empty",
            {"data_source": {"source": {"created_after": 1, "created_before": 2}}},
            {"data_source": {"source": {"created_after": 3, "created_before": 2}}},
            "data_source.source.created_after",
        ),
        ("inpaint-file-attached", inpaint(), inpaint(file_name="b.png"), "inpaint_items[0].file_name"),
        (
            "crop-box-not-empty",
            inpaint(crop_bounds={"left_fraction": 0.1}),
            inpaint(crop_bounds={"top_fraction": 0.5, "bottom_fraction": 0.5}),
            "inpaint_items[0].crop_bounds.top_fraction",
        ),
    ],
)
def test_a_named_rule_is_kept_or_broken(rule: str, good: Any, bad: Any, place: str) -> None:
    assert NAMED[rule](good) is None
    assert place == NAMED[rule](bad)


def test_every_named_rule_of_a_version_is_known(any_version: str) -> None:
    named = {clause.rule.named for clause in load(any_version).clauses if clause.rule and clause.rule.named}
    assert set() == named - set(NAMED)


@pytest.mark.parametrize("rule", sorted(NAMED))
@given(body=BODIES | VALUES)
def test_junk_never_makes_a_rule_fail(rule: str, body: Any) -> None:
    assert isinstance(NAMED[rule](body), (str, type(None)))


def test_the_places_of_a_pointer() -> None:
    body = {"a": [{"b": 1}, {"b": 2}], "c/d": {"e": 3}}
    assert [("a[0].b", 1), ("a[1].b", 2)] == list(places(body, "/a/*/b"))
    assert [("c/d.e", 3)] == list(places(body, "/c~1d/*"))
    assert [("a[1]", {"b": 2})] == list(places(body, "/a/1"))
    assert [] == list(places(body, "/a/7/b"))
    assert [("", body)] == list(places(body, ""))
