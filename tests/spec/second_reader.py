"""A second reader of two API documents, which knows nothing of ``spectools``: what differs, fact by fact.

It doesn't pair the branches of unions. At each place it takes all branches of the one document together and all of the
other, so that what it finds is coarser than a comparison by pairs, and right without deciding which belong together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product
from typing import Any

from attrs import define, field, frozen

Schema = Any
#: The pointers of the schemas that hold at once: one, and the members of its ``allOf``.
Group = tuple[str, ...]

METHODS = ("get", "post", "put", "patch", "delete", "head", "options")
INNER = ("contentSchema", "items", "additionalProperties", "unevaluatedProperties", "propertyNames", "contains", "not")
BOUNDS = (
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "pattern"),
    *("minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties", "format", "default"),
)


@frozen
class Fact:
    """One difference. ``old`` and ``new`` are the places at which the two documents were read, as JSON Pointers;
    ``name`` is the property, the value or the keyword that only one of them has, or that differs.
    """

    operation: str
    side: str
    kind: str
    name: str
    came: bool
    places: frozenset[str] = field(repr=False)


@define(eq=False)
class Document:
    """One document, with what was read of it."""

    root: Any
    _groups: dict[str, tuple[Group, ...]] = field(factory=dict)

    def at(self, pointer: str) -> Schema:
        node = self.root
        for step in pointer.split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            node = node[int(name)] if isinstance(node, list) else node[name]
        return node

    def landed(self, pointer: str) -> str:
        """Where a chain of references ends."""
        return self.chain(pointer)[-1]

    def chain(self, pointer: str) -> list[str]:
        """The places of a chain of references, the last one without."""
        found = [pointer]
        for _ in range(50):
            node = self.at(found[-1])
            if not isinstance(node, dict) or "$ref" not in node:
                return found
            found.append(node["$ref"].removeprefix("#"))
        raise AssertionError(f"references without an end at {pointer}")

    def groups(self, pointer: str, depth: int = 0) -> tuple[Group, ...]:
        """The branches of a schema; a schema without a union is its only one."""
        start, (*references, pointer) = pointer, self.chain(pointer)
        if depth > 8:
            return ((pointer,),)
        if depth == 0 and start in self._groups:
            return self._groups[start]
        node, found = self.at(pointer), [(pointer,)]
        if isinstance(node, dict):
            for number in range(len(node.get("allOf", ()))):
                more = self.groups(f"{pointer}/allOf/{number}", depth + 1)
                found = [(*one, *other) for one, other in product(found, more)]
            for union in ("oneOf", "anyOf"):
                if union in node:
                    each = (self.groups(f"{pointer}/{union}/{n}", depth + 1) for n in range(len(node[union])))
                    found = [(*one, *other) for one, other in product(found, [g for more in each for g in more])]
        # What stands beside a reference holds too.
        beside = [one for one in reversed(references) if len(self.at(one)) > 1]
        made = tuple((*one, *beside) for one in found)
        if depth == 0:
            self._groups[start] = made
        return made

    def parts(self, group: Group) -> Iterator[tuple[str, dict[str, Any]]]:
        for pointer in group:
            node = self.at(pointer)
            if isinstance(node, dict):
                yield pointer, node

    def operations(self) -> dict[str, tuple[str, dict[str, Any]]]:
        """Method and path (without names of parameters) → the pointer of an operation, and the operation."""
        return {
            f"{method.upper()} {re.sub(r'{[^}]*}', '{}', path)}": (f"/paths/{_step(path)}/{method}", item[method])
            for path, item in self.root["paths"].items()
            for method in METHODS
            if method in item
        }

    def roots(self, at: str, operation: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
        """(side, name, pointer) of each schema that an operation names directly."""
        path = at.rpartition("/")[0]
        for holder in (path, at):
            for number in range(len(self.at(holder).get("parameters", ()))):
                where = self.landed(f"{holder}/parameters/{number}")
                node = self.at(where)
                if node["in"] != "path" and "schema" in node:
                    yield "request", f"{node['in']} {node['name']}", f"{where}/schema"
        if "requestBody" in operation:
            yield from self._media("request", "body", self.landed(f"{at}/requestBody"))
        for status in operation["responses"]:
            yield from self._media("response", status, self.landed(f"{at}/responses/{_step(status)}"))

    def _media(self, side: str, name: str, at: str) -> Iterator[tuple[str, str, str]]:
        for kind, media in self.at(at).get("content", {}).items():
            if "schema" in media:
                yield side, f"{name} {kind}", f"{at}/content/{_step(kind)}/schema"

    def below(self, pointer: str) -> frozenset[str]:
        """Every schema at or below a place, references followed."""
        found: set[str] = set()
        left = [pointer]
        while left:
            place = left.pop()
            if place in found:
                continue
            found.add(place)
            node = self.at(place)
            if isinstance(node, list):
                left += [f"{place}/{number}" for number in range(len(node))]
            elif isinstance(node, dict):
                if isinstance(node.get("$ref"), str):
                    left.append(node["$ref"].removeprefix("#"))
                left += [
                    f"{place}/{_step(str(name))}" for name, inner in node.items() if isinstance(inner, dict | list)
                ]
        return frozenset(found)


def _step(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


@frozen
class Branch:
    """What a branch says."""

    null: bool
    properties: dict[str, tuple[str, ...]]
    required: frozenset[str]
    values: dict[str, str]
    keywords: dict[str, Any]
    inner: dict[str, tuple[str, ...]]
    places: frozenset[str]
    name: str

    @classmethod
    def of(cls, document: Document, group: Group) -> Branch:
        properties: dict[str, tuple[str, ...]] = {}
        values: dict[str, str] = {}
        keywords: dict[str, Any] = {}
        inner: dict[str, tuple[str, ...]] = {}
        required: set[str] = set()
        null, kinds = False, set[str]()
        for place, node in document.parts(group):
            for name in node.get("properties", {}):
                properties[name] = (*properties.get(name, ()), f"{place}/properties/{_step(name)}")
            required |= set(node.get("required", ()))
            for value in [node["const"]] if "const" in node else node.get("enum", ()):
                if value is not None:
                    values[repr(value)] = place
            given = node.get("type", ())
            types = {given} if isinstance(given, str) else set(given)
            null = null or "null" in types
            # In the published v1 a type beside a union contradicts the types of its branches, which come later here.
            kinds = types - {"null"} or kinds
            keywords.update({key: node[key] for key in BOUNDS if key in node})
            for key in INNER:
                if isinstance(node.get(key), dict):
                    inner[key] = (*inner.get(key, ()), f"{place}/{key}")
        if kinds:
            keywords["type"] = sorted(kinds)
        name = next((place.rpartition("/")[2] for place in group if re.fullmatch(r"/components/\w+/[^/]+", place)), "")
        return cls(null, properties, frozenset(required), values, keywords, inner, frozenset(group), name)

    @property
    def empty(self) -> bool:
        """True for a branch that allows null alone."""
        return self.null and "type" not in self.keywords and not self.properties and not self.values


@frozen
class Local:
    """A difference at one place, of whatever operation."""

    kind: str
    name: str
    came: bool
    places: frozenset[str]


@define(eq=False)
class Reader:
    """Two documents and their differences so far, by the places that were read together."""

    old: Document
    new: Document
    _done: dict[tuple[frozenset[str], frozenset[str]], tuple[tuple[Local, ...], tuple[Any, ...]]] = field(factory=dict)

    def met(self) -> Iterator[tuple[list[Branch], list[Branch]]]:
        """The branches of both documents at each place, after :meth:`facts`."""
        for old, new in self._done:
            yield self._branches(self.old, old), self._branches(self.new, new)

    @staticmethod
    def _branches(document: Document, places: frozenset[str]) -> list[Branch]:
        return [Branch.of(document, group) for place in sorted(places) for group in document.groups(place)]

    def facts(self) -> Iterator[Fact]:
        """Every difference of the operations that both documents have."""
        before, after = self.old.operations(), self.new.operations()
        for route in before.keys() & after.keys():
            olds = {(side, name): at for side, name, at in self.old.roots(*before[route])}
            news = {(side, name): at for side, name, at in self.new.roots(*after[route])}
            for side, name in olds.keys() & news.keys():
                for local in self._walk(olds[side, name], news[side, name]):
                    yield Fact(route, side, local.kind, local.name, local.came, local.places)

    def _walk(self, old: str, new: str) -> Iterator[Local]:
        left, seen = [(frozenset({old}), frozenset({new}))], set[Any]()
        while left:
            pair = left.pop()
            if pair in seen:
                continue
            seen.add(pair)
            if pair not in self._done:
                self._done[pair] = self._compared(*pair)
            locals_, below = self._done[pair]
            yield from locals_
            left += below

    def _compared(self, old: frozenset[str], new: frozenset[str]) -> tuple[tuple[Local, ...], tuple[Any, ...]]:
        olds, news = self._branches(self.old, old), self._branches(self.new, new)
        found: list[Local] = []
        was, now = any(one.null for one in olds), any(one.null for one in news)
        if was != now:
            found.append(Local("null", "null", now, old | new))
        left, right = [one for one in olds if not one.empty], [one for one in news if not one.empty]
        if not left or not right:
            return tuple(found), ()
        for mine, others, came in ((left, right, False), (right, left, True)):
            known = {name for one in others for name in one.properties}
            free = any(not one.values for one in others)
            told = {value for one in others for value in one.values}
            for one in mine:
                found += [
                    Local("property", name, came, frozenset(places))
                    for name, places in one.properties.items()
                    if name not in known
                ]
                # Where any value may stand, a value more or less is no difference of values.
                found += [
                    Local("value", value, came, one.places) for value in one.values if not free and value not in told
                ]
        for one, other in self._pairs(left, right):
            places = one.places | other.places
            both = one.properties.keys() & other.properties.keys()
            for name in (one.required ^ other.required) & both:
                found.append(Local("required", name, name in other.required, places))
            for key in one.keywords.keys() | other.keywords.keys():
                if one.keywords.get(key) != other.keywords.get(key):
                    found.append(Local("keyword", key, key in other.keywords, places))
        below = [
            (frozenset(before), frozenset(after))
            for before, after in _common(
                [{**one.properties, **{f" {key}": at for key, at in one.inner.items()}} for one in left],
                [{**one.properties, **{f" {key}": at for key, at in one.inner.items()}} for one in right],
            )
        ]
        return tuple(dict.fromkeys(found)), tuple(below)

    @staticmethod
    def _pairs(left: list[Branch], right: list[Branch]) -> Iterator[tuple[Branch, Branch]]:
        """The only branch of both, or those that are components of one name."""
        if len(left) == len(right) == 1:
            yield left[0], right[0]
            return
        named = {one.name: one for one in right if one.name}
        for one in left:
            if one.name and one.name in named and sum(each.name == one.name for each in (*left, *right)) == 2:
                yield one, named[one.name]


def _common(olds: list[dict[str, tuple[str, ...]]], news: list[dict[str, tuple[str, ...]]]) -> Iterator[Any]:
    for name in sorted({name for one in olds for name in one} & {name for one in news for name in one}):
        yield (
            {at for one in olds for at in one.get(name, ())},
            {at for one in news for at in one.get(name, ())},
        )
