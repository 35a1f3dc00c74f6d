"""The schemas of our TOML files are valid JSON Schemas and agree with the code."""

from __future__ import annotations

import json
import tomllib
from itertools import takewhile
from pathlib import Path
from typing import Any

import attrs
import pytest
import tomlkit
from jsonschema import Draft202012Validator
from spec_folders import CLAUSES, Maker

from conformance.errors import SpecError
from conformance.settings.configuration import Budget, Config, Limits, Poll, Run, Target, Timeouts, Waiver
from conformance.settings.form import SCHEMA, keys
from conformance.settings.gateway import Declared, Gateway
from conformance.spec.digests import SHARED
from conformance.spec.loading import load, versions
from conformance.spec.shipped import specs_dir
from conformance.spec.tables import FILES, problems_of, schema_file
from conformance.spec.textfile import toml_lines

SHIPPED = [path for path in sorted(specs_dir().rglob("*.toml")) if path.name in FILES]


def schema_of(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


@pytest.mark.parametrize("path", [SCHEMA, *map(schema_file, FILES)], ids=lambda path: path.name)
def test_it_is_a_schema_of_2020_12_with_a_name_of_its_own(path: Path) -> None:
    schema = schema_of(path)
    assert "https://json-schema.org/draft/2020-12/schema" == schema["$schema"]
    assert schema["$id"].startswith("urn:aoai-conformance:")
    Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_shipped_file_fits(path: Path) -> None:
    data = tomllib.loads(path.read_text("utf-8"))
    assert [] == [error.message for error in Draft202012Validator(schema_of(schema_file(path.name))).iter_errors(data)]
    assert [] == list(problems_of(path, data))


def test_every_version_has_its_three_files() -> None:
    """Facts of operations differ rarely; the file beside the folders has them for all versions. Profiles are computed
    later.
    """
    usual = {name for name in FILES if name not in ("operations.toml", "profiles.toml")}
    homes: dict[str, set[str]] = {}
    for path in SHIPPED:
        homes.setdefault(path.parent.name, set()).add(path.name)
    assert set(SHARED) == homes.pop(specs_dir().name)
    assert dict.fromkeys(versions(drafts=True), usual) == {name: files & usual for name, files in homes.items()}


@pytest.mark.parametrize("version", versions(drafts=True))
def test_each_erratum_of_a_neighbour_is_kept_or_left_out_with_a_reason(version: str) -> None:
    data = tomllib.loads((specs_dir() / version / "errata.toml").read_text("utf-8"))
    own = {item["id"] for item in data.get("erratum", ())}
    left: dict[str, list[str]] = {}
    for group in data.get("left_out", ()):
        left.setdefault(group["of"], []).extend(group["ids"])
    for neighbour, ids in left.items():
        assert {erratum.id for erratum in load(neighbour).errata} - own == set(ids)
        assert len(set(ids)) == len(ids)


@pytest.mark.parametrize(
    ("edit", "line", "told"),
    [
        (("version.toml", "features = []", "features = [1]"), 7, "features: must be a string"),
        (("version.toml", 'in = "query"', 'in = "path"'), 10, "api_version, in: 'path' is none of query, none"),
        (("version.toml", "[[source]]", "[source]"), 15, "source: must be a list"),
        (("version.toml", 'title = "W', 'titel = "W'), 16, "source, titel: unknown key; did you mean title?"),
        (("clauses.toml", '["embeddings.create"]\nstate', '"*"\nstate'), 7, "clause tiny-order, operations: must be a"),
        (("clauses.toml", '["embeddings.create"]\nstate', "[3]\nstate"), 7, "clause tiny-order, operations: must be a"),
        (
            ("clauses.toml", "\n[[refusal]]", '\n[clause.rule]\nschma = "{}"\n\n[[refusal]]'),
            len(CLAUSES[: CLAUSES.index("[[refusal]]")].splitlines()) + 2,
            "clause tiny-order, schma: unknown key; did you mean schema?",
        ),
        (("clauses.toml", CLAUSES, "clause = 3\n"), 1, "clause: must be a list"),
        (("clauses.toml", CLAUSES, "clause = [3]\n"), 1, "clause: must be a table"),
        (("clauses.toml", '"/input"', '"input"'), 13, "refusal tiny-input, pointer: must be a JSON Pointer, such as"),
        (("clauses.toml", '"/input"', '"/in~put"'), 13, "refusal tiny-input, pointer: must be a JSON Pointer, such as"),
        (("errata.toml", '"/components/schemas/request/p', '"components/p'), 3, "erratum tiny-user, where: must be a"),
        (("errata.toml", 'provenance = "docs"', 'provenance = "dosc"'), 8, "erratum tiny-user, provenance: 'dosc'"),
    ],
)
def test_what_does_not_fit_is_told_with_its_line(edit: Any, line: int, told: str, versions_folder: Maker) -> None:
    folder = versions_folder(edit)
    with pytest.raises(SpecError) as caught:
        load("tiny", folder)
    assert str(caught.value).startswith(f"{folder / 'tiny' / edit[0]}:{line}: {told}")


def test_the_keys_of_the_schema_are_the_fields_of_the_configuration() -> None:
    tables = {"target.": Target, "target.timeouts.": Timeouts, "budget.": Budget, "limits.": Limits, "poll.": Poll}
    tables |= {"run.": Run, "gateway.": Gateway}
    fields = {f"{prefix}{field.name}" for prefix, table in tables.items() for field in attrs.fields(table)}
    assert fields - {"target.key", "target.timeouts"} | {"waiver"} == set(keys())
    waiver = schema_of(SCHEMA)["$defs"]["waiver"]
    assert {field.name for field in attrs.fields(Waiver)} == set(waiver["properties"])
    assert {field.name for field in attrs.fields(Waiver) if field.default is attrs.NOTHING} == set(waiver["required"])
    declared = schema_of(SCHEMA)["$defs"]["declared"]
    assert {field.name for field in attrs.fields(Declared)} == set(declared["properties"])
    needed = {field.name for field in attrs.fields(Declared) if field.default is attrs.NOTHING}
    assert needed == set(declared["required"])


def test_the_defaults_that_the_schema_tells_are_those_of_the_configuration() -> None:
    given = Config()
    told = {}
    for name, schema in schema_defaults(schema_of(SCHEMA)).items():
        value: Any = given
        for part in name.split("."):
            value = getattr(value, part)
        told[name] = (schema, value)
    assert told
    assert {} == {name: pair for name, pair in told.items() if pair[0] != pair[1]}


def schema_defaults(schema: Any, name: str = "", root: Any = None) -> dict[str, Any]:
    """Every default by dotted name."""
    root = root or schema
    found = {name: schema["default"]} if "default" in schema else {}
    inner = root["$defs"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    for key, held in inner.get("properties", {}).items():
        found |= schema_defaults(held, f"{name}.{key}".lstrip("."), root)
    return found


def test_the_configuration_in_the_readme_fits() -> None:
    page = (Path(__file__).resolve().parents[2] / "README.md").read_text("utf-8").splitlines()
    block = takewhile(lambda line: not line or line.startswith("    "), page[page.index("    [target]") :])
    text = "\n".join(line.removeprefix("    ") for line in block)
    assert [] == [error.message for error in Draft202012Validator(schema_of(SCHEMA)).iter_errors(tomllib.loads(text))]
    assert "deployments" in tomllib.loads(text)["target"]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_file_as_the_importer_writes_it_reads_back_equal_and_has_the_lines_of_its_tables(path: Path) -> None:
    data = tomllib.loads(path.read_text("utf-8"))
    written = tomlkit.dumps(data)
    assert data == tomllib.loads(written)
    lines = toml_lines(written)
    for name, items in data.items():
        for index, item in enumerate(items if isinstance(items, list) else ()):
            if isinstance(item, dict):
                assert f"[[{name}]]" == written.splitlines()[lines[name, index, ""] - 1]
