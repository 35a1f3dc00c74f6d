"""Template builders: functions that yield meaningful requests of an operation, and what they are given to do so."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cache, cached_property
from typing import Any

from attrs import field, frozen

from conformance.pointer import tokens
from conformance.requests.case import Expect
from conformance.schema.validators import Validator, validator_for
from conformance.spec.operations import Operation
from conformance.spec.spec import Spec
from conformance.verdict import Level

from .drafts import Draft, media_of
from .schema_tree import Node, Shapes, request_node

__all__ = ["Builder", "TemplateContext", "builders_for", "template"]


@frozen(slots=False, eq=False)
class TemplateContext:
    """What a template builder is given: the Spec, the operation and the schema of its requests.

    ``root`` describes a request as ``{body, query, header}`` in one media type.
    """

    spec: Spec = field(repr=False)
    operation: Operation
    shapes: Shapes = field(repr=False)
    media: str
    root: Node = field(repr=False)

    @classmethod
    def of(cls, spec: Spec, operation: Operation, shapes: Shapes, media: str | None = None) -> TemplateContext:
        """The context of an operation, by default in the media type that requests use."""
        chosen = media_of(operation) if media is None else media
        return cls(spec, operation, shapes, chosen, request_node(shapes, operation, chosen))

    @cached_property
    def strict(self) -> Validator:
        """A validator of requests that allows nothing but documented fields."""
        closed: dict[str, Any] = {**self.root.schema, "additionalProperties": False}
        chosen = self.operation.body.get(self.media)
        if chosen is not None:
            inner = {"$ref": "#" + chosen.pointer}
            closed["properties"] = {**closed["properties"], "body": inner}
        return validator_for(self.spec, closed, strict=True)

    @property
    def body(self) -> Node | None:
        """The schema of the body, or None if the operation takes none."""
        return self.root.properties.get("body")

    def has(self, pointer: str) -> bool:
        """Return True if the body documents a field, in any branch. ``pointer`` is like ``/messages/*/content``."""
        nodes = [self.body] if self.body is not None else []
        for token in tokens(pointer):
            nodes = [child for node in nodes for child in _children(node, token)]
        return bool(nodes)

    def takes(self, pointer: str, value: Any) -> bool:
        """Return True if a field is documented and one of its schemas accepts the value."""
        nodes = [self.body] if self.body is not None else []
        for token in tokens(pointer):
            nodes = [child for node in nodes for child in _children(node, token)]
        return any(node.fits(value) for node in nodes)

    def draft(
        self,
        role: str,
        body: Any = None,
        *,
        query: Mapping[str, Any] | None = None,
        either: str = "",
        needs: Iterable[str] = (),
        path_params: Mapping[str, str] | None = None,
    ) -> Draft:
        """A draft that must be accepted; with the reason ``either`` one whose outcome may be either.

        The body gets a ``model`` where this version names the deployment there. Required headers are added.
        """
        request: dict[str, Any] = {}
        if self.body is not None and body is not None:
            request["body"] = self._with_model(body)
        if query:
            request["query"] = dict(query)
        header = self.root.properties.get("header")
        if header is not None:
            # Required headers have one documented value, such as that of ``OpenAI-Beta``.
            request["header"] = {name: header.properties[name].enum[0] for name in sorted(header.required)}
        return Draft(
            request=request,
            role=role,
            expect=Expect.EITHER if either else Expect.ACCEPT,
            level=Level.SHOULD if either else Level.MUST,
            reason=either,
            needs=tuple(needs),
            path_params=path_params or {},
            media=self.media,
        )

    def _with_model(self, body: Any) -> Any:
        """The body with ``model`` in front, unless the deployment stands in the path or the model may be left out."""
        in_path = any(p.location == "path" and p.name.startswith("deployment") for p in self.operation.parameters)
        if isinstance(body, dict) and not in_path and "model" not in body and self.body is not None:
            model = self.body.properties.get("model")
            if model is not None and ("model" in self.body.required or not self.operation.facts.model_optional):
                return {"model": "{deployment}", **body}
        return body


def _children(node: Node, token: str) -> Iterator[Node]:
    """Yield the schemas of one pointer token below a node, in all branches. ``*`` is an item or an unlisted
    property.
    """
    for branch in node.branches:
        yield from _children(branch, token)
    # A listed property wins over the schema of unlisted ones.
    if token in node.properties:
        yield node.properties[token]
    else:
        yield from [child for child in (node.items, node.extra) if child is not None and token in ("*", "%")]


#: The signature of a template function.
Build = Callable[[TemplateContext], Iterator[Draft]]


@frozen
class Builder:
    """A function that builds templates, and the operationIds (globs) that it serves."""

    operations: tuple[str, ...]
    build: Build


def template(*operations: str) -> Callable[[Build], Builder]:
    """Decorator: make a builder of a generator function. ``operations`` are globs of operationIds."""

    def make(build: Build) -> Builder:
        return Builder(operations, build)

    return make


@cache
def _builders() -> tuple[Builder, ...]:
    """All builders of ``strategies/templates/``, in the order of the file names."""
    from . import templates

    found: list[Builder] = []
    for info in sorted(pkgutil.iter_modules(templates.__path__), key=lambda info: info.name):
        module = importlib.import_module(f"{templates.__name__}.{info.name}")
        found += [value for value in vars(module).values() if isinstance(value, Builder)]
    return tuple(found)


def builders_for(operation: str) -> tuple[Builder, ...]:
    """The builders of ``strategies/templates/`` that serve an operation, given by its operationId."""
    return tuple(b for b in _builders() if any(fnmatchcase(operation, glob) for glob in b.operations))
