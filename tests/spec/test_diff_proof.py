"""``spec diff`` tells each change and nothing else: a reader that shares no code with it reads both documents again.

That the documents of ``specs/`` say what was published is the subject of ``test_v1_document`` and
``test_published_schemas``; here they are compared with each other.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from attrs import evolve, frozen
from second_reader import INNER, Branch, Document, Fact, Reader

from conformance.spec.loading import load
from conformance.spec.operations import operations_of
from conformance.spectools.changes import Change
from conformance.spectools.diff import compare

PAIRS = [("2025-01-01-preview", "2025-04-01-preview"), ("v1-preview", "v1")]

COMPONENT = re.compile(r"/components/\w+/[^/]+")

#: Changes that bring or remove all that is below a place.
WHOLE = ("property added", "required property added", "property removed", "branch added", "branch removed", *INNER)


@frozen(eq=False)
class Both:
    """Two versions, what ``spec diff`` says of them, and what the second reader found."""

    reader: Reader
    changes: tuple[Change, ...]
    facts: tuple[Fact, ...]
    routes: dict[str, str]
    met: tuple[tuple[list[Branch], list[Branch]], ...]


@cache
def both(old: str, new: str) -> Both:
    specs = [load(old), load(new)]
    reader = Reader(*(Document(json.loads(json.dumps(spec.faithful))) for spec in specs))
    facts = tuple(reader.facts())
    routes = {
        id: next(r for r, (at, _) in doc.operations().items() if doc.at(at)["operationId"] == id)
        for spec, doc in zip(specs, (reader.old, reader.new), strict=True)
        for id in operations_of(spec)
    }
    return Both(reader, compare(*specs, faithful=True), facts, routes, tuple(reader.met()))


def parent(pointer: str) -> str:
    return pointer.rpartition("/")[0]


def says(change: Change, fact: Fact) -> bool:
    """True if a change is a fact, at the same place."""
    match fact.kind:
        case "property":
            wanted = ("property added", "required property added") if fact.came else ("property removed",)
            return change.what in wanted and change.pointer in fact.places
        case "value":
            listed = change.new if fact.came else change.old
            at = {parent(change.pointer), parent(change.old_pointer or change.pointer)}
            return (
                change.what in ("values added", "values removed", "enum")
                and bool(at & fact.places)
                and isinstance(listed, list | tuple)
                and fact.name in map(repr, listed)
            )
        case "null":
            return change.what == "null" and bool({change.pointer, change.old_pointer} & fact.places)
        case "required":
            return change.what == f"required {fact.name}" and parent(change.pointer) in fact.places
        case _:
            return change.what == fact.name and parent(change.pointer) in fact.places


def holds_below(two: Both, change: Change, fact: Fact) -> bool:
    """True if a fact lies in something that is told as a whole."""
    if change.what not in WHOLE:
        return False
    came = change.new is not None
    document = two.reader.new if came else two.reader.old
    at = change.pointer if came else (change.old_pointer or change.pointer)
    return bool(below(document, at) & fact.places)


@cache
def below(document: Document, pointer: str) -> frozenset[str]:
    return document.below(pointer)


@pytest.mark.parametrize(("old", "new"), PAIRS)
def test_nothing_is_missing(old: str, new: str) -> None:
    two = both(old, new)
    assert [] == missing_in(two)
    # Most are told where they are; the rest is part of something larger.
    told = [fact for fact in two.facts if any(says(change, fact) for change in two.changes)]
    assert len(told) > len(two.facts) / 2


def missing_in(two: Both) -> list[Fact]:
    """The facts that no change tells of their operation, neither by itself nor as a part of something larger."""
    by_route: dict[str, list[Change]] = {}
    for change in two.changes:
        for id in change.operations:
            by_route.setdefault(two.routes.get(id, "*"), []).append(change)

    def told(fact: Fact) -> bool:
        mine = [change for change in by_route.get(fact.operation, ()) if fact.side in change.sides]
        return any(says(change, fact) for change in mine) or any(holds_below(two, change, fact) for change in mine)

    return [fact for fact in two.facts if not told(fact)]


def contradicted(two: Both, change: Change) -> str:
    """Why a change of a schema is not true by the second reader; "" if it is."""
    before, after = change.old_pointer or change.pointer, change.pointer
    if change.what == "null":
        states = (_nullable(two.reader.old, before), _nullable(two.reader.new, after))
        shown = states == (change.old, change.new)
    elif change.what in STANDING:
        shown = _standing(two, change) == (change.old, change.new)
    else:
        shown = any(_shown(change, old, new, before, after) for olds, news in two.met for old in olds for new in news)
    return "" if shown else f"{change.what} at {after}: {change.old!r} -> {change.new!r}"


#: Keywords that are compared as they stand.
STANDING = ("oneOf", "anyOf", "deprecated", "contentMediaType", "contentEncoding")


def _nullable(document: Document, pointer: str) -> bool | None:
    """Whether null is allowed at a place; None if there is no such place."""
    try:
        return any(Branch.of(document, group).null for group in document.groups(pointer))
    except LookupError:
        return None


def _standing(two: Both, change: Change) -> tuple[Any, Any]:
    """A keyword of the two places themselves."""
    sides = ((two.reader.old, change.old_pointer or change.pointer), (two.reader.new, change.pointer))
    found = []
    for document, at in sides:
        try:
            found.append(document.at(parent(at)).get(change.what))
        except LookupError:
            found.append(None)
    return found[0], found[1]


def _wire(two: Both, change: Change) -> str:
    """Why a change of an operation, a parameter, a status, a media type or a header is not true; "" if it is."""
    old, new = two.reader.old.operations(), two.reader.new.operations()
    for id in change.operations:
        route = two.routes.get(id, "")
        sides = [_words(two.reader.old, *old[route]) if route in old else None,
                 _words(two.reader.new, *new[route]) if route in new else None]  # fmt: skip
        match change.what.split():
            case ["operation", "added" | "removed" as how]:
                right = (sides[0] is None, sides[1] is None) == (how == "added", how == "removed")
            case ["required", "body"]:
                right = ["required body" in (side or ()) for side in sides] == [change.old, change.new]
            case [*words, "added" | "removed" as how]:
                name = " ".join(words).removeprefix("required ")
                right = [any(name == word for word in side or ()) for side in sides] == [
                    how == "removed",
                    how == "added",
                ]
            case _:
                right = False
        if not right:
            return f"{change.what} of {id}"
    return ""


def _words(document: Document, at: str, operation: Any) -> set[str]:
    """What an operation has besides schemas, in the words of a change."""
    found = {"required body"} if operation.get("requestBody", {}).get("required") else set()
    for holder in (parent(at), at):
        for number in range(len(document.at(holder).get("parameters", ()))):
            node = document.at(document.landed(f"{holder}/parameters/{number}"))
            found.add(f"{node['in']} parameter {node['name']}")
    bodies = [document.landed(f"{at}/requestBody")] if "requestBody" in operation else []
    for status in operation["responses"]:
        found.add(f"status {status}")
        bodies.append(document.landed(f"{at}/responses/{status}"))
        found |= {f"header {name}" for name in document.at(bodies[-1]).get("headers", {})}
    found |= {f"media type {kind}" for body in bodies for kind in document.at(body).get("content", {})}
    return found


WIRE = ("operation ", "query parameter ", "required query parameter ", "header parameter ", "status ", "media type ",
        "header ", "required body", "required header parameter ")  # fmt: skip


def _shown(change: Change, old: Branch, new: Branch, before: str, after: str) -> bool:
    """True if two branches that stand at the same place differ as a change says."""
    what, name = change.what, change.pointer.rpartition("/")[2].replace("~1", "/").replace("~0", "~")
    if what in ("property added", "required property added"):
        must = what.startswith("required")
        held = after in new.properties.get(name, ()) and (name in new.required) is must
        return held and name not in old.properties and not old.empty
    if what == "property removed":
        return after in old.properties.get(name, ()) and name not in new.properties and not new.empty
    if what.startswith("required "):
        key = what.removeprefix("required ")
        placed = parent(after) in new.places and parent(before) in old.places
        return placed and (key in old.required, key in new.required) == (change.old, change.new)
    if what in ("values added", "values removed"):
        placed = parent(after) in new.places and parent(before) in old.places
        mine, others, listed = (new, old, change.new) if what == "values added" else (old, new, change.old)
        return placed and all(repr(x) in mine.values and repr(x) not in others.values for x in listed)
    if what in ("branch added", "branch removed"):
        mine, others = (new, old) if what == "branch added" else (old, new)
        same = {after.rpartition("/")[2]} if COMPONENT.fullmatch(after) else set()
        return after in mine.places and not same & {at.rpartition("/")[2] for at in others.places}
    if what in INNER:
        return bool({after, before} & {f"{place}/{what}" for place in (*old.places, *new.places)})
    placed = parent(after) in new.places and parent(before) in old.places
    told = (_plain(what, change.old), _plain(what, change.new))
    return placed and (_value(old, what), _value(new, what)) == told


def _value(branch: Branch, key: str) -> Any:
    if key == "enum":
        return sorted(branch.values) or None
    return branch.keywords.get(key)


def _plain(key: str, value: Any) -> Any:
    """A value as the second reader has it."""
    if key == "enum" and value is not None:
        return sorted(map(repr, value))
    return [value] if key == "type" and isinstance(value, str) else value


@pytest.mark.parametrize(("old", "new"), PAIRS)
def test_each_change_is_true(old: str, new: str) -> None:
    two = both(old, new)
    assert [] == [told for change in two.changes for told in wrong_in(two, change)]


def test_the_second_reader_disagrees_with_a_wrong_difference() -> None:
    """Otherwise the tests above could not fail: a change that is left out is missed, an invented one is not true."""
    two = both(*PAIRS[0])
    first = next(one for one in two.changes if one.what == "property added")
    assert [] != missing_in(evolve(two, changes=tuple(one for one in two.changes if one is not first)))
    for changed in ({"what": "property removed"}, {"pointer": first.pointer + "x"}, {"what": "null", "old": True}):
        assert [] != list(wrong_in(two, evolve(first, **changed)))


def wrong_in(two: Both, change: Change) -> Iterator[str]:
    """Yield what is not true of a change: that it happened, or that it concerns one of its operations."""
    reason = _wire(two, change) if change.what.startswith(WIRE) else contradicted(two, change)
    if reason:
        yield reason
