"""``spec diff`` of the newest versions, held against the published documents as they lie beside the checkout.

The newer document of each pair is read raw from its published file, the older one raw from our folder where it stands
there whole, by a reader that shares no code with the suite and knows no components (``flat_reader``). Each difference
of what may stand at a place is told by ``spec diff``, and each change that it tells is seen there. Event streams are
left to ``test_diff_proof``: published documents write them in several ways, or not at all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from attrs import evolve, frozen
from flat_reader import Fact, Flat, anonymous

from conformance.spec.loading import load
from conformance.spec.operations import operations_of
from conformance.spec.shipped import specs_dir
from conformance.spectools.changes import Change
from conformance.spectools.diff import compare

#: (older, newer) → the file of the newer one.
PAIRS = {("2025-01-01-preview", "2025-04-01-preview"): "2025-04-01-preview.yaml", ("v1-preview", "v1"): "v1.yaml"}
PUBLISHED = {new: file for (_, new), file in PAIRS.items()}

#: Version → (kind, end of the path) of what our document has besides the published one → where it comes from. The
#: descriptions of the published document say it in words.
IN_WORDS: dict[str, dict[tuple[str, str], str]] = {
    "2025-04-01-preview": {
        **dict.fromkeys(
            [("maxLength", "<any>"), ("there", "<any>"), ("type", "<any>"), ("maxProperties", "metadata")],
            "metadata: 16 pairs, values of at most 512 characters",
        ),
        ("type", "metadata"): "the metadata of a store may be null, as that of every object",
        **dict.fromkeys([("minimum", ""), ("maximum", "")], "limit: between 1 and 100"),
        **dict.fromkeys([("pattern", "name"), ("maxLength", "name")], "a-z, A-Z, 0-9, underscores, dashes, 64"),
        **dict.fromkeys([("minimum", "max_num_results"), ("maximum", "max_num_results")], "between 1 and 50"),
        **dict.fromkeys([("minimum", "temperature"), ("maximum", "temperature")], "between 0 and 1, or 0.6 and 1.2"),
        **dict.fromkeys(
            [("minimum", "max_response_output_tokens"), ("maximum", "max_response_output_tokens")],
            "between 1 and 4096",
        ),
        **dict.fromkeys([("minimum", "<any>"), ("maximum", "<any>")], "logit_bias: between -100 and 100"),
        **dict.fromkeys(
            [("value", "effort"), ("value", "summary"), ("value", "truncation")], "nullable beside an enum"
        ),
        ("value", "encoding_format"): "either float or base64",
    },
    "v1": {},
}
#: The same the other way round: what the published document has and ours leaves out.
LEFT_OUT: dict[str, dict[tuple[str, str], str]] = {
    "2025-04-01-preview": {
        ("format", ""): "formats that say no more than the type does (string, float, int32), and unixtime",
        ("default", ""): "a default of null: no default",
    },
    "v1": {
        ("type", "header accept"): "Accept says how answers are negotiated (RFC 9110), and is no parameter",
        ("value", "header accept"): "the same",
    },
}

#: Changes of all that lies at or below a place.
WHOLE = ("property ", "required property ", "branch ", "items", "additionalProperties", "oneOf", "anyOf", "type")


def plain(text: str) -> Any:
    """A document as plain data, with keys that are texts."""
    return json.loads(json.dumps(yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))))


@cache
def published(version: str, shared: Path) -> Flat:
    return Flat(plain((shared / "official-specs" / PUBLISHED[version]).read_text("utf-8")))


@cache
def ours(version: str) -> Flat:
    """Our document before errata: the file itself where it is whole, else what its overlays make of the one before."""
    file = specs_dir() / version / "openapi.yaml"
    if file.is_file():
        return Flat(plain(file.read_text("utf-8")))
    return Flat(json.loads(json.dumps(load(version).faithful)))


def held(found: Mapping[tuple[str, str], frozenset[Fact]], side: str, name: str) -> frozenset[Fact]:
    return found.get((side, name), frozenset())


# -- our documents against the published ones --------------------------------------------------------------------------


@pytest.mark.parametrize("version", PUBLISHED)
def test_our_document_says_what_the_published_one_says(version: str, shared: Path) -> None:
    theirs, mine = published(version, shared), ours(version)
    assert theirs.operations.keys() == mine.operations.keys()
    more, less, same = set[tuple[str, str]](), set[tuple[str, str]](), 0
    for route in theirs.operations:
        one, other = theirs.facts(route), mine.facts(route)
        for side, name in one.keys() | other.keys():
            if name.endswith(" events"):
                continue
            there, here = held(one, side, name), held(other, side, name)
            same += len(there & here)
            less |= {place(fact, name) for fact in there - here - held(other, side, f"{name} events")}
            more |= {place(fact, name) for fact in here - there}
    assert same > 9_000
    assert set() == {found for found in more if not known(found, IN_WORDS[version])}
    assert set() == {found for found in less if not known(found, LEFT_OUT[version])}


def place(fact: Fact, name: str) -> tuple[str, str]:
    """(kind, end of the path); of a whole parameter or body its name."""
    last = [step for step in fact.path if step != "*"][-1:] or ([name] if name.startswith("header") else [""])
    return fact.kind, last[0]


def known(found: tuple[str, str], reasons: Mapping[tuple[str, str], str]) -> bool:
    """True where a reason is listed; formats and defaults have one wherever they stand."""
    return found in reasons or (found[0] in ("format", "default") and (found[0], "") in reasons)


# -- the differences ---------------------------------------------------------------------------------------------------


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


@cache
def pair(old: str, new: str, shared: Path) -> Pair:
    specs = load(old), load(new)
    routes = {
        id: f"{operation.method.upper()} {anonymous(operation.path)}"
        for spec in specs
        for id, operation in operations_of(spec).items()
    }
    mine = ours(old).document, ours(new).document
    return Pair(ours(old), published(new, shared), compare(*specs, faithful=True), routes, mine)


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


@pytest.mark.parametrize(("old", "new"), PAIRS)
def test_each_difference_of_the_published_documents_is_told(old: str, new: str, shared: Path) -> None:
    two = pair(old, new, shared)
    assert [] == untold(two, new)


def untold(two: Pair, new: str) -> list[Any]:
    """The differences that no change tells, but for those that are known of our document."""
    missing: list[Any] = [
        (route, "operation")
        for route in two.old.operations.keys() ^ two.new.operations.keys()
        if not any(one.what.startswith("operation ") for one in two.told(route, "request"))
    ]
    told: dict[tuple[str, str], list[Change]] = {}
    for route, side, came, fact in differences(two):
        mine = told.setdefault((route, side), two.told(route, side))
        if any(says(two, change, came, fact) for change in mine):
            continue
        # What our document adds from words is no difference of it, and a bound like 4.0 is one of 4.
        if not known(place(fact, ""), LEFT_OUT[new] if came else IN_WORDS[new]) and not same_number(two, route, fact):
            missing.append((route, side, came, fact))
    return missing


def same_number(two: Pair, route: str, fact: Fact) -> bool:
    """True if the other document has the same number at this place in another form."""
    others = {one for read in (two.old, two.new) for facts in read.facts(route).values() for one in facts}
    mine = [one.value for one in others if one.path == fact.path and one.kind == fact.kind]
    return (
        fact.kind in ("maximum", "minimum", "default") and len({float(value) for value in mine if number(value)}) == 1
    )


def number(text: str) -> bool:
    return re.fullmatch(r"-?[\d.]+", text) is not None


# -- each change is true -----------------------------------------------------------------------------------------------


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
        return (name in (before or ()), name in (after or ())) == (change.old, change.new)
    if change.what.endswith(("property added", "property removed")):
        return (before is None, after is None) == (change.old is None, change.new is None)
    if change.what in ("values added", "values removed"):
        mine, others = (after, before) if change.what == "values added" else (before, after)
        return all(one in (mine or ()) and one not in (others or ()) for one in change.new or change.old)
    return bool((before, after) == (change.old, change.new))


def read_at(document: Any, pointer: str) -> Any:
    """What stands at a place; None if there is no such place. A constant is the only value of its enum."""
    try:
        return at(document, pointer)
    except (LookupError, TypeError, ValueError):
        fixed = read_at(document, f"{pointer.removesuffix('/enum')}/const") if pointer.endswith("/enum") else None
        return None if fixed is None else [fixed]


@pytest.mark.parametrize(("old", "new"), PAIRS)
def test_each_change_that_is_told_shows_in_the_published_documents(old: str, new: str, shared: Path) -> None:
    two = pair(old, new, shared)
    assert [] == [
        (one.what, one.pointer, one.old, one.new) for one in two.changes if not shown(two, one) and not stands(two, one)
    ]


def test_a_change_that_is_left_out_is_missed_and_one_that_is_invented_is_not_seen(shared: Path) -> None:
    """Each of the changes that concern a property of one place only, one after the other."""
    ((old, new), _), *_ = PAIRS.items()
    two = pair(old, new, shared)
    added = [one for one in two.changes if one.what == "property added" and len(one.operations) == 1]
    missed = [bool(untold(evolve(two, changes=tuple(x for x in two.changes if x is not one)), new)) for one in added]
    # Some are a part of something that is told as a whole.
    assert sum(missed) >= len(missed) / 2 >= 5
    for one in added:
        for edit in ({"pointer": f"{one.pointer}x"}, {"what": "property removed", "old": {}, "new": None}):
            wrong = evolve(one, **edit)
            assert not shown(two, wrong)
            assert not stands(two, wrong)
