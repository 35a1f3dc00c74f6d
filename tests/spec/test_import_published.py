"""``spec import`` of published documents: they become versions whose requests can be derived and are served."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from conformance.corpus.corpus import build_corpus
from conformance.emulator.app import App
from conformance.emulator.behaviour import Settings
from conformance.requests.request import Request
from conformance.scenarios.registry import scenarios_of
from conformance.spec.loading import load
from conformance.spec.openapi import form_problems, places
from conformance.spec.operations import operations_of
from conformance.spectools.importing import Imported, import_file

OFFICIAL = [
    ("2024-02-01.json", "2024-02-01", 6),
    ("2024-05-01-preview.json", "2024-05-01-preview", 42),
    ("2024-06-01.json", "2024-06-01", 6),
    ("2024-10-21.json", "2024-10-21", 6),
    ("2024-10-21.yaml", "2024-10-21", 6),
    ("2025-04-01-preview.yaml", "2025-04-01-preview", 52),
    ("assistants-2024-05-01-preview.json", "2024-05-01-preview", 40),
    ("authoring-2024-05-01-preview.json", "2024-05-01-preview", 20),
    ("v1-preview.json", "v1-preview", 118),
    ("v1.yaml", "v1", 106),
]


#: Of each form one: another tool looks at them with every change, at the others with ``tox -e prove``.
LOOKED_AT = ("2024-02-01.json", "2024-10-21.yaml", "v1.yaml")

#: Imports a document once and gives the result and the folder of versions.
Published = Callable[[str, str], tuple[Imported, Path]]


@pytest.fixture(scope="module")
def published(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Published:
    @cache
    def imported(file: str, label: str) -> tuple[Imported, Path]:
        folder = tmp_path_factory.mktemp("versions")
        return import_file(shared / "official-specs" / file, label, folder), folder

    return imported


@pytest.mark.parametrize(("file", "label", "count"), OFFICIAL)
def test_published_documents(file: str, label: str, count: int, published: Published) -> None:
    done, folder = published(file, label)
    spec = load(label, folder)
    assert done.operations == len(operations_of(spec)) == count
    assert done.nearest
    assert done.clauses > 0
    assert list(form_problems(spec.faithful)) == []
    names = [scenario.id for scenario in scenarios_of(spec, "standard")]
    assert sorted(set(names)) == sorted(names)
    told = [
        place.pointer
        for place in places(spec.faithful)
        if isinstance(place.node, dict) and place.kind != "response"
        if {"description", "title", "summary"} & set(place.node)
    ]
    assert told == ["/info"]


@pytest.mark.parametrize(
    ("file", "label"),
    [
        pytest.param(file, label, marks=() if file in LOOKED_AT else pytest.mark.prove, id=file)
        for file, label, _ in OFFICIAL
    ],
)
def test_another_tool_accepts_an_imported_version(file: str, label: str, published: Published) -> None:
    _, folder = published(file, label)
    assert [] == list(OpenAPIV31SpecValidator(dict(load(label, folder).document)).iter_errors())


@pytest.mark.parametrize(
    ("file", "label"),
    [
        ("2024-02-01.json", "2024-02-01"),
        ("2025-04-01-preview.yaml", "2025-04-01-preview"),
        ("v1-preview.json", "v1-preview"),
    ],
)
def test_the_emulator_routes_an_imported_version(file: str, label: str, published: Published) -> None:
    """Every path of the version is served: by a handler, or by its document alone."""
    _, folder = published(file, label)
    spec = load(label, folder)
    app = App.of(label, settings=Settings(key="k"), folder=folder)
    query = f"?api-version={spec.api_version.accepted[0]}"
    for operation in operations_of(spec).values():
        path = operation.path.replace("{deployment-id}", next(iter(app.settings.by_name)))
        url = f"http://127.0.0.1{spec.base_path}{path.replace('{', '').replace('}', '')}{query}"
        answer = app.handle(
            Request(operation.method, url, (("api-key", "k"), ("content-type", "application/json")), b"{}")
        )
        assert answer.status < 500, operation.id
        assert b"Resource not found" not in answer.body, operation.id


@pytest.mark.parametrize(
    ("file", "label", "profile"),
    [
        ("v1.yaml", "v1", "smoke"),
        *(
            pytest.param(file, label, profile, marks=pytest.mark.deep)
            for file, label, _ in OFFICIAL
            for profile in ("standard", "exhaustive")
        ),
    ],
)
def test_requests_of_published_documents_can_be_derived(
    file: str, label: str, profile: str, published: Published
) -> None:
    _, folder = published(file, label)
    spec = load(label, folder)
    assert len(build_corpus(spec, profile, cached=False)) > 0
