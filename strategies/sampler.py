"""One valid and plausible value for a schema: a suggestion by field name, else a documented value, else one by type."""

from __future__ import annotations

from typing import Any

from attrs import field, frozen

from .schema_tree import Node
from .vocabulary import COMPANIONS, LONG_TEXT, suggestions

__all__ = ["NOTHING", "Sampler", "text_of"]


class _Nothing:
    """The type of :data:`NOTHING`."""

    def __repr__(self) -> str:
        return "NOTHING"


#: Returned where no fitting value was found; None would be the JSON value null.
NOTHING: Any = _Nothing()

#: Keywords by which what is required depends on what is there.
_CONDITIONS = frozenset({"allOf", "dependentRequired", "dependentSchemas", "if", "not"})

#: Values are built at most this deep, so that recursive schemas end.
DEEPEST = 12


def text_of(length: int, alphabet: str = LONG_TEXT) -> str:
    """A text of exactly ``length`` characters."""
    return (alphabet * (length // len(alphabet) + 1))[:length]


@frozen
class Sampler:
    """Builds values. ``by_type`` collects the pointers of fields for which no name suggested a value."""

    by_type: set[str] = field(factory=set)

    def value(self, node: Node, name: str = "", parent: str = "", depth: int = 0) -> Any:
        """A small, plausible value that fits a node, or :data:`NOTHING`. ``name`` and ``parent`` are property names."""
        if depth > DEEPEST:
            return NOTHING
        for candidate in suggestions(parent, name):
            if node.fits(candidate):
                return candidate
            # A suggestion for one item also serves a list of them.
            if "array" in node.types and node.fits([candidate]):
                return [candidate]
        if node.enum:
            return node.enum[0]
        if "default" in node.schema and node.schema["default"] is not None and node.fits(node.schema["default"]):
            return node.schema["default"]
        # A branch may fit by itself and still not fit the union, for example where ``oneOf`` wants exactly one match.
        for branch in node.branches:
            made = self.value(branch, name, parent, depth + 1)
            if made is not NOTHING and node.fits(made):
                return made
        if node.branches:
            return NOTHING
        return self._plain(node, name, parent, depth)

    def _plain(self, node: Node, name: str, parent: str, depth: int) -> Any:
        """A value of the node's first type."""
        kind = node.types[0] if node.types else ""
        if kind == "object":
            return self._object(node, name, depth)
        if kind == "array":
            return self._array(node, name, parent, depth)
        # An unnamed value is an item or a branch; its field is noted where it has its name.
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
        """An object with its required properties and those without which it would mean nothing."""
        made: dict[str, Any] = {}
        # Required names are an unordered set; document order makes the result the same in every process.
        places = {key: place for place, key in enumerate(node.properties)}
        for key in sorted(node.required, key=lambda key: (places.get(key, len(places)), key)):
            child = node.properties.get(key)
            value = self.value(child, key, name, depth + 1) if child else "text"
            if value is NOTHING:
                return NOTHING
            made[key] = value
        # Optional by schema, but a target refuses the object without it.
        for key in (*COMPANIONS.get(str(made.get("type")), ()), *COMPANIONS.get(name, ())):
            if key in node.properties and key not in made:
                made[key] = self.value(node.properties[key], key, name, depth + 1)
        missing = node.schema.get("minProperties", 0) - len(made)
        if missing > 0:
            for key, child in node.properties.items():
                if missing > 0 and key not in made:
                    made[key] = self.value(child, key, name, depth + 1)
                    missing -= 1
        return self._suited(node, made, name, depth)

    def _suited(self, node: Node, made: dict[str, Any], name: str, depth: int) -> Any:
        """The object with one more property, if it only fits with it: conditions can ask for more than ``required``."""
        if _CONDITIONS.isdisjoint(node.schema) or node.fits(made):
            return made
        for key, child in node.properties.items():
            if key not in made:
                tried = {**made, key: self.value(child, key, name, depth + 1)}
                if tried[key] is not NOTHING and node.fits(tried):
                    return tried
        return made

    def _array(self, node: Node, name: str, parent: str, depth: int) -> Any:
        """The shortest array that is allowed and has an item, if there is a value for items."""
        count = max(1, node.schema.get("minItems", 0))
        if node.items is None:
            return ["text"] * count
        item = self.value(node.items, name, parent, depth + 1)
        if item is NOTHING:
            # An empty list is better than no value, if it is allowed.
            return [] if not node.schema.get("minItems") else NOTHING
        return [item] * count

    def _text(self, node: Node) -> Any:
        """A text that fits pattern, format and length, or NOTHING."""
        for candidate in _TEXTS:
            if node.fits(candidate):
                return candidate
        length = node.schema.get("minLength", 0)
        return text_of(max(length, 1)) if node.fits(text_of(max(length, 1))) else NOTHING


#: Texts for common patterns and formats, tried in this order.
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
    """A number within the bounds, or NOTHING."""
    low, high = node.schema.get("minimum"), node.schema.get("maximum")
    # 1 first: for most counts it is the cheapest request.
    for candidate in (1, low, high, 0, 0.5 if not whole else 2, (low or 0) + 1):
        if candidate is not None and node.fits(candidate):
            return candidate
    return NOTHING
