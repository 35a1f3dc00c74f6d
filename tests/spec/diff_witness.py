"""What ``spec diff`` tells, held against two documents that ``flat_reader`` read: what is missing, what is not so."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from attrs import frozen
from flat_reader import Fact, Flat

from conformance.spectools.changes import Change

__all__ = ["Pair", "at", "differences", "held", "same_number", "says", "shown", "stands", "unescaped"]

#: Changes of all that lies at or below a place.
WHOLE = ("property ", "required property ", "branch ", "items", "additionalProperties", "oneOf", "anyOf", "type")


def held(found: Mapping[tuple[str, str], frozenset[Fact]], side: str, name: str) -> frozenset[Fact]:
    return found.get((side, name), frozenset())


@frozen(eq=False)
class Pair:
    """Two documents as they were read raw, and what ``spec diff`` tells of them."""

    old: Flat
    new: Flat
    changes: tuple[Change, ...]
    #: operationId → method and path.
    routes: Mapping[str, str]
    #: Our documents, into which the pointers of changes lead.
    mine: tuple[Any, Any]

    def told(self, route: str, side: str) -> list[Change]:
        return [
            one
            for one in self.changes
            if side in one.sides and any(self.routes.get(id) == route for id in one.operations)
        ]


def differences(two: Pair) -> Iterator[tuple[str, str, bool, Fact]]:
    """Yield (route, side, came, fact) of each difference of the operations of both. What lies in something that is new
    as a whole is none of its own.
    """
    for route in two.old.operations.keys() & two.new.operations.keys():
        before, after = two.old.facts(route), two.new.facts(route)
        for side, name in before.keys() & after.keys():
            if name.endswith(" events"):
                continue
            olds = before[side, name] | held(before, side, f"{name} events")
            news = after[side, name] | held(after, side, f"{name} events")
            for came, mine, others in ((True, after[side, name], olds), (False, before[side, name], news)):
                there = {fact.path for fact in others if fact.kind == "there"} | {()}
                for fact in mine - others:
                    if (fact.path[:-1] if fact.kind == "there" else fact.path) in there:
                        yield route, side, came, fact


def says(two: Pair, change: Change, came: bool, fact: Fact) -> bool:
    """True if a change tells a fact, by itself or as a part of something larger."""
    value = change.new if came else change.old
    last = unescaped(change.pointer.rpartition("/")[2])
    end = fact.path[-1] if fact.path else ""
    match fact.kind:
        case "there" if change.what.endswith("property added" if came else "property removed") and last == end:
            return True
        case "there" if end == "<any>" and change.what == "additionalProperties":
            return True
        case "required" if change.what == f"required {end}":
            return True
        case "value" if change.what in ("values added", "values removed", "enum"):
            if fact.value in map(repr, value or ()):
                return True
        case "type" if change.what == ("null" if fact.value == "null" else "type"):
            return True
        case kind if change.what == kind:
            return True
    return change.what.startswith(WHOLE) and inside(two, change, came, fact)


def inside(two: Pair, change: Change, came: bool, fact: Fact) -> bool:
    """True if a fact may lie in what came or went as a whole."""
    pointer = change.pointer if came else (change.old_pointer or change.pointer)
    value = change.new if came else change.old
    found = words(two.mine[came], pointer)
    if found is None:
        return False
    end = next((step for step in reversed(fact.path) if step not in ("*", "<any>")), "")
    kind = value.get("type") if isinstance(value, dict) else None
    if (fact.kind, fact.value) == ("type", kind) or (fact.path[-1:] == ("*",) and kind == "array"):
        return True
    return (fact.value if fact.kind == "value" else end) in found


def words(document: Any, pointer: str) -> frozenset[str] | None:
    """The names of properties and the values at or below a place, and its own name; None if there is no such place."""
    try:
        node = at(document, pointer)
    except (LookupError, TypeError, ValueError):
        return None
    found, seen, left = {unescaped(one) for one in re.findall(r"/properties/([^/]+)", pointer)[-1:]}, set[str](), [node]
    while left:
        node = left.pop()
        if isinstance(node, list):
            left += node
        elif isinstance(node, dict):
            reference = node.get("$ref")
            if isinstance(reference, str) and reference not in seen:
                seen.add(reference)
                left.append(at(document, reference.removeprefix("#")))
            found |= {*node.get("properties", {}), *(str(name) for name in node.get("required", ()))}
            found |= set(map(repr, [node["const"]] if "const" in node else node.get("enum", ())))
            left += node.values()
    return frozenset(found)


def at(document: Any, pointer: str) -> Any:
    for step in pointer.split("/")[1:]:
        document = document[int(step)] if isinstance(document, list) else document[unescaped(step)]
    return document


def unescaped(step: str) -> str:
    return step.replace("~1", "/").replace("~0", "~")


def same_number(two: Pair, route: str, fact: Fact) -> bool:
    """True if the other document has the same number at this place in another form."""
    others = {one for read in (two.old, two.new) for facts in read.facts(route).values() for one in facts}
    mine = [one.value for one in others if one.path == fact.path and one.kind == fact.kind]
    return (
        fact.kind in ("maximum", "minimum", "default") and len({float(value) for value in mine if number(value)}) == 1
    )


def number(text: str) -> bool:
    return re.fullmatch(r"-?[\d.]+", text) is not None


def shown(two: Pair, change: Change) -> bool:
    """True if a change shows in one of its operations, on one of its sides, at a place of its name."""
    routes = {two.routes[id] for id in change.operations if id in two.routes}
    if change.what.startswith("operation "):
        return all((route in two.new.operations) is (change.what == "operation added") for route in routes)
    both = [route for route in routes if route in two.old.operations and route in two.new.operations]
    if change.what in ("path", "base path", "api-version", "deprecated") and change.pointer.startswith(
        ("/paths", "/s")
    ):
        return True
    if any(two.old.wire(route) ^ two.new.wire(route) and on_the_wire(two, change, route) for route in both):
        return True
    return any(seen_at(two, change, route, side) for route in both for side in change.sides)


def on_the_wire(two: Pair, change: Change, route: str) -> bool:
    """True for a parameter, body, status, media type or header that only one of the documents has."""
    *words, how = change.what.split()
    if change.what == "required body":
        before, after = (change.what in read.wire(route) for read in (two.old, two.new))
        return (before, after) == (change.old, change.new)
    name = " ".join(words).removeprefix("media type ")
    before, after = ({one for one in read.wire(route) if name in one} for read in (two.old, two.new))
    return how in ("added", "removed") and bool(after - before if how == "added" else before - after)


def seen_at(two: Pair, change: Change, route: str, side: str) -> bool:
    """True if the facts of an operation differ as a change says."""
    old = {one for (where, _), found in two.old.facts(route).items() if where == side for one in found}
    new = {one for (where, _), found in two.new.facts(route).items() if where == side for one in found}
    gone, come = old - new, new - old
    last = unescaped(change.pointer.rpartition("/")[2])
    if change.what.endswith(("property added", "property removed")):
        mine = come if change.what.endswith("added") else gone
        return any(one.kind == "there" and one.path[-1] == last for one in mine)
    if change.what.startswith("required "):
        name = change.what.removeprefix("required ")
        return any(one.kind == "required" and one.path[-1] == name for one in (come if change.new else gone))
    if change.what == "null":
        return any((one.kind, one.value) == ("type", "null") for one in (come if change.new else gone))
    if change.what in ("values added", "values removed", "enum"):
        listed = [*map(repr, change.new or ()), *map(repr, change.old or ())]
        return any(one.kind == "value" and one.value in listed for one in come | gone)
    if change.what.startswith("branch "):
        pointer = change.pointer
        came = change.what == "branch added"
        found = words(two.mine[came], pointer) or frozenset()
        mine = come if came else gone
        kind = ((change.new if came else change.old) or {}).get("type")
        return any(
            (one.kind in ("there", "required") and one.path[-1] in found)
            or (one.kind == "value" and one.value in found)
            or (one.kind, one.value) == ("type", kind)
            for one in mine
        )
    if change.what in ("items", "additionalProperties"):
        return any(one.path[-1:] in (("*",), ("<any>",)) for one in come | gone)
    kind = {"oneOf": "required", "anyOf": "required"}.get(change.what, change.what)
    return any(one.kind == kind for one in come | gone)


def stands(two: Pair, change: Change) -> bool:
    """True if a change shows at the very places that it names: where kinds of one union differ in what others have too,
    all of them together show no difference.
    """
    before = read_at(two.old.document, change.old_pointer or change.pointer)
    after = read_at(two.new.document, change.pointer.replace(".base/", "/"))
    if change.what.startswith("required ") and not change.what.endswith(" added"):
        name = change.what.removeprefix("required ")
        lists = [one if isinstance(one, list) else [] for one in (before, after)]
        return (name in lists[0], name in lists[1]) == (change.old, change.new)
    if change.what.startswith("branch "):
        named = re.fullmatch(r"/components/\w+/([^/]+)", change.pointer)
        return before != after if named is None else newly(two, change, named[1])
    if change.what.endswith(("property added", "property removed")):
        return (before is None, after is None) == (change.old is None, change.new is None)
    if change.what in ("values added", "values removed"):
        mine, others = (after, before) if change.what == "values added" else (before, after)
        return all(one in (mine or ()) and one not in (others or ()) for one in change.new or change.old)
    return bool((before, after) == (change.old, change.new))


def newly(two: Pair, change: Change, name: str) -> bool:
    """True if an operation of a change leads to a component in that of the two documents alone that the change says."""
    one, other = (two.new, two.old) if change.what == "branch added" else (two.old, two.new)
    routes = [two.routes[id] for id in change.operations]
    return any(
        name in one.components(route, side) and name not in other.components(route, side)
        for route in routes
        for side in change.sides
    )


def read_at(document: Any, pointer: str) -> Any:
    """What stands at a place; None if there is no such place. A constant is the only value of its enum."""
    try:
        return at(document, pointer)
    except (LookupError, TypeError, ValueError):
        fixed = read_at(document, f"{pointer.removesuffix('/enum')}/const") if pointer.endswith("/enum") else None
        return None if fixed is None else [fixed]
