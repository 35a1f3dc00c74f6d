"""The form of the OpenAPI documents in ``specs/``: which objects exist, their keys, and a walk over all of them.

The documents contain facts only: names, types, bounds, references. An unknown key is a typo or a remainder of an older
format (OpenAPI 3.1.0 section 4.8; JSON Schema 2020-12).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from attrs import field, frozen

from conformance.pointer import escape, follow
from conformance.spec.circles import circles

__all__ = [
    "BOUNDS",
    "CONTAINED",
    "KINDS",
    "LOWER",
    "METHODS",
    "OTHER_NAMES",
    "TAGS",
    "Place",
    "form_problems",
    "of_other_names",
    "places",
]

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

#: The keywords that bound a number or a size (JSON Schema Validation 2020-12, section 6).
BOUNDS = (
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
    *("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"),
)

#: The keywords that bound how many items ``contains`` fits.
CONTAINED = ("minContains", "maxContains")

#: Those of both for which a greater value allows less. For the others it allows more.
LOWER = frozenset(key for key in (*BOUNDS, *CONTAINED) if key.startswith(("min", "exclusiveMin")))

#: The keywords that say what holds for properties which the document doesn't list, the one that counts first. Published
#: documents write maps by either.
OTHER_NAMES = ("additionalProperties", "unevaluatedProperties")

#: The members that tell objects of a union apart, by convention of the API.
TAGS = ("type", "role", "event", "object", "kind")

#: kind of object → key → how its value is held ("one", "list", "map", or "" for plain data) and its kind.
KINDS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "document": {
        **dict.fromkeys(("openapi", "security", "tags"), ("", "")),
        "info": ("one", "info"),
        "servers": ("list", "server"),
        "paths": ("map", "path"),
        "components": ("one", "components"),
    },
    "info": dict.fromkeys(("title", "version", "description"), ("", "")),
    "server": dict.fromkeys(("url", "description", "variables"), ("", "")),
    "path": {"parameters": ("list", "parameter"), **dict.fromkeys(METHODS, ("one", "operation"))},
    "operation": {
        **dict.fromkeys(("operationId", "tags", "summary", "description", "deprecated", "security"), ("", "")),
        "parameters": ("list", "parameter"),
        "requestBody": ("one", "body"),
        "responses": ("map", "response"),
    },
    "parameter": {
        **dict.fromkeys(("$ref", "name", "in", "required", "description", "deprecated", "style", "explode"), ("", "")),
        "schema": ("one", "schema"),
    },
    "body": {
        **dict.fromkeys(("$ref", "required", "description"), ("", "")),
        "content": ("map", "media"),
    },
    "response": {
        **dict.fromkeys(("$ref", "description"), ("", "")),
        "content": ("map", "media"),
        "headers": ("map", "header"),
    },
    "header": {
        **dict.fromkeys(("$ref", "required", "description", "deprecated", "style", "explode"), ("", "")),
        "schema": ("one", "schema"),
    },
    "media": {"schema": ("one", "schema"), "encoding": ("", "")},
    "components": {
        "schemas": ("map", "schema"),
        "parameters": ("map", "parameter"),
        "responses": ("map", "response"),
        "headers": ("map", "header"),
        "requestBodies": ("map", "body"),
        "securitySchemes": ("", ""),
    },
    "schema": {
        **dict.fromkeys(
            (
                *("$ref", "$comment", "type", "enum", "const", "default", "format", "title", "description"),
                *("deprecated", "readOnly", "writeOnly", "required", "dependentRequired"),
                *BOUNDS,
                *CONTAINED,
                *("multipleOf", "pattern", "uniqueItems"),
                *("contentEncoding", "contentMediaType", "discriminator", "examples"),
            ),
            ("", ""),
        ),
        **dict.fromkeys(("properties", "patternProperties", "dependentSchemas", "$defs"), ("map", "schema")),
        **dict.fromkeys(("oneOf", "anyOf", "allOf", "prefixItems"), ("list", "schema")),
        **dict.fromkeys(
            (
                *("items", "additionalProperties", "propertyNames", "contentSchema", "not", "if", "then", "else"),
                *("contains", "unevaluatedProperties", "unevaluatedItems"),
            ),
            ("one", "schema"),
        ),
    },
}

#: Kind of object → keys that it must have.
_REQUIRED = {
    "document": ("openapi", "info", "paths"),
    "operation": ("operationId", "responses"),
    "parameter": ("name", "in", "schema"),
    "response": ("description",),
    "body": ("content",),
}


def of_other_names(schema: Mapping[str, Any]) -> Any:
    """What a schema says of the properties that it doesn't list: a schema, or a boolean; True if it says nothing.

    ``unevaluatedProperties`` speaks of the names that neither it nor what stands beside it has evaluated, and
    ``additionalProperties`` evaluates them all (JSON Schema 2020-12 Core, sections 10.3.2.3 and 11.3).
    """
    return next((schema[keyword] for keyword in OTHER_NAMES if keyword in schema), True)


@frozen
class Place:
    """One object of a document."""

    pointer: str
    kind: str
    node: Any = field(repr=False)


def places(document: Any, pointer: str = "", kind: str = "document") -> Iterator[Place]:
    """Yield every object of a document with its kind, in document order, parents first. ``x-`` keys are skipped."""
    stack = [Place(pointer, kind, document)]
    while stack:
        place = stack.pop()
        yield place
        if not isinstance(place.node, Mapping):
            continue
        below: list[Place] = []
        for key, (held, inner) in KINDS[place.kind].items():
            if not held or key not in place.node:
                continue
            value, at = place.node[key], f"{place.pointer}/{escape(key)}"
            if held == "one":
                below.append(Place(at, inner, value))
            elif held == "list" and isinstance(value, list):
                below.extend(Place(f"{at}/{index}", inner, item) for index, item in enumerate(value))
            elif held == "map" and isinstance(value, Mapping):
                below.extend(Place(f"{at}/{escape(str(name))}", inner, item) for name, item in value.items())
        stack.extend(reversed(below))


def form_problems(document: Any) -> Iterator[tuple[str, str]]:
    """Yield (pointer, message) of what can't be read: unknown and missing keys, wrong kinds of values, dangling
    references, schemas without end.
    """
    if not isinstance(document, Mapping):
        yield "", "an OpenAPI document is an object"
        return
    known_refs: dict[str, bool] = {}
    for place in places(document):
        if not isinstance(place.node, Mapping):
            if place.kind != "schema" or not isinstance(place.node, bool):
                yield place.pointer, f"a {place.kind} must be an object"
            continue
        yield from _keys(place)
        for pointer, ref in _refs_of(place):
            yield from _ref(document, pointer, ref, known_refs)
    yield from circles(document, known_refs)


def _keys(place: Place) -> Iterator[tuple[str, str]]:
    """Yield the unknown and missing keys of one object."""
    known = KINDS[place.kind]
    for key in place.node:
        if key not in known and not str(key).startswith("x-"):
            near = difflib.get_close_matches(str(key), list(known), n=1)
            advice = f"; did you mean {near[0]}?" if near else ""
            yield f"{place.pointer}/{escape(str(key))}", f"unknown key {key!r} of a {place.kind}{advice}"
    if "$ref" not in place.node:
        for key in _REQUIRED.get(place.kind, ()):
            if key not in place.node:
                yield place.pointer, f"a {place.kind} needs {key!r}"


def _refs_of(place: Place) -> Iterator[tuple[str, Any]]:
    """Yield (pointer, reference) of one object's own reference and of its discriminator's mapping."""
    if "$ref" in place.node:
        yield f"{place.pointer}/$ref", place.node["$ref"]
    union = place.node.get("discriminator") if place.kind == "schema" else None
    mapping = union.get("mapping") if isinstance(union, Mapping) else None
    for name, target in mapping.items() if isinstance(mapping, Mapping) else ():
        yield f"{place.pointer}/discriminator/mapping/{escape(str(name))}", target


def _ref(document: Any, pointer: str, ref: Any, known: dict[str, bool]) -> Iterator[tuple[str, str]]:
    """Yield a problem if a reference leads nowhere."""
    if not isinstance(ref, str) or not ref.startswith("#/"):
        yield pointer, f"$ref {ref!r} leads out of the document"
        return
    if ref not in known:
        try:
            follow(document, ref)
            known[ref] = True
        except KeyError:
            known[ref] = False
    if not known[ref]:
        yield pointer, f"$ref {ref} points nowhere"
