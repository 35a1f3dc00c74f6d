"""``verify DIR``: judge the recorded evidence again, offline; the verdicts must be the same."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance._parts import late
from conformance.checks.catalogue import all_checks
from conformance.errors import UsageError
from conformance.judging.judge import judge
from conformance.run.claims import Claims
from conformance.settings.configuration import Config, Target
from conformance.spec.loading import load
from conformance.spec.spec import Spec
from conformance.target.preflight import SERVED_CHECK, Preflight
from conformance.verdict import Outcome

if TYPE_CHECKING:
    from reports import jsonl
else:
    jsonl = late("reports.jsonl")

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
        report = jsonl.read(folder)
        spec = load(report.header["api_version"], args.specs)
        if spec.digest != report.header["spec_digest"]:
            print(f"{spec.version}: the document changed since the run; verdicts may differ for that reason")
        checks, claims, same, left = all_checks(), _claims(spec, report.header), 0, 0
        for verdict in report.verdicts:
            if verdict.check == SERVED_CHECK or verdict.outcome is Outcome.ERROR:
                left += 1  # they rest on what came before the corpus, or on our own fault: there is no evidence
                continue
            if verdict.check not in checks:
                raise UsageError(f"this suite has no check {verdict.check!r}, which the run used", where=str(folder))
            check = checks[verdict.check]
            unclaimed = claims.unclaimed(check.features) is not None
            again = Outcome.NOT_APPLICABLE if unclaimed else judge(spec, check, report.traces[verdict.scenario]).outcome
            if again is verdict.outcome:
                same += 1
            else:
                differences += 1
                print(f"{verdict.scenario} {verdict.check}: was {verdict.outcome}, is {again}")
        cut = "" if report.footer else " (the report is truncated: the run did not end)"
        aside = f", {left} rest on no evidence" if left else ""
        print(f"{spec.version}: {same} of {len(report.verdicts) - left} verdicts are the same{aside}{cut}")
    return 1 if differences else 0


def _claims(spec: Spec, header: Mapping[str, Any]) -> Claims:
    """What the target claimed in the run."""
    told = header["target"]
    target = Target(url=told["url"], auth=told["auth"], unsupported=told.get("unsupported", {}))
    return Claims(spec, Config(target), Preflight(), datetime.now(UTC).date())
