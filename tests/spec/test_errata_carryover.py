"""Which errata of a known version an imported document takes over, and what is said of the others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from conformance.spec.loading import load, versions
from conformance.spec.overlay import PatchError, apply_patches, patched
from conformance.spec.spec import Erratum
from conformance.spectools.carryover import carried_clauses
from conformance.spectools.errata_carryover import Fate, carry
from conformance.spectools.importing import import_file


def erratum(*patch: dict[str, Any]) -> Erratum:
    return Erratum("e", "/a", "says", "holds", "why", "source", "spec", patch)


def change(path: str, old: Any, new: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    return {"op": "test", "path": path, "value": old}, {"op": "replace", "path": path, "value": new}


NULLABLE = change("/a/type", "string", ["string", "null"])
OPTIONAL = change("/a/required", ["id", "quote"], ["id"])
WIDER = change("/a/enum", ["safe", "high"], ["safe", "very_low", "high"])


@pytest.mark.parametrize(
    ("fate", "document", "patch", "after"),
    [
        (Fate.APPLIES, {"a": {"type": "string"}}, NULLABLE, {"a": {"type": ["string", "null"]}}),
        (Fate.ALREADY, {"a": {"type": ["null", "string"]}}, NULLABLE, None),
        (Fate.ELSEWHERE, {"b": {}}, NULLABLE, None),
        (Fate.DIFFERS, {"a": {"type": "integer"}}, NULLABLE, None),
        (Fate.APPLIES, {"a": {"required": ["name", "quote"]}}, OPTIONAL, {"a": {"required": ["name"]}}),
        (Fate.DIFFERS, {"a": {"required": ["name"]}}, OPTIONAL, None),
        (Fate.APPLIES, {"a": {"enum": ["high", "none"]}}, WIDER, {"a": {"enum": ["high", "none", "very_low"]}}),
        (Fate.DIFFERS, {"a": {"enum": ["high", "very_low"]}}, WIDER, None),
        (
            Fate.IN_PART,
            {"a": {"type": "string"}},
            (*change("/b/type", "string", "null"), *NULLABLE),
            {"a": {"type": ["string", "null"]}},
        ),
        (
            Fate.APPLIES,
            {"a": {"required": ["id"]}},
            ({"op": "test", "path": "/a/required", "value": ["id"]}, {"op": "add", "path": "/a/anyOf", "value": []}),
            {"a": {"required": ["id"], "anyOf": []}},
        ),
        (
            Fate.DIFFERS,
            {"a": {"required": ["id"]}},
            ({"op": "test", "path": "/a/required", "value": ["id"]}, {"op": "add", "path": "/b/c", "value": []}),
            None,
        ),
        (
            Fate.ELSEWHERE,
            {"a": {"type": "string"}},
            change("/a/type", "string", {"$ref": "#/components/schemas/b"}),
            None,
        ),
        (Fate.NO_CHANGE, {"a": {}}, (), None),
    ],
)
def test_each_change_is_decided_by_what_the_document_says_there(
    fate: Fate, document: Any, patch: tuple[dict[str, Any], ...], after: Any
) -> None:
    (found,) = carry(document, [erratum(*patch)])
    assert fate == found.fate
    assert (after or document) == apply_patches(document, [("e", found.patch)])


def test_an_erratum_may_rest_on_the_one_before_it() -> None:
    first, second = carry(
        {"a": {"type": "string"}}, [erratum(*NULLABLE), erratum(*change("/a/type", ["string", "null"], 1))]
    )
    assert (Fate.APPLIES, Fate.APPLIES) == (first.fate, second.fate)


def test_clauses_come_from_every_version_that_has_the_operation(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last dated preview has assistants, as dated versions have, and responses, as v1 has. It isn't known yet."""
    known = tuple(version for version in versions() if version != "2025-04-01-preview")
    monkeypatch.setattr("conformance.spectools.importing.versions", lambda **_: known)
    done = import_file(shared / "official-specs" / "2025-04-01-preview.yaml", "2025-04-01-preview", tmp_path)
    text = (done.folder / "clauses.toml").read_text(encoding="utf-8")
    assert "2025-01-01-preview" == done.nearest
    assert "carried over from v1-preview" in text
    assert "carried over from 2025-01-01-preview" in text
    assert {Fate.APPLIES, Fate.IN_PART, Fate.ALREADY, Fate.ELSEWHERE, Fate.DIFFERS} <= {fate for _, fate in done.errata}
    assert json.dumps(sorted(name for name, _ in done.errata)) == json.dumps(sorted({name for name, _ in done.errata}))


@pytest.mark.parametrize("version", ["v1", "v1-preview"])
def test_a_clause_names_the_version_that_had_it_first_and_no_other(version: str) -> None:
    """However often it is taken over. Of itself a version takes over nothing."""
    kept = load("v1")
    known = {clause.id: clause.source for clause in kept.clauses}
    made = {row["id"]: row["source"] for row in carried_clauses(evolve(load(version), clauses=()), [kept])["clause"]}
    mark = "carried over from"
    wanted = {id: known[id] if mark in known[id] or version == "v1" else f"{known[id]} ({mark} v1)" for id in made}
    assert wanted == made
    assert {True, False} == {mark in known[id] for id in made}


@pytest.mark.parametrize("version", versions())
def test_no_source_names_its_own_version_or_two_others(version: str) -> None:
    told = [clause.source for clause in load(version).clauses if clause.version == version]
    assert [] == [one for one in told if f"carried over from {version})" in one or one.count("carried over") > 1]


def test_a_patch_that_does_not_apply_is_told_without_the_document() -> None:
    """The library quotes all of it, which may be hundreds of pages."""
    document = {f"member{number}": "x" * 100 for number in range(1000)}
    wrong = ({"op": "test", "path": "/absent/type", "value": "string"},)
    for apply in (lambda: apply_patches(document, [("e", wrong)]), lambda: patched(document, "e", wrong)):
        with pytest.raises(PatchError) as caught:
            apply()
        assert "'absent' not found" in str(caught.value)
        assert 300 >= len(str(caught.value))
