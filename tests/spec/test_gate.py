"""``spec check``: which versions may be used, and what is said of the others."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import tomlkit
from served import Done, command

from conformance.cli import main
from conformance.pointer import escape, follow
from conformance.spec.loading import load, versions
from conformance.spectools.importing import import_file

#: Every published document, with the version that it is.
PUBLISHED = (
    *(("2024-02-01.json", "2024-02-01"), ("2024-06-01.json", "2024-06-01"), ("2024-10-21.json", "2024-10-21")),
    *(("2024-10-21.yaml", "2024-10-21"), ("2024-05-01-preview.json", "2024-05-01-preview")),
    *(("assistants-2024-05-01-preview.json", "2024-05-01-preview"), ("2025-04-01-preview.yaml", "2025-04-01-preview")),
    *(("authoring-2024-05-01-preview.json", "2024-05-01-preview"), ("v1-2026-02.json", "v1"), ("v1.yaml", "v1")),
    ("v1-preview.json", "v1-preview"),
)

#: Documents of other providers of the same kind of API, by hand: a small one, one in Swagger 2.0, one full of unions.
OTHERS = tuple(sorted((Path(__file__).resolve().parents[1] / "other_providers").glob("*.yaml")))


def check(state: Path, version: str, *more: str) -> Done:
    """The command in a process of its own."""
    return command(state, "spec", "check", version, *more, patience=3600)


@pytest.mark.parametrize("version", versions())
@pytest.mark.parametrize("profile", ["quick", pytest.param("standard", marks=pytest.mark.prove)])
def test_our_versions_may_be_used(version: str, profile: str, tmp_path: Path) -> None:
    assert Done(0, "", "") == check(tmp_path, version, "--profile", profile)


@pytest.mark.parametrize(
    ("file", "label", "profile"),
    [
        ("2024-10-21.json", "2024-10-21", "smoke"),
        *(pytest.param(*each, "standard", marks=pytest.mark.deep) for each in PUBLISHED),
    ],
)
def test_published_documents_may_be_used(file: str, label: str, profile: str, shared: Path, tmp_path: Path) -> None:
    """A small one with the other tests, all of them at standard in ``tox run -e deep``."""
    import_file(shared / "official-specs" / file, label, tmp_path)
    done = check(tmp_path, label, "--specs", str(tmp_path), "--profile", profile)
    assert (0, "") == (done.code, done.out)


@pytest.mark.parametrize(
    ("file", "profile"),
    [
        pytest.param(one, profile, marks=() if (one.stem, profile) == ("small", "smoke") else pytest.mark.prove)
        for one in OTHERS
        for profile in ("smoke", "standard")
    ],
    ids=lambda value: value.stem if isinstance(value, Path) else value,
)
def test_documents_of_other_providers_may_be_used(file: Path, profile: str, tmp_path: Path) -> None:
    import_file(file, file.stem, tmp_path / "versions")
    done = check(tmp_path, file.stem, "--specs", str(tmp_path / "versions"), "--profile", profile)
    assert (0, "") == (done.code, done.out)


def test_every_published_document_is_checked(shared: Path) -> None:
    there = {path.name for path in (shared / "official-specs").iterdir() if path.suffix in (".json", ".yaml")}
    assert {file for file, _ in PUBLISHED} == there


def test_mistakes_are_told_before_anything_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "broken"
    folder.mkdir()
    (folder / "version.toml").write_text("label = 1\n", encoding="utf-8")
    assert main(["spec", "check", "broken", "--specs", str(tmp_path)]) == 1
    told = capsys.readouterr().out
    assert "version.toml" in told
    assert "verdicts" not in told


def imported(document: Any, folder: Path) -> Path:
    """The folder of versions with the document as ``mine``."""
    (folder / "document.json").write_text(json.dumps(document), encoding="utf-8")
    import_file(folder / "document.json", "mine", folder / "versions")
    return folder / "versions"


def by_hand(versions: Path) -> Path:
    """The version ``mine`` as ``ours``, without the mark of an import. Gives its folder."""
    ours = versions / "ours"
    shutil.copytree(versions / "mine", ours)
    data = tomlkit.parse((ours / "version.toml").read_text("utf-8"))
    del data["imported"]
    data["label"] = "ours"
    (ours / "version.toml").write_text(tomlkit.dumps(data), encoding="utf-8")
    return ours


def test_an_operation_without_a_handler_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A version by hand needs handlers; an imported one is answered by its document, and lint says so."""
    answers = {"200": {"description": "d", "content": {"application/json": {"schema": {"type": "object"}}}}}
    document = json.loads(json.dumps(load("2024-06-01").document))
    document["paths"]["/gadgets"] = {"get": {"responses": answers}}
    folder = imported(document, tmp_path)
    assert main(["spec", "lint", "mine", "--specs", str(folder)]) == 0
    assert "note: mine: the emulator answers by the document alone: gadgets.list" in capsys.readouterr().out
    by_hand(folder)
    assert main(["spec", "check", "ours", "--specs", str(folder), "--profile", "smoke"]) == 1
    assert "the emulator has no handler for gadgets.list" in capsys.readouterr().out


def test_an_emulator_that_is_not_conformant_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The document of a version demands what its emulator does not send."""
    folder = imported(load("2024-06-01").document, tmp_path)
    ours = by_hand(folder)
    document = load("mine", folder).document
    path = next(path for path in document["paths"] if path.endswith("/embeddings"))
    at = f"/paths/{escape(path)}/post/responses/200/content/application~1json/schema"
    schema = follow(document, at)
    demanding = {"allOf": [schema, {"type": "object", "required": ["soul"]}]}
    patch = [{"op": "test", "path": at, "value": schema}, {"op": "replace", "path": at, "value": demanding}]
    errata = tomlkit.parse((ours / "errata.toml").read_text("utf-8")) if (ours / "errata.toml").is_file() else {}
    row = {"id": "soul", "where": at, "says": "s", "holds": "h", "why": "w", "source": "t", "provenance": "spec"}
    errata["erratum"] = [*errata.get("erratum", []), {**row, "patch": json.dumps(patch)}]
    (ours / "errata.toml").write_text(tomlkit.dumps(errata), encoding="utf-8")
    assert main(["spec", "check", "ours", "--specs", str(folder), "--profile", "smoke"]) == 1
    told = capsys.readouterr().out
    assert "ours: fail schema.response in corpus.embeddings.create: 'soul' is a required property" in told
    assert "ours: not conformant" in told


def test_the_run_has_a_time_limit(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["spec", "check", "2024-06-01", "--profile", "smoke", "--timeout", "0.01"]) == 2
    assert "took longer than 0.01 seconds" in capsys.readouterr().err
    assert main(["spec", "check", "2024-06-01", "--timeout", "0"]) == 2
