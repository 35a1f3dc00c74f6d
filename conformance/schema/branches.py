"""Two transformations of an OpenAPI document: discriminators as conditions, and objects closed to unknown properties.

Every place keeps its pointer, so that errors name the place in the original document.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from conformance.pointer import follow
from conformance.spec.openapi import OTHER_NAMES

__all__ = ["closed", "discriminated", "narrowed"]

_UNIONS = ("oneOf", "anyOf")


def discriminated(node: Any) -> tuple[str, str, Mapping[str, str]] | None:
    """(union keyword, property, value → ``$ref``) of a union with a discriminator, else None.

    Without an explicit mapping the values are the names of the components (OpenAPI 3.1, Discriminator Object).
    """
    if not isinstance(node, Mapping) or not isinstance(node.get("discriminator"), Mapping):
        return None
    keyword = next((k for k in _UNIONS if isinstance(node.get(k), list)), None)
    name = node["discriminator"].get("propertyName")
    if keyword is None or not isinstance(name, str):
        return None
    mapping = node["discriminator"].get("mapping") or {
        str(branch["$ref"]).rsplit("/", 1)[-1]: branch["$ref"] for branch in node[keyword] if "$ref" in branch
    }
    return keyword, name, mapping


def narrowed(node: Any) -> Any:
    """The document with every discriminated union as a condition: a known value selects its branch, else the union
    decides.
    """
    if isinstance(node, list):
        return [narrowed(item) for item in node]
    if not isinstance(node, Mapping):
        return node
    plain = {key: narrowed(value) for key, value in node.items()}
    found = discriminated(node)
    # A schema can hold only one ``if``; one that is there already stays as it is.
    if found is None or "if" in plain:
        return plain
    keyword, name, mapping = found
    union = plain.pop(keyword)
    plain.pop("discriminator")
    refs = [branch.get("$ref") for branch in union]
    # References to other documents can't be followed, so such a value selects nothing.
    chosen = [(value, ref) for value, ref in mapping.items() if ref.startswith("#/")]
    # Without a value that selects a branch, the union decides as it stands.
    if not chosen:
        return {**plain, keyword: union}
    return {
        **plain,
        "if": {
            "type": "object",
            "required": [name],
            "properties": {name: {"enum": [value for value, _ in chosen]}},
        },
        "then": {
            "allOf": [{"if": {"properties": {name: {"const": value}}}, "then": {"$ref": ref}} for value, ref in chosen]
        },
        "else": {keyword: union},
        # Kept for error messages, which must name the place in the original union.
        "x-narrowed": {
            "keyword": keyword,
            "propertyName": name,
            "mapping": dict(chosen),
            "branches": [refs.index(ref) if ref in refs else -1 for _, ref in chosen],
        },
    }


#: Keywords whose schema describes a value of its own. Other keywords combine schemas for the same value.
_USES = ("items", *OTHER_NAMES, "schema")


def closed(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The document with ``unevaluatedProperties: false`` in every schema that lists properties and describes a
    value.
    """
    return dict(_Closing(document).walk(document))


@frozen
class _Closing:
    """Makes the copy of one document."""

    document: Mapping[str, Any]

    def walk(self, node: Any) -> Any:
        """A copy in which every schema of a value of its own is closed."""
        if isinstance(node, list):
            return [self.walk(item) for item in node]
        if not isinstance(node, Mapping):
            return node
        made: dict[str, Any] = {}
        for key, value in node.items():
            if key == "properties" and isinstance(value, Mapping):
                # Each property holds a value of its own. The members of ``allOf`` and unions describe the same value
                # and must not be closed one by one: each would refuse the properties of the others.
                made[key] = {name: self.use(schema) for name, schema in value.items()}
            else:
                made[key] = self.use(value) if key in _USES and isinstance(value, Mapping) else self.walk(value)
        return made

    def use(self, node: Any) -> Any:
        """The closed copy of a schema that describes a value of its own."""
        made = self.walk(node)
        return {**made, "unevaluatedProperties": False} if self.lists(node) and isinstance(made, dict) else made

    def lists(self, node: Any, seen: frozenset[str] = frozenset()) -> bool:
        """Return True if the schema lists properties and doesn't say anything about others."""
        if not isinstance(node, Mapping) or not {*OTHER_NAMES, "patternProperties"}.isdisjoint(node):
            return False
        ref = node.get("$ref")
        if isinstance(ref, str) and ref.startswith("#/"):
            return ref not in seen and self.lists(follow(self.document, ref), seen | {ref})
        parts = [part for key in ("allOf", *_UNIONS) for part in node.get(key, ())]
        objects = [part for part in parts if self.may_be_object(part, seen)]
        # One part that allows any property makes the whole open.
        return all(self.lists(part, seen) for part in objects) if objects else bool(node.get("properties"))

    def may_be_object(self, node: Any, seen: frozenset[str]) -> bool:
        """Return True if an object can fit the schema."""
        if not isinstance(node, Mapping):
            return False
        ref = node.get("$ref")
        if isinstance(ref, str) and ref.startswith("#/"):
            return ref not in seen and self.may_be_object(follow(self.document, ref), seen | {ref})
        kind = node.get("type")
        if kind is not None:
            return "object" in kind if isinstance(kind, list) else bool(kind == "object")
        branches = [part for key in ("allOf", *_UNIONS) for part in node.get(key, ())]
        return "properties" in node or any(self.may_be_object(part, seen) for part in branches)
