"""One meaningful valid value for a schema: the documented one where there is one, else by name, else by type."""

from __future__ import annotations

from typing import Any

from attrs import field, frozen

from .schema_tree import Node
from .vocabulary import COMPANIONS, LONG_TEXT, suggestions

__all__ = ["NOTHING", "Sampler", "text_of"]


class _Nothing:
    """No value fits."""

    def __repr__(self) -> str:
        return "NOTHING"


NOTHING: Any = _Nothing()

#: Objects nested deeper than this are left out where they are optional, so that recursive schemas end.
DEEPEST = 12


def text_of(length: int, alphabet: str = LONG_TEXT) -> str:
    """A text of exactly ``length`` characters."""
    return (alphabet * (length // len(alphabet) + 1))[:length]


@frozen
class Sampler:
    """Builds values. ``by_type`` collects the pointers of fields that no name explained."""

    by_type: set[str] = field(factory=set)

    def value(self, node: Node, name: str = "", parent: str = "", depth: int = 0) -> Any:
        """The smallest meaningful value of a node; :data:`NOTHING` when none was found."""
        if depth > DEEPEST:
            return NOTHING
        for candidate in suggestions(parent, name):
            if node.fits(candidate):
                return candidate
            if "array" in node.types and node.fits([candidate]):
                return [candidate]
        if node.enum:
            return node.enum[0]
        if "default" in node.schema and node.schema["default"] is not None and node.fits(node.schema["default"]):
            return node.schema["default"]
        for branch in node.branches:
            made = self.value(branch, name, parent, depth + 1)
            if made is not NOTHING and node.fits(made):
                return made
        if node.branches:
            return NOTHING
        return self._plain(node, name, parent, depth)

    def _plain(self, node: Node, name: str, parent: str, depth: int) -> Any:
        kind = node.types[0] if node.types else ""
        if kind == "object":
            return self._object(node, name, depth)
        if kind == "array":
            return self._array(node, name, parent, depth)
        if name and kind:
            self.by_type.add(node.pointer or name)
        if kind == "string":
            return self._text(node)
        if kind in ("integer", "number"):
            return _number(node, whole=kind == "integer")
        if kind == "boolean":
            return False
        if node.nullable or node.only_null:
            return None
        return self._object(node, name, depth) if node.properties else "text"

    def _object(self, node: Node, name: str, depth: int) -> Any:
        made: dict[str, Any] = {}
        places = {key: place for place, key in enumerate(node.properties)}
        for key in sorted(node.required, key=lambda key: (places.get(key, len(places)), key)):
            child = node.properties.get(key)
            value = self.value(child, key, name, depth + 1) if child else "text"
            if value is NOTHING:
                return NOTHING
            made[key] = value
        for key in (*COMPANIONS.get(str(made.get("type")), ()), *COMPANIONS.get(name, ())):
            if key in node.properties and key not in made:
                made[key] = self.value(node.properties[key], key, name, depth + 1)
        missing = node.schema.get("minProperties", 0) - len(made)
        if missing > 0:
            for key, child in node.properties.items():
                if missing > 0 and key not in made:
                    made[key] = self.value(child, key, name, depth + 1)
                    missing -= 1
        return made

    def _array(self, node: Node, name: str, parent: str, depth: int) -> Any:
        count = max(1, node.schema.get("minItems", 0))
        if node.items is None:
            return ["text"] * count
        item = self.value(node.items, name, parent, depth + 1)
        if item is NOTHING:
            return [] if not node.schema.get("minItems") else NOTHING
        return [item] * count

    def _text(self, node: Node) -> Any:
        for candidate in _TEXTS:
            if node.fits(candidate):
                return candidate
        length = node.schema.get("minLength", 0)
        return text_of(max(length, 1)) if node.fits(text_of(max(length, 1))) else NOTHING


_TEXTS = (
    "conformance",
    "https://example.com/",
    "2030-01-01T00:00:00Z",
    "conformance-1",
    "1",
    "00000000-0000-4000-8000-000000000000",
    "Y29uZm9ybWFuY2U=",
    "en",
)


def _number(node: Node, *, whole: bool) -> Any:
    low, high = node.schema.get("minimum"), node.schema.get("maximum")
    for candidate in (1, low, high, 0, 0.5 if not whole else 2, (low or 0) + 1):
        if candidate is not None and node.fits(candidate):
            return candidate
    return NOTHING
