"""Published examples and second sources agree with the versions, except for recorded differences."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.spec.loading import load
from conformance.spectools.examples import bodies, judge, ledger
from conformance.spectools.importing import import_file
from conformance.spectools.normal_form import Node, shape

WITH_EXAMPLES = sorted({row["version"] for row in ledger()["witness"]})
SAME_LABEL = ["2024-05-01-preview", "2024-06-01", "2024-10-21"]


@pytest.mark.parametrize("version", WITH_EXAMPLES)
def test_every_example_fits_or_is_listed_as_wrong(version: str, shared: Path) -> None:
    verdicts = judge(load(version), shared)
    assert verdicts.unlisted == ()
    assert verdicts.needless == ()
    assert verdicts.fitting > 0


@pytest.mark.parametrize("version", WITH_EXAMPLES)
def test_listed_examples_exist(version: str, shared: Path) -> None:
    spec = load(version)
    places = {body.where for body in bodies(spec, shared)}
    files = {place.partition("#")[0] for place in places}
    assert [item["where"] for item in spec.wrong_examples if item["where"] not in places | files] == []


def test_the_counts_are_those_of_the_material(shared: Path) -> None:
    counted = {row["version"]: (row["fitting"], row["wrong"], row["foreign"]) for row in ledger()["count"]}
    found = {version: judge(load(version), shared) for version in counted}
    assert {version: (v.fitting, v.wrong, v.foreign) for version, v in found.items()} == counted


@pytest.mark.parametrize("version", SAME_LABEL)
def test_the_published_document_has_the_same_operations_and_fields(version: str, shared: Path, tmp_path: Path) -> None:
    """Field by field in components of the same name; a field that only one has must come from an erratum."""
    ours = load(version)
    import_file(shared / "official-specs" / f"{version}.json", version, tmp_path)
    theirs = load(version, tmp_path)
    assert set(theirs.document["paths"]) == set(ours.document["paths"])
    different = {}
    for name, schema in theirs.faithful["components"]["schemas"].items():
        if name.endswith((".base", ".known")) or name not in ours.faithful["components"]["schemas"]:
            continue
        there = set(shape(theirs.faithful, Node(f"/components/schemas/{name}", schema)).properties)
        here = _fields(ours.faithful, name)
        mended = _fields(ours.document, name)
        if not (here <= there <= here | mended):
            different[name] = there ^ here
    assert different == {}


def _fields(document: dict[str, object], name: str) -> set[str]:
    schema = document["components"]["schemas"].get(name, {})  # type: ignore[index]
    return set(shape(document, Node(f"/components/schemas/{name}", schema)).properties)
