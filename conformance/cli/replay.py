"""``replay CASE-ID --run DIR``: send one case of an earlier run again and judge the answer."""

from __future__ import annotations

import argparse
import secrets
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from attrs import evolve

from conformance._parts import late
from conformance.errors import UsageError
from conformance.evidence.timeline import escaped, marks_of, render, timeline, visible
from conformance.evidence.trace import Observation, Trace
from conformance.judging.repeats import as_first
from conformance.run.replay import Replayed, concerned, only, replay
from conformance.settings.applied import configured
from conformance.settings.configuration import is_loopback
from conformance.settings.options import Options, add_to, from_mapping
from conformance.settings.scope import RunScope
from conformance.spec.loading import load
from conformance.target.cleanup import clean
from conformance.target.journal import Journal
from conformance.target.journal_folder import default_folder
from conformance.target.preflight import answered_by_emulator
from conformance.target.target import Target
from conformance.verdict import Outcome

if TYPE_CHECKING:
    from reports import jsonl
    from reports.jsonl import Report
else:
    jsonl = late("reports.jsonl")

NAME = "replay"
HELP = "send one case of an earlier run again and judge the answer"
ORDER = 50

#: Characters of a body that are printed.
LONGEST = 2_000


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("case", metavar="CASE-ID", help="the id of a case, or its beginning")
    parser.add_argument(
        "--run", required=True, type=Path, metavar="DIR", help="the folder of the run, or of one api-version in it"
    )
    parser.add_argument(
        "--scenario", default="", metavar="NAME", help="the scenario of the case, where several have it (default: any)"
    )
    parser.add_argument(
        "--content", action="store_true", help="print the recorded content of the request as it is, and send nothing"
    )
    add_to(parser, "--target", "--config", "--specs", "--allow-plain-http", "--cleanup-timeout", "--expensive")


def main(args: argparse.Namespace) -> int:
    """Print the request, the answer and the verdicts. The exit code is 1 if a check fails, else 0."""
    report, trace, seen = _find(args.run, args.case, args.scenario)
    if args.content:
        sys.stdout.flush()
        sys.stdout.buffer.write(seen.exchange.request.body)
        return 0
    header = report.header
    options = from_mapping(vars(args))
    # The corpus depends on both, so they must be those of the run.
    options = evolve(options, profile=RunScope.from_json(header["scope"]).profile, seed=header["seed"])
    spec = load(header["api_version"], options.specs)
    checks = concerned(report.verdicts, trace.scenario, seen.case.id)
    scenario = only(spec, options, trace.scenario, seen.case.id)
    with ExitStack() as stack:
        config = configured(_at(options, header))
        if not config.target.url:
            from conformance.emulator.behaviour import Settings
            from conformance.emulator.process import emulator

            # A new key each time: nobody else on this machine may use the emulator.
            key = secrets.token_urlsafe(16)
            url = stack.enter_context(emulator([spec.version], settings=Settings(key=key), folder=options.specs))
            config = evolve(config, target=config.target.at_emulator(url, key))
        journal = stack.enter_context(Journal(default_folder(), target=config.target.url, api_version=spec.version))
        if config.target.live is None:
            with Target(config, spec) as unknown:
                # As in a run: whatever isn't our emulator is protected.
                config = evolve(config, target=evolve(config.target, live=not answered_by_emulator(unknown, spec)))
        target = stack.enter_context(Target(config, spec, journal=journal))
        try:
            made = replay(spec, target, scenario, seen.case.id, checks)
        finally:
            # Also after an error: the steps before the case may have created objects.
            clean(target, journal, options.cleanup_timeout)
    _print(made)
    before = {v.check: v.outcome for v in report.verdicts if v.scenario == trace.scenario}
    for verdict in made.verdicts:
        was = before.get(verdict.check)
        print(f"{verdict.outcome.value:<14} {verdict.check}   (the scenario in the run: {was.value if was else '-'})")
        for finding in verdict.findings:
            if finding.case_id == seen.case.id:
                print(escaped(f"{'':<14} {finding.message}" + (f" at {finding.place}" if finding.place else "")))
    return 1 if any(verdict.outcome is Outcome.FAIL for verdict in made.verdicts) else 0


def _at(options: Options, header: Mapping[str, Any]) -> Options:
    """The options, with the run's own target if no other one is named and the run wasn't against the embedded emulator.

    Raises :class:`UsageError` if that target is another machine that the configuration doesn't name: a report may come
    from anybody, and the key would be sent to its target.
    """
    told = header["target"]
    if options.target or told.get("embedded"):
        return options
    if not is_loopback(told["url"]):
        named = configured(options).target.url
        if named.rstrip("/") != told["url"].rstrip("/"):
            raise UsageError(
                f"the run's target was {told['url']}, which is not the configured one",
                hint=f"if it may have your key: --target {told['url']}",
            )
    return evolve(options, target=told["url"])


def _find(folder: Path, case_id: str, scenario: str) -> tuple[Report, Trace, Observation]:
    """The report, trace and observation of a case in a run folder. Raises :class:`UsageError` if there is no such
    case.
    """
    files = jsonl.reports_in(folder)
    if not files:
        raise UsageError("no report here", where=str(folder), hint="give the folder of a run")
    failure: UsageError | None = None
    for file in files:
        report = jsonl.read(file)
        try:
            trace, seen = report.observation(case_id, scenario)
        except UsageError as error:
            failure = error
            continue
        return report, as_first(trace), seen
    raise failure or UsageError(f"no case {case_id!r}")


def _print(made: Replayed) -> None:
    """Print the exchange; a stream as a timeline with the findings at their events."""
    seen = made.seen
    request, response = seen.exchange.request, seen.exchange.response
    parts = urlsplit(request.url)
    print(f"case {seen.case.id}, {seen.case.operation}, expects {seen.case.expect.value}")
    print(f"> {request.method} {parts.path}{'?' + parts.query if parts.query else ''}")
    if request.body:
        print(f"> {_text(request.body)}")
    if seen.exchange.fault is not None:
        print(f"< {seen.exchange.fault.kind.value}: {escaped(seen.exchange.fault.message)}")
    if response is None:
        return
    print(escaped(f"< {response.status} {response.header('content-type') or ''}"))
    if response.media_type == "text/event-stream":
        print(render(timeline(seen.exchange, marks_of(made.verdicts, seen.case.id))))
    else:
        print(f"< {_text(response.body)}")


def _text(body: bytes) -> str:
    """A body as text, cut after :data:`LONGEST` characters."""
    text = visible(body.decode("utf-8", "replace"))
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text)} characters)"
