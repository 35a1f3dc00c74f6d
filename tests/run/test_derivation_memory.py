"""What the derivation of requests takes is free again when the run begins."""

from __future__ import annotations

from conformance.schema.validators import forget_validators, validators_of
from conformance.spec.loading import load

SPEC = load("2024-10-21")


def test_validators_are_forgotten_and_built_again() -> None:
    built = validators_of(SPEC)
    assert built is validators_of(SPEC)
    forget_validators()
    assert built is not validators_of(SPEC)
