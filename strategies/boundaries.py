"""Requests that use what a document allows: every field, enum value, null, union branch and bound.

Each of these is a *fact* of the document (see ``facts.py``). A request *shows* a fact when it contains it.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

from attrs import define, evolve

from conformance.requests.case import Expect, Family
from conformance.verdict import Level

from .derivation import OperationDerivation
from .drafts import Draft
from .facts import Fact, Key, facts_of, observe
from .ids import IMPOSSIBLE_ID
from .sampler import NOTHING
from .value_paths import find, get, place

__all__ = ["boundaries", "fact_draft"]

#: The largest number of facts that one packed request shows.
PACKED = 12

#: A further fact is tried on this many of the latest packed requests. More would be quadratic work for few savings.
OPEN = 6

#: In the standard profile, at most this many packed requests of one operation expect either outcome.
GATED = 6


@define
class Pack:
    """One request that shows several facts.

    ``keys`` are the facts shown so far, ``gate`` the reason why either outcome is right ("" when the request must be
    accepted).
    """

    draft: Draft
    keys: set[Key]
    gate: str = ""


def boundaries(derivation: OperationDerivation) -> Iterator[Draft]:
    """Yield requests that together show every documented fact.

    Profile ``exhaustive``: one request per fact. Profile ``standard``: each top-level field, enum value and branch has
    a request of its own; nulls, bounds and nested facts share requests; facts that a template already shows are not
    repeated.
    """
    # What the templates show already needs no request of its own, as long as they will be accepted.
    alone = derivation.shared.everything
    seen: set[Key] = set()
    for draft in derivation.templates:
        if draft.expect is Expect.ACCEPT and not derivation.shared.makers.lacks(
            draft.request, derivation.operation.path
        ):
            seen |= observe(derivation.context.root, draft.request)
    shared: list[tuple[Fact, Draft]] = []
    for slot in derivation.slots:
        for fact in facts_of(slot, derivation.sampler):
            if not alone and fact.key in seen:
                continue
            made = fact_draft(derivation, fact)
            if made is None:
                continue
            # A top-level field that a target mishandles should fail alone, not take eleven other facts with it.
            top = slot.pointer.count("/") <= 1 and fact.kind in ("field", "value", "branch")
            if alone or top:
                yield made
            else:
                shared.append((fact, made))
    yield from _packed(derivation, shared)
    yield from _all_fields(derivation)


def _packed(derivation: OperationDerivation, shared: list[tuple[Fact, Draft]]) -> Iterator[Draft]:
    """Yield requests that each show several of the given facts. Facts are packed greedily, in document order."""
    packs: list[Pack] = []
    accepted: set[Key] = set()
    #: The latest requests that others may join, by gate.
    near: dict[str, deque[Pack]] = {}
    for fact, draft in shared:
        # Two slots may have the same fact.
        if fact.key in accepted:
            continue
        if draft.expect is Expect.ACCEPT:
            accepted.add(fact.key)
        # A large bound (a text of 32,768 characters, 128 tools) makes a request long and costly, so it isn't combined.
        if str(fact.label).isdigit() and int(fact.label) > 64:
            packs.append(Pack(draft, {fact.key}))
            continue
        # Facts share a request only if they share the reason for an open outcome: one gate would make the others open
        # too.
        gate = "" if draft.expect is Expect.ACCEPT else draft.reason
        latest = near.setdefault(gate, deque(maxlen=OPEN))
        if not any(_joined(derivation, pack, fact) for pack in latest):
            packs.append(Pack(draft, {fact.key}, gate))
            latest.append(packs[-1])
    # Which of the requests without a sure outcome are kept is decided by hash: evenly spread, and stable when a fact is
    # added.
    gated = sorted((p for p in packs if p.gate), key=lambda p: hashlib.sha256(str(sorted(p.keys)).encode()).digest())
    dropped = {id(pack) for pack in gated[GATED:]} if not derivation.shared.everything else set()
    for pack in packs:
        if id(pack) in dropped:
            continue
        count = len(pack.keys)
        more = f" and {count - 1} more" if count > 1 else ""
        yield pack.draft.evolve(reason=pack.draft.reason + (more if pack.draft.expect is Expect.ACCEPT else ""))


def _joined(derivation: OperationDerivation, pack: Pack, fact: Fact) -> bool:
    """Add a fact to a packed request. Return False, and change nothing, if the result would not be a valid request."""
    # A request with many facts is hard to read when it fails.
    if len(pack.keys) >= PACKED:
        return False
    placed = place(pack.draft.request, derivation.context.root, fact.slot.path, fact.value, derivation.sampler)
    if placed is None or not derivation.context.root.fits(placed.request):
        return False
    if derivation.rules.broken(placed.request.get("body")):
        return False
    keys = pack.keys | {fact.key}
    # The new value may have replaced one that showed another fact.
    if not keys <= observe(derivation.context.root, placed.request):
        return False
    pack.draft, pack.keys = pack.draft.evolve(request=placed.request), keys
    return True


def _cursor(derivation: OperationDerivation) -> str:
    """The value for ``after`` and ``before`` of a list: the id of an object that the setup creates, else an impossible
    id.
    """
    made = derivation.shared.makers.listed(derivation.operation)
    return "{" + made + "}" if made else IMPOSSIBLE_ID


def fact_draft(derivation: OperationDerivation, fact: Fact) -> Draft | None:
    """Return a valid request that shows a fact, or None if none was found.

    It expects either outcome, with the reason, where the document alone can't decide whether the request is accepted.
    """
    slot = fact.slot
    # A cursor must name an existing object; a made-up text would be refused rightly.
    if slot.path[0] == ".query" and slot.name in ("after", "before") and fact.kind == "field":
        fact = evolve(fact, value=_cursor(derivation))
    found = next(
        (pair for host in derivation.hosts(slot.path) if (pair := _fact_in(derivation, host, fact)) is not None), None
    )
    if found is None:
        return None
    host, request = found
    location = slot.path[0][1:]
    where = slot.pointer if location == "body" else slot.name
    # The first reason that applies is told; the order is from the field itself to the state of the target.
    gate = (
        ("whether a cursor that names nothing is refused is open" if fact.value == IMPOSSIBLE_ID else "")
        or derivation.operation.facts.field_gate(slot.pointer)
        or host.reason
        or ("only reasoning models take it" if "reasoning" in host.needs else "")
        or derivation.levels.disputed(location, slot.pointer, fact.kind)
        or derivation.operation.facts.content_gate(request.get("body"))
        or (
            "nothing in this version creates the object that it names"
            if derivation.shared.makers.lacks(request, derivation.operation.path)
            else ""
        )
    )
    # How the report names the fact; bounds are named by their keyword.
    what = {"field": "the field", "branch": f"branch {fact.label} of", "value": f"value {fact.label} of"}
    return Draft(
        request=request,
        family=Family.BOUNDARY,
        role=f"fact.{fact.kind}",
        expect=Expect.EITHER if gate else Expect.ACCEPT,
        level=Level.SHOULD if gate else Level.MUST,
        reason=gate or f"{what.get(fact.kind, f'{fact.kind} of')} {where}",
        media=derivation.context.media,
    )


def _fact_in(derivation: OperationDerivation, host: Draft, fact: Fact) -> tuple[Draft, Mapping[str, Any]] | None:
    """Put a fact into a template. Return the template and the request, or None (with the reason noted) if that
    fails.
    """
    path = fact.slot.path
    placed = place(host.request, derivation.context.root, path, fact.value, derivation.sampler)
    if placed is None or not derivation.context.root.fits(placed.request):
        derivation.leave_out("".join(path), fact.kind, fact.label, "no valid request with it was found")
        return None
    request = derivation.mended(placed.request, placed.spot)
    if request is None or not _keeps_value(derivation, request, fact):
        derivation.leave_out("".join(path), fact.kind, fact.label, "a rule between fields excludes it")
        return None
    return host, request


def _all_fields(derivation: OperationDerivation) -> Iterator[Draft]:
    """Yield requests that use all optional top-level fields which can be combined: one for the body, one for the
    query.
    """
    for location in ("body", "query"):
        node = derivation.context.root.properties.get(location)
        if node is None or not node.properties or not derivation.templates:
            continue
        request: Mapping[str, Any] = {**derivation.templates[0].request}
        for name in node.properties:
            value = derivation.sampler.value(node.properties[name], name)
            present = request.get(location) or {}
            if (
                value is NOTHING
                or name in present
                # A field that may rightly be refused would make the whole request uncertain.
                or derivation.operation.facts.field_gate("/" + name)
                or name in ("after", "before")
            ):
                continue
            tried = {**request, location: {**present, name: value}}
            # Fields that exclude each other: the first one in the document stays.
            if derivation.context.root.fits(tried) and not derivation.rules.broken(tried.get("body")):
                request = tried
        yield Draft(
            request,
            role="all-fields",
            family=Family.BOUNDARY,
            reason="all fields that go together",
            media=derivation.context.media,
        )


def _keeps_value(derivation: OperationDerivation, request: Mapping[str, Any], fact: Fact) -> bool:
    """Return True if a repaired request still has the fact's value in its place."""
    spot, walked = find(request, derivation.context.root, fact.slot.path)
    return walked == len(fact.slot.path) and bool(get(request, spot) == fact.value)
