"""Excuses by meaning: each refusal as it was reported, and the same words where they explain nothing."""

from __future__ import annotations

from typing import Any

import pytest
from test_blocking import seen

from conformance.judging.excuses import KNOWN, excuse
from conformance.requests.case import JsonBody, Multipart, Part
from conformance.verdict import Outcome

AWAY, NONE = Outcome.INCONCLUSIVE, Outcome.NOT_APPLICABLE
PICTURE = {"prompt": "a cat", "size": "1536x1024"}
STRUCTURED = {"messages": [], "response_format": {"type": "json_schema", "json_schema": {"name": "n"}}}
SEARCHING = {"input": "hi", "tools": [{"type": "web_search_preview"}]}


def outcome(error: dict[str, Any], body: Any, capability: str = "", status: int = 400) -> Outcome | None:
    """What is said of a valid request with this body that is refused with this error."""
    found = excuse(seen(status, {"error": error}, body=JsonBody(body), capability=capability))
    return found and found.outcome


def said(message: str, param: str | None = None, code: str | None = None) -> dict[str, Any]:
    return {"message": message, "type": "invalid_request_error", "param": param, "code": code}


@pytest.mark.parametrize(
    ("expected", "error", "body", "capability"),
    [
        (NONE, said("This model does not support specifying dimensions."), {"input": "a", "dimensions": 256}, ""),
        (
            NONE,
            said("Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model.", "x"),
            STRUCTURED,
            "",
        ),
        (NONE, said("Hosted tool 'web_search_preview' is not supported with gpt-4.1.", "tools"), SEARCHING, ""),
        (
            NONE,
            said("Invalid value: '1536x1024'. Supported values are: '256x256'.", "size", "invalid_value"),
            PICTURE,
            "images+images-size",
        ),
        (NONE, said("Unknown parameter: 'size'.", "size", "unknown_parameter"), PICTURE, "images+images-size"),
        (NONE, said("Unsupported parameter.", "tools[0].type", "unsupported_parameter"), SEARCHING, ""),
        (NONE, said("Unsupported value.", "model", "unsupported_value"), SEARCHING, ""),
        (NONE, said("Unsupported value.", None, "unsupported_value"), SEARCHING, ""),
        (
            AWAY,
            said("This model's maximum context length is 8192 tokens.", "messages", "context_length_exceeded"),
            {"messages": [{"role": "user", "content": "word " * 400}], "max_tokens": 100},
            "",
        ),
    ],
)
def test_a_refusal_as_the_service_words_it(
    expected: Outcome, error: dict[str, Any], body: Any, capability: str
) -> None:
    assert expected is outcome(error, body, capability)


@pytest.mark.parametrize(
    ("error", "body", "capability"),
    [
        (said("This model does not support specifying dimensions."), {"input": "a"}, ""),
        (
            said("Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model."),
            {"messages": [], "response_format": {"type": "text"}},
            "",
        ),
        (said("Hosted tool 'web_search_preview' is not supported with gpt-4.1."), {"input": "hi", "tools": []}, ""),
        (said("Invalid value: 'x'. Supported values are: 'y'.", "size", "invalid_value"), PICTURE, "images"),
        (said("Invalid value: 'x'.", "size", "invalid_value"), PICTURE, "images+images-size"),
        (said("Unknown parameter: 'size'.", "size", "unknown_parameter"), PICTURE, "images"),
        (said("Unknown parameter: 'n'.", "n", "unknown_parameter"), PICTURE, "images+images-size"),
        (said("Unknown parameter.", None, "unknown_parameter"), PICTURE, "images+images-size"),
        (said("Unsupported parameter: 'stop'.", "stop", "unsupported_parameter"), PICTURE, ""),
        (said("Too long.", "messages", "context_length_exceeded"), {"messages": [], "max_tokens": 100}, ""),
    ],
)
def test_what_the_request_does_not_hold_explains_no_refusal(error: dict[str, Any], body: Any, capability: str) -> None:
    """A target that answers everything so would pass for one that has an excuse."""
    assert outcome(error, body, capability) is None


@pytest.mark.parametrize(("expected", "tokens"), [(None, 2_047 - len("max_tokensprompt")), (AWAY, 2_048)])
def test_a_context_is_at_least_as_long_as_that_of_the_smallest_model(expected: Outcome | None, tokens: int) -> None:
    error = said("Too long.", None, "context_length_exceeded")
    assert expected is outcome(error, {"max_tokens": tokens, "prompt": ""})


def test_the_filter_names_itself_in_the_inner_error() -> None:
    inner = {"code": "ContentFiltered", "content_filter_result": {}}
    assert AWAY is outcome({"code": "400", "message": "blocked", "innererror": inner}, {"messages": []})


def test_a_completion_that_was_filtered_may_come_as_a_refusal() -> None:
    choice = {"index": 0, "finish_reason": "content_filter", "message": {"role": "assistant"}}
    found = excuse(seen(400, {"choices": [choice], "object": "chat.completion"}))
    assert found is not None
    assert AWAY is found.outcome
    for value in ({"choices": []}, {"choices": [{**choice, "finish_reason": "stop"}]}, {"choices": [choice, 5]}):
        assert excuse(seen(400, value)) is None


def test_the_fields_of_a_form_are_parameters_too() -> None:
    form = Multipart((Part("size", b"256x256"), Part("image", b"png", "a.png")))
    for param, known in (("size", True), ("image", True), ("mask", False)):
        error = {"error": said("No.", param, "unsupported_parameter")}
        assert known is (excuse(seen(400, error, body=form)) is not None)


def test_every_kind_has_a_source() -> None:
    assert [] == [known for known in KNOWN if not (known.source and (known.codes or known.words))]
    assert [] == [code for known in KNOWN for code in known.codes if code != code.lower()]
