"""A reader of raw API documents for tests alone: what a request or an answer may hold, as a flat set of facts.

It takes a document as YAML or JSON has it, knows nothing of the suite and compares nothing. All branches of a place are
taken together, so that it doesn't matter how a document is divided into components and unions. A fact is a path of
properties (``*`` for the items of a list), and what may stand there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, NamedTuple

__all__ = ["DEPTH", "Fact", "Flat", "anonymous"]

METHODS = ("get", "post", "put", "patch", "delete", "head", "options")
#: Paths have at most so many steps: the documents are recursive.
DEPTH = 7
#: Bounds and the like, as they stand.
KEYWORDS = (
    *("minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"),
    *("pattern", "uniqueItems", "format", "default", "deprecated", "contentEncoding", "contentMediaType"),
    "unevaluatedProperties",
)

Path = tuple[str, ...]


class Fact(NamedTuple):
    """Something about a place. ``kind``: ``there``, ``type``, ``value``, ``required`` or a keyword of bounds.

    ``value`` is the type, the value as Python writes it, or that of the keyword; else "".
    """

    path: Path
    kind: str
    value: str = ""


def anonymous(path: str) -> str:
    """A path without the names of its parameters."""
    return re.sub(r"{[^}]*}", "{}", path)


class Flat:
    """One document. ``operations`` are its method-and-path pairs."""

    def __init__(self, document: Any) -> None:
        self.document = document
        self._known: dict[tuple[int, int], frozenset[Fact]] = {}
        self._kept: list[Any] = []

    @cached_property
    def operations(self) -> Mapping[str, tuple[Any, Any]]:
        """Method and anonymous path → (item of the path, operation)."""
        return {
            f"{method.upper()} {anonymous(path)}": (item, item[method])
            for path, item in self.document["paths"].items()
            for method in METHODS
            if method in item
        }

    @cached_property
    def _families(self) -> Mapping[str, list[Any]]:
        """Reference of a base → references of the kinds that inherit from it and that its discriminator names."""
        found: dict[str, list[Any]] = {}
        for name, schema in self.document.get("components", {}).get("schemas", {}).items():
            base = f"#/components/schemas/{name}"
            mapping = (schema.get("discriminator") or {}).get("mapping", {}) if isinstance(schema, dict) else {}
            kinds = [{"$ref": ref} for ref in dict.fromkeys(mapping.values())]
            found[base] = [one for one in kinds if {"$ref": base} in self._at(one["$ref"]).get("allOf", ())]
        return found

    @cached_property
    def _components(self) -> frozenset[int]:
        """The identities of all components."""
        return frozenset(map(id, self.document.get("components", {}).get("schemas", {}).values()))

    def _at(self, reference: str) -> Any:
        """What a reference names; nothing where it names nothing, which happens in published documents."""
        node = self.document
        for step in reference.removeprefix("#/").split("/"):
            name = step.replace("~1", "/").replace("~0", "~")
            node = node[int(name)] if isinstance(node, list) else node.get(name, {})
        return node

    def _followed(self, node: Any) -> Any:
        while isinstance(node, dict) and isinstance(node.get("$ref"), str):
            node = self._at(node["$ref"])
        return node

    # -- an operation --------------------------------------------------------------------------------------------------

    def wire(self, route: str) -> frozenset[str]:
        """What an operation has besides schemas: parameters, bodies, statuses, media types, headers."""
        item, operation = self.operations[route]
        found = set()
        for one in map(self._followed, (*item.get("parameters", ()), *operation.get("parameters", ()))):
            if one["in"] != "path":
                found.add(f"{one['in']} parameter {one['name']}")
                found |= {f"required {one['in']} parameter {one['name']}"} if one.get("required") else set()
        body = self._followed(operation.get("requestBody"))
        if body:
            found |= {"body"} | ({"required body"} if body.get("required") else set())
            found |= {f"body {kind}" for kind in body.get("content", {})}
        for status, answer in operation["responses"].items():
            told = self._followed(answer)
            found |= {f"status {status}", *(f"{status} {kind}" for kind in told.get("content", {}))}
            found |= {f"{status} header {name}" for name in told.get("headers", {})}
        return frozenset(found)

    def facts(self, route: str) -> Mapping[tuple[str, str], frozenset[Fact]]:
        """(request or response, name) → the facts of what may stand there, for each schema of an operation."""
        found: dict[tuple[str, str], frozenset[Fact]] = {}
        for side, name, schema in self._schemas(route):
            found[side, name] = found.get((side, name), frozenset()) | self._read(schema, DEPTH)
        return found

    def components(self, route: str, side: str) -> frozenset[str]:
        """The names of all components that the requests or the answers of an operation lead to."""
        item, operation = self.operations[route]
        asked = [item.get("parameters", ()), operation.get("parameters", ()), operation.get("requestBody")]
        found, left = set[str](), asked if side == "request" else [operation["responses"]]
        while left:
            node = left.pop()
            if isinstance(node, dict):
                reference = node.get("$ref")
                kinds = [one["$ref"] for one in self._families.get(str(reference), ())]
                for one in (reference, *kinds):
                    if isinstance(one, str) and one not in found:
                        found.add(one)
                        left.append(self._at(one))
                left += node.values()
            elif isinstance(node, list | tuple):
                left += node
        return frozenset(one.rpartition("/")[2] for one in found)

    def _schemas(self, route: str) -> Iterator[tuple[str, str, Any]]:
        item, operation = self.operations[route]
        for one in map(self._followed, (*item.get("parameters", ()), *operation.get("parameters", ()))):
            if one["in"] != "path" and "schema" in one:
                yield "request", f"{one['in']} {one['name']}", one["schema"]
        body = self._followed(operation.get("requestBody")) or {}
        for kind, media in body.get("content", {}).items():
            yield "request", f"body {kind}", media.get("schema", {})
        for status, answer in operation["responses"].items():
            for media in self._followed(answer).get("content", {}).values():
                # Published documents write an event beside the plain answer, or as a stream of its own.
                schema = media.get("schema", {})
                events = self._told(schema, 3)
                yield from (("response", status if one is schema else f"{status} events", one) for one in events)

    def _told(self, schema: Any, deep: int) -> list[Any]:
        """What an answer tells: its schema, or of an event stream the JSON in the data of its events."""
        node = self._followed(schema)
        data = self._followed(node.get("properties", {}).get("data", {}))
        if "contentMediaType" in data or {"event", "data"} == node.get("properties", {}).keys():
            return [data["contentSchema"]] if "contentSchema" in data else []
        branches = [one for word in ("oneOf", "anyOf") for one in node.get(word, ())]
        if deep and branches and any(self._told(one, deep - 1) != [one] for one in branches):
            return [told for one in branches for told in self._told(one, deep - 1)]
        return [schema]

    # -- a schema ------------------------------------------------------------------------------------------------------

    def _read(self, schema: Any, deep: int) -> frozenset[Fact]:
        if deep == 0 or not isinstance(schema, dict):
            return frozenset()
        key = id(schema), deep
        if key not in self._known:
            # The schemas live as long as the reader, so that no other one gets their identity.
            self._kept.append(schema)
            self._known[key] = frozenset()  # a union may hold itself
            self._known[key] = frozenset(self._found(schema, deep))
        return self._known[key]

    def _found(self, schema: Any, deep: int) -> Iterator[Fact]:
        if "$ref" in schema:
            yield from self._read(self._at(schema["$ref"]), deep)
            for kind in self._families.get(schema["$ref"], ()):
                yield from self._read(self._at(kind["$ref"]), deep)
        for branch in schema.get("allOf", ()):
            # A kind inherits from its base, not from its siblings.
            inherited = branch.get("$ref") in self._families and id(schema) in self._components
            yield from self._read(self._at(branch["$ref"]) if inherited else branch, deep)
        for word in ("oneOf", "anyOf"):
            for branch in schema.get(word, ()):
                yield from self._read(branch, deep)
        given = schema.get("type", ())
        yield from (Fact((), "type", kind) for kind in ([given] if isinstance(given, str) else given))
        if schema.get("nullable") is True:
            yield Fact((), "type", "null")
        values = [schema["const"]] if "const" in schema else schema.get("enum", ())
        # A value of null says that null is allowed, and a default of null that there is none.
        yield from (
            Fact((), "value", repr(value)) if value is not None else Fact((), "type", "null") for value in values
        )
        yield from (Fact((), word, repr(schema[word])) for word in KEYWORDS if schema.get(word) is not None)
        yield from (Fact((name,), "required") for name in schema.get("required", ()))
        inner = [*schema.get("properties", {}).items()]
        if isinstance(schema.get("items"), dict):
            inner.append(("*", schema["items"]))
        if isinstance(schema.get("additionalProperties"), dict):
            inner.append(("<any>", schema["additionalProperties"]))
        for name, held in inner:
            yield Fact((name,), "there")
            yield from (one._replace(path=(name, *one.path)) for one in self._read(held, deep - 1))
