"""``spec import`` refuses what can't become a version, with the reason, and keeps what is there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from import_documents import imported, three

from conformance.cli import main
from conformance.errors import UsageError
from conformance.spectools import importing
from conformance.spectools.importing import import_file

#: A schema that is nothing but itself, and three that are each other, whichever branch is taken.
NODE = {"$ref": "#/components/schemas/Node"}
CIRCLE = {
    "Node": {"anyOf": [{"type": "string"}, {"$ref": "#/components/schemas/B"}]},
    "B": {"not": {"$ref": "#/components/schemas/C"}},
    "C": {"oneOf": [{"type": "integer"}, NODE]},
}

OUTSIDE = {"type": "object", "properties": {"a": {"$ref": "http://example.org/x.json#/a"}}}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (json.dumps(three(OUTSIDE)), "http://example.org/x.json#/a"),
        (json.dumps(three({"$ref": "other.json"})), "other.json"),
        ("[1, 2]", "holds no object"),
        ("{}", "neither openapi nor swagger"),
        ('{"openapi": "4.0.0", "paths": {"/a": {}}}', "4.0.0"),
        ('{"openapi": "3.0.0", "paths": {}}', "without paths"),
        ('{"openapi": "3.0.0", "paths": {"/a": {}}}', "no operation"),
        ("a: [", "neither JSON nor YAML"),
        ("\x00\x01", "neither JSON nor YAML"),
        ("a: &a [*a]", "leads into itself"),
        ("openapi: 3.0.0\npaths: {}\npaths: {}", "key 'paths' is already on line 2"),
        ('{"openapi": "3.0.0",\n"paths": {},\n"paths": {}}', "key 'paths' is already on line 2"),
        (json.dumps(three(NODE, components={"schemas": {"Node": {"allOf": [NODE]}}})), "Node → Node"),
        (json.dumps(three(NODE, components={"schemas": {"Node": NODE}})), "Node → Node"),
        (json.dumps(three(NODE, components={"schemas": CIRCLE})), "Node → B → C → Node"),
        ('{"a":' * 100_000, "nested too deeply"),
        ("- " * 100_000, "nested too deeply"),
        ("[" * 100_000 + "a: b", "nested too deeply"),
    ],
)
def test_what_can_not_be_imported_is_refused(
    content: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "document"
    file.write_text(content, encoding="utf-8")
    assert main(["spec", "import", str(file), "--as", "mine", "--specs", str(tmp_path / "versions")]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert str(file) in error
    assert not (tmp_path / "versions" / "mine").exists()


def test_the_size_is_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert importing.MOST_BYTES == 50 * 1024 * 1024
    monkeypatch.setattr(importing, "MOST_BYTES", 10)
    (tmp_path / "document").write_text(json.dumps(three({})))
    with pytest.raises(UsageError, match="the limit is 10"):
        import_file(tmp_path / "document", "mine", tmp_path / "versions")


@pytest.mark.parametrize("label", ["../evil", "a/b", "..", ""])
def test_labels_stay_in_the_folder(label: str, tmp_path: Path) -> None:
    (tmp_path / "document").write_text(json.dumps(three({})))
    with pytest.raises(UsageError, match="name of a folder"):
        import_file(tmp_path / "document", label, tmp_path / "versions")


def test_a_version_that_is_there_is_kept(tmp_path: Path) -> None:
    imported(three({"type": "object"}), tmp_path)
    with pytest.raises(UsageError, match="--force"):
        imported(three({"type": "object"}), tmp_path)
