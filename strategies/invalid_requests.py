"""Requests with exactly one thing wrong: a constraint of the schema, or a rule between fields."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from conformance.requests.case import Break, Expect, Family
from conformance.spec.spec import Clause
from conformance.verdict import Level

from .body_rules import merge_patch, spots_of
from .constraint_breaches import ABSENT, Breach, breaches_of
from .derivation import Work
from .drafts import Draft
from .named_rules import NAMED
from .sampler import NOTHING
from .schema_tree import Slot, describe
from .value_paths import find, get, place, pointer_text, put, remove

__all__ = ["broken", "rule_breaks", "violations"]

#: Violations of nested fields that the standard profile keeps for one operation; all of them in ``exhaustive``.
NESTED = 16

#: Cases of one operation in the standard profile that test how null, 1.0 and unknown fields are taken.
LENIENT = 3


def violations(work: Work) -> Iterator[Draft]:
    """Top-level constraints all; nested ones spread by id, unless the profile wants every one."""
    everything = work.bench.everything
    nested: list[tuple[str, Draft]] = []
    lenient: list[tuple[str, Draft]] = []
    for slot in work.slots:
        location = slot.path[0][1:]
        widest = work.levels.widest(location, slot.pointer if location == "body" else slot.name)
        for breach in breaches_of(slot, work.sampler, widest):
            made = broken(work, breach)
            if made is None:
                continue
            key = f"{work.operation.id}{''.join(slot.path)}{breach.keyword}{breach.note}"
            rank = hashlib.sha256(key.encode()).hexdigest()
            if not everything and breach.note in ("null", "float", "extra"):
                lenient.append((breach.note + rank, made))
            elif everything or slot.pointer.count("/") <= 1:
                yield made
            else:
                nested.append((rank, made))
    if isinstance(work.templates[0].request.get("body"), dict):
        lenient.append(("extra", _unknown_field(work)))
    for note in ("null", "float", "extra"):
        yield from [made for rank, made in sorted(lenient, key=_rank) if rank.startswith(note)][:LENIENT]
    kept: dict[str, int] = {}
    for _, made in sorted(nested, key=_rank):
        keyword = made.breaks.keyword if made.breaks else ""
        kept[keyword] = kept.get(keyword, 0) + 1
        if kept[keyword] <= max(2, NESTED // max(len({d.breaks.keyword for _, d in nested if d.breaks}), 1)):
            yield made


def _unknown_field(work: Work) -> Draft:
    host = work.templates[0]
    body = {**host.request["body"], "conformance_unknown_field": "x"}
    judged = work.levels.judge("body", "", "additionalProperties", "extra")
    return host.evolve(
        request={**host.request, "body": body},
        family=Family.BOUNDARY,
        role="break.additionalProperties",
        expect=judged.expect,
        level=judged.level,
        reason=judged.reason,
        breaks=Break("", "additionalProperties"),
    )


def broken(work: Work, breach: Breach) -> Draft | None:
    """A request that breaks one constraint and is otherwise valid; None where that can't be built."""
    slot = breach.slot
    path = slot.path
    base = next((made for host in work.hosts(path) if (made := _with(work, host.request, slot)) is not None), None)
    if base is None:
        work.leave_out("".join(path), breach.keyword, "", "no valid request to break was found")
        return None
    spot = find(base, work.ground.root, path)[0]
    request = _apply(base, spot, breach)
    if request is None or not _only(work, request, breach):
        work.leave_out("".join(path), breach.keyword, "", "what remains is valid in another way")
        return None
    location = str(spot[0])
    pattern = describe(path) if location == "body" else slot.name
    pointer = pointer_text(spot) if location == "body" else slot.name
    judged = work.levels.judge(location, pattern, breach.keyword, breach.note)
    return Draft(
        request=request,
        family=Family.VIOLATION if judged.expect is Expect.REJECT else Family.BOUNDARY,
        role=f"break.{breach.keyword}",
        expect=judged.expect,
        level=judged.level,
        reason=judged.reason or f"{breach.keyword} of {pointer} broken",
        breaks=Break(pointer=pointer, keyword=breach.keyword, location=location),
        media=work.ground.media,
    )


def _with(work: Work, request: Mapping[str, Any], slot: Slot) -> Mapping[str, Any] | None:
    """A valid request that holds a good value at a slot."""
    if find(request, work.ground.root, slot.path)[1] == len(slot.path):
        return request
    good = work.sampler.value(slot.node, slot.name, "")
    placed = None if good is NOTHING else place(request, work.ground.root, slot.path, good, work.sampler)
    mended = work.mended(placed.request, placed.spot) if placed is not None else None
    if mended is None or not work.ground.root.fits(mended):
        return None
    return mended if find(mended, work.ground.root, slot.path)[1] == len(slot.path) else None


def _apply(base: Any, spot: tuple[Any, ...], breach: Breach) -> Any:
    if breach.note == "extra":
        here = get(base, spot)
        return put(base, (*spot, "conformance_unknown_field"), "x") if isinstance(here, dict) else None
    if breach.value is NOTHING:
        return None
    if breach.value is ABSENT:
        return remove(base, spot) if isinstance(get(base, spot[:-1]), dict) else None
    return put(base, spot, breach.value)


def _only(work: Work, request: Any, breach: Breach) -> bool:
    """True when a request is invalid (or, where both outcomes are right, whatever it is)."""
    text = breach.slot.path[0] != ".body" or work.ground.media.startswith("multipart/")
    if text and not _wrong_as_text(breach):
        return False
    return breach.note in ("float", "extra") or not work.ground.root.fits(request)


def _wrong_as_text(breach: Breach) -> bool:
    """True when a constraint can be broken in a query, header or form, where everything is text."""
    if breach.note == "null" or isinstance(breach.value, dict):
        return False
    if breach.keyword in ("type", "discriminator"):
        return isinstance(breach.value, str) and "array" not in breach.slot.node.types
    return True


def rule_breaks(work: Work) -> Iterator[Draft]:
    """Each cross-field rule broken once."""
    for clause in work.rules.clauses:
        made = next(_rule_broken(work, clause), None)
        if made is not None:
            yield made
        else:
            work.left_out[f" {clause.id} rule "] = "no valid request breaks this rule alone"


def _rule_broken(work: Work, clause: Clause) -> Iterator[Draft]:
    rule = clause.rule
    if rule is None:
        return
    for host in work.templates:
        body = host.request.get("body")
        if not isinstance(body, dict):
            continue
        for spot, value in spots_of(body, rule.pointer):
            where = spot
            if rule.named:
                changed = NAMED[rule.named].broken(body) if rule.named in NAMED else None
                where = tuple(t for t in NAMED[rule.named].pointer.split("/") if t) if changed else ()
            else:
                changed = put({"": body}, ("", *spot), merge_patch(value, rule.breaks))[""]
            if changed is None or work.rules.broken(changed) != (clause,):
                continue
            request = {**host.request, "body": changed}
            if not work.ground.root.fits(request):
                continue
            either = clause.keyword == "MAY"
            yield host.evolve(
                request=request,
                family=Family.BOUNDARY if either else Family.VIOLATION,
                role="break.rule",
                expect=Expect.EITHER if either else Expect.REJECT,
                level=Level.SHOULD,
                reason=f"breaks the rule {clause.id}",
                breaks=Break(pointer_text(("body", *where)), "rule", clause=clause.id),
            )


def _rank(pair: tuple[str, Draft]) -> str:
    return pair[0]
