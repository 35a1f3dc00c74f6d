"""Requests that show what a document allows: every field, value, null, branch and bound."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from attrs import define, evolve

from conformance.requests.case import Expect, Family
from conformance.verdict import Level

from .derivation import Work
from .drafts import Draft
from .facts import Fact, Key, facts_of, observe
from .ids import IMPOSSIBLE_ID
from .levels import content_gate, gate_of
from .sampler import NOTHING
from .value_paths import find, get, place

__all__ = ["boundaries", "shown"]

#: Facts that one packed request shows at most.
PACKED = 12

#: Packed requests that a further fact may still join.
OPEN = 6

#: Packed requests of one operation in the standard profile whose outcome may rightly be either.
GATED = 6


@define
class Pack:
    """A request that shows several facts."""

    draft: Draft
    keys: set[Key]
    gate: str = ""
    full: bool = False


def boundaries(work: Work) -> Iterator[Draft]:
    """Requests that show every documented fact.

    In ``exhaustive`` one request per fact. In ``standard`` each top-level field, enum value and branch has a request
    of its own; nulls, bounds and nested facts that go together share one, and what a template shows isn't repeated.
    """
    alone = work.bench.everything
    seen: set[Key] = set()
    for draft in work.templates:
        if draft.expect is Expect.ACCEPT and not work.bench.makers.lacks(draft.request, work.operation.path):
            seen |= observe(work.ground.root, draft.request)
    shared: list[tuple[Fact, Draft]] = []
    for slot in work.slots:
        for fact in facts_of(slot, work.sampler):
            if not alone and fact.key in seen:
                continue
            made = shown(work, fact)
            if made is None:
                continue
            top = slot.pointer.count("/") <= 1 and fact.kind in ("field", "value", "branch")
            if alone or top:
                yield made
            else:
                shared.append((fact, made))
    yield from _packed(work, shared)
    yield from _together(work)


def _packed(work: Work, shared: list[tuple[Fact, Draft]]) -> Iterator[Draft]:
    """Facts that go together in as few requests as a greedy walk finds."""
    packs: list[Pack] = []
    for fact, draft in shared:
        if fact.key in {key for pack in packs for key in pack.keys if pack.draft.expect is Expect.ACCEPT}:
            continue
        # what costs more, and what is long, stays alone
        if str(fact.label).isdigit() and int(fact.label) > 64:
            packs.append(Pack(draft, {fact.key}, full=True))
            continue
        gate = "" if draft.expect is Expect.ACCEPT else draft.reason
        near = [pack for pack in packs if not pack.full and pack.gate == gate][-OPEN:]
        if not any(_joined(work, pack, fact) for pack in near):
            packs.append(Pack(draft, {fact.key}, gate))
    gated = sorted((p for p in packs if p.gate), key=lambda p: hashlib.sha256(str(sorted(p.keys)).encode()).digest())
    dropped = {id(pack) for pack in gated[GATED:]} if not work.bench.everything else set()
    for pack in packs:
        if id(pack) in dropped:
            continue
        count = len(pack.keys)
        more = f" and {count - 1} more" if count > 1 else ""
        yield pack.draft.evolve(reason=pack.draft.reason + (more if pack.draft.expect is Expect.ACCEPT else ""))


def _joined(work: Work, pack: Pack, fact: Fact) -> bool:
    if len(pack.keys) >= PACKED:
        return False
    placed = place(pack.draft.request, work.ground.root, fact.slot.path, fact.value, work.sampler)
    if placed is None or not work.ground.root.fits(placed.request):
        return False
    if work.rules.broken(placed.request.get("body")):
        return False
    keys = pack.keys | {fact.key}
    if not keys <= observe(work.ground.root, placed.request):
        return False
    pack.draft, pack.keys = pack.draft.evolve(request=placed.request), keys
    return True


def _cursor(work: Work) -> str:
    """What ``after`` and ``before`` of a list may name: an object that the setup creates."""
    made = work.bench.makers.listed(work.operation)
    return "{" + made + "}" if made else IMPOSSIBLE_ID


def shown(work: Work, fact: Fact) -> Draft | None:
    """A valid request that shows a fact; None where none was found."""
    slot = fact.slot
    if slot.path[0] == ".query" and slot.name in ("after", "before") and fact.kind == "field":
        fact = evolve(fact, value=_cursor(work))
    found = next((pair for host in work.hosts(slot.path) if (pair := _fact_in(work, host, fact)) is not None), None)
    if found is None:
        return None
    host, request = found
    location = slot.path[0][1:]
    where = slot.pointer if location == "body" else slot.name
    gate = (
        ("whether a cursor that names nothing is refused is open" if fact.value == IMPOSSIBLE_ID else "")
        or gate_of(slot.pointer)
        or host.reason
        or ("only reasoning models take it" if "reasoning" in host.needs else "")
        or work.levels.disputed(location, slot.pointer, fact.kind)
        or content_gate(work.operation.id, request.get("body"))
        or (
            "nothing in this version creates the object that it names"
            if work.bench.makers.lacks(request, work.operation.path)
            else ""
        )
    )
    what = {"field": "the field", "branch": f"branch {fact.label} of", "value": f"value {fact.label} of"}
    return Draft(
        request=request,
        family=Family.BOUNDARY,
        role=f"fact.{fact.kind}",
        expect=Expect.EITHER if gate else Expect.ACCEPT,
        level=Level.SHOULD if gate else Level.MUST,
        reason=gate or f"{what.get(fact.kind, f'{fact.kind} of')} {where}",
        media=work.ground.media,
    )


def _fact_in(work: Work, host: Draft, fact: Fact) -> tuple[Draft, Mapping[str, Any]] | None:
    path = fact.slot.path
    placed = place(host.request, work.ground.root, path, fact.value, work.sampler)
    if placed is None or not work.ground.root.fits(placed.request):
        work.leave_out("".join(path), fact.kind, fact.label, "no valid request with it was found")
        return None
    request = work.mended(placed.request, placed.spot)
    if request is None or not _still(work, request, fact):
        work.leave_out("".join(path), fact.kind, fact.label, "a rule between fields excludes it")
        return None
    return host, request


def _together(work: Work) -> Iterator[Draft]:
    """All optional top-level fields that go together."""
    for location in ("body", "query"):
        node = work.ground.root.properties.get(location)
        if node is None or not node.properties or not work.templates:
            continue
        request: Mapping[str, Any] = {**work.templates[0].request}
        for name in node.properties:
            value = work.sampler.value(node.properties[name], name)
            present = request.get(location) or {}
            if value is NOTHING or name in present or gate_of("/" + name) or name in ("after", "before"):
                continue
            tried = {**request, location: {**present, name: value}}
            if work.ground.root.fits(tried) and not work.rules.broken(tried.get("body")):
                request = tried
        yield Draft(
            request,
            role="all-fields",
            family=Family.BOUNDARY,
            reason="all fields that go together",
            media=work.ground.media,
        )


def _still(work: Work, request: Mapping[str, Any], fact: Fact) -> bool:
    """True when a mended request still has the value in its place."""
    spot, walked = find(request, work.ground.root, fact.slot.path)
    return walked == len(fact.slot.path) and bool(get(request, spot) == fact.value)
