"""Recorded traffic from its files to a run folder: the same reports as a run has, and nothing is sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from conformance._parts import late
from conformance.checks.catalogue import all_checks
from conformance.errors import UsageError
from conformance.evidence.outline import outline_of
from conformance.evidence.trace import Trace
from conformance.judging.check import Check, Scope
from conformance.judging.judge import judge
from conformance.recordings.files import read_file
from conformance.recordings.traces import Sorted, sorted_out
from conformance.run import recording
from conformance.run.conclusion import exit_code_of, without_success
from conformance.run.recorder import Recorder
from conformance.run.selection import Item
from conformance.settings.scope import RunScope
from conformance.spec.loading import load, versions
from conformance.spec.spec import Spec
from conformance.verdict import Outcome, Verdict

if TYPE_CHECKING:
    from reports import row
    from reports.jsonl import Report
else:
    row = late("reports.row")

__all__ = ["Judged", "judge_files"]

#: The outcomes that say nothing about a recorded exchange, and about a recorded object.
_SILENT = {
    Scope.EXCHANGE: (Outcome.UNAVAILABLE,),
    Scope.TRACE: (Outcome.UNAVAILABLE, Outcome.NOT_APPLICABLE, Outcome.NOT_TESTABLE),
}

#: The routes that no document has which a note names.
_MOST = 8


@frozen
class Judged:
    """The reports on recorded traffic by api-version, and the notes that belong to all of them."""

    reports: dict[str, Report]
    notes: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """The exit code of the command, from the conclusions; 3 where nothing could be judged."""
        return exit_code_of(report.footer for report in self.reports.values())


def judge_files(files: Sequence[Path], out: Path, *, version: str = "", specs: Path | None = None) -> Judged:
    """Judge the exchanges of files and write a run folder. ``version`` is the api-version to judge by; "" for the one
    that each request names.

    Raises :class:`UsageError` for a file that can't be read, with the place, before anything is written.
    """
    chosen = [load(name, specs) for name in ([version] if version else versions(specs))]
    found = sorted_out([one for file in files for one in read_file(file)], chosen, forced=bool(version))
    made, notes, started = {}, tuple(_notes(found)), recording.now()
    for spec in chosen:
        if spec.version in found.traces:
            told = (*_by_another(found, spec.version), *notes)
            made[spec.version] = _report(spec, found, out, started, told)
    if made:
        recording.overview(out, [row.row_of(report) for report in made.values()])
    return Judged(made, notes)


def _report(spec: Spec, found: Sorted, out: Path, started: str, notes: Iterable[str]) -> Report:
    """Judge the traces of one version and write its folder."""
    folder = out / spec.version
    plain, lives = found.traces[spec.version], found.lives[spec.version]
    checks = tuple(all_checks().values())
    traces = (*plain, *lives)
    known = {trace.scenario: trace for trace in traces}
    planned = (*_items(spec, plain, checks), *_life_items(spec, lives, checks))
    judged = _telling(planned, [judge(spec, item.check, known[item.scenario]) for item in planned])
    used = {item.check.id for item, _ in judged}
    checks = tuple(check for check in checks if check.id in used)
    scope = RunScope(recorded=sum(len(trace.observations) for trace in plain))
    about = {"url": "recorded traffic", "auth": "none", "embedded": False}
    header = recording.header_of(spec, scope, checks, about, seed=0, started=started)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        recording.clear(folder)
        recorder = Recorder(folder, "", header)
    except OSError as error:
        raise UsageError(f"can't be written: {error.strerror}", where=f"--out {out}") from None
    alone = ("no successful answer was recorded",) if without_success([outline_of(trace) for trace in traces]) else ()
    for trace in traces:
        recorder.trace(trace)
    for _, verdict in judged:
        recorder.verdict(verdict)
    recorder.close()
    report = recording.merge(folder, spec, header, [item for item, _ in judged], notes=(*alone, *notes))
    recording.derive(folder, report)
    return report


def _items(spec: Spec, traces: Iterable[Trace], checks: Iterable[Check]) -> Iterator[Item]:
    """Yield the items: each check with the operations of which it can judge an exchange."""
    for trace in traces:
        (operation,) = {seen.case.operation for seen in trace}
        for check in checks:
            single = check.scope is Scope.EXCHANGE and check.concerns(trace.scenario, [operation])
            if single and any(check.about(spec, seen.case) for seen in trace):
                yield Item(spec.version, trace.scenario, check)


def _telling(items: Sequence[Item], verdicts: Sequence[Verdict]) -> tuple[tuple[Item, Verdict], ...]:
    """The items with their verdicts, without those of which the recording shows nothing: the service was away, and no
    recording is repeated; or an object never came to the steps that a rule is about. All of them if nothing would be
    left.
    """
    pairs = tuple(zip(items, verdicts, strict=True))
    told = ((item, verdict) for item, verdict in pairs if verdict.outcome not in _SILENT[item.check.scope])
    return tuple(told) or pairs


def _life_items(spec: Spec, lives: Iterable[Trace], checks: Iterable[Check]) -> Iterator[Item]:
    """Yield the items of objects: each rule about lifecycles with each object."""
    rules = [check for check in checks if check.scope is Scope.TRACE and "lifecycle.*" in check.scenarios]
    yield from (Item(spec.version, trace.scenario, check) for trace in lives for check in rules)


def _by_another(found: Sorted, version: str) -> Iterator[str]:
    """Yield which exchanges are judged by the document of another version."""
    for (asked, taken), count in found.nearest.items():
        if taken == version:
            yield f"{_exchanges(count)} with {asked} judged by the document of {taken}, the nearest with the operation"


def _notes(found: Sorted) -> Iterator[str]:
    """Yield what was not judged, and why."""
    if not (found.traces or found.unusable or found.unknown):
        yield "the files hold no exchange"
    for reason, count in found.unusable.items():
        yield f"{_exchanges(count)} not judged: {reason}"
    if found.unknown:
        counts: Counter[str] = Counter()
        for (_, route), count in found.unknown.items():
            counts[route] += count
        routes = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
        named = ", ".join(f"{route} ({count})" for route, count in routes[:_MOST])
        more = f" and {len(routes) - _MOST} more" if len(routes) > _MOST else ""
        hint = (
            " (--api-version V takes requests that name none)" if any(not asked for asked, _ in found.unknown) else ""
        )
        yield f"{_exchanges(counts.total())} of routes that no document has, not judged: {named}{more}{hint}"


def _exchanges(count: int) -> str:
    return f"{count} {'exchange' if count == 1 else 'exchanges'}"
