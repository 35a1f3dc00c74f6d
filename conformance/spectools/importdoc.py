"""Converts a published OpenAPI 3 document into the form of this suite: paths, operations, parameters, bodies and
answers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from attrs import define, field

from conformance.errors import UsageError
from conformance.spec.openapi import METHODS
from conformance.spec.operations import Operation
from conformance.spec.spec import Spec
from conformance.spectools.document_rules import route
from conformance.spectools.importnames import made_name, parameter_names, renamed, templates_of
from conformance.spectools.importnotes import Notes
from conformance.spectools.importschema import Schemas
from conformance.spectools.importstreams import add_stream

__all__ = ["Importer"]

#: Every parameter style of OpenAPI 3.
_STYLES = ("form", "simple", "deepObject", "spaceDelimited", "pipeDelimited", "label", "matrix")


@define
class Importer:
    """Converts one document.

    ``known`` maps routes of known versions to (operationId, resource); ``alike`` maps operationIds to the most similar
    version that has them. ``grafted`` collects operations whose event schemas come from a known version.
    """

    document: Mapping[str, Any]
    known: Mapping[tuple[str, str], tuple[str, str]]
    alike: Mapping[str, tuple[Spec, Operation]]
    notes: Notes
    api_version: dict[str, Any] = field(factory=dict)
    schemas: Schemas = field(init=False)
    templates: Mapping[str, str] = field(init=False)
    grafted: set[str] = field(factory=set)
    _taken: set[str] = field(factory=set)

    def __attrs_post_init__(self) -> None:
        self.schemas = Schemas(self.document, self.notes)
        self.templates = templates_of(operation for _, operation in self.alike.values())

    def paths(self, prefix: str = "") -> dict[str, Any]:
        """All paths, without ``prefix``. Raises :class:`UsageError` for a reference that leads out of the document."""
        made: dict[str, Any] = {}
        for path, item in _mapping(self.document.get("paths")).items():
            # Some documents write the api-version into the path; it is a parameter here.
            here = path.removeprefix(prefix).split("?")[0]
            if not here.startswith("/"):
                here = f"/{here}"
            names = parameter_names(here, self.templates)
            converted = dict(self._item(here, self._deref(item, path), names))
            here = renamed(here, names)
            if not converted:
                continue
            if here in made:
                self.notes.add(f"{path}: the path is there already; its operations are merged")
            # Two paths may differ only in the part that is removed. The first one wins where both have a method.
            made[here] = {**converted, **made.get(here, {})}
        return made

    def _item(self, path: str, item: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
        """Yield (method, operation) of one path. ``names`` are our names of its parameters."""
        shared = item.get("parameters") or ()
        for method, node in item.items():
            if method in METHODS and isinstance(node, Mapping):
                yield method, self._operation(path, method, node, shared, names)
            elif method in ("query", "additionalOperations"):
                self.notes.add(f"{path}: {method} operations")

    def _operation(
        self, path: str, method: str, node: Mapping[str, Any], shared: Any, names: Mapping[str, str]
    ) -> dict[str, Any]:
        """One operation, named like the same operation of a known version, else by its path."""
        name, resource = self.known.get(route(path, method), ("", ""))
        # An operationId must be unique in a document, even if two paths fit the same known route.
        if not name or name in self._taken:
            name, resource = made_name(path, method, self._taken)
            self.notes.add(f"{method.upper()} {path}: no known version has it; it is called {name}")
        self._taken.add(name)
        made: dict[str, Any] = {"operationId": name, "tags": [resource]}
        if node.get("deprecated") is True:
            made["deprecated"] = True
        made["parameters"] = list(self._parameters(names, [*shared, *(node.get("parameters") or ())], name))
        body = self._deref(node.get("requestBody"), name) if node.get("requestBody") else None
        if body:
            content = self._content(body.get("content"), f"{name}, request")
            if content:
                made["requestBody"] = {"required": body.get("required") is True, "content": content}
        made["responses"] = self._responses(node, name)
        add_stream(made, self.schemas, self.alike.get(name), self)
        return made

    def _parameters(self, names: Mapping[str, str], listed: list[Any], name: str) -> Iterator[dict[str, Any]]:
        """Yield the parameters of an operation. Credentials and content negotiation are left out; path parameters are
        completed. ``names`` maps the names in the path to ours.
        """
        found: dict[tuple[str, str], dict[str, Any]] = {}
        for raw in listed:
            parameter = self._deref(raw, name)
            place, label = parameter.get("in"), str(parameter.get("name", ""))
            # Parameters that all operations of a path share may belong to another spelling of it.
            if place == "path" and label not in names:
                continue
            # These headers are set by the client, not by the caller of an operation (OpenAPI 3.1, Parameter Object).
            if place == "header" and label.lower() in ("api-key", "authorization", "content-type", "accept"):
                continue
            if place not in ("path", "query", "header") or not label:
                self.notes.add(f"{name}: parameter {label or '?'} in {place}")
                continue
            found[place, label] = self._parameter(parameter, place, f"{name}, parameter {label}")
            if label.lower() == "api-version":
                self.api_version = {"in": "query", "name": label, "required": parameter.get("required") is True}
                self.api_version["schema"] = found[place, label]["schema"]
        for label in sorted(set(names) - {label for place, label in found if place == "path"}):
            found["path", label] = {"name": label, "in": "path", "required": True, "schema": {"type": "string"}}
        for (place, label), made in found.items():
            yield {**made, "name": names[label]} if place == "path" else made

    def _parameter(self, node: Mapping[str, Any], place: str, where: str) -> dict[str, Any]:
        """One parameter with its schema."""
        schema = node.get("schema")
        if schema is None:
            content = _mapping(node.get("content"))
            schema = _mapping(next(iter(content.values()), {})).get("schema", {})
        made: dict[str, Any] = {"name": node["name"], "in": place}
        if place == "path" or node.get("required") is True:
            made["required"] = True
        made["schema"] = self.schemas.convert(schema, where)
        if node.get("style") in _STYLES:
            made["style"] = node["style"]
        if isinstance(node.get("explode"), bool):
            made["explode"] = node["explode"]
        return made

    def _content(self, content: Any, where: str) -> dict[str, Any]:
        """The media types of a body with their schemas."""
        made = {}
        for kind, media in _mapping(content).items():
            entry = self._deref(media, where)
            # OpenAPI 3.2 describes the items of a stream by ``itemSchema``.
            schema = entry.get("itemSchema", entry.get("schema", {}))
            made[str(kind).split(";")[0].strip()] = {"schema": self.schemas.convert(schema, where)}
        return made

    def _responses(self, node: Mapping[str, Any], name: str) -> dict[str, Any]:
        """The responses of an operation. Without a success, 200 is assumed."""
        made: dict[str, Any] = {}
        for key, raw in _mapping(node.get("responses")).items():
            status = str(key)
            if status.startswith("x-"):
                continue
            if not re.fullmatch(r"[1-5](\d\d|XX)|default", status):
                self.notes.add(f"{name}: response {status}")
                continue
            answer = self._deref(raw, name)
            entry: dict[str, Any] = {"description": _phrase(status)}
            content = self._bytes(self._content(answer.get("content"), f"{name}, response {status}"), name)
            if content:
                entry["content"] = content
            headers = {
                label: {"schema": self.schemas.convert(self._deref(header, name).get("schema", {}), f"{name}, {label}")}
                for label, header in _mapping(answer.get("headers")).items()
            }
            if headers:
                entry["headers"] = headers
            # An error without a documented body says nothing that could be judged.
            if (status == "default" or status[0] in "45") and not content:
                self.notes.add(f"{name}: response {status} has no form")
                continue
            made[status] = entry
        if not any(status[0] in "23" for status in made):
            self.notes.add(f"{name}: no success is documented; 200 is assumed")
            made["200"] = {"description": "OK"}
        return made

    def _bytes(self, content: dict[str, Any], name: str) -> dict[str, Any]:
        """The media types of an answer. Bytes are not JSON: they have the type of a known version, or a plain one."""
        schema = content.get("application/json", {}).get("schema", {})
        if len(content) != 1 or schema.get("format") not in ("binary", "byte") or schema.get("type") != "string":
            return content
        _, known = self.alike.get(name, (None, None))
        media = {kind for forms in known.responses.values() for kind in forms} if known is not None else set()
        kinds = sorted(media - {"application/json", "text/event-stream"}) or ["application/octet-stream"]
        self.notes.add(f"{name}: bytes are documented as application/json; {', '.join(kinds)} is taken")
        return {kind: {"schema": {"type": "string", "format": "binary"}} for kind in kinds}

    def _deref(self, node: Any, where: str) -> Mapping[str, Any]:
        """An object that isn't a schema, with its references followed (at most 16 in a row)."""
        from conformance.pointer import follow

        for _ in range(16):
            if not (isinstance(node, Mapping) and "$ref" in node):
                return _mapping(node)
            ref = node["$ref"]
            if not isinstance(ref, str) or not ref.startswith("#"):
                raise UsageError(
                    f"$ref {ref!r} leads out of the document; other documents are never opened", where=where
                )
            try:
                node = follow(self.document, ref)
            except KeyError:
                self.notes.add(f"{where}: {ref} points nowhere")
                return {}
        raise UsageError("a chain of $ref never ends", where=where)


def _mapping(value: Any) -> Mapping[str, Any]:
    """The value if it is a mapping, else an empty one: published documents are not always well-formed."""
    return value if isinstance(value, Mapping) else {}


def _phrase(status: str) -> str:
    """The description of a status."""
    if status.isdigit():
        try:
            return HTTPStatus(int(status)).phrase
        except ValueError:
            return status
    return "Any other answer" if status == "default" else status
