"""Requests with exactly one fault: a broken constraint of the schema or a broken cross-field rule."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import product
from typing import Any

from conformance.pointer import matches, tokens
from conformance.requests.case import Break, Expect, Family
from conformance.spec.spec import Clause
from conformance.verdict import Level

from .body_rules import merge_patch
from .constraint_breaches import ABSENT, Breach, breaches_of
from .derivation import OperationDerivation
from .drafts import Draft
from .named_rules import named_rules
from .sampler import NOTHING
from .schema_tree import Slot, describe
from .value_paths import find, get, place, pointer_text, put, remove

__all__ = ["broken", "rule_breaks", "violations"]

#: The standard profile keeps about this many violations of nested fields for one operation; ``exhaustive`` keeps all.
NESTED = 16

#: The standard profile keeps this many cases each for null, 1.0 and unknown fields, which a target may accept.
LENIENT = 3


def violations(derivation: OperationDerivation) -> Iterator[Draft]:
    """Yield requests that break one constraint each.

    All top-level constraints are broken. Of the nested ones the standard profile takes a sample, chosen by hash so that
    it is stable and spread over the keywords.
    """
    everything = derivation.shared.everything
    nested: list[tuple[str, Draft]] = []
    lenient: list[tuple[str, Draft]] = []
    without: dict[str, str] = {}
    for slot in derivation.slots:
        location = slot.path[0][1:]
        widest = derivation.levels.widest(location, slot.pointer if location == "body" else slot.name)
        for breach in breaches_of(slot, derivation.sampler, widest):
            made = broken(derivation, breach)
            if made is None:
                continue
            if breach.value is ABSENT and breach.keyword == "required":
                # Where each branch of a union requires another member, one request lacks them all.
                sent = json.dumps(made.request, sort_keys=True)
                first = without.setdefault(sent, slot.pointer)
                if first != slot.pointer:
                    reason = f"the request without {first} lacks it too"
                    derivation.leave_out("".join(slot.path), breach.keyword, "", reason)
            # The hash decides which nested violations are kept: independent of order, stable between versions.
            key = f"{derivation.operation.id}{''.join(slot.path)}{breach.keyword}{breach.note}"
            rank = hashlib.sha256(key.encode()).hexdigest()
            if not everything and breach.note in ("null", "float", "extra"):
                # The note comes first, so that each of the three kinds has a share of its own below.
                lenient.append((breach.note + rank, made))
            elif everything or slot.pointer.count("/") <= 1:
                yield made
            else:
                nested.append((rank, made))
    # Only an object can have an unknown field.
    if isinstance(derivation.templates[0].request.get("body"), dict):
        lenient.append(("extra", _unknown_field(derivation)))
    for note in ("null", "float", "extra"):
        yield from [made for rank, made in sorted(lenient, key=_rank) if rank.startswith(note)][:LENIENT]
    kept: dict[str, int] = {}
    for _, made in sorted(nested, key=_rank):
        keyword = made.breaks.keyword if made.breaks else ""
        kept[keyword] = kept.get(keyword, 0) + 1
        # Each keyword gets an equal share, and at least two cases.
        if kept[keyword] <= max(2, NESTED // max(len({d.breaks.keyword for _, d in nested if d.breaks}), 1)):
            yield made


def _unknown_field(derivation: OperationDerivation) -> Draft:
    """A request with an undocumented top-level field."""
    host = derivation.templates[0]
    body = {**host.request["body"], "conformance_unknown_field": "x"}
    judged = derivation.levels.judge("body", "", "additionalProperties", "extra")
    return host.evolve(
        request={**host.request, "body": body},
        family=Family.BOUNDARY,
        role="break.additionalProperties",
        expect=judged.expect,
        level=judged.level,
        reason=judged.reason,
        breaks=Break("", "additionalProperties"),
    )


def broken(derivation: OperationDerivation, breach: Breach) -> Draft | None:
    """Return a request that breaks one constraint and is otherwise valid, or None (with the reason noted) if that
    fails.
    """
    slot = breach.slot
    path = slot.path
    base = next(
        (made for host in derivation.hosts(path) if (made := _with(derivation, host.request, slot)) is not None), None
    )
    if base is None:
        derivation.leave_out("".join(path), breach.keyword, "", "no valid request to break was found")
        return None
    spot = find(base, derivation.context.root, path)[0]
    request = _apply(base, spot, breach)
    if request is None or not _only(derivation, request, breach):
        derivation.leave_out("".join(path), breach.keyword, "", "what remains is valid in another way")
        return None
    location = str(spot[0])
    # Levels are stated for a field (``/messages/*/role``), the report names the place in this request
    # (``/messages/0/role``).
    pattern = describe(path) if location == "body" else slot.name
    pointer = pointer_text(spot) if location == "body" else slot.name
    judged = derivation.levels.judge(location, pattern, breach.keyword, breach.note)
    return Draft(
        request=request,
        family=Family.VIOLATION if judged.expect is Expect.REJECT else Family.BOUNDARY,
        role=f"break.{breach.keyword}",
        expect=judged.expect,
        level=judged.level,
        reason=judged.reason or f"{breach.keyword} of {pointer} broken",
        breaks=Break(pointer=pointer, keyword=breach.keyword, location=location),
        media=derivation.context.media,
    )


def _with(derivation: OperationDerivation, request: Mapping[str, Any], slot: Slot) -> Mapping[str, Any] | None:
    """The request itself if it has a value at the slot, else a valid request with a good value there, or None."""
    if find(request, derivation.context.root, slot.path)[1] == len(slot.path):
        return request
    good = derivation.sampler.value(slot.node, slot.name, "")
    placed = None if good is NOTHING else place(request, derivation.context.root, slot.path, good, derivation.sampler)
    mended = derivation.mended(placed.request, placed.spot) if placed is not None else None
    if mended is None or not derivation.context.root.fits(mended):
        return None
    return mended if find(mended, derivation.context.root, slot.path)[1] == len(slot.path) else None


def _apply(base: Any, spot: tuple[Any, ...], breach: Breach) -> Any:
    """The request with the breach in place, or None if its place can't hold it."""
    # Nothing is replaced: a field is added beside the others.
    if breach.note == "extra":
        here = get(base, spot)
        return put(base, (*spot, "conformance_unknown_field"), "x") if isinstance(here, dict) else None
    if breach.value is NOTHING:
        return None
    if breach.value is ABSENT:
        return remove(base, spot) if isinstance(get(base, spot[:-1]), dict) else None
    return put(base, spot, breach.value)


def _only(derivation: OperationDerivation, request: Any, breach: Breach) -> bool:
    """Return True if the request really is invalid, or if both outcomes are right for this kind of breach."""
    text = breach.slot.path[0] != ".body" or derivation.context.media.startswith("multipart/")
    if text and not _wrong_as_text(breach):
        return False
    return breach.note in ("float", "extra") or not derivation.context.root.fits(request)


def _wrong_as_text(breach: Breach) -> bool:
    """Return True if the breach can be sent where everything is text: in a query, a header or a form."""
    if breach.note == "null" or isinstance(breach.value, dict):
        return False
    if breach.keyword in ("type", "discriminator"):
        # As text, a number is no wrong type, and one text is a list of one item.
        return isinstance(breach.value, str) and "array" not in breach.slot.node.types
    return True


def rule_breaks(derivation: OperationDerivation) -> Iterator[Draft]:
    """Yield one request for each cross-field rule that breaks this rule and no other."""
    for clause in derivation.rules.clauses:
        made = next(_rule_broken(derivation, clause), None)
        if made is not None:
            yield made
        else:
            derivation.left_out[f" {clause.id} rule "] = "no valid request breaks this rule alone"


def _rule_broken(derivation: OperationDerivation, clause: Clause) -> Iterator[Draft]:
    """Yield requests that break one rule, keep all others and fit the schema."""
    rule = clause.rule
    if rule is None:
        return
    known = named_rules().get(rule.named) if rule.named else None
    # How a place is changed, and which field of the body that makes wrong.
    ways: list[tuple[Callable[[Any], Any], tuple[Any, ...]]] = []
    if known is not None:
        ways.append((known.broken, tokens(known.pointer)))
    # The clause of a named rule may have a patch too, for bodies that have no part in which the rule can be broken.
    if rule.breaks is not None:
        ways.append((partial(merge_patch, patch=rule.breaks), tokens(rule.fault)))
    for (way, fault), host in product(ways, derivation.templates):
        body = host.request.get("body")
        if not isinstance(body, dict):
            continue
        for spot, value in matches(body, rule.pointer):
            where = fault or spot
            made = way(value)
            changed = None if made is None else put({"": body}, ("", *spot), made)[""]
            # Another rule broken as well would leave open which one the target refused for.
            if changed is None or derivation.rules.broken(changed) != (clause,):
                continue
            request = {**host.request, "body": changed}
            if not derivation.context.root.fits(request):
                continue
            # A rule that a target may enforce: both outcomes are right.
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
    """The sort key of the samples: the hash."""
    return pair[0]
