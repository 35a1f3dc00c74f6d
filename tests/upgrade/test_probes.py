"""For everything that requests of one version have and those of another have not, there is a request that shows it."""

from __future__ import annotations

import pytest

from conformance.migration.basis import changes_between
from conformance.migration.change import Basis, Direction, Subject
from conformance.requests.profile import Profile
from conformance.spec.loading import load
from conformance.upgrade.probing import Use, plan_for
from conformance.upgrade.sides import Side

#: Pair of versions → the places of changes, and the rules, that no request shows. A text that breaks the one pattern of
#: a name breaks the other one too. The rule on chunks is broken at another operation, which has it as well.
PAIRS: dict[tuple[str, str], set[str]] = {
    ("2024-06-01", "2024-10-21"): set(),
    ("2024-05-01-preview", "2024-12-01-preview"): {"vector-store-chunk-overlap"},
    ("2024-12-01-preview", "2025-01-01-preview"): set(),
    ("2025-01-01-preview", "2025-04-01-preview"): {"functions[].name"},
    ("2024-10-21", "v1"): set(),
}

#: The pair that every run looks at; the others have many operations.
SMALL = ("2024-06-01", "2024-10-21")


def _shown(pair: tuple[str, str]) -> None:
    old, new = (Side(load(name), Profile.STANDARD) for name in pair)
    # A default shows in an answer that names the value, or nowhere.
    changes = [
        change
        for change in changes_between(old.spec, new.spec)
        if change.basis is not Basis.CORRECTION
        and change.direction is Direction.REQUEST
        and change.subject is not Subject.DEFAULT
    ]
    plan = plan_for(old, new, changes, {change.operation for change in changes})
    silent = [probe.change for probe in plan.probes if not probe.uses]
    assert PAIRS[pair] == {change.keyword if change.subject is Subject.RULE else change.where for change in silent}
    for probe in plan.probes:
        for use, request in probe.uses:
            if use is Use.DIFFERS:
                assert request.fits_old != request.fits_new
            if use is Use.GOOD:
                assert request.holds(probe.change)


def test_every_change_of_requests_is_shown_by_a_request() -> None:
    _shown(SMALL)


@pytest.mark.prove
@pytest.mark.parametrize("pair", sorted(set(PAIRS) - {SMALL}))
def test_every_change_of_requests_of_large_versions_is_shown_by_a_request(pair: tuple[str, str]) -> None:
    _shown(pair)
