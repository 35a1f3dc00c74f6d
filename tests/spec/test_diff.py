"""``spec diff``: each change once, with its class and both values; equal versions give nothing."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest
import yaml
from spec_folders import FILES, Maker

from conformance.cli import main
from conformance.spec.loading import load, versions
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec
from conformance.spectools.changes import Change, Class
from conformance.spectools.diff import compare


def changed(make: Maker, *edits: tuple[str, str]) -> tuple[Spec, Spec]:
    """(tiny, tiny with edits of its document)."""
    folder = make(name="tiny")
    text = FILES["openapi.yaml"]
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    files = FILES | {
        "openapi.yaml": text,
        "version.toml": FILES["version.toml"].replace('label = "tiny"', 'label = "next"'),
        "errata.toml": "",
    }
    make(name="next", files=files)
    make(name="tiny", files=FILES | {"errata.toml": ""})
    return load("tiny", folder), load("next", folder)


def only(changes: tuple[Change, ...]) -> Change:
    """The one change."""
    assert len(changes) == 1, changes
    return changes[0]


@pytest.mark.parametrize("version", versions())
def test_a_version_equals_itself(version: str) -> None:
    spec = load(version)
    assert compare(spec, spec) == compare(spec, spec, faithful=True) == ()


CASES = [
    (("maxLength: 64", "maxLength: 32"), Class.CALLERS, "maxLength", 64, 32),
    (("maxLength: 64", "maxLength: 99"), Class.ADDITIVE, "maxLength", 64, 99),
    (("minLength: 1", "minLength: 2"), Class.CALLERS, "minLength", 1, 2),
    (("required: [input]", "required: [input, user]"), Class.CALLERS, "required user", False, True),
    (("required: [object]", "required: [object, data]"), Class.SERVERS, "required data", False, True),
    (("required: [object]", "required: []"), Class.CALLERS, "required object", True, False),
    (("items: {type: number}", "items: {type: [number, 'null']}"), Class.CALLERS, "null", False, True),
    (("input: {type: string", "input: {type: [string, 'null']"), Class.ADDITIVE, "null", False, True),
    (("minLength: 1}", "minLength: 1, description: words}"), Class.DOCUMENTATION, "description", None, "words"),
    (("minLength: 1}", "minLength: 1, deprecated: true}"), Class.DOCUMENTATION, "deprecated", None, True),
    (("user: {type: string, maxLength: 64}", "{}"), Class.CALLERS, "property removed", None, None),
    (
        ("        data:", "        more: {type: string}\n        data:"),
        Class.ADDITIVE,
        "property added",
        None,
        {"type": "string"},
    ),
    (("const: list", "const: set"), Class.CALLERS, "values added", None, ["set"]),
    (("in: query, required: true", "in: query, required: false"), Class.ADDITIVE, "required api-version", True, False),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0][1].strip()[:30]}")
def test_class_and_values(case: tuple[tuple[str, str], Class, str, object, object], versions_folder: Maker) -> None:
    edit, kind, what, old, new = case
    if edit[1] == "{}":
        edit = ("        user: {type: string, maxLength: 64}\n", "")
        old = {"type": "string", "maxLength": 64}
    found = [change for change in compare(*changed(versions_folder, edit)) if change.what == what]
    change = only(tuple(found))
    assert (change.kind, change.old, change.new) == (kind, old, new)
    assert change.operations == ("embeddings.create",)


def test_a_shared_component_is_reported_once_with_all_operations(versions_folder: Maker) -> None:
    text = FILES["openapi.yaml"]
    post = text[text.index("  /deployments") : text.index("components:")]
    again = post.replace("/deployments/{deployment-id}/embeddings", "/deployments/{deployment-id}/more").replace(
        "embeddings.create", "more.create"
    )
    twice = ("components:\n", again + "components:\n")
    before, _ = changed(versions_folder, twice)
    old = text.replace(*twice)
    versions_folder(name="old", files=_files("old", old))
    folder = versions_folder(name="new", files=_files("new", old.replace("maxLength: 64", "maxLength: 32")))
    change = only(compare(load("old", folder), load("new", folder)))
    assert change.operations == ("embeddings.create", "more.create")
    assert change.pointer == "/components/schemas/request/properties/user/maxLength"
    assert before.version == "tiny"


def _files(label: str, document: str) -> dict[str, str]:
    version = FILES["version.toml"].replace('label = "tiny"', f'label = "{label}"')
    return FILES | {"openapi.yaml": document, "version.toml": version, "errata.toml": ""}


def test_branches_without_a_name_belong_together_by_what_they_fix(versions_folder: Maker) -> None:
    """An event that is listed first in one version and last in the other is the same event."""
    kinds = [f"{{type: object, properties: {{event: {{const: {name}}}, data: {{type: string}}}}}}" for name in "abc"]
    union = "        user:\n          oneOf: [{}]\n".format
    line = "        user: {type: string, maxLength: 64}\n"
    text = FILES["openapi.yaml"].replace(line, union(", ".join(kinds)))
    versions_folder(name="old", files=_files("old", text))
    text = FILES["openapi.yaml"].replace(line, union(", ".join([*kinds[1:], kinds[0], kinds[0].replace("a}", "d}")])))
    folder = versions_folder(name="new", files=_files("new", text))
    change = only(compare(load("old", folder), load("new", folder)))
    assert ("branch added", Class.ADDITIVE) == (change.what, change.kind)


def test_what_stands_beside_a_reference_is_compared(versions_folder: Maker) -> None:
    """Since OpenAPI 3.1 it counts; and where it says what the component says in the other version, nothing differs."""
    line = "        user: {type: string, maxLength: 64}\n"
    held = "        user: {{$ref: '#/components/schemas/name'{}}}\n".format
    text = FILES["openapi.yaml"].replace("  schemas:\n", "  schemas:\n    name: {type: string}\n")
    old = text.replace(line, held(", deprecated: true, default: me"))
    versions_folder(name="old", files=_files("old", old))
    folder = versions_folder(name="new", files=_files("new", text.replace(line, held(", default: me"))))
    change = only(compare(load("old", folder), load("new", folder)))
    assert ("deprecated", True, None, Class.DOCUMENTATION) == (change.what, change.old, change.new, change.kind)
    assert change.old_pointer.endswith("/properties/user/deprecated")
    inner = text.replace("name: {type: string}", "name: {type: string, default: me, deprecated: true}")
    folder = versions_folder(name="inner", files=_files("inner", inner.replace(line, held(""))))
    assert () == compare(load("old", folder), load("inner", folder))


def test_what_stands_beside_a_union_is_compared(versions_folder: Maker) -> None:
    """A bound beside a union holds for each of its branches, and a union beside properties says which go together."""
    line = "        user: {type: string, maxLength: 64}\n"
    union = "        user: {{anyOf: [{{type: string}}, {{type: 'null'}}]{}}}\n".format
    text = FILES["openapi.yaml"]
    for name, more in (("old", ", maxLength: 64"), ("new", ", maxLength: 32")):
        folder = versions_folder(name=name, files=_files(name, text.replace(line, union(more))))
    change = only(compare(load("old", folder), load("new", folder)))
    assert ("maxLength", 64, 32, Class.CALLERS) == (change.what, change.old, change.new, change.kind)
    assert change.pointer.endswith("/properties/user/maxLength")
    told = "type: object, properties: {a: {}, b: {}}"
    for name, more in (("any", ""), ("one", ", oneOf: [{required: [a]}, {required: [b]}]")):
        held = f"        user: {{{told}{more}}}\n"
        folder = versions_folder(name=name, files=_files(name, text.replace(line, held)))
    change = only(compare(load("any", folder), load("one", folder)))
    assert ("oneOf", None, Class.CALLERS) == (change.what, change.old, change.kind)


def test_added_and_removed_operations(versions_folder: Maker) -> None:
    older, newer = changed(versions_folder, ("operationId: embeddings.create", "operationId: embeddings.replace"))
    found = {change.what: (change.kind, change.operations) for change in compare(older, newer)}
    assert found == {
        "operation added": (Class.ADDITIVE, ("embeddings.replace",)),
        "operation removed": (Class.CALLERS, ("embeddings.create",)),
    }


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("2024-05-01-preview", "v1-preview"),
        ("2024-12-01-preview", "2025-01-01-preview"),
        ("2025-01-01-preview", "2025-04-01-preview"),
    ],
)
def test_nothing_is_reported_twice(old: str, new: str) -> None:
    changes = compare(load(old), load(new))
    counts = Counter((change.pointer, change.what, repr(change.old), repr(change.new)) for change in changes)
    assert len(changes) > 0
    assert [key for key, count in counts.items() if count > 1] == []


def test_what_the_difference_of_two_versions_shows() -> None:
    """The rows that the page gained between the two: fields of requests and answers of chat, counts of usage."""
    changes = compare(load("2024-12-01-preview"), load("2025-01-01-preview"))
    added = {change.pointer.rpartition("/")[2] for change in changes}
    assert {"modalities", "prediction", "audio", "audio_tokens", "accepted_prediction_tokens"} <= added
    assert {change.kind for change in changes} == {Class.ADDITIVE}


def test_the_operations_that_the_last_dated_preview_added(shared: Path) -> None:
    """Read again from the published document, by its routes: names of parameters and operations differ."""
    text = (shared / "official-specs" / "2025-04-01-preview.yaml").read_text("utf-8")
    published = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))["paths"]
    old, new = load("2025-01-01-preview"), load("2025-04-01-preview")
    routes = {(method.upper(), _bare(path)) for path, item in published.items() for method in item}
    before = {(each.method, _bare(each.path)) for each in operations_of(old).values()}
    told = [change for change in compare(old, new) if change.what in ("operation added", "operation removed")]
    added = [operations_of(new)[each.operations[0]] for each in told if each.what == "operation added"]
    assert set() == before - routes
    assert routes - before == {(each.method, _bare(each.path)) for each in added}
    assert len(routes - before) == len(told) == 10


def _bare(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path)


@pytest.mark.parametrize("form", [[], ["--json"], ["--markdown"]])
def test_every_change_is_in_every_form(form: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    changes = compare(load("2024-06-01"), load("2024-10-21"))
    assert main(["spec", "diff", "2024-06-01", "2024-10-21", *form]) == 0
    told = capsys.readouterr().out
    if form == ["--json"]:
        rows = json.loads(told)
        assert [(row["class"], row["pointer"], row["what"]) for row in rows] == [
            (change.kind.value, change.pointer, change.what) for change in changes
        ]
    else:
        assert [c.pointer for c in changes if not c.what.startswith("operation") and c.pointer not in told] == []
    assert len(changes) > 10


def test_reading_the_largest_difference_takes_less_than_500_lines(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["spec", "diff", "2024-05-01-preview", "v1-preview"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) < 500
    assert sum(line.startswith("  !") for line in lines) > 20
