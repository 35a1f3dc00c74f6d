"""``list cases --coverage``: which share of each document the corpus exercises."""

from __future__ import annotations

import json
from collections.abc import Mapping

from attrs import evolve

from conformance.corpus.corpus import build_corpus
from conformance.corpus.coverage import OperationCoverage, coverage_of, totals
from conformance.requests.profile import Profile
from conformance.settings.options import Options
from conformance.spec.loading import load, versions

__all__ = ["show"]


def show(options: Options, *, as_json: bool) -> int:
    """Print the coverage of the chosen profile, and beside it the coverage of ``standard`` for comparison."""
    names = options.api_versions or versions(options.specs)
    found = {}
    for name in names:
        rows = _rows(options, name)
        same = options.profile == Profile.STANDARD
        found[name] = (rows, rows if same else _rows(evolve(options, profile=Profile.STANDARD), name))
    if as_json:
        print(json.dumps({name: [_plain(row) for row in rows] for name, (rows, _) in found.items()}, indent=1))
        return 0
    for name, (rows, standard) in found.items():
        _print(name, options.profile, rows, standard)
    return 0


def _rows(options: Options, version: str) -> tuple[OperationCoverage, ...]:
    """The coverage of each operation of a version."""
    spec = load(version, options.specs)
    return coverage_of(build_corpus(spec, options.profile, options.seed, cached=not options.no_cache))


def _plain(row: OperationCoverage) -> Mapping[str, object]:
    """A row as a JSON object."""
    return {
        "operation": row.operation,
        "cases": row.cases,
        "shares": {name: [share.covered, share.total] for name, share in row.shares.items()},
        "gaps": [
            {"category": gap.category, "what": gap.what, "reason": gap.reason, "explained": gap.explained}
            for gap in row.gaps
        ],
    }


def _print(
    version: str, profile: str, rows: tuple[OperationCoverage, ...], standard: tuple[OperationCoverage, ...]
) -> None:
    """Print the totals of a version, and what has no case with the reason."""
    whole, beside = totals(rows), totals(standard)
    cases = sum(row.cases for row in rows)
    print(f"{version}, profile {profile}: {cases} cases, {cases / max(1, len(rows)):.0f} for each operation on average")
    print(f"  {'category':<14}{'covered':>9}{'of':>8}{'share':>9}{'standard':>10}")
    for name, share in whole.items():
        print(f"  {name:<14}{share.covered:>9}{share.total:>8}{share.percent:>8.1f}%{beside[name].percent:>9.1f}%")
    gaps = [gap for row in rows for gap in row.gaps]
    reasons: dict[str, int] = {}
    for gap in gaps:
        reasons[gap.reason] = reasons.get(gap.reason, 0) + 1
    for reason, count in sorted(reasons.items(), key=lambda pair: -pair[1]):
        print(f"  without a case: {count}, because {reason}")
    for gap in (gap for gap in gaps if not gap.explained):
        print(f"  MISSING {gap.operation}: {gap.category} {gap.what}: {gap.reason}")
