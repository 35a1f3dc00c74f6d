"""The versions of the suite as a whole: complete, clean, readable by other tools, and data only."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import schemathesis
import yaml
from openapi_spec_validator import OpenAPIV31SpecValidator
from spec_folders import FILES, Maker

from conformance.cli import main
from conformance.spec.loading import load, versions
from conformance.spec.operations import operations_of
from conformance.spec.shipped import specs_dir
from conformance.spectools.document_text import as_json, as_yaml
from conformance.spectools.fact_rules import shared_fact_problems
from conformance.spectools.ledger_rules import common_problems
from conformance.spectools.lint import lint
from conformance.spectools.version_numbers import page

ROOT = Path(__file__).resolve().parents[2]

#: What each document describes (the table of the issue that asked for them).
OPERATIONS = {
    "2023-11-06-beta": 32,
    "2024-05-01-preview": 42,
    "2024-12-01-preview": 42,
    "2025-01-01-preview": 42,
    "2025-04-01-preview": 52,
    "v1-preview": 62,
    "2024-06-01": 6,
    "2024-10-21": 6,
    "v1": 106,
}


def test_all_versions_are_there() -> None:
    assert set(OPERATIONS) <= set(versions(drafts=True))


def test_a_draft_is_listed_only_where_drafts_are_asked_for(tmp_path: Path) -> None:
    made = [("proven", ""), ("unproven", "draft = true\n"), ("no-draft", "draft = false\n"), ("broken", "draft = ")]
    for name, text in made:
        (tmp_path / name).mkdir()
        (tmp_path / name / "version.toml").write_text(text, encoding="utf-8")
    assert {"proven", "no-draft", "broken"} == {name for name, _ in made} & set(versions(tmp_path))
    assert {name for name, _ in made} <= set(versions(tmp_path, drafts=True))


@pytest.mark.parametrize("version", OPERATIONS)
def test_list_operations_counts(version: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "operations", "--api-version", version, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert len({row["operation"] for row in rows}) == len(rows) == OPERATIONS[version]


@pytest.mark.prove
@pytest.mark.parametrize("version", versions())
def test_lint_finds_nothing_in_a_version(version: str) -> None:
    """The gate looks at the same with the other tests, but derives fewer requests."""
    assert [str(problem) for problem in lint((version,))] == []


def test_lint_finds_nothing_in_what_the_versions_share() -> None:
    assert [] == [str(problem) for problem in common_problems([load(version) for version in versions()])]
    assert [] == [str(problem) for problem in shared_fact_problems()]


def test_exactly_one_version_is_the_default() -> None:
    assert len([version for version in versions() if load(version).default]) == 1


@pytest.mark.parametrize(
    ("version", "view"),
    [
        *((version, "corrected") for version in versions()),
        # Errata change few places, so of what the sources say one version stands for all.
        (versions()[0], "faithful"),
        *(pytest.param(version, "faithful", marks=pytest.mark.prove) for version in versions()[1:]),
    ],
)
def test_other_tools_accept_what_show_prints(version: str, view: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["spec", "show", version, f"--{view}", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert getattr(load(version), {"corrected": "document"}.get(view, view)) == document
    # The gate looks at the documents of all versions with this tool; here what is printed is new to it.
    if version == versions()[0]:
        assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []
    schema = schemathesis.openapi.from_dict(document)
    loaded = {result.ok().definition.raw["operationId"] for result in schema.get_all_operations()}
    assert loaded == set(operations_of(load(version)))


def test_yaml_and_json_say_the_same() -> None:
    document = load(versions()[-1]).document
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    assert yaml.load(as_yaml(document), Loader=loader) == json.loads(as_json(document)) == document


def test_the_page_of_numbers_is_what_the_command_writes() -> None:
    assert (specs_dir() / "README.md").read_text("utf-8") == page(), "run: aoai-conformance spec numbers --write"


def test_no_version_is_named_in_code() -> None:
    """Adding a version touches only its folder: code asks a version questions and knows none by name."""
    surfaces = {load(version).surface for version in versions()}
    # The name of a surface is a word of the domain; as that of a version it must not be compared with one.
    named_so = [rf"(?<![\w.-]){re.escape(version)}(?![\w-])" for version in versions() if version not in surfaces]
    compared = [rf"(?:load\(|version [!=]= |version in \(){chr(34)}{version}{chr(34)}" for version in surfaces]
    labels = re.compile("|".join((*named_so, *compared)))
    code = [path for part in ("conformance", "strategies", "reports") for path in (ROOT / part).rglob("*.py")]
    named = {
        f"{path.relative_to(ROOT)}:{number}"
        for path in code
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if labels.search(line)
    }
    assert len(code) > 100
    assert named == set()


def test_a_new_version_is_a_folder_and_nothing_else(versions_folder: Maker, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path: path.read_bytes() for path in (ROOT / "conformance").rglob("*.py")}
    folder = versions_folder(files=FILES)
    assert main(["list", "versions", "--specs", str(folder), "--json"]) == 0
    rows = {row["version"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["tiny"]["operations"] == 1
    assert set(versions()) < set(rows)
    assert {path: path.read_bytes() for path in (ROOT / "conformance").rglob("*.py")} == before
