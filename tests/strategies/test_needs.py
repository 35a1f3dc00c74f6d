"""What a request asks of a deployment: each word stands on the requests that show it, and on no others.

The marks below are a second reading of requests, apart from ``operations.toml``: names of fields and types of objects
by which a reader of the documents knows that a request is about something that not every model can do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

import pytest
from corpus_stage import PROVED, VERSIONS, corpus
from offline import answering, play

from conformance.emulator.app import App
from conformance.emulator.behaviour import DEFAULT_DEPLOYMENTS
from conformance.emulator.behaviour import Settings as EmulatorSettings
from conformance.emulator.store import Clock
from conformance.requests.capabilities import with_capabilities
from conformance.requests.case import Break, Case, Expect, JsonBody
from conformance.requests.field_rules import body_of
from conformance.scenarios.registry import scenarios_of
from conformance.settings.configuration import Target
from conformance.settings.form import CAPABILITIES
from conformance.spec.loading import load

#: Word → (operations, names of fields of the body, types of objects anywhere in it).
MARKS: tuple[tuple[str, str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("tools", "chat.*", ("tools", "tool_choice", "functions", "function_call", "parallel_tool_calls"), ()),
    ("tools", "responses.create", ("tools", "tool_choice", "parallel_tool_calls"), ("function_call_output",)),
    ("vision", "*", (), ("image_url", "input_image")),
    ("logprobs", "chat.*", ("logprobs", "top_logprobs"), ()),
    ("logprobs", "responses.create", ("top_logprobs",), ()),
    ("logprobs", "audio.transcriptions.*", ("include[]",), ()),
    ("stop", "*", ("stop",), ()),
    ("n", "chat.*", ("n",), ()),
    ("n", "completions.*", ("n", "best_of"), ()),
    ("json-mode", "*", (), ("json_object",)),
    ("json-schema", "*", (), ("json_schema",)),
    ("prediction", "chat.*", ("prediction",), ()),
    ("chat-audio", "chat.*", ("audio", "modalities"), ("input_audio",)),
    ("dimensions", "embeddings.*", ("dimensions",), ()),
    ("transcription-formats", "audio.trans*", ("timestamp_granularities[]", "response_format"), ()),
    ("file-input", "chat.*", (), ("file",)),
    ("file-input", "responses.create", (), ("input_file",)),
    ("tools", "evals.*", (), ("function",)),
    ("transcription-stream", "audio.transcriptions.*", ("stream",), ()),
    ("speech-stream", "audio.speech.*", ("stream_format",), ()),
    ("images-n", "images.*", ("n",), ()),
    ("images-size", "images.*", ("size",), ()),
    ("images-quality", "images.*", ("quality",), ()),
    ("images-style", "images.*", ("style",), ()),
    ("images-format", "images.*", ("output_format", "output_compression", "background", "moderation"), ()),
    ("images-response-format", "images.*", ("response_format",), ()),
    ("web-search", "responses.create", (), ("web_search_preview", "web_search_preview_2025_03_11")),
    ("file-search", "responses.create", (), ("file_search",)),
    ("code-interpreter", "responses.create", (), ("code_interpreter",)),
    ("image-generation", "responses.create", (), ("image_generation",)),
    ("mcp", "responses.create", (), ("mcp",)),
    ("computer-use", "responses.create", (), ("computer_use_preview",)),
    ("local-shell", "responses.create", (), ("local_shell",)),
)

#: Words for a kind of deployment; they stand alone. ``reasoning`` says how a model answers, not what is asked of it.
KINDS = {
    "chat", "completions", "embeddings", "transcription", "translation", "speech", "images", "image-edits", "video",
    "assistants", "responses", "fine-tuning", "batch", "reasoning", "realtime",
}  # fmt: skip


def objects(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every object in a JSON value."""
    if isinstance(value, dict):
        yield value
        for item in value.values():
            yield from objects(item)
    elif isinstance(value, list):
        for item in value:
            yield from objects(item)


def asked(case: Case) -> set[str]:
    """The words whose marks a request bears. Null, false, empty values, ``n`` of 1 and plain JSON ask for nothing."""
    body = body_of(case)
    if not isinstance(body, dict):
        return set()
    fields = {
        name
        for name, value in body.items()
        if value is not None and value is not False and value not in ("", "false", [], {})
        if not (name in ("n", "best_of") and value in (1, "1") and value is not True)
        if not (name == "response_format" and value == "json")
    }
    types = {each["type"] for each in objects(body) if isinstance(each.get("type"), str)}
    return {
        word
        for word, operations, names, kinds in MARKS
        if fnmatchcase(case.operation, operations) and (fields & set(names) or types & set(kinds))
    }


def words(case: Case) -> set[str]:
    return set(case.capability.split("+")) - {""}


def deployments(without: str = "") -> Target:
    """The emulator's deployments, none of which claims one word."""
    return Target(deployments={one.name: one.abilities - {without} for one in DEFAULT_DEPLOYMENTS})


def test_each_word_is_a_kind_or_has_marks() -> None:
    """So the properties below are about every word that a configuration can hold."""
    assert set(CAPABILITIES) == KINDS | {word for word, *_ in MARKS}
    assert {need.capability for need in load("v1-preview").facts.needs} <= set(CAPABILITIES)


@pytest.mark.parametrize("version", PROVED)
def test_a_request_carries_the_word_for_everything_that_it_asks_for(version: str) -> None:
    wrong = {
        f"{case.operation} {case.role} {case.breaks}": lacking
        for part in corpus(version).parts
        for case in (*part.cases, *part.setup, *part.fresh)
        if case.capability and (lacking := asked(case) - words(case))
    }
    assert {} == wrong


@pytest.mark.parametrize(
    "version",
    [
        *("2024-05-01-preview", "2024-10-21", "v1-preview"),
        *(pytest.param(newest, marks=pytest.mark.prove) for newest in ("2025-04-01-preview", "v1")),
    ],
)
def test_a_request_of_a_scenario_carries_them_too(version: str) -> None:
    spec = load(version)
    app = App([spec], EmulatorSettings(), Clock.fixed())
    seen = [
        observation.case
        for scenario in scenarios_of(spec, "standard")
        if not scenario.expensive
        for observation in play(spec, scenario, answering(app, spec)).observations
    ]
    assert {"tools", "n"} <= {word for case in seen for word in asked(case)}
    assert {} == {
        f"{case.operation} {case.role}": asked(case) - words(case) for case in seen if asked(case) - words(case)
    }


@cache
def pairs(versions: tuple[str, ...]) -> frozenset[tuple[str, frozenset[str]]]:
    """(capability, words whose marks the request bears) of every request of these versions that needs a deployment."""
    return frozenset(
        (case.capability, frozenset(asked(case))) for version in versions for case in corpus(version) if case.capability
    )


#: Words that only standard requests of other versions than those of :data:`WHOLE` need carry: what the small profiles
#: of these ask for is data. No request of the standard profile is about a local shell.
SELDOM = frozenset(
    (
        *("chat-audio", "computer-use", "file-input", "file-search", "image-generation"),
        *("images-format", "local-shell", "prediction", "speech-stream"),
    )
)


def without(word: str, versions: tuple[str, ...]) -> bool:
    """With all claims every request finds a deployment; without one, those that carry its word find none. True if there
    are any.
    """
    known = pairs(versions)
    everything, less = deployments(), deployments(without=word)
    withheld = {capability for capability, _ in known if less.deployment_for(capability) is None}
    assert set() == {capability for capability, _ in known if everything.deployment_for(capability) is None}
    assert set() == {(capability, marks) for capability, marks in known if word in marks and capability not in withheld}
    assert withheld == {capability for capability, _ in known if word in capability.split("+")}
    return bool(withheld)


@pytest.mark.parametrize("word", sorted(set(CAPABILITIES) - KINDS))
def test_without_a_claim_nothing_of_it_is_sent_and_all_else_is(word: str) -> None:
    assert without(word, VERSIONS) or word in SELDOM


@pytest.mark.prove
@pytest.mark.parametrize("word", sorted(set(CAPABILITIES) - KINDS))
def test_without_a_claim_nothing_of_it_is_sent_of_any_version(word: str) -> None:
    assert (word != "local-shell") == without(word, tuple(map(str, VERSIONS)))


@pytest.mark.parametrize(
    ("pointer", "body", "expected"),
    [
        ("/stop", {"stop": ""}, "chat+stop"),
        ("/n", {"n": 0}, "chat+n"),
        ("/n", {"n": 1}, "chat+n"),
        ("/messages", {"messages": 1, "n": 1}, "chat"),
        ("/messages/0/role", {"messages": [{"role": 1}]}, "chat"),
        ("/messages/0/tool_calls/0", {"messages": [{"tool_calls": []}]}, "chat+tools"),
        ("/toolsmith", {"toolsmith": 1}, "chat"),
        ("/response_format", {"response_format": 1}, "chat+json-mode"),
        ("/response_format/type", {"response_format": {"type": "xml"}}, "chat+json-mode"),
    ],
)
def test_a_broken_constraint_of_a_thing_is_about_that_thing(pointer: str, body: Any, expected: str) -> None:
    case = Case(
        "chat.completions.create",
        "POST",
        "/chat/completions",
        body=JsonBody(body),
        expect=Expect.REJECT,
        breaks=Break(pointer, "type"),
        capability="chat",
    )
    assert expected == with_capabilities(load("v1-preview"), case).capability


def test_a_request_that_needs_no_deployment_needs_no_word() -> None:
    case = Case("chat.completions.create", "POST", "/chat/completions", body=JsonBody({"stop": "x"}))
    assert "" == with_capabilities(load("v1-preview"), case).capability


def test_legacy_functions_are_tools() -> None:
    """A deployment that doesn't claim tools gets no ``functions`` either."""
    found = [case for case in corpus("2024-10-21") if "functions" in (body_of(case) or {})]
    assert found
    assert all("tools" in words(case) for case in found)
