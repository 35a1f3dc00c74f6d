"""``explain CHECK-ID``: what a check demands, why, which rule it rests on, and how it is proved to find errors."""

from __future__ import annotations

import argparse
import inspect
import textwrap

from conformance.checks.catalogue import find_check
from conformance.spec.loading import load, versions

NAME = "explain"
HELP = "explain what a check demands, why, and which documented rule it rests on"
ORDER = 40


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("check", metavar="CHECK-ID", help="the id of a check, as 'list checks' prints it")


def main(args: argparse.Namespace) -> int:
    """Print the explanation."""
    check = find_check(args.check)
    print(f"{check.id}  ({check.level}, judged on each {check.scope})")
    print()
    print(textwrap.indent(check.doc, "  "))
    print()
    # Versions may word a clause differently; those that agree share one paragraph.
    homes: dict[tuple[str, str, str, str], list[str]] = {}
    for version in versions():
        clause = load(version).clause_by_id.get(check.clause)
        if clause is not None:
            homes.setdefault((clause.text, clause.source, clause.keyword, clause.provenance), []).append(version)
    for (text, source, keyword, provenance), where in homes.items():
        print(f"  clause    {check.clause} ({keyword}, {provenance}): {text}")
        print(f"  source    {source}")
        print(f"  versions  {', '.join(where)}")
    print(f"  applies   operations {', '.join(check.operations)}; scenarios {', '.join(check.scenarios)}")
    if check.entails:
        print(f"  entails   (broken too, whenever this one is) {', '.join(check.entails)}")
    proof = inspect.getdoc(check.counterexample) or "Counterexample: a change of a good answer."
    print(f"  proof     {proof.splitlines()[0]} Try it: serve --break {check.id}")
    return 0
