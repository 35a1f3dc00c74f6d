"""``list versions | operations | checks | clauses | scenarios | cases | capabilities``: print what the suite
contains.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from conformance.settings.options import Options, add_to, from_mapping
from conformance.spec.loading import load, versions
from conformance.spec.spec import Spec

NAME = "list"
HELP = "list api-versions, operations, checks, clauses, scenarios, cases or capabilities"
ORDER = 30

Row = dict[str, Any]

#: Longer cells of a table are cut; the JSON has them whole.
_WIDEST = 72


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("what", choices=tuple(_ROWS), metavar="WHAT", help=f"what to list: {', '.join(_ROWS)}")
    parser.add_argument("--json", action="store_true", help="print a JSON array instead of a table")
    parser.add_argument(
        "--coverage",
        action="store_true",
        help="only with cases: print which share of the API document the requests use",
    )
    chosen = ("--api-version", "--specs", "--profile", "--seed", "--operation", "--family", "--shard", "--no-cache")
    add_to(parser, *chosen)


def main(args: argparse.Namespace) -> int:
    """Print a table or JSON."""
    options = from_mapping(vars(args))
    if args.what == "cases" and args.coverage:
        from conformance.cli import _coverage

        return _coverage.show(options, as_json=args.json)
    rows = list(_ROWS[args.what](options))
    if args.json:
        print(json.dumps(rows, indent=1, ensure_ascii=False))
    else:
        _table(rows)
        if args.what == "clauses":
            _coverage_of_clauses(rows)
    return 0


def _chosen(options: Options) -> Iterator[Spec]:
    """The chosen api-versions, or all."""
    for version in options.api_versions or versions(options.specs):
        yield load(version, options.specs)


def _versions(options: Options) -> Iterator[Row]:
    """One row for each api-version."""
    from conformance.spec.operations import operations_of

    for spec in _chosen(options):
        yield {
            "version": spec.version,
            "default": spec.default,
            "status": spec.status,
            "live": spec.live,
            "surface": spec.surface,
            "operations": len(operations_of(spec)),
            "complete": spec.complete,
            "gaps": list(spec.gaps),
            "errata": len(spec.errata),
            "clauses": len(spec.clauses),
            "features": sorted(spec.features),
            "source": [source.title for source in spec.sources],
        }


def _operations(options: Options) -> Iterator[Row]:
    """One row for each operation of a version."""
    from conformance.spec.operations import operations_of

    for spec in _chosen(options):
        for operation in operations_of(spec).values():
            yield {
                "version": spec.version,
                "operation": operation.id,
                "method": operation.method,
                "path": operation.path,
                "resource": operation.resource,
                "stream": operation.stream.protocol if operation.stream else "",
                "complete": spec.complete,
                "features": [name for name in sorted(spec.features) if _belongs(name, operation.id)],
                "source": [source.document for source in spec.sources],
            }


def _belongs(feature: str, operation: str) -> bool:
    """True if a feature concerns an operation: ``chat.tools`` and ``chat.completions.create`` begin with the same
    word.
    """
    return feature.partition(".")[0] == operation.partition(".")[0]


def _checks(options: Options) -> Iterator[Row]:  # noqa: ARG001 - all listings share one signature
    """One row for each check."""
    from conformance.checks.catalogue import all_checks

    for check in all_checks().values():
        yield {
            "check": check.id,
            "level": check.level.value,
            "scope": check.scope.value,
            "clause": check.clause,
            "provenance": check.provenance,
            "title": check.title,
        }


def _clauses(options: Options) -> Iterator[Row]:
    """One row for each clause of a version."""
    from conformance.spectools.version_numbers import state_of

    for spec in _chosen(options):
        for clause in spec.clauses:
            yield {
                "version": spec.version,
                "clause": clause.id,
                "keyword": clause.keyword,
                "state": state_of(clause),
                "checks": list(clause.checks),
                "text": clause.text,
                "reason": clause.excluded,
            }


def _coverage_of_clauses(rows: Sequence[Row]) -> None:
    """Print how many clauses of each version are checked, planned or excluded."""
    counts: dict[str, Counter[str]] = {}
    for row in rows:
        counts.setdefault(row["version"], Counter())[row["state"]] += 1
    print()
    for version, states in counts.items():
        parts = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
        print(f"{version}: {sum(states.values())} clauses: {parts}")


def _scenarios(options: Options) -> Iterator[Row]:
    """One row for each scenario of a version."""
    from conformance.scenarios.registry import scenarios_of

    for spec in _chosen(options):
        for item in scenarios_of(spec, options.profile):
            yield {"version": spec.version, "scenario": item.id, "requests": item.requests, "doc": _first(item.doc)}


def _cases(options: Options) -> Iterator[Row]:
    """One row for each case of the corpus."""
    from conformance.run.selection import scenarios_in

    for spec in _chosen(options):
        for item in scenarios_in(spec, options):
            for case in item.cases:
                yield {
                    "version": spec.version,
                    "case": case.id,
                    "operation": case.operation,
                    "family": case.family.value,
                    "expect": case.expect.value,
                    "level": case.level.value,
                    "role": case.role,
                    "breaks": f"{case.breaks.keyword} {case.breaks.pointer}" if case.breaks else "",
                    "reason": case.reason,
                }


def _capabilities(options: Options) -> Iterator[Row]:  # noqa: ARG001 - all listings share one signature
    """One row for each capability of deployments."""
    from conformance.settings.form import CAPABILITIES

    for word, meaning in CAPABILITIES.items():
        yield {"capability": word, "meaning": meaning}


_ROWS = {
    "versions": _versions,
    "operations": _operations,
    "checks": _checks,
    "clauses": _clauses,
    "scenarios": _scenarios,
    "cases": _cases,
    "capabilities": _capabilities,
}


def _first(text: str) -> str:
    """The first line of a text."""
    return text.splitlines()[0] if text else ""


def _table(rows: Iterable[Mapping[str, Any]]) -> None:
    """Print rows in columns; the last column isn't padded."""
    # The meaning of a capability is what the reader came for, so it is never cut.
    lines = [{key: value if key == "meaning" else _cell(value) for key, value in row.items()} for row in rows]
    if not lines:
        print("nothing")
        return
    widths = {key: max(len(key), *(len(line[key]) for line in lines)) for key in lines[0]}
    last = list(widths)[-1]
    for line in ({key: key for key in widths}, *lines):
        print("  ".join(line[key] if key == last else line[key].ljust(widths[key]) for key in widths).rstrip())


def _cell(value: Any) -> str:
    """A value as one cell of the table."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 2]} …"
