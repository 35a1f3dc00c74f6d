"""What changes between two api-versions, by the shipped documents: the changes that people know, and no others."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve
from overlaid import overlaid

from conformance.migration.basis import changes_between
from conformance.migration.change import Basis, Change, Direction, Kind
from conformance.migration.sentences import sentence, title
from conformance.spec.loading import load, versions
from conformance.spec.spec import Spec


def _witnesses() -> list[Spec]:
    return [load(name) for name in versions(drafts=True)]


def _told(changes: tuple[Change, ...], basis: Basis = Basis.SERVICE) -> list[Change]:
    """One change for each group, of one basis."""
    return list({change.group: change for change in reversed(changes) if change.basis is basis}.values())


def test_audio_preview_has_its_thirteen_changes_and_no_others() -> None:
    changes = changes_between(load("2024-12-01-preview"), load("2025-01-01-preview"), _witnesses())
    told = _told(changes)
    assert len(told) == 13
    assert {change.kind for change in told} == {Kind.ADDED}
    assert not any(change.breaks for change in changes)
    sent = {change.where for change in told if change.direction is Direction.REQUEST}
    assert sent == {"modalities", "prediction", "audio", "messages[role=user].content[type=input_audio]"}
    assert _told(changes, Basis.DOCUMENT) == []


def test_a_route_that_lost_its_deployment_is_one_change_of_all_operations() -> None:
    changes = changes_between(load("2024-10-21"), load("v1"), _witnesses())
    assert [change.operation for change in changes if change.subject == "route"] == ["*"]
    assert not [change for change in changes if change.where == "model" and change.direction is Direction.REQUEST]


#: Versions with few operations, of which every run has time for a comparison.
SMALL = ("2024-06-01", "2024-10-21")


@pytest.mark.parametrize("name", SMALL)
def test_a_version_has_no_changes_against_itself(name: str) -> None:
    assert changes_between(load(name), load(name)) == ()


@pytest.mark.prove
@pytest.mark.parametrize("name", sorted(set(versions(drafts=True)) - set(SMALL)))
def test_a_large_version_has_no_changes_against_itself(name: str) -> None:
    assert changes_between(load(name), load(name)) == ()


def test_every_change_has_a_sentence_and_a_title() -> None:
    changes = changes_between(load("2024-10-21"), load("v1"), _witnesses())
    for change in changes:
        assert sentence(change).endswith(".")
        assert "different" not in sentence(change)
        assert title(change).startswith(change.kind.value)


def _chat(document: dict[str, Any]) -> Any:
    return document["components"]["schemas"]["createChatCompletionRequest"]


def test_a_bound_that_only_one_document_states_is_no_change_of_the_service() -> None:
    old = load("2024-10-21")

    def edit(document: dict[str, Any]) -> None:
        del _chat(document)["properties"]["n"]["maximum"]

    (change,) = changes_between(old, overlaid(old, edit))
    assert (Basis.DOCUMENT, Kind.WIDENED, "n") == (change.basis, change.kind, change.where)


def test_a_closer_bound_breaks_callers() -> None:
    old = load("2024-10-21")

    def edit(document: dict[str, Any]) -> None:
        _chat(document)["properties"]["n"]["maximum"] = 5

    (change,) = changes_between(old, overlaid(old, edit))
    assert (True, Kind.NARROWED, "n", 128, 5) == (change.breaks, change.kind, change.where, change.old, change.new)


def test_an_older_document_that_says_the_same_speaks_against_a_change_of_the_service() -> None:
    old = load("2024-10-21")

    def edit(document: dict[str, Any]) -> None:
        _chat(document)["properties"]["user"]["type"] = ["string", "null"]

    new = overlaid(old, edit)
    assert [Basis.SERVICE] == [change.basis for change in changes_between(old, new)]
    older = overlaid(old, edit, "2024-01-01")
    (change,) = changes_between(old, new, [older])
    assert (Basis.DOCUMENT, "the document of 2024-01-01 says so already") == (change.basis, change.why)


def _stating(spec: Spec, **changes: Any) -> Spec:
    """The version with one more rule of answers."""
    usage = spec.clause_by_id["usage-total"]
    return evolve(spec, version="stating", clauses=(*spec.clauses, evolve(usage, id="planted", **changes)))


def test_a_rule_of_answers_that_one_version_states_alone_is_told_and_breaks_nobody() -> None:
    old = load("2024-10-21")
    new = _stating(old, text="Planted.", operations=("embeddings.*",), checks=("planted.check",))
    (came,) = changes_between(old, new)
    (gone,) = changes_between(new, old)
    for change in (came, gone):
        assert ("embeddings.create", Direction.ANSWER, Kind.RULE) == (change.operation, change.direction, change.kind)
        assert (Basis.DOCUMENT, False) == (change.basis, change.breaks)
    assert (None, "Planted.") == (came.old, came.new)
    assert ("Planted.", None) == (gone.old, gone.new)
    assert "`Planted.`" in sentence(came)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"operations": ("embeddings.*",)}, id="the same check tests it under another name"),
        pytest.param({"checks": ()}, id="nothing tests it"),
        pytest.param({"checks": ("planted.check",), "excluded": "not testable"}, id="it is excluded"),
        pytest.param({"checks": ("planted.check",), "operations": ("threads.*",)}, id="it is about other operations"),
    ],
)
def test_other_names_and_advice_are_no_rules_of_answers(changes: dict[str, Any]) -> None:
    old = load("2024-10-21")
    assert () == changes_between(old, _stating(old, **changes))


def test_a_rule_about_what_a_new_field_leads_to_is_a_part_of_the_field() -> None:
    changes = changes_between(load("2024-12-01-preview"), load("2025-01-01-preview"))
    assert not [change for change in changes if change.kind is Kind.RULE]
    assert "chat-audio-answer" in next(change.rules for change in changes if change.where == "audio")
