"""What the derivation of requests takes is free again when the run begins."""

from __future__ import annotations

import gc
from typing import Any

import pytest

from conformance.corpus.corpus import build_corpus
from conformance.requests.profile import Profile
from conformance.schema.validators import forget_validators, validators_of
from conformance.spec.loading import load

SPEC = load("2024-10-21")


@pytest.mark.parametrize("enabled", [False, True])
def test_the_collector_works_while_requests_are_derived_and_is_left_as_it_was(enabled: bool) -> None:
    """``run`` turns it off while it starts; the circles of a large document would take half a gigabyte."""
    before, often, seen = gc.isenabled(), gc.get_threshold(), []

    def note(phase: str, told: dict[str, Any]) -> None:
        seen.append((phase, told["generation"], gc.isenabled()))

    gc.callbacks.append(note)
    gc.set_threshold(20)
    try:
        (gc.enable if enabled else gc.disable)()
        build_corpus(SPEC, Profile.SMOKE, operations=("embeddings.create",), cached=False)
        after = gc.isenabled()
    finally:
        gc.callbacks.remove(note)
        gc.set_threshold(*often)
        (gc.enable if before else gc.disable)()
    assert enabled is after
    assert ("start", 0, True) in seen
    assert ("stop", 2, enabled) in seen, "what is left over isn't collected at the end"


def test_validators_are_forgotten_and_built_again() -> None:
    built = validators_of(SPEC)
    assert built is validators_of(SPEC)
    forget_validators()
    assert built is not validators_of(SPEC)
