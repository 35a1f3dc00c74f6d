"""Documents that say the same in another way give no change: thirty rewordings, each of a shipped document."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from overlaid import overlaid

from conformance.migration.basis import changes_between
from conformance.spec.loading import load

Edit = Callable[[dict[str, Any]], Any]


def _schemas(document: dict[str, Any]) -> Any:
    return document["components"]["schemas"]


def _every(node: Any) -> Iterator[dict[str, Any]]:
    """Yield every object of a document."""
    if isinstance(node, dict):
        yield node
        for value in list(node.values()):
            yield from _every(value)
    elif isinstance(node, list):
        for item in node:
            yield from _every(item)


def _typed(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the schemas that name a type."""
    yield from (node for node in _every(_schemas(document)) if isinstance(node.get("type"), str | list))


def _described(document: dict[str, Any]) -> None:
    for node in _typed(document):
        node["description"] = "Said in other words."


def _titled(document: dict[str, Any]) -> None:
    for node in _typed(document):
        node["title"] = "A title"


def _formats_gone(document: dict[str, Any]) -> None:
    for node in _typed(document):
        if node.get("type") in ("integer", "number"):
            node.pop("format", None)


def _formats_come(document: dict[str, Any]) -> None:
    for node in _typed(document):
        if node.get("type") == "integer":
            node["format"] = "int32"


def _values_reversed(document: dict[str, Any]) -> None:
    for node in _typed(document):
        if isinstance(node.get("enum"), list):
            node["enum"].reverse()


def _members_reversed(document: dict[str, Any]) -> None:
    for node in _typed(document):
        if isinstance(node.get("properties"), dict):
            node["properties"] = dict(reversed(node["properties"].items()))


def _required_reversed(document: dict[str, Any]) -> None:
    for node in _typed(document):
        if isinstance(node.get("required"), list):
            node["required"].reverse()


def _constants(document: dict[str, Any]) -> None:
    for node in _typed(document):
        if isinstance(node.get("enum"), list) and len(node["enum"]) == 1 and node.get("type") == "string":
            node["const"] = node.pop("enum")[0]


def _unions_reversed(document: dict[str, Any]) -> None:
    for node in _every(_schemas(document)):
        for keyword in ("oneOf", "anyOf"):
            if isinstance(node.get(keyword), list):
                node[keyword].reverse()


def _one_of_as_any_of(document: dict[str, Any]) -> None:
    for node in _every(_schemas(document)):
        if isinstance(node.get("oneOf"), list):
            node["anyOf"] = node.pop("oneOf")


def _nulls_apart(document: dict[str, Any]) -> None:
    for node in list(_typed(document)):
        if isinstance(node["type"], list) and len(node["type"]) == 2 and "null" in node["type"]:
            rest = {key: value for key, value in node.items() if key != "enum"}
            (rest["type"],) = (kind for kind in node["type"] if kind != "null")
            if "enum" in node:
                rest["enum"] = [value for value in node["enum"] if value is not None]
            node.clear()
            node["anyOf"] = [rest, {"type": "null"}]


def _renamed(document: dict[str, Any]) -> None:
    """Every component gets another name."""
    names = {name: f"Service.{name}Model" for name in _schemas(document)}
    text = json.dumps(document)
    for name, other in names.items():
        text = text.replace(f'"#/components/schemas/{name}"', f'"#/components/schemas/{other}"')
    made = json.loads(text)
    document.clear()
    document.update(made)
    document["components"]["schemas"] = {names[name]: value for name, value in _schemas(document).items()}


def _plain_object(schema: Any) -> bool:
    """True for an object with members that is no event: the events of a stream are known by their form."""
    known = isinstance(schema, dict) and schema.get("type") == "object" and "properties" in schema
    return known and "allOf" not in schema and "contentSchema" not in schema["properties"].get("data", {})


def _all_of(document: dict[str, Any]) -> None:
    """Every component without a union becomes an ``allOf`` of itself."""
    for name, schema in list(_schemas(document).items()):
        if _plain_object(schema):
            _schemas(document)[name] = {"allOf": [schema]}


def _all_of_split(document: dict[str, Any]) -> None:
    """The members of every object component move into a base of their own."""
    for name, schema in list(_schemas(document).items()):
        if _plain_object(schema):
            base = {"type": "object", "properties": schema.pop("properties")}
            _schemas(document)[name] = {"allOf": [base], **schema}


def _described_refs(document: dict[str, Any]) -> None:
    """References stand in an ``allOf`` beside a description."""
    for node in list(_every(document["paths"])) + list(_every(_schemas(document))):
        if isinstance(node.get("$ref"), str) and node["$ref"].startswith("#/components/schemas/") and len(node) == 1:
            node["description"] = "Said here too."


def _operations_described(document: dict[str, Any]) -> None:
    for node in _every(document["paths"]):
        if "operationId" in node:
            node["summary"], node["description"], node["deprecated"] = "A summary", "Words", True


def _parameters_reversed(document: dict[str, Any]) -> None:
    for node in _every(document["paths"]):
        if isinstance(node.get("parameters"), list):
            node["parameters"].reverse()


def _path_names(document: dict[str, Any]) -> None:
    """The parameters of paths have other names, which no client sees."""
    document["paths"] = {path.replace("{file_id}", "{file-id}"): item for path, item in document["paths"].items()}
    for node in _every(document):
        if node.get("in") == "path" and node.get("name") == "file_id":
            node["name"] = "file-id"


def _examples(document: dict[str, Any]) -> None:
    for node in _typed(document):
        node["examples"] = ["an example"]


def _errors_gone(document: dict[str, Any]) -> None:
    """A document without its error answers: what they say changes nothing on the wire."""
    for node in _every(document["paths"]):
        if isinstance(node.get("responses"), dict):
            for status in [name for name in node["responses"] if name == "default" or str(name)[0] in "45"]:
                del node["responses"][status]


SHAPES: tuple[Edit, ...] = (
    _described,
    _titled,
    _formats_gone,
    _formats_come,
    _values_reversed,
    _members_reversed,
    _required_reversed,
    _constants,
    _unions_reversed,
    _one_of_as_any_of,
    _nulls_apart,
    _renamed,
    _all_of,
    _all_of_split,
    _described_refs,
    _operations_described,
    _parameters_reversed,
    _path_names,
    _examples,
    _errors_gone,
)

#: Twenty of the small version, of which each run tries all, and ten of a large one.
SMALL = [("2024-10-21", edit) for edit in SHAPES]
LARGE = [("2025-01-01-preview", edit) for edit in SHAPES[3:13]]


@pytest.mark.parametrize(("version", "edit"), SMALL, ids=[f"{v}{e.__name__}" for v, e in SMALL])
def test_a_rewording_is_no_change(version: str, edit: Edit) -> None:
    old = load(version)
    assert [] == [(c.where, c.kind, c.subject) for c in changes_between(old, overlaid(old, edit))]


@pytest.mark.prove
@pytest.mark.parametrize(("version", "edit"), LARGE, ids=[f"{v}{e.__name__}" for v, e in LARGE])
def test_a_rewording_of_a_large_version_is_no_change(version: str, edit: Edit) -> None:
    old = load(version)
    assert [] == [(c.where, c.kind, c.subject) for c in changes_between(old, overlaid(old, edit))]
