"""From a schema down to the schemas at a location, as ``location.places`` does it in values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from conformance.migration.forms import forms_of, tags
from conformance.migration.location import Location

if TYPE_CHECKING:
    from strategies.schema_tree import Node

__all__ = ["below", "nodes_at"]


def nodes_at(root: Node, location: Location) -> list[Node]:
    """The schemas at a location of a request or an answer. Empty if the document has nothing there."""
    found = [root]
    for step in location:
        found = [inner for node in found for inner in below(node, step)]
    return found


def below(node: Node, step: str) -> Iterator[Node]:
    """Yield the schemas to which one step of a location leads."""
    if step[0] == "?":
        name, _, value = step[1:].partition("=")
        for form in forms_of(node).of("object"):
            if form.node is not None and value in (tags(form, name) or (value,)):
                yield form.node
        return
    for form in forms_of(node).forms:
        if step == "*" and form.items is not None:
            yield form.items
        elif step == "%" and form.extra is not None:
            yield form.extra
        elif step[0] == "." and step[1:] in form.properties:
            yield form.properties[step[1:]]
