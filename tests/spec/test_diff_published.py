"""``spec diff`` of the newest versions, held against the published documents as they lie beside the checkout.

The newer document of each pair is read raw from its published file, the older one raw from our folder where it stands
there whole, by a reader that shares no code with the suite and knows no components (``flat_reader``). Each difference
of what may stand at a place is told by ``spec diff``, and each change that it tells is seen there. Event streams are
left to ``test_diff_proof``: published documents write them in several ways, or not at all. Where the published
documents are absent, the corrected documents of more pairs are held against each other in the same way.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from attrs import evolve
from diff_witness import Pair, differences, held, same_number, says, shown, stands
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
        ("default", "modalities"): "a list that stands as the default of each of its items",
    },
    "v1": {
        ("type", "header accept"): "Accept says how answers are negotiated (RFC 9110), and is no parameter",
        ("value", "header accept"): "the same",
    },
}


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
    """True where a reason is listed; formats have one wherever they stand."""
    return found in reasons or (found[0] == "format" and (found[0], "") in reasons)


@cache
def pair(old: str, new: str, shared: Path) -> Pair:
    mine = ours(old).document, ours(new).document
    told = compare(load(old), load(new), faithful=True)
    return Pair(ours(old), published(new, shared), told, routes(old, new), mine)


@cache
def corrected(old: str, new: str) -> Pair:
    """The documents with their errata, by which targets are judged."""
    mine = [json.loads(json.dumps(load(version).document)) for version in (old, new)]
    told = compare(load(old), load(new))
    return Pair(Flat(mine[0]), Flat(mine[1]), told, routes(old, new), (mine[0], mine[1]))


def routes(*names: str) -> dict[str, str]:
    return {
        id: f"{operation.method.upper()} {anonymous(operation.path)}"
        for name in names
        for id, operation in operations_of(load(name)).items()
    }


@pytest.mark.parametrize(("old", "new"), PAIRS)
def test_each_difference_of_the_published_documents_is_told(old: str, new: str, shared: Path) -> None:
    two = pair(old, new, shared)
    assert [] == untold(two, new)


def untold(two: Pair, new: str = "") -> list[Any]:
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
        reasons = (LEFT_OUT if came else IN_WORDS).get(new, {})
        if not known(place(fact, ""), reasons) and not same_number(two, route, fact):
            missing.append((route, side, came, fact))
    return missing


@pytest.mark.parametrize(("old", "new"), PAIRS)
def test_each_change_that_is_told_shows_in_the_published_documents(old: str, new: str, shared: Path) -> None:
    two = pair(old, new, shared)
    assert [] == [
        (one.what, one.pointer, one.old, one.new) for one in two.changes if not shown(two, one) and not stands(two, one)
    ]


#: The versions of one surface, one after the other; the last dated preview is also held against the first.
FOLLOWING = (
    *(("2024-05-01-preview", "2024-06-01"), ("2024-06-01", "2024-10-21"), ("2024-12-01-preview", "2025-01-01-preview")),
    *(("2025-01-01-preview", "2025-04-01-preview"), ("2024-05-01-preview", "2025-04-01-preview"), ("v1-preview", "v1")),
)


#: What all kinds of a union together hide → what is so (read by eye).
HIDDEN = {
    "/components/schemas/OpenAI.EvalItemContentOutputText": "the content of a CreateEvalItem is a text alone in v1; an "
    "EvalItem, which may stand in its place, has such parts",
}


@pytest.mark.parametrize(("old", "new"), FOLLOWING)
def test_the_corrected_documents_differ_as_is_told(old: str, new: str) -> None:
    """Both ways, and without the published documents."""
    two = corrected(old, new)
    assert [] == untold(two)
    unseen = {one.pointer for one in two.changes if not shown(two, one) and not stands(two, one)}
    assert unseen == {pointer for pointer in HIDDEN if new == "v1"}


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
