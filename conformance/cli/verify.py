"""``verify DIR``: judge the recorded evidence again, offline; the verdicts must be the same."""

from __future__ import annotations

import argparse
from pathlib import Path

from conformance._parts import part
from conformance.catalogue import all_checks
from conformance.errors import UsageError
from conformance.judge import judge
from conformance.spec import load

NAME = "verify"
HELP = "judge a run's recorded evidence again, offline"
ORDER = 60


def add(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("dir", metavar="DIR", type=Path, help="a run folder, or the folder of one api-version in it")
    parser.add_argument("--specs", metavar="DIR", type=Path, default=None, help="a folder with further api-versions")


def main(args: argparse.Namespace) -> int:
    """Print what differs; 0 when nothing does, 1 otherwise."""
    folders = [path.parent for path in sorted(args.dir.glob("*/report.jsonl"))] or [args.dir]
    differences = 0
    for folder in folders:
        report = part("reports.jsonl").read(folder)
        spec = load(report.header["api_version"], args.specs)
        if spec.digest != report.header["spec_digest"]:
            print(f"{spec.version}: the document changed since the run; verdicts may differ for that reason")
        checks, same = all_checks(), 0
        for verdict in report.verdicts:
            if verdict.check not in checks:
                raise UsageError(f"this suite has no check {verdict.check!r}, which the run used", where=str(folder))
            again = judge(spec, checks[verdict.check], report.traces[verdict.scenario])
            if again.outcome is verdict.outcome:
                same += 1
            else:
                differences += 1
                print(f"{verdict.scenario} {verdict.check}: was {verdict.outcome}, is {again.outcome}")
        cut = "" if report.footer else " (the report is truncated: the run did not end)"
        print(f"{spec.version}: {same} of {len(report.verdicts)} verdicts are the same{cut}")
    return 1 if differences else 0
