"""A request as one value with the parts ``body``, ``query`` and ``header``, in the types that the document gives them.

So that query and form, where everything is text, can be compared with a schema.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from attrs import frozen

from conformance._parts import late
from conformance.requests.case import Case, JsonBody, Multipart
from conformance.spec.operations import Operation

if TYPE_CHECKING:
    from strategies import drafts, schema_tree
    from strategies.schema_tree import Node, Shapes
else:
    drafts = late("strategies.drafts")
    schema_tree = late("strategies.schema_tree")

__all__ = ["RequestValues"]


@frozen(eq=False)
class RequestValues:
    """Reads the requests of one operation."""

    operation: Operation
    shapes: Shapes

    def roots(self) -> Iterator[tuple[str, Node]]:
        """Yield (media type, schema of the request)."""
        for media in tuple(self.operation.body) or ("",):
            yield media, schema_tree.request_node(self.shapes, self.operation, media)

    def root(self, media: str) -> Node | None:
        """The schema of a request with a media type; None if there is none."""
        return next((node for name, node in self.roots() if name == media), None)

    def of(self, case: Case) -> tuple[str, dict[str, Any]] | None:
        """(media type, request as one value) of a case; None for one that is no request of this operation, and for a
        body that is neither JSON nor a form.
        """
        # Probes of wrong methods and paths are no requests of this operation.
        if case.method != self.operation.method or case.path != self.operation.path:
            return None
        request: dict[str, Any] = {}
        media = ""
        if isinstance(case.body, JsonBody):
            media, request["body"] = "application/json", case.body.value
        elif isinstance(case.body, Multipart):
            media = "multipart/form-data"
            request["body"] = self._typed(media, "body", _fields(case.body))
        elif case.body is not None:
            return None
        elif self.operation.body:
            media = drafts.media_of(self.operation)
        for place, pairs in (("query", case.query), ("header", case.headers)):
            if pairs:
                request[place] = self._typed(media, place, _grouped(pairs))
        return media, request

    def _typed(self, media: str, place: str, texts: Mapping[str, list[str]]) -> dict[str, Any]:
        """The parameters or form fields with their documented types."""
        # Where the document has no such media type, texts stay texts.
        root = next((node for name, node in self.roots() if name == media or not name), None)
        known = root.properties[place].properties if root is not None and place in root.properties else {}
        return {name: _value(known.get(name), values) for name, values in texts.items()}


def _fields(body: Multipart) -> dict[str, list[str]]:
    """The texts of a form by field; of a file its name."""
    fields: dict[str, list[str]] = {}
    for item in body.parts:
        fields.setdefault(item.name, []).append(item.filename or item.data.decode("utf-8", "replace"))
    return fields


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """The values of query parameters by name."""
    grouped: dict[str, list[str]] = {}
    for name, value in pairs:
        grouped.setdefault(name, []).append(value)
    return grouped


def _value(node: Node | None, texts: list[str]) -> Any:
    """A text as the type that the document gives it: a number, true, false, or an array of them."""
    if node is None:
        return texts[0]
    kinds = {kind for branch in (node, *node.branches) for kind in branch.types}
    # Where a text and a list are both allowed, one text is a text.
    if "array" in kinds and ("string" not in kinds or len(texts) > 1):
        array = next(branch for branch in (node, *node.branches) if "array" in branch.types)
        return [_value(array.items, [text]) for text in texts]
    text = texts[0]
    if kinds & {"integer", "number", "boolean", "object"}:
        try:
            made = json.loads(text)
        except ValueError:
            return text
        # A quoted text is JSON too, but in a form the quotes belong to the text.
        return made if not isinstance(made, str) else text
    return text
