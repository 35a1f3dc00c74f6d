"""Converts schemas of published documents: JSON Schema 2020-12, without descriptions and vendor keywords.

``nullable`` and ``x-nullable`` become the type null, boolean exclusive bounds become numbers, and references to unusual
places become components. Only schemas that an operation uses are converted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from attrs import define, field
from jsonschema import Draft202012Validator

from conformance.errors import UsageError
from conformance.pointer import follow
from conformance.spec.openapi import BOUNDS, CONTAINED, KINDS
from conformance.spectools.importnotes import Notes

__all__ = ["Schemas"]

_PREFIX = "#/components/schemas/"
_TYPES = ("string", "number", "integer", "boolean", "object", "array", "null")
#: Keywords that are left out, or converted separately.
_PROSE = ("title", "description", "examples", "$comment", "discriminator", "$ref")
_NUMBERS = (*(key for key in BOUNDS if key.lower().endswith("imum")), "multipleOf")
_COUNTS = (*(key for key in BOUNDS if key not in _NUMBERS), *CONTAINED)


@define
class Schemas:
    """The converter of one document. ``made`` holds the converted components in the order in which they were
    reached.
    """

    document: Mapping[str, Any]
    notes: Notes
    made: dict[str, Any] = field(factory=dict)
    _names: dict[str, str] = field(factory=dict)
    _waiting: list[tuple[str, str, bool]] = field(factory=list)
    _fixed: dict[str, tuple[str, str]] = field(factory=dict)
    _children: dict[str, dict[str, str]] | None = field(default=None)

    def convert(self, node: Any, where: str) -> Any:
        """Convert one schema and every component that it uses. ``where`` names the schema in notes."""
        made = self._schema(node, where)
        # A list instead of recursion: components refer to each other in circles, and chains may be long.
        while self._waiting:
            name, pointer, bare = self._waiting.pop(0)
            target = self._target(pointer, name)
            kinds = self._kinds_of(f"#{pointer}", target) if not bare else {}
            made_here = self._family(target, kinds, name) if kinds else self._schema(target, name, inherits=True)
            self.made[name] = _fix(made_here, self._fixed.get(f"#{pointer}"))
        return made

    def _target(self, pointer: str, where: str) -> Any:
        """The schema at a pointer; an empty one, with a note, if nothing is there."""
        try:
            return follow(self.document, pointer)
        except KeyError:
            self.notes.add(f"{where}: #{pointer} points nowhere; anything is allowed there")
            return {}

    def _kinds_of(self, ref: str, target: Any) -> Mapping[str, str]:
        """Value of the discriminator → reference, for a schema from which others inherit by ``allOf``.

        The document maps the values itself, or leaves them to the inheriting schemas (``x-ms-discriminator-value``, a
        fixed value of the property, else the schema's name; OpenAPI 2.0 and 3.0, Discriminator Object).
        """
        declared = target.get("discriminator") if isinstance(target, Mapping) else None
        # With a union the branches are listed there; inheritance is the other way to describe them.
        if declared is None or "oneOf" in target or "anyOf" in target:
            return {}
        property_name = declared.get("propertyName") if isinstance(declared, Mapping) else declared
        children = self._inheritance().get(ref, {})
        listed = declared.get("mapping") if isinstance(declared, Mapping) else None
        if isinstance(listed, Mapping) and listed:
            refs = {str(k): v if "#" in str(v) else f"{_PREFIX}{v}" for k, v in listed.items()}
            return {value: kind for value, kind in refs.items() if kind in children}
        found = {}
        for kind, name in children.items():
            schema = self._target(kind.removeprefix("#"), name)
            fixed = schema.get("properties", {}).get(property_name, {})
            values = fixed.get("enum", [fixed.get("const")]) if isinstance(fixed, Mapping) else []
            own = values[0] if len(values) == 1 and values[0] is not None else name
            found[str(schema.get("x-ms-discriminator-value", own))] = kind
        return found

    def _inheritance(self) -> dict[str, dict[str, str]]:
        """Reference of a base schema → the schemas that inherit from it (reference → name)."""
        if self._children is None:
            self._children = {}
            for name, schema in self.document.get("components", {}).get("schemas", {}).items():
                for part in (schema.get("allOf") or ()) if isinstance(schema, Mapping) else ():
                    if isinstance(part, Mapping) and isinstance(part.get("$ref"), str):
                        # Children name their base, not the other way round, so all components must be searched once.
                        self._children.setdefault(part["$ref"], {})[f"{_PREFIX}{name}"] = name
        return self._children

    def _family(self, target: Mapping[str, Any], kinds: Mapping[str, str], where: str) -> dict[str, Any]:
        """A base schema as the union of the schemas that inherit from it. What they inherit gets a component of its
        own.
        """
        declared = target["discriminator"]
        name = declared.get("propertyName") if isinstance(declared, Mapping) else declared
        mapping = {value: self.reference(ref, where) for value, ref in kinds.items()}
        for value, ref in kinds.items():
            # Inherited schemas often leave the value of the discriminator open. It is fixed later, when the component
            # is converted.
            self._fixed[ref] = (str(name), value)
        branches = [{"$ref": ref} for ref in dict.fromkeys(mapping.values())]
        made = {"oneOf": branches, "discriminator": {"propertyName": name, "mapping": mapping}}
        return _with_null(made) if target.get("nullable") is True or target.get("x-nullable") is True else made

    def reference(self, ref: Any, where: str, *, bare: bool = False) -> str:
        """The new reference for one of the document. Raises :class:`UsageError` if it leads out of the document.

        With ``bare`` it is the reference to what others inherit from a base: its own properties, not the union.
        """
        if not isinstance(ref, str) or not ref.startswith("#"):
            raise UsageError(f"$ref {ref!r} leads out of the document; other documents are never opened", where=where)
        key = f"{ref} bare" if bare else ref
        if key not in self._names:
            name = ref.removeprefix(_PREFIX)
            if not ref.startswith(_PREFIX) or "/" in name:
                name = re.sub(r"[^A-Za-z0-9._-]+", "_", ref.removeprefix("#/").removeprefix("components/schemas/"))
            # OpenAPI 3 allows only these characters in the names of components.
            name = re.sub(r"[^A-Za-z0-9._-]", "_", name.replace("~1", "_").replace("~0", "_")) or "_"
            name += ".base" if bare else ""
            # Two different references may become the same name once odd characters are replaced.
            while name in self._names.values():
                name += "_"
            self._names[key] = name
            self._target(ref.removeprefix("#"), where)
            self._waiting.append((name, ref.removeprefix("#"), bare))
            # The name is taken at once, so that components keep the order in which they were reached.
            self.made[name] = {}
        return _PREFIX + self._names[key]

    def _inherited(self, part: Any, where: str) -> Any:
        """A member of ``allOf``. A base schema there means its own properties."""
        ref = part.get("$ref") if isinstance(part, Mapping) else None
        if isinstance(ref, str) and ref.startswith("#") and self._kinds_of(ref, self._target(ref[1:], where)):
            return {"$ref": self.reference(ref, where, bare=True)}
        return self._schema(part, where)

    def _schema(self, node: Any, where: str, *, inherits: bool = False) -> Any:
        """Convert one schema, without the components that it uses.

        ``inherits``: it is a component, so a base schema in its ``allOf`` is what it inherits from. Elsewhere
        ``allOf`` with one reference is the usual way to describe a field of that type: any kind may stand there.
        """
        if isinstance(node, bool):
            return node
        if not isinstance(node, Mapping):
            self.notes.add(f"{where}: a schema that is no object; anything is allowed there")
            return {}
        nullable = node.get("nullable") is True or node.get("x-nullable") is True
        if "$ref" in node:
            plain: dict[str, Any] = {"$ref": self.reference(node["$ref"], where)}
            # Keywords beside ``$ref`` are ignored before OpenAPI 3.1, so ``nullable`` needs a union.
            return {"anyOf": [plain, {"type": "null"}]} if nullable else plain
        made = {key: value for key, value in self._keywords(node, where, inherits=inherits) if value is not None}
        # Nothing stands beside it: the only member means the same.
        if set(made) == {"allOf"} and len(made["allOf"]) == 1 and not inherits:
            made = made["allOf"][0]
            return _with_null(made) if nullable and made is not True else made
        self._bounds(made)
        self._discriminator(node, made, where)
        if "default" in made and not _fits(made):
            self.notes.add(f"{where}: the default {made.pop('default')!r} does not fit its own type or values")
        self._satisfiable(made, where)
        # Lint demands ``items`` of every array; an empty schema allows any item, as its absence does.
        if "array" in _kinds(made) and not {"items", "prefixItems"} & set(made):
            made["items"] = {}
        return _with_null(made) if nullable else made

    def _keywords(self, node: Mapping[str, Any], where: str, *, inherits: bool) -> Iterator[tuple[str, Any]]:
        """Yield (keyword, converted value) of the keywords that are kept."""
        for key, value in node.items():
            if key in _PROSE or key not in KINDS["schema"]:
                continue
            held, kind = KINDS["schema"][key]
            # Other properties are allowed anyway; said aloud, it would make every name a documented one.
            if key == "additionalProperties" and value is True:
                continue
            if kind == "schema" and held == "one":
                # A list of item schemas is called ``prefixItems`` since JSON Schema 2020-12.
                if key == "items" and isinstance(value, list):
                    yield "prefixItems", [self._schema(item, f"{where}/{key}") for item in value]
                else:
                    yield key, self._schema(value, f"{where}/{key}")
            elif kind == "schema" and held == "list":
                kept = [
                    each
                    for each in enumerate(value if isinstance(value, list) else ())
                    if self._there(key, *each, where)
                ]
                if kept:
                    convert = self._inherited if key == "allOf" and inherits else self._schema
                    yield key, [convert(item, f"{where}/{key}/{i}") for i, item in kept]
            elif kind == "schema":
                if isinstance(value, Mapping):
                    yield key, {str(name): self._schema(item, f"{where}/{name}") for name, item in value.items()}
            else:
                yield key, self._plain(key, value, where)

    def _there(self, key: str, index: int, item: Any, where: str) -> bool:
        """Return False, with a note, for a branch of a union that points nowhere: it would allow anything."""
        ref = item.get("$ref") if isinstance(item, Mapping) else None
        if key == "allOf" or not isinstance(ref, str) or not ref.startswith("#"):
            return True
        try:
            follow(self.document, ref)
        except KeyError:
            self.notes.add(f"{where}/{key}/{index}: {ref} points nowhere; the branch is left out")
            return False
        return True

    def _plain(self, key: str, value: Any, where: str) -> Any:
        """The value of a keyword that holds no schema; None, with a note, if it is malformed."""
        good = _GOOD.get(key)
        if key == "type":
            kinds = [value] if isinstance(value, str) else value
            known = [kind for kind in kinds if kind in _TYPES] if isinstance(kinds, list) else []
            if known != kinds:
                self.notes.add(f"{where}: type {value!r}")
            return (known[0] if len(known) == 1 else known) if known else None
        if key == "enum" and isinstance(value, list):
            # Values may be objects, which a set can't hold, and an enum may be long.
            unique: dict[str, Any] = {}
            for item in value:
                unique.setdefault(_text(item), item)
            return list(unique.values()) or None
        if key in ("default", "const") or good is None or good(value):
            return value
        self.notes.add(f"{where}: {key} {value!r}")
        return None

    def _satisfiable(self, made: dict[str, Any], where: str) -> None:
        """Remove from ``required`` what a closed object doesn't define: otherwise no value at all would fit."""
        if made.get("additionalProperties") is not False or {"allOf", "patternProperties"} & set(made):
            return
        missing = [name for name in made.get("required", ()) if name not in made.get("properties", {})]
        if missing:
            self.notes.add(f"{where}: closed, and requires {', '.join(missing)}, which it has not; not required here")
            made["required"] = [name for name in made["required"] if name not in missing]

    def _bounds(self, made: dict[str, Any]) -> None:
        """``exclusiveMinimum: true`` beside ``minimum`` (OpenAPI 3.0) becomes a number (3.1)."""
        for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
            flag = made.get(exclusive)
            if flag is True and bound in made:
                made[exclusive] = made.pop(bound)
            # ``false``, or ``true`` without a bound, says nothing.
            elif isinstance(flag, bool):
                del made[exclusive]

    def _discriminator(self, node: Mapping[str, Any], made: dict[str, Any], where: str) -> None:
        """Keep a discriminator if it tells the branches of a union apart: each branch has a value, and no other schema
        has.
        """
        declared = node.get("discriminator")
        if declared is None:
            return
        name = declared.get("propertyName") if isinstance(declared, Mapping) else declared
        union = next((key for key in ("oneOf", "anyOf") if key in made), None)
        # The base of a family keeps only its own properties; the union with the discriminator is made elsewhere.
        if union is None and self._inheritance().get(f"{_PREFIX}{where.removesuffix('.base')}"):
            return
        mapping: dict[str, str] = {}
        branches = [item.get("$ref") for item in made.get(union or "", ()) if isinstance(item, Mapping)]
        listed = declared.get("mapping") if isinstance(declared, Mapping) else None
        for value, target in (listed or {}).items():
            ref = target if isinstance(target, str) and "#" in target else f"{_PREFIX}{target}"
            ours = self.reference(ref, where)
            if ours in branches:
                mapping[str(value)] = ours
        for branch in node.get(union, ()) if union else ():
            named = self._names.get(branch.get("$ref", "")) if isinstance(branch, Mapping) else None
            if named is not None and f"{_PREFIX}{named}" not in mapping.values():
                for value in self._fixed_values(branch, str(name), 0):
                    mapping.setdefault(value, f"{_PREFIX}{named}")
        # A branch without a value could never be selected, so validation would refuse good answers.
        if union is None or not mapping or set(branches) != set(mapping.values()):
            self.notes.add(f"{where}: discriminator {name!r} does not tell the branches of a union apart")
            return
        made["discriminator"] = {"propertyName": name, "mapping": mapping}

    def _fixed_values(self, node: Any, name: str, depth: int) -> tuple[str, ...]:
        """The values that a branch allows for a property."""
        # ``allOf`` and references may lead in a circle.
        if not isinstance(node, Mapping) or depth > 8:
            return ()
        if isinstance(node.get("$ref"), str):
            return self._fixed_values(self._target(node["$ref"].removeprefix("#"), name), name, depth + 1)
        declared = node.get("properties", {}).get(name) if isinstance(node.get("properties"), Mapping) else None
        if isinstance(declared, Mapping):
            if isinstance(declared.get("$ref"), str):
                declared = self._target(declared["$ref"].removeprefix("#"), name)
            values = [declared["const"]] if "const" in declared else declared.get("enum") or ()
            return tuple(str(value) for value in values)
        for part in node.get("allOf", ()):
            found = self._fixed_values(part, name, depth + 1)
            if found:
                return found
        return ()


def _fix(made: Any, fixed: tuple[str, str] | None) -> Any:
    """Give a schema of a union the value of the discriminator that stands for it."""
    # A reference can't carry a property of its own, and a nested union has its own discriminator.
    if fixed is None or not isinstance(made, dict) or "$ref" in made or "oneOf" in made:
        return made
    name, value = fixed
    properties = made.get("properties", {})
    declared = properties.get(name, {})
    if "const" in declared or len(declared.get("enum", ())) == 1:
        return made
    return made | {"properties": {**properties, name: {"type": "string", "const": value}}}


def _text(value: Any) -> str:
    """The same text for values that JSON Schema calls equal. 1 and 1.0 are, 1 and true aren't (core, section 4.2.2)."""
    whole = isinstance(value, float) and value.is_integer()
    return json.dumps(int(value) if whole else value, sort_keys=True, default=str)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float))


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_pattern(value: Any) -> bool:
    try:
        re.compile(value)
    except (re.error, TypeError):
        return False
    return True


#: Keyword → is its value well-formed? Others are dropped with a note.
_GOOD: Mapping[str, Callable[[Any], bool]] = {
    **dict.fromkeys(_NUMBERS, _is_number),
    **dict.fromkeys(_COUNTS, _is_count),
    **dict.fromkeys(("format", "contentEncoding", "contentMediaType"), lambda value: isinstance(value, str)),
    **dict.fromkeys(("deprecated", "readOnly", "writeOnly", "uniqueItems"), lambda value: isinstance(value, bool)),
    "required": _is_names,
    "pattern": _is_pattern,
    "enum": lambda value: isinstance(value, list),
    "dependentRequired": lambda value: isinstance(value, Mapping),
}


def _fits(made: Mapping[str, Any]) -> bool:
    """Return True if the default fits type and enum of its own schema."""
    # Only these three are tested: bounds and patterns of published documents are wrong more often than their defaults.
    own = {key: made[key] for key in ("type", "enum", "const") if key in made}
    return bool(Draft202012Validator(own).is_valid(made["default"])) or made["default"] is None


def _kinds(schema: Mapping[str, Any]) -> list[str]:
    """The types of a schema as a list."""
    kinds = schema.get("type", [])
    return [kinds] if isinstance(kinds, str) else list(kinds)


def _with_null(made: dict[str, Any]) -> dict[str, Any]:
    """The schema, with null allowed."""
    # What else applies to the value, such as a referenced object, would refuse null.
    alone = not {"allOf", "oneOf", "anyOf", "const", "not"} & set(made)
    if "type" in made and alone:
        if "enum" in made and None not in made["enum"]:
            made["enum"] = [*made["enum"], None]
        return made | {"type": [*_kinds(made), *([] if "null" in _kinds(made) else ["null"])]}
    for union in ("oneOf", "anyOf"):
        if set(made) <= {union, "discriminator"} and union in made:
            # ``oneOf`` refuses what two branches allow.
            if any("null" in _kinds(one) for one in made[union] if isinstance(one, Mapping)):
                return made
            return made | {union: [*made[union], {"type": "null"}]}
    return {"anyOf": [made, {"type": "null"}]} if made else made
