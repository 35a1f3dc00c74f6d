"""Prediction and observation joined, at servers that do what is documented, less, or something else."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from moving import concluded, moved

from conformance.migration.basis import changes_between
from conformance.migration.change import Direction, Subject
from conformance.migration.conclusion import Conclusion, Upgrade
from conformance.requests.profile import Profile
from conformance.spec.loading import load
from conformance.spec.spec import Spec

#: The two versions of which everything that changed is known: thirteen things came, nothing went.
OLD, NEW = "2024-12-01-preview", "2025-01-01-preview"

#: The operations that changed.
CHANGED = ("chat.completions.create", "completions.create")

Edit = Callable[[dict[str, Any]], Any]


def _served(edit: Edit) -> Spec:
    """The newer version with another document."""
    spec = load(NEW)
    document = deepcopy(dict(spec.document))
    edit(document)
    return evolve(spec, document=document, digest="edited")


def _schemas(document: dict[str, Any]) -> Any:
    return document["components"]["schemas"]


def _without(schema: str, *path: str) -> Edit:
    """An edit that takes a property out of a component."""

    def edit(document: dict[str, Any]) -> None:
        node = _schemas(document)[schema]
        for name in path[:-1]:
            node = node["properties"][name]
        del node["properties"][path[-1]]

    return edit


def _deaf(document: dict[str, Any]) -> None:
    """Messages of users have no audio."""
    union = _schemas(document)["chatCompletionRequestUserMessageContentPart"]["oneOf"]
    union[:] = [one for one in union if not one["$ref"].endswith("ContentPartAudio")]


def test_all_thirteen_changes_are_predicted_and_observed_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    move = moved(load(OLD), load(NEW), load(NEW), tmp_path, monkeypatch, operations=CHANGED)
    assert [Conclusion.OBSERVED] * 13 == [row.result.conclusion for row in move.rows]
    assert () == move.drifts
    assert not move.breaking


USAGE = (
    "prompt_tokens_details.audio_tokens",
    *(
        f"completion_tokens_details.{name}"
        for name in ("accepted_prediction_tokens", "audio_tokens", "rejected_prediction_tokens")
    ),
)

#: What a server lacks → the changes that are not observed. Nobody speaks who can't be asked to.
LACKING: dict[str, tuple[Edit, set[str]]] = {
    "prediction": (_without("createChatCompletionRequest", "prediction"), {"prediction"}),
    "modalities": (
        _without("createChatCompletionRequest", "modalities"),
        {"modalities", "choices[].message.audio"},
    ),
    "audio": (_without("createChatCompletionRequest", "audio"), {"audio", "choices[].message.audio"}),
    "message.audio": (_without("chatCompletionResponseMessage", "audio"), {"choices[].message.audio"}),
    "input_audio": (_deaf, {"messages[role=user].content[type=input_audio]"}),
    **{name: (_without("completionUsage", *name.split(".")), {f"usage.{name}"}) for name in USAGE},
    **{
        f"stream.{name}": (_without("createCompletionStreamResponse", "usage", *name.split(".")), {f"usage.{name}"})
        for name in USAGE
    },
}

#: What every run tries; ``prove`` has the others.
SAMPLE = ("prediction",)


def _lacks(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    edit, expected = LACKING[name]
    move = moved(load(OLD), load(NEW), _served(edit), tmp_path, monkeypatch, operations=CHANGED)
    assert expected == concluded(move, Conclusion.MISSED)
    assert len(expected) == move.count(Conclusion.MISSED)
    assert 13 - len(expected) == move.count(Conclusion.OBSERVED)
    assert () == move.drifts


@pytest.mark.parametrize("name", SAMPLE)
def test_a_server_that_lacks_one_change_misses_exactly_that(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _lacks(name, tmp_path, monkeypatch)


@pytest.mark.prove
@pytest.mark.parametrize("name", sorted(set(LACKING) - set(SAMPLE)))
def test_each_change_is_missed_where_it_is_lacking(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _lacks(name, tmp_path, monkeypatch)


def _short_user(document: dict[str, Any]) -> None:
    _schemas(document)["createChatCompletionRequest"]["properties"]["user"]["maxLength"] = 2


def _any_temperature(document: dict[str, Any]) -> None:
    _schemas(document)["createChatCompletionRequest"]["properties"]["temperature"] = {}


#: What a server changes besides → (where it shows, whether that breaks callers).
ELSE: dict[str, tuple[Edit, str, bool]] = {
    "a field is gone": (_without("createChatCompletionResponse", "system_fingerprint"), "system_fingerprint", True),
    "valid requests are refused": (_short_user, "", True),
    "invalid requests are accepted": (_any_temperature, "", False),
}


@pytest.mark.parametrize("name", ["a field is gone"])
def test_what_a_server_changes_besides_is_observed_and_not_predicted(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _differs(name, tmp_path, monkeypatch)


@pytest.mark.prove
@pytest.mark.parametrize("name", sorted(set(ELSE) - {"a field is gone"}))
def test_other_requests_that_are_taken_are_observed_and_not_predicted(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _differs(name, tmp_path, monkeypatch)


def _differs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    edit, where, breaks = ELSE[name]
    move = moved(load(OLD), load(NEW), _served(edit), tmp_path, monkeypatch, operations=CHANGED)
    assert {where} == {drift.where for drift in move.drifts}
    assert breaks == move.breaking
    assert 13 == move.count(Conclusion.OBSERVED)


def test_a_rule_of_answers_is_judged_by_its_checks_under_both_versions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the newer document says that chunks without totals have ``usage: null``."""
    old, new = load("2024-06-01"), load("2024-10-21")
    (rule,) = (
        change
        for change in changes_between(old, new, operations=("chat.completions.create",))
        if change.subject is Subject.RULE and change.direction is Direction.ANSWER
    )
    unchanged = evolve(old, version=new.version, api_version=new.api_version, digest="unchanged")
    for served, conclusion in ((new, Conclusion.OBSERVED), (unchanged, Conclusion.MISSED)):
        folder = tmp_path / conclusion.name
        folder.mkdir()
        move = moved(
            old, new, served, folder, monkeypatch, operations=(rule.operation,), changes=(rule,), profile=Profile.SMOKE
        )
        assert [conclusion] == [result.conclusion for result in move.results]


def _narrow(
    old: Spec, new: Spec, operations: tuple[str, ...], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Upgrade:
    """The move of a few operations: only their documents are compared."""
    changes = changes_between(old, new, operations=operations)
    return moved(old, new, new, folder, monkeypatch, operations=operations, changes=changes, profile=Profile.SMOKE)


def test_a_new_operation_without_a_json_answer_is_observed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Deletions answer with no body, contents with bytes: what tells them from anything is a refusal elsewhere."""
    operations = ("containers.delete", "files.content")
    old, new = load("2024-10-21"), load("v1")
    move = _narrow(old, new, (*operations, "embeddings.create"), tmp_path, monkeypatch)
    found = {one.change.operation: one.conclusion for one in move.results if one.change.operation in operations}
    assert dict.fromkeys(operations, Conclusion.OBSERVED) == found


def test_an_answer_without_a_form_is_open_where_nothing_was_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The older version has no such operation and is not asked, so nothing is said of what it answered."""
    old, new = load("2024-10-21"), load("v1")
    move = _narrow(old, new, ("containers.delete",), tmp_path, monkeypatch)
    (result,) = (one for one in move.results if one.change.operation == "containers.delete")
    assert Conclusion.OPEN is result.conclusion
    assert "as everything is" in result.told
    assert (0, ()) == (move.sent[0], move.notes)


def test_a_method_that_was_not_allowed_and_now_misses_its_object_is_observed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody can make a tuned model in a test, so its deletion answers 404: before, the route had no such method."""
    old, new = load("v1-preview"), load("v1")
    move = _narrow(old, new, ("models.delete", "models.list"), tmp_path, monkeypatch)
    (result,) = (one for one in move.results if one.change.operation == "models.delete")
    assert Conclusion.OBSERVED is result.conclusion
    assert "no route" in result.told
