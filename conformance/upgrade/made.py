"""Requests that are made for one change, where no derived request shows it: a request that both documents take, with
one value changed.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from attrs import evolve

from conformance._parts import late
from conformance.migration.change import Change, Kind, Subject
from conformance.migration.descent import below, nodes_at
from conformance.migration.forms import forms_of
from conformance.migration.location import Location, places
from conformance.pointer import Step
from conformance.requests.capabilities import with_capabilities
from conformance.requests.case import Case, Expect, Family, JsonBody, Multipart, Part
from conformance.upgrade.pairs import Pair
from conformance.upgrade.sides import Side

if TYPE_CHECKING:
    from strategies import sampler
    from strategies.schema_tree import Node
else:
    sampler = late("strategies.sampler")

__all__ = ["made_for", "wrong_values"]

#: Stands for "leave the field out".
_ABSENT = object()

#: The longest text and list that is made, to show a size.
_LONGEST = 70_000

#: So many requests, and places of a change in them, are tried.
_BASES, _PLACES = 6, 4

#: Values of every JSON type. For a field that must refuse some of them, the first that it refuses is sent.
_ANY: tuple[Any, ...] = ("not a documented value", 7, 1.5, True, ["text"], {"text": "text"}, [[1]], [1], -1, "")


def made_for(change: Change, bases: Iterable[Pair], *, old: bool, new: bool) -> Pair | None:
    """A request that the older document takes (or not: ``old``), and the newer one (``new``), because of a change.

    ``bases`` are requests that both documents take. None if none of them can be changed so.
    """
    sorted_bases = sorted((pair for pair in bases if pair.fits_old and pair.fits_new), key=lambda pair: pair.size)
    for location, wrapped in _spots(change):
        holding = [pair for pair in sorted_bases if _spot(pair.value, location) is not None]
        for base in holding[:_BASES]:
            for value in _values(change, base):
                pair = _changed(base, _spot(base.value, location) or (), [value] if wrapped else value)
                if pair is not None and (pair.fits_old, pair.fits_new) == (old, new):
                    return pair
    return next((p for p in _grafts(change, sorted_bases[:2]) if (p.fits_old, p.fits_new) == (old, new)), None)


def _grafts(change: Change, bases: Iterable[Pair]) -> Iterator[Pair]:
    """Yield requests of which one member of the body is built anew, so that it leads to the place of a change."""
    for base in bases:
        for location in change.locations[:_PLACES]:
            if location[:1] != (".body",) or len(location) < 3 or location[1][0] != ".":
                continue
            top = location[1][1:]
            for node in _nodes(base, location[:2]):
                for value in _values(change, base):
                    for grown in _grown(node, location[2:], value):
                        pair = _changed(base, ("body", top), grown)
                        if pair is not None:
                            yield pair


def _nodes(base: Pair, location: Location) -> Iterator[Node]:
    """Yield the schemas at a location, of the newer version first."""
    for side in (base.new_side, base.old_side):
        read = side.value(base.under(side))
        if read is not None:
            yield from nodes_at(read[0], location)


def _grown(node: Node, rest: Location, value: Any) -> Iterator[Any]:
    """Yield values for a schema that have a value at a location below it."""
    if not rest:
        yield value
        return
    step, further = rest[0], rest[1:]
    for inner in below(node, step):
        for grown in _grown(inner, further, value):
            if step == "*":
                yield [grown]
            elif step == "%":
                yield {"key": grown}
            elif step[0] == "?":
                name, _, tag = step[1:].partition("=")
                yield {**grown, name: tag} if isinstance(grown, dict) else grown
            else:
                yield from _with_member(node, step[1:], grown)


def _with_member(node: Node, name: str, value: Any) -> Iterator[Any]:
    """Yield plausible objects for a schema, with a value for one member."""
    for form in forms_of(node).of("object"):
        if name in form.properties and form.node is not None:
            made = sampler.Sampler().value(form.node)
            if isinstance(made, dict):
                rest = {key: item for key, item in made.items() if key != name}
                yield rest if value is _ABSENT else {**rest, name: value}


def _spots(change: Change) -> Iterator[tuple[Location, bool]]:
    """Yield where a value that shows a change may be put, and whether it must become the only item of an array there.

    A member of a union takes the place of another member; the selection of it is part of the value.
    """
    places_of = change.locations[:_PLACES]
    for location in places_of:
        yield _outside(location), False
    for location in places_of:
        whole = _outside(location)
        if whole and whole[-1] == "*":
            yield whole[:-1], True


def _outside(location: Location) -> Location:
    return location[:-1] if location and location[-1][0] == "?" else location


def wrong_values(change: Change, good: Pair) -> Iterator[Pair]:
    """Yield the request with wrong values of a field, which just one side must refuse."""
    for location in change.locations:
        at = _spot(good.value, location)
        for value in _ANY if at is not None else ():
            pair = _changed(good, at or (), value)
            if pair is not None and pair.fits_old != pair.fits_new:
                yield pair


def _spot(value: Any, location: Location) -> tuple[Step, ...] | None:
    """The first path that a location names in a value, or that it would name if the last member were there."""
    found = next((path for path, _ in places(value, location)), None)
    if found is not None or not location or location[-1][0] != ".":
        return found
    around = next((path for path, inside in places(value, location[:-1]) if isinstance(inside, dict)), None)
    return None if around is None else (*around, location[-1][1:])


def _values(change: Change, base: Pair) -> Iterator[Any]:
    """Yield values that may show a change."""
    given = next((value for place in change.locations for _, value in places(base.value, place)), None)
    match change.subject:
        case Subject.VALUE:
            yield change.old if change.new is None else change.new
        case Subject.NULL:
            yield None
        case Subject.REQUIRED:
            yield _ABSENT
        case Subject.SIZE:
            yield from _sizes(change, given)
        case Subject.FIELD if change.needed and change.kind is Kind.ADDED:
            yield _ABSENT
    for node in _nodes(base, change.location):
        yield from _samples(node)
    if change.subject not in (Subject.FIELD, Subject.TAG):
        yield from _ANY


def _samples(node: Node) -> Iterator[Any]:
    """Yield a value for a schema, and one for each branch of a union."""
    for one in (node, *node.branches):
        value = sampler.Sampler().value(one)
        if value is not sampler.NOTHING:
            yield value
            if one.items is not None and isinstance(value, list) and not value:
                item = sampler.Sampler().value(one.items)
                yield from [[item]] if item is not sampler.NOTHING else []


def _sizes(change: Change, given: Any) -> Iterator[Any]:
    """Yield values at and beyond the bounds of a change."""
    for bound in (change.old, change.new):
        for size in () if bound is None else (bound + 1, bound - 1, bound):
            if change.keyword.endswith("imum"):
                yield size
            elif 0 <= size <= _LONGEST:
                if change.keyword.endswith("Length"):
                    yield "a" * size
                elif change.keyword.endswith("Items"):
                    item = given[0] if isinstance(given, list) and given else "text"
                    yield [copy.deepcopy(item) for _ in range(size)]
                else:
                    yield {f"key{number}": "text" for number in range(size)}


def _changed(base: Pair, at: tuple[Step, ...], value: Any) -> Pair | None:
    """The pair with another value at a path of the request, or None where that can't be sent."""
    old = _edited(base.old_side, base.old, at, value)
    new = _edited(base.new_side, base.new, at, value)
    return Pair(base.old_side, base.new_side, old, new) if old is not None and new is not None else None


def _edited(side: Side, case: Case, at: tuple[Step, ...], value: Any) -> Case | None:
    """The case with another value, and with what its new content needs and depends on."""
    made = _with(case, at, value)
    if made is None:
        return None
    facts = side.operations[made.operation].facts
    gate = facts.content_gate(made.json) or facts.field_gate("".join(f"/{step}" for step in at[1:]))
    able = with_capabilities(side.spec, made)
    # Where a capability names the models that can do it, such a deployment must accept it.
    covered = able.capability != made.capability
    expect = Expect.EITHER if gate and not covered else made.expect
    return evolve(able, family=Family.BOUNDARY, expect=expect, reason=gate, role="")


def _with(case: Case, at: tuple[Step, ...], value: Any) -> Case | None:
    """The case with another value at a path that begins with ``body``, ``query`` or ``header``."""
    if not at:
        return None
    part, rest = at[0], at[1:]
    if part == "body" and isinstance(case.body, JsonBody):
        body = _set(copy.deepcopy(case.body.value), rest, value) if rest else value
        return evolve(case, body=JsonBody(body)) if body is not _ABSENT else None
    if len(rest) != 1:
        return None
    name = str(rest[0])
    text = value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
    if part == "body" and isinstance(case.body, Multipart):
        kept = tuple(one for one in case.body.parts if one.name != name)
        added = () if value is _ABSENT else (Part(name, text.encode()),)
        return evolve(case, body=evolve(case.body, parts=(*kept, *added)))
    if part == "query":
        kept_pairs = tuple(pair for pair in case.query if pair[0] != name)
        return evolve(case, query=(*kept_pairs, *(() if value is _ABSENT else ((name, text),))))
    return None


def _set(whole: Any, path: tuple[Step, ...], value: Any) -> Any:
    """The value with another one at a path; changed in place."""
    node = whole
    for step in path[:-1]:
        node = node[step]
    if value is _ABSENT:
        del node[path[-1]]
    else:
        node[path[-1]] = value
    return whole
