"""``verify DIR``: check that a report is unchanged, and that its evidence still leads to its verdicts."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import evolve

from conformance._parts import late
from conformance.checks.catalogue import all_checks
from conformance.errors import UsageError
from conformance.evidence.outline import Outline
from conformance.evidence.trace import Trace
from conformance.gateway import verifying
from conformance.judging.causes import attributed
from conformance.judging.judge import judge
from conformance.judging.repeats import as_first, folded, repetitions_in
from conformance.run.claims import Claims
from conformance.run.conclusion import computed
from conformance.settings.configuration import Config, Target
from conformance.settings.scope import RunScope
from conformance.spec.loading import load
from conformance.spec.spec import Spec
from conformance.target.preflight import SERVED_CHECK, Preflight
from conformance.verdict import Outcome, Verdict

if TYPE_CHECKING:
    from reports import jsonl, manifest
    from reports.jsonl import Report
else:
    jsonl = late("reports.jsonl")
    manifest = late("reports.manifest")

NAME = "verify"
HELP = "check that the reports of a run are unchanged, and judge their evidence again, offline"
ORDER = 60


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("dir", metavar="DIR", type=Path, help="a run folder, or the folder of one api-version in it")
    parser.add_argument("--specs", metavar="DIR", type=Path, default=None, help="a folder with further api-versions")


def main(args: argparse.Namespace) -> int:
    """Print the differences. The exit code is 0 without any, 1 with some, 3 if a report is truncated or has no
    verdict.
    """
    gateways = verifying.folders(args.dir)
    if gateways:
        return max(_print_all(verifying.problems(folder, args.specs)) or _same_rows(folder) for folder in gateways)
    folders = jsonl.reports_in(args.dir) or [args.dir]
    run_folder = folders != [args.dir]
    # A run folder has a manifest of its own over the manifests of its versions.
    codes = [_print_all(manifest.problems(args.dir))] if run_folder else []
    for folder in folders:
        codes.append(_print_all(manifest.problems(folder)))
        try:
            report = jsonl.read(folder)
        except UsageError as error:
            if not jsonl.reports_in(folder):
                raise
            codes.append(_print_all([str(error)]))
            continue
        codes.append(_verified(folder, report, args.specs))
    # A difference weighs more than a truncated report, whose code is higher.
    return 1 if 1 in codes else max(codes)


def _same_rows(folder: Path) -> int:
    """Say that a report on a gateway follows from its evidence."""
    print(f"{folder.name}: the rows are the same")
    return 0


def _print_all(problems: Iterable[str]) -> int:
    """Print problems; 1 where there are any."""
    return min(1, _counted(problems))


def _counted(problems: Iterable[str]) -> int:
    """Print problems and return how many there are."""
    number = 0
    for number, problem in enumerate(problems, 1):  # noqa: B007 - the last number is the count
        print(problem)
    return number


def _verified(folder: Path, report: Report, specs: Path | None) -> int:
    """Judge the evidence of one report again; returns its exit code."""
    spec = load(report.header["api_version"], specs)
    # The verdicts are compared all the same: most changes of a document touch few rules.
    if spec.digest != report.header["spec_digest"]:
        print(f"{spec.version}: the document changed since the run; verdicts may differ for that reason")
    left = [verdict for verdict in report.verdicts if _without_evidence(verdict)]
    differing = _counted(_differences(spec, folder, report))
    same = len(report.verdicts) - len(left) - differing
    if report.footer is not None:
        differing += _counted(_wrong_footer(report))
    aside = f", {len(left)} rest on no evidence" if left else ""
    cut = "" if report.footer else "; the report is truncated: the run did not end"
    empty = "" if report.verdicts else "; the report holds no verdict"
    print(f"{spec.version}: {same} of {len(report.verdicts) - len(left)} verdicts are the same{aside}{cut}{empty}")
    return 1 if differing else 3 if cut or empty else 0


def _without_evidence(verdict: Verdict) -> bool:
    """True for a verdict of the preflight or of an internal error: no stored exchange can be judged for it."""
    return verdict.check == SERVED_CHECK or verdict.outcome is Outcome.ERROR


def _differences(spec: Spec, folder: Path, report: Report) -> Iterator[str]:
    """Yield the verdicts that are different now, findings and coverage included."""
    # Causes depend on all verdicts of the run, so they are computed after the last one.
    again = attributed(spec, tuple(_judged_again(spec, folder, report)), report.outlines, all_checks())
    for verdict, now in zip(report.verdicts, again, strict=True):
        # Waivers depend on the day and the configuration, not on the evidence.
        if now.unwaived is not verdict.unwaived:
            yield f"{verdict.scenario} {verdict.check}: was {verdict.unwaived}, is {now.unwaived}"
        elif evolve(now, outcome=verdict.outcome, waived=verdict.waived) != verdict:
            yield f"{verdict.scenario} {verdict.check}: was and is {verdict.outcome}, but says something else"


def _judged_again(spec: Spec, folder: Path, report: Report) -> Iterator[Verdict]:
    """The verdicts by today's judge, in the same order; those without evidence as they were."""
    checks, claims = all_checks(), _claims(spec, report.header)
    repetitions = repetitions_in(report.outlines)

    def judged(verdict: Verdict, trace: Trace) -> Verdict:
        if verdict.check not in checks:
            raise UsageError(f"this suite has no check {verdict.check!r}, which the run used", where=str(folder))
        check = checks[verdict.check]
        unclaimed = claims.unclaimed(check.features)
        if unclaimed is not None:
            return Verdict(verdict.check, verdict.scenario, Outcome.NOT_APPLICABLE, reason=unclaimed)
        return judge(spec, check, as_first(trace))

    for scenario, group in groupby(report.verdicts, key=lambda verdict: verdict.scenario):
        verdicts = tuple(group)
        again: list[list[tuple[Outline, Verdict]]] = [[] for _ in verdicts]
        for number, name in enumerate(repetitions.get(scenario, ()), start=2):
            # One trace after the other, because they are read from the file.
            for verdict, times in zip(verdicts, again, strict=True):
                # A run that was cut off may have ended before all repetitions became part of the verdicts.
                if not _without_evidence(verdict) and (report.footer or number <= sum(verdict.repeats.values())):
                    times.append((report.outline(name), judged(verdict, report.traces[name])))
        for verdict, times in zip(verdicts, again, strict=True):
            if _without_evidence(verdict):
                yield evolve(verdict, cause="")
            else:
                yield folded(judged(verdict, report.traces[scenario]), times)


def _wrong_footer(report: Report) -> Iterator[str]:
    """Yield the values of the footer that the verdicts contradict."""
    footer = report.footer or {}
    shown = tuple(report.outlines.values())
    wanted = computed(report.verdicts, shown, ended=footer["ended"], outdated=footer["outdated"])
    for name, value in wanted.items():
        if footer.get(name) != value:
            yield f"footer: {name} is {footer.get(name)!r}, and by the verdicts {value!r}"


def _claims(spec: Spec, header: Mapping[str, Any]) -> Claims:
    """What the target claimed in the run, from the report's header."""
    told = header["target"]
    target = Target(url=told["url"], auth=told["auth"], unsupported=RunScope.from_json(header["scope"]).unsupported)
    return Claims(spec, Config(target), Preflight())
