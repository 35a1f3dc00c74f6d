"""Lint rules for the OpenAPI documents of a version, beyond those without which a version can't be loaded."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from conformance.pointer import escape, follow, pointer_to, tokens
from conformance.spec.folder import document_file
from conformance.spec.loading import load, versions
from conformance.spec.openapi import METHODS, places
from conformance.spec.shipped import specs_dir
from conformance.spec.spec import Spec
from conformance.spec.tables import Problem
from conformance.spec.textfile import read_yaml, yaml_line

__all__ = ["document_problems", "route"]

#: The form of an operationId: ``resource.verb``, with more words in between if needed.
_ID = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)+")

#: (pointer, message) of each problem.
Found = Iterator[tuple[str, str]]


def document_problems(spec: Spec, folder: Path | None) -> Iterator[Problem]:
    """Yield the problems of the faithful and of the corrected document, each once."""
    file = _file(spec)
    seen: set[tuple[str, str]] = set()
    for document in (spec.faithful, spec.document):
        for rule in (_outside, _operations, _security, _schemas):
            for pointer, message in rule(document):
                if (pointer, message) not in seen:
                    seen.add((pointer, message))
                    yield Problem(str(file), _line(file, pointer), pointer, message)
    for pointer, message in (*_unused(spec), *_stable(spec, folder)):
        yield Problem(str(file), _line(file, pointer), pointer, message)


def _file(spec: Spec) -> Path:
    """The file in which problems are reported."""
    path = spec.path or specs_dir() / spec.version
    return document_file(path)


def _line(file: Path, pointer: str) -> int:
    """The line of a pointer. In an overlay: the line of the action that comes closest."""
    if file.name == "openapi.yaml":
        return yaml_line(file, pointer)
    # An overlay doesn't contain the place itself; the action whose target names most of the pointer is closest.
    actions = read_yaml(file).get("actions", ())
    best = max(range(len(actions)), key=lambda i: sum(t in actions[i]["target"] for t in tokens(pointer)), default=0)
    return yaml_line(file, f"/actions/{best}")


def _outside(document: Mapping[str, Any]) -> Found:
    """Yield what openapi-spec-validator reports."""
    from openapi_spec_validator import OpenAPIV31SpecValidator

    for error in OpenAPIV31SpecValidator(dict(document)).iter_errors():
        pointer = pointer_to(error.absolute_path)
        yield pointer, f"openapi-spec-validator: {str(error.message)[:200]}"


def _each(document: Mapping[str, Any]) -> Iterator[tuple[str, str, str, Mapping[str, Any]]]:
    """Yield (pointer, path, method, operation object) of each operation."""
    for path, item in document.get("paths", {}).items():
        for method in METHODS:
            if method in item:
                yield f"/paths/{escape(path)}/{method}", path, method, item[method]


def _operations(document: Mapping[str, Any]) -> Found:
    """Every operation has a unique operationId of the right form, one tag, and a documented success."""
    seen: dict[str, str] = {}
    for pointer, _, _, operation in _each(document):
        id = str(operation.get("operationId", ""))
        if not _ID.fullmatch(id):
            yield f"{pointer}/operationId", f"operationId {id!r} is not of the form resource.verb"
        if id in seen:
            yield f"{pointer}/operationId", f"operationId {id} is already used at {seen[id]}"
        seen.setdefault(id, pointer)
        if len(operation.get("tags", ())) != 1:
            yield pointer, f"{id} needs exactly one tag, its resource"
        for status in _errors_without_form(document, operation):
            yield f"{pointer}/responses/{status}", f"{id} documents an error without its form"
        if not any(str(status)[0] in "23" for status in operation["responses"]):
            yield f"{pointer}/responses", f"{id} documents no success"
        yield from _streams(document, pointer, operation)


def _errors_without_form(document: Mapping[str, Any], operation: Mapping[str, Any]) -> Iterator[str]:
    """Yield the error statuses without a schema. A source need not document errors; if it does, it documents their
    body. HEAD has none.
    """
    for status, response in operation["responses"].items():
        target = follow(document, response["$ref"]) if "$ref" in response else response
        if (status == "default" or status[0] in "45") and not any(
            "schema" in media for media in target.get("content", {}).values()
        ):
            yield status


def _streams(document: Mapping[str, Any], pointer: str, operation: Mapping[str, Any]) -> Found:
    """An event stream names its protocol, and an operation says when it streams."""
    for status, response in operation["responses"].items():
        target = follow(document, response["$ref"]) if "$ref" in response else response
        media = target.get("content", {}).get("text/event-stream")
        if media is None:
            continue
        at = f"{pointer}/responses/{status}/content/text~1event-stream"
        if "protocol" not in media.get("x-stream", {}):
            yield at, "an event stream needs x-stream with its protocol"
        other = set(target["content"]) - {"text/event-stream"}
        if other and "x-stream-when" not in operation:
            yield pointer, "an operation that can stream needs x-stream-when"


def _security(document: Mapping[str, Any]) -> Found:
    """Credentials are two security schemes at the top level, not parameters."""
    schemes = document.get("components", {}).get("securitySchemes", {})
    for scheme in ("apiKey", "bearer"):
        if scheme not in schemes:
            yield "/components/securitySchemes", f"the scheme {scheme} is missing"
        if not any(scheme in item for item in document.get("security", ())):
            yield "/security", f"the top level must offer {scheme}"
    for place in places(document):
        if place.kind == "parameter" and isinstance(place.node, Mapping):
            name = str(place.node.get("name", "")).lower()
            if place.node.get("in") == "header" and name in ("api-key", "authorization"):
                yield place.pointer, "credentials are security schemes, not parameters"
        if place.kind == "operation" and "security" in place.node:
            yield f"{place.pointer}/security", "security is given once, at the top level"


def _schemas(document: Mapping[str, Any]) -> Found:
    """Arrays have items, and discriminators map to branches of their union."""
    for place in places(document):
        if place.kind != "schema" or not isinstance(place.node, Mapping) or "$ref" in place.node:
            continue
        kinds = place.node.get("type", ())
        if "array" in ([kinds] if isinstance(kinds, str) else kinds) and not {"items", "prefixItems"} & set(place.node):
            yield place.pointer, "an array needs items"
        union = place.node.get("discriminator")
        if union is None:
            continue
        branches = {branch.get("$ref") for key in ("oneOf", "anyOf") for branch in place.node.get(key, ())}
        if not union.get("mapping"):
            yield f"{place.pointer}/discriminator", "a discriminator needs a mapping"
        for value, target in union.get("mapping", {}).items():
            if target not in branches:
                yield f"{place.pointer}/discriminator/mapping/{escape(value)}", f"{target} is no branch of the union"


def _used(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield every reference in a document."""
    for place in places(document):
        if isinstance(place.node, Mapping):
            if isinstance(place.node.get("$ref"), str):
                yield place.node["$ref"]
            union = place.node.get("discriminator") if place.kind == "schema" else None
            if isinstance(union, Mapping):
                yield from union.get("mapping", {}).values()


def _unused(spec: Spec) -> Found:
    """A component is used by the faithful or by the corrected document, or listed in ``x-documented-only``."""
    used = {*_used(spec.faithful), *_used(spec.document)}
    kept = spec.faithful.get("x-documented-only", {})
    for group, items in spec.faithful.get("components", {}).items():
        if group == "securitySchemes":
            continue
        for name in items:
            pointer = f"/components/{group}/{escape(name)}"
            if f"#{pointer}" not in used and name not in kept:
                yield pointer, "nothing refers to this component"
    for name in kept:
        if name not in spec.faithful.get("components", {}).get("schemas", {}):
            yield f"/x-documented-only/{escape(name)}", "no component has this name"


def route(path: str, method: str) -> tuple[str, str]:
    """The key under which an operation is the same in all versions: method and path without parameter names.

    The deployment stands in the path on the dated surface and in the body on v1, so it isn't part of the key.
    """
    bare = re.sub(r"^/deployments/\{[^}]*\}", "", path)
    return method, re.sub(r"\{[^}]*\}", "{}", bare)


def _stable(spec: Spec, folder: Path | None) -> Found:
    """The same operation has the same operationId in every version."""
    known: dict[tuple[str, str], tuple[str, str]] = {}
    for version in versions(folder):
        if version != spec.version:
            other = load(version, folder)
            for _, path, method, operation in _each(other.document):
                known.setdefault(route(path, method), (operation["operationId"], version))
    for pointer, path, method, operation in _each(spec.document):
        id, version = known.get(route(path, method), (operation["operationId"], ""))
        if id != operation["operationId"]:
            yield f"{pointer}/operationId", f"this operation is called {id} in {version}"
