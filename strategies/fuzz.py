"""Fuzzing: valid requests that Hypothesis draws from templates and schemas, bounded and reproducible by seed.

A draw takes a template and gives up to four of its fields drawn values. A change that would break the schema or a
cross-field rule is repaired or left out, so every draw is a valid request.
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

from .derivation import OperationDerivation
from .drafts import Draft
from .reproducible import BACKEND
from .sampler import NOTHING
from .schema_tree import Node, Slot
from .text_strategies import texts
from .value_paths import find, get, place

__all__ = ["CERTIFY", "EXPLORE", "fuzzed", "requests", "values"]

# Building a request is slow for Hypothesis' taste; its health checks are about test speed, not about our requests.
_QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much, HealthCheck.large_base_example]

#: For a corpus: the same draws every time, so no example database and no shrinking.
CERTIFY = settings(
    max_examples=20,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=_QUIET,
    backend=BACKEND,
)

#: For an exploratory search: many draws, different ones each time.
EXPLORE = settings(max_examples=500, deadline=None, database=None, suppress_health_check=_QUIET)

#: The largest number of fields that one draw changes.
CHANGES = 4

#: Fields that a draw must not change: they name what must exist, or decide how expensive the request is.
_FIXED = frozenset(
    {
        "model",
        "n",
        "best_of",
        "stream",
        "file",
        "image",
        "mask",
        "files",
        "background",
        "seconds",
        "conversation",
        "sdp",
    }
)


#: A field is not fuzzed if the Spec calls one of these disputed: the outcome would prove nothing.
_DISPUTES = ("type", "enum", "value", "field", "minimum", "maximum", "maxLength")


def values(node: Node) -> SearchStrategy[Any] | None:
    """A strategy for the values of a plain node: enum values, numbers within bounds, texts.

    Return None for objects, arrays, unions, and texts with a pattern or format.
    """
    if node.branches:
        return None
    if node.enum:
        return st.sampled_from(list(node.enum))
    kind = node.types[0] if len(node.types) == 1 else ""
    limits = {key: node.schema[key] for key in node.bounds}
    if kind == "boolean":
        return st.booleans()
    if kind == "integer":
        # Without bounds small positive numbers are drawn: most unbounded integers are counts.
        # With an upper bound alone, negative numbers may be meant too.
        low = limits.get("minimum", -1000 if "maximum" in limits else 1)
        return st.integers(int(low), int(limits.get("maximum", max(low, 0) + 1000)))
    if kind == "number":
        low, high = limits.get("minimum", 0), limits.get("maximum", 1)
        # Six decimals: all JSON readers agree on such numbers.
        return st.floats(low, high, allow_nan=False, allow_infinity=False).map(lambda number: round(number, 6))
    if kind == "string" and "pattern" not in node.schema and "format" not in node.schema:
        return texts(minimum=limits.get("minLength", 0), maximum=limits.get("maxLength"))
    return None


def _free(slot: Slot) -> bool:
    """Return True for a body field that a draw may change: no id, no address, no cursor, no constant."""
    named = slot.name.endswith(("_id", "_ids", "url")) or slot.name in ("id", "after", "before", "type", "role")
    return not named and slot.name not in _FIXED and slot.path[0] == ".body"


def _pool(derivation: OperationDerivation) -> list[tuple[Slot, SearchStrategy[Any]]]:
    """The slots that a draw may change, each with its strategy."""
    found = []
    for slot in derivation.slots:
        disputed = any(derivation.levels.disputed("body", slot.pointer, keyword) for keyword in _DISPUTES)
        sure = _free(slot) and not derivation.operation.facts.field_gate(slot.pointer) and not disputed
        made = values(slot.node) if sure else None
        if made is not None:
            found.append((slot, made))
    return found


def requests(derivation: OperationDerivation) -> SearchStrategy[Draft]:
    """A strategy for valid requests of an operation. Raises :class:`ValueError` if the operation has no template."""
    hosts = [draft for draft in derivation.templates if draft.expect is Expect.ACCEPT] or list(derivation.templates)
    if not hosts:
        raise ValueError(f"nothing to start from for {derivation.operation.id}")
    # Computed once: the pool is the same for each draw.
    pool = _pool(derivation)

    @st.composite
    def draws(draw: Callable[[SearchStrategy[Any]], Any]) -> Draft:
        host = draw(st.sampled_from(hosts))
        request = host.request
        for _ in range(draw(st.integers(0, CHANGES if pool else 0))):
            slot, strategy = draw(st.sampled_from(pool))
            request = _changed(derivation, request, slot, draw(strategy))
        gate = host.reason or derivation.operation.facts.content_gate(request.get("body"))
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


def _changed(derivation: OperationDerivation, request: Any, slot: Slot, value: Any) -> Any:
    """The request with a drawn value in a slot, or the request as it was if that would not be valid."""
    placed = place(request, derivation.context.root, slot.path, value, derivation.sampler)
    if placed is None or not derivation.context.root.fits(placed.request):
        return request
    mended = derivation.mended(placed.request, placed.spot)
    if mended is None or not derivation.context.strict.is_valid(mended):
        return request
    spot, walked = find(mended, derivation.context.root, slot.path)
    # A repair may have removed the drawn value again; then the draw would be a copy of the template.
    return mended if walked == len(slot.path) and get(mended, spot) is not NOTHING else request


def fuzzed(derivation: OperationDerivation, number: int) -> list[Draft]:
    """Distinct drafts, the same ones for the same seed (``number``) in every process."""
    found: dict[str, Draft] = {}

    @seed(number)
    @CERTIFY
    @given(requests(derivation))
    def collect(draft: Draft) -> None:
        # Two draws may give the same request, which would have the same case id.
        found.setdefault(json.dumps(draft.request, sort_keys=True, default=str), draft)

    collect()
    return list(found.values())
