"""Fuzzing: valid requests drawn by Hypothesis from templates and the schema, bounded, seeded, always meaningful.

A draw takes a template and changes up to four of its fields to drawn values; a change that would break the schema or a
rule between fields is mended or left out, so that every draw is a valid request and none is thrown away.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from conformance.requests.case import Expect, Family
from conformance.verdict import Level

from .derivation import Work
from .drafts import Draft
from .facts import bounds_of
from .levels import content_gate, gate_of
from .reproducible import BACKEND
from .sampler import NOTHING
from .schema_tree import Node, Slot
from .text_strategies import texts
from .value_paths import find, get, place

__all__ = ["CERTIFY", "EXPLORE", "fuzzed", "requests", "values"]

_QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much, HealthCheck.large_base_example]

#: For a corpus: the same draws every time, no database, no shrinking.
CERTIFY = settings(
    max_examples=20,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=_QUIET,
    backend=BACKEND,
)

#: For a search at leisure: many draws, other ones each time.
EXPLORE = settings(max_examples=500, deadline=None, database=None, suppress_health_check=_QUIET)

#: Fields that one draw changes at most.
CHANGES = 4

#: Fields that a draw must not change: they name what must exist, or make the request expensive.
_FIXED = frozenset({"model", "n", "best_of", "stream", "file", "image", "mask", "files", "background", "seconds"})


#: What a dispute about a field may be about; a drawn value then proves nothing.
_DISPUTES = ("type", "enum", "value", "field", "minimum", "maximum", "maxLength")


def values(node: Node) -> SearchStrategy[Any] | None:
    """Values of a plain node: enum values, numbers in bounds, texts. None for objects, arrays and unions."""
    if node.branches:
        return None
    if node.enum:
        return st.sampled_from(list(node.enum))
    kind = node.types[0] if len(node.types) == 1 else ""
    limits = {key: node.schema[key] for key in bounds_of(node)}
    if kind == "boolean":
        return st.booleans()
    if kind == "integer":
        low = limits.get("minimum", -1000 if "maximum" in limits else 1)
        return st.integers(int(low), int(limits.get("maximum", max(low, 0) + 1000)))
    if kind == "number":
        low, high = limits.get("minimum", 0), limits.get("maximum", 1)
        return st.floats(low, high, allow_nan=False, allow_infinity=False).map(lambda number: round(number, 6))
    if kind == "string" and "pattern" not in node.schema and "format" not in node.schema:
        return texts(minimum=limits.get("minLength", 0), maximum=limits.get("maxLength"))
    return None


def _free(slot: Slot) -> bool:
    """True for a field that a draw may change: not an id, not a cursor, not a constant."""
    named = slot.name.endswith(("_id", "_ids")) or slot.name in ("id", "after", "before", "type", "role")
    return not named and slot.name not in _FIXED and slot.path[0] == ".body"


def _pool(work: Work) -> list[tuple[Slot, SearchStrategy[Any]]]:
    found = []
    for slot in work.slots:
        disputed = any(work.levels.disputed("body", slot.pointer, keyword) for keyword in _DISPUTES)
        sure = _free(slot) and not gate_of(slot.pointer) and not disputed
        made = values(slot.node) if sure else None
        if made is not None:
            found.append((slot, made))
    return found


def requests(work: Work) -> SearchStrategy[Draft]:
    """Valid requests of an operation. Raises :class:`ValueError` where the operation has no template to start from."""
    hosts = [draft for draft in work.templates if draft.expect is Expect.ACCEPT] or list(work.templates)
    if not hosts:
        raise ValueError(f"nothing to start from for {work.operation.id}")
    pool = _pool(work)

    @st.composite
    def draws(draw: Callable[[SearchStrategy[Any]], Any]) -> Draft:
        host = draw(st.sampled_from(hosts))
        request = host.request
        for _ in range(draw(st.integers(0, CHANGES if pool else 0))):
            slot, strategy = draw(st.sampled_from(pool))
            request = _changed(work, request, slot, draw(strategy))
        gate = host.reason or content_gate(work.operation.id, request.get("body"))
        made: Draft = host.evolve(
            request=request,
            role="fuzz",
            family=Family.FUZZ,
            expect=Expect.EITHER if gate else Expect.ACCEPT,
            level=Level.SHOULD if gate else Level.MUST,
            reason=gate or f"drawn from {host.role}",
        )
        return made

    return draws()


def _changed(work: Work, request: Any, slot: Slot, value: Any) -> Any:
    """The request with a drawn value in a slot, or as it was."""
    placed = place(request, work.ground.root, slot.path, value, work.sampler)
    if placed is None or not work.ground.root.fits(placed.request):
        return request
    mended = work.mended(placed.request, placed.spot)
    if mended is None or not work.ground.strict.is_valid(mended):
        return request
    spot, walked = find(mended, work.ground.root, slot.path)
    return mended if walked == len(slot.path) and get(mended, spot) is not NOTHING else request


def fuzzed(work: Work, number: int) -> list[Draft]:
    """Distinct drafts, the same for the same seed (``number``) in every process."""
    found: dict[str, Draft] = {}

    @seed(number)
    @CERTIFY
    @given(requests(work))
    def collect(draft: Draft) -> None:
        found.setdefault(json.dumps(draft.request, sort_keys=True, default=str), draft)

    collect()
    return list(found.values())
