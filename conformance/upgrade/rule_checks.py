"""The checks of a rule of answers that only one of two versions states."""

from __future__ import annotations

from conformance.checks.catalogue import all_checks
from conformance.judging.check import Check, Scope
from conformance.migration.change import Change
from conformance.spec.spec import Spec

__all__ = ["checks_of"]


def checks_of(change: Change, old: Spec, new: Spec) -> tuple[Spec, tuple[Check, ...]]:
    """(the version that states the rule, those of its checks that look at one answer alone)."""
    spec = old if change.new is None else new
    known = all_checks()
    found = (known[name] for name in spec.clause_by_id[change.keyword].checks if name in known)
    return spec, tuple(check for check in found if check.scope is Scope.EXCHANGE)
