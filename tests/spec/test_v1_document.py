"""``specs/v1`` says what the published document says: read again by a reader of its own, which knows no importer.

The published document doesn't come with the checkout; without it these tests skip.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from conformance.spec.loading import load
from conformance.spec.operations import operations_of
from conformance.spectools.diff import compare

FILE = Path(__file__).resolve().parents[3] / "shared" / "official-specs" / "v1.yaml"

pytestmark = pytest.mark.skipif(not FILE.is_file(), reason="the published documents do not come with the checkout")

METHODS = ("get", "post", "put", "patch", "delete")
PREFIX = "#/components/schemas/"
#: Prose, and what vendors add.
SILENT = ("description", "title", "example", "examples", "discriminator", "$comment", "externalDocs", "summary")
#: The unions of the published document whose kinds can't be told apart by their discriminator: it is left out.
UNTOLD = {"OpenAI.RealtimeTurnDetection"}
#: Event streams of which the document has no form: they have that of another version.
FOREIGN = {"completions.create", "threads.create_and_run", "threads.runs.create", "threads.runs.submit_tool_outputs"}


@cache
def published() -> Any:
    """The published document."""
    return yaml.load(FILE.read_text("utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


@cache
def ours() -> Any:
    """The faithful document of the version, as plain data."""
    return json.loads(json.dumps(load("v1").faithful))


def theirs(name: str) -> Any:
    return published()["components"]["schemas"][name]


def plain(node: Any, made: Mapping[str, Any]) -> Any:
    """A schema without prose. References to components that the published document has by name stay; those that only
    ``made`` has are put in place of their reference.
    """
    if isinstance(node, list):
        return [plain(item, made) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        name = node["$ref"].removeprefix(PREFIX)
        known = name.removesuffix(".base") in published()["components"]["schemas"]
        return {"$ref": name.removesuffix(".base")} if known else plain(made[name], made)
    found = {}
    for key, value in node.items():
        if key == "properties":
            found[key] = {name: plain(item, made) for name, item in value.items()}
        elif key == "required":
            found[key] = sorted(set(value))
        elif key not in SILENT and not key.startswith("x-"):
            found[key] = plain(value, made)
    # A description beside a reference needs a list of one before OpenAPI 3.1, and says no more.
    return found["allOf"][0] if set(found) == {"allOf"} and len(found["allOf"]) == 1 else found


def family(name: str) -> dict[str, str]:
    """Value of the discriminator → kind, for a base that names its kinds, as far as they inherit from it."""
    mapping = theirs(name).get("discriminator", {}).get("mapping", {})
    base = {"$ref": PREFIX + name}
    return {value: ref for value, ref in mapping.items() if base in theirs(ref.removeprefix(PREFIX)).get("allOf", ())}


def test_each_component_is_what_the_document_says() -> None:
    made = ours()["components"]["schemas"]
    differ = []
    for name in published()["components"]["schemas"]:
        if name == "AzureAIFoundryModelsApiVersion":
            continue
        kinds = family(name)
        here = made[f"{name}.base"] if kinds else made[name]
        if kinds:
            assert kinds == made[name]["discriminator"]["mapping"], name
            assert list(dict.fromkeys(kinds.values())) == [one["$ref"] for one in made[name]["oneOf"]], name
        if plain(here, made) != plain(theirs(name), {}):
            differ.append(name)
    assert [] == differ


def operations(document: Any) -> Iterator[tuple[str, str, Any]]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def test_each_operation_has_the_parameters_bodies_and_answers_of_the_document() -> None:
    made = ours()["components"]["schemas"]
    mine = {(path, method): operation for path, method, operation in operations(ours())}
    assert set(mine) == {(path, method) for path, method, _ in operations(published())}
    for path, method, operation in operations(published()):
        here = mine[path, method]
        where = f"{method} {path}"
        expected = {
            (p["in"], p["name"], p.get("required", False), json.dumps(plain(p["schema"], {}), sort_keys=True))
            for p in operation.get("parameters", ())
            if p["name"] not in ("api-version", "accept")
        }
        found = {
            (p["in"], p["name"], p.get("required", False), json.dumps(plain(p["schema"], made), sort_keys=True))
            for p in here["parameters"]
            if "$ref" not in p
        }
        assert expected == found, where
        body, other = operation.get("requestBody", {}), here.get("requestBody", {})
        assert body.get("required") == other.get("required"), where
        assert {kind: plain(media["schema"], {}) for kind, media in body.get("content", {}).items()} == {
            kind: plain(media["schema"], made) for kind, media in other.get("content", {}).items()
        }, where
        answers = {status: answer for status, answer in operation["responses"].items() if status != "default"}
        assert set(answers) == set(here["responses"]) - {"default"}, where
        for status, answer in answers.items():
            content = dict(answer.get("content", {}))
            given = dict(here["responses"][status].get("content", {}))
            stream, events = content.pop("text/event-stream", None), given.pop("text/event-stream", None)
            if stream is not None:
                assert named(stream["itemSchema"]) == named(plain(events["schema"], made)), where
            elif events is not None and here["operationId"] == "chat.completions.create":
                # The document has the plain answer and the chunk in one union.
                chunk = plain(events["schema"], made)["properties"]["data"]["contentSchema"]
                whole = plain(given.pop("application/json")["schema"], made)
                assert plain(content.pop("application/json")["schema"], {})["anyOf"] == [whole, chunk], where
            else:
                assert (events is not None) is (here["operationId"] in FOREIGN), where
            assert {kind: plain(media["schema"], {}) for kind, media in content.items()} == {
                kind: plain(media["schema"], made) for kind, media in given.items()
            }, where


def named(schema: Any) -> dict[str, Any]:
    """Event → the schema of its data, of the events that have a name."""
    found = {}
    for branch in schema["oneOf"]:
        if "event" in branch["properties"]:
            data = branch["properties"]["data"]
            found[branch["properties"]["event"]["const"]] = {"$ref": data["contentSchema"]["$ref"].removeprefix(PREFIX)}
    return found


def test_the_events_without_a_name_are_those_of_the_erratum() -> None:
    (stream,) = (
        answer["content"]["text/event-stream"]["itemSchema"]
        for _, _, operation in operations(published())
        for answer in operation["responses"].values()
        if "text/event-stream" in answer.get("content", {})
    )
    nameless = [branch for branch in stream["oneOf"] if "event" not in branch["properties"]]
    spec = load("v1")
    known = json.loads(json.dumps(spec.document))["components"]["schemas"]["ResponseServerSentEvent"]
    assert len(nameless) == 20 == len(set(named(known)) - set(named(stream)))


def test_a_difference_from_v1_preview_names_the_fields_that_both_documents_show() -> None:
    """A second reading of what came and what went: names of the fields at the top of requests and answers."""
    old, new = load("v1-preview"), load("v1")
    told = {
        (change.pointer.rpartition("/properties/")[2], change.what.removeprefix("required "), operation)
        for change in compare(old, new, faithful=True)
        for operation in change.operations
        if change.what in ("property added", "required property added", "property removed")
    }
    both = set(operations_of(old)) & set(operations_of(new))
    before = fields(json.loads(json.dumps(old.faithful)), both)
    after = fields(ours(), both)
    ids = {(method, path): operation["operationId"] for path, method, operation in operations(ours())}
    raw = fields(published(), both, ids)
    # The document has the chunks of chat among its plain answers.
    del raw["chat.completions.create", "answer"]
    assert raw == {key: names for key, names in after.items() if key in raw}
    missed = [
        (id, side, name)
        for (id, side), names in after.items()
        for name, what in (
            *((one, "property added") for one in sorted(names - before[id, side])),
            *((one, "property removed") for one in sorted(before[id, side] - names)),
        )
        if (name, what, id) not in told
    ]
    assert [] == missed


def test_the_difference_of_the_events_is_that_of_their_names() -> None:
    old, new = (json.loads(json.dumps(load(name).faithful)) for name in ("v1-preview", "v1"))
    before, after = (document["components"]["schemas"]["ResponseServerSentEvent"]["oneOf"] for document in (old, new))
    gone, came = set(), set()
    for change in compare(load("v1-preview"), load("v1"), faithful=True):
        place, _, number = change.pointer.rpartition("/")
        if place == "/components/schemas/ResponseServerSentEvent/oneOf":
            (gone if change.what == "branch removed" else came).add(
                (before if change.what == "branch removed" else after)[int(number)]["properties"]["event"]["const"]
            )
    names = [{branch["properties"]["event"]["const"] for branch in union} for union in (before, after)]
    assert (names[0] - names[1], names[1] - names[0]) == (gone, came)
    assert gone
    assert came


def fields(document: Any, wanted: set[str], names: Mapping[tuple[str, str], str] | None = None) -> dict[Any, set[str]]:
    """(operation, request or answer) → the names of the fields at the top of its bodies."""
    made = document["components"]["schemas"]
    found = {}
    for path, method, operation in operations(document):
        id = names[method, path] if names is not None else operation["operationId"]
        if id in wanted:
            body = operation.get("requestBody", {}).get("content", {})
            found[id, "request"] = {name for media in body.values() for name in top(media["schema"], made)}
            answers = [a.get("content", {}) for s, a in operation["responses"].items() if s[0] == "2"]
            plain_answers = [c["application/json"] for c in answers if "application/json" in c]
            found[id, "answer"] = {name for media in plain_answers for name in top(media["schema"], made)}
    return found


def top(node: Any, made: Mapping[str, Any]) -> set[str]:
    """The names of the properties of a schema, through references and combinations."""
    if "$ref" in node:
        return top(made[node["$ref"].removeprefix(PREFIX)], made)
    found = set(node.get("properties", ()))
    for key in ("allOf", "anyOf", "oneOf"):
        for part in node.get(key, ()):
            found |= top(part, made)
    return found
