"""The run folder: evidence is written as it comes, merged at the end, and all other reports are derived from it.

Each process appends to its own file, so that a killed run leaves its evidence. The process that ends last puts the
parts in the order of the corpus and writes the canonical report and the derived ones.
"""

from __future__ import annotations

import pkgutil
import platform
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from conformance import __version__
from conformance._parts import late, part
from conformance.checks.catalogue import all_checks
from conformance.evidence.exchange import FaultKind
from conformance.evidence.outline import Outline, outline_of
from conformance.evidence.trace import Trace
from conformance.judging.causes import attributed
from conformance.judging.check import Check
from conformance.judging.repeats import repetitions_in, scenario_of
from conformance.run.conclusion import computed
from conformance.run.copied import copied, finished, possible
from conformance.run.ending import Ended
from conformance.run.recorder import Recorder
from conformance.run.selection import Item
from conformance.settings.options import Options
from conformance.settings.scope import RunScope
from conformance.spec.spec import Spec
from conformance.verdict import Outcome, Verdict

if TYPE_CHECKING:
    from reports import jsonl, manifest, stored
    from reports import overview as overview_page
    from reports.jsonl import Report
    from reports.row import Row
else:
    jsonl = late("reports.jsonl")
    manifest = late("reports.manifest")
    stored = late("reports.stored")
    overview_page = late("reports.overview")

__all__ = [
    "SHARD",
    "Format",
    "assembled",
    "clear",
    "derive",
    "formats",
    "header_of",
    "merge",
    "now",
    "out_folder",
    "overview",
    "seal",
]

#: What a shard notes for the merge, beside its report.
SHARD = "shard.json"

#: The most seconds that the page needs when all other formats are written. Then it is written here.
_PATIENCE = 120.0

#: How a run ends that created nothing.
NOTHING_LEFT = Ended()


class Format(Protocol):
    """The interface of a module of ``reports/`` that derives a file from the canonical report."""

    @property
    def NAME(self) -> str:  # noqa: N802 - a constant of the module
        """The name of its file in the folder of an api-version."""

    def render(self, report: Report, run_dir: str) -> str:
        """The text of the file. ``run_dir`` is the folder as a reader would name it in a command.

        A module may also have ``pieces``, with the same arguments, which yields a long text piece by piece.
        """


def now() -> str:
    """The current time in UTC, in the form of RFC 3339."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def out_folder(options: Options) -> Path:
    """The chosen run folder, or a folder under the current directory that is named by the time."""
    return options.out or Path("reports") / "out" / datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")


def header_of(
    spec: Spec, scope: RunScope, checks: Iterable[Check], target: Mapping[str, Any], *, seed: int, started: str
) -> dict[str, Any]:
    """The header of a report: versions, target, scope, and the checks with their rules."""
    clauses = spec.clause_by_id
    return {
        "suite": __version__,
        "python": platform.python_version(),
        "api_version": spec.version,
        "spec_digest": spec.digest,
        "target": dict(target),
        "scope": scope.to_json(),
        "seed": seed,
        "started": started,
        "checks": {
            check.id: {
                "level": check.level.value,
                "area": check.area,
                "clause": check.clause,
                "clause_text": clauses[check.clause].text if check.clause in clauses else "",
                "source": clauses[check.clause].source if check.clause in clauses else "",
                "title": check.title,
                "provenance": check.provenance,
            }
            for check in checks
        },
        "errata": {erratum.id: erratum.holds for erratum in spec.errata},
    }


def clear(folder: Path) -> None:
    """Remove the reports of an earlier run in the same folder, packed ones too, the parts that a killed run left, and
    what an earlier shard noted for the merge.

    :func:`merge` would take them for parts of this run, and readers an older report for its report.
    """
    for pattern in ("report*.jsonl", f"{jsonl.NAME}.*", SHARD):
        for file in folder.glob(pattern):
            file.unlink()


def _nothing(verdicts: Sequence[Verdict], cut: bool) -> Iterable[str]:  # noqa: ARG001 - the place of a function
    """The default of ``outdated``: nothing should be removed."""
    return ()


def merge(
    folder: Path,
    spec: Spec,
    header: Mapping[str, Any],
    items: Sequence[Item],
    *,
    extra: Iterable[Verdict] = (),
    interrupted: bool = False,
    early: str = "",
    notes: Iterable[str] = (),
    ended_with: Ended = NOTHING_LEFT,
    outdated: Callable[[Sequence[Verdict], bool], Iterable[str]] = _nothing,
    own: Recorder | None = None,
) -> Report:
    """Merge the parts of one version into its report file, and remove the parts. Returns the whole report, from which
    :func:`derive` makes the others. ``own`` has what this process wrote itself, which need not be read.

    An item without a verdict was not run. If the run was interrupted or pytest ended it ``early`` (for the reason
    given), the scenarios of such items are named; otherwise they are internal errors. ``outdated`` is a function of all
    verdicts and of whether the run was cut short; it names the waivers and entries of the baseline that should be
    removed.
    """
    parts = sorted(folder.glob("report*.jsonl"))
    written = assembled(
        folder,
        spec,
        header,
        items,
        [_known(file, own) or jsonl.read(file) for file in parts],
        extra=extra,
        interrupted=interrupted,
        early=early,
        notes=notes,
        ended_with=ended_with,
        outdated=outdated,
    )
    # The whole report is in place before the parts are removed.
    for file in parts:
        if file.name != jsonl.NAME:
            file.unlink()
    return written


def _known(file: Path, own: Recorder | None) -> Report | None:
    """The content of a part, if this process has written it."""
    return own.report if own is not None and own.path == file else None


def assembled(
    folder: Path,
    spec: Spec,
    header: Mapping[str, Any],
    items: Sequence[Item],
    parts: Iterable[Report],
    *,
    extra: Iterable[Verdict] = (),
    interrupted: bool = False,
    early: str = "",
    notes: Iterable[str] = (),
    ended_with: Ended = NOTHING_LEFT,
    outdated: Callable[[Sequence[Verdict], bool], Iterable[str]] = _nothing,
) -> Report:
    """Write the report of one version from parts, as :func:`merge` does. The parts stay."""
    traces: dict[str, Report] = {}
    verdicts: dict[tuple[str, str], Verdict] = {}
    for read in parts:
        traces.update(dict.fromkeys(read.traces, read))
        # Each item belongs to one process, so no key comes from two parts.
        verdicts.update({(verdict.scenario, verdict.check): verdict for verdict in read.verdicts})
    missing = [item for item in items if (item.scenario, item.check.id) not in verdicts]
    cut = interrupted or bool(early and missing)
    if not cut:
        for item in missing:
            reason = "the process that ran this scenario ended before it was judged"
            verdicts[item.scenario, item.check.id] = Verdict(item.check.id, item.scenario, Outcome.ERROR, reason=reason)
    order = {scenario: place for place, scenario in enumerate(dict.fromkeys(item.scenario for item in items))}
    claims = tuple(extra)
    ordered = sorted(verdicts.values(), key=lambda v: (order.get(v.scenario, len(order)), v.scenario, v.check))
    everything = (*claims, *ordered)
    names = sorted(
        {verdict.scenario for verdict in everything} | set(traces), key=lambda n: (order.get(n, len(order)), n)
    )
    nothing = {name: Trace(name, ended="nothing was sent") for name in names if name not in traces}
    shown = [traces[name].outline(name) if name in traces else outline_of(nothing[name]) for name in names]
    # Causes depend on all verdicts, so they are found only after the merge.
    everything = attributed(spec, everything, {outline.scenario: outline for outline in shown}, all_checks())
    ended = "interrupted" if interrupted else "early" if cut else ""
    gone = list(outdated(everything, cut))
    footer = {
        **computed(everything, shown, ended=ended, outdated=gone),
        "outdated": gone,
        "finished": now(),
        "ended": ended,
        "interrupted": cut,
        "not_run": sorted({item.scenario for item in missing}) if cut else _not_run(shown),
        "notes": [*_early(early, missing), *_repeats(shown), *_sent_again(shown), *notes],
        "left_behind": list(ended_with.left),
        "cannot_be_removed": list(ended_with.staying),
        "unanswered": list(ended_with.unanswered),
    }
    evidence = (nothing.get(name) or (traces[name], name) for name in names)
    return jsonl.write(folder / jsonl.NAME, header, evidence, everything, footer)


def _early(reason: str, missing: Sequence[Item]) -> Iterator[str]:
    """Yield a note if pytest ended the run before all items were judged."""
    if reason and missing:
        yield f"the run was ended early ({reason}): {len(missing)} items were not judged"


#: How an attempt ended that got no answer.
_SILENT = FaultKind.READ_TIMEOUT.value


def _repeats(traces: Sequence[Outline]) -> Iterator[str]:
    """Yield a note on answers that came only after a retry, with what the first attempts ended in."""
    repeated = [step.attempts for trace in traces for step in trace if step.attempts]
    if not repeated:
        return
    before = Counter(ended for attempts in repeated for ended in attempts)
    told = ", ".join(f"{what} ({many} {'time' if many == 1 else 'times'})" for what, many in sorted(before.items()))
    yield f"{len(repeated)} requests were sent again; what came before their last answers: {told}"
    # A silent answer is repeated only if other requests of this run were under way, and then alone.
    queued = sum(_SILENT in step.attempts and step.status is not None for trace in traces for step in trace)
    if queued:
        yield f"the target queues: {queued} requests were answered only when no other request was under way"


def _sent_again(traces: Iterable[Outline]) -> Iterator[str]:
    """Yield a note on the scenarios that ``--repeat`` sent again, if there are any."""
    found = repetitions_in(trace.scenario for trace in traces)
    if found:
        most = max(len(again) for again in found.values())
        many = f"{len(found)} {'scenario was' if len(found) == 1 else 'scenarios were'}"
        yield f"{many} sent again because of a failure or warning, up to {most + 1} times in all"


def _not_run(traces: Sequence[Outline]) -> list[str]:
    """The scenarios that sent nothing, also not in a repetition."""
    names = {scenario_of(trace.scenario) for trace in traces}
    return sorted(names - {scenario_of(trace.scenario) for trace in traces if trace.steps})


@cache
def formats() -> tuple[Format, ...]:
    """The report formats besides the canonical one: the modules of ``reports/`` with ``NAME`` and ``render``."""
    names = sorted(info.name for info in pkgutil.iter_modules(part("reports").__path__))
    modules = (part(f"reports.{name}") for name in names)
    return tuple(cast("Format", made) for made in modules if hasattr(made, "NAME") and hasattr(made, "render"))


def derive(folder: Path, report: Report) -> None:
    """Write the derived reports of a version. Raises :class:`OSError` at the end if one of them can't be written."""
    # Each is derived from the canonical report alone. The page takes as long as all the others.
    pages = [module for module in formats() if hasattr(module, "pieces")]
    others = [module for module in formats() if module not in pages]
    beside = _beside(folder, report, pages)
    failed = _write(folder, report, others)
    if not beside():
        failed += _write(folder, report, pages)
    if failed:
        raise failed[0]
    seal(folder)


def _beside(folder: Path, report: Report, modules: Sequence[Format]) -> Callable[[], bool]:
    """Begin to write some derived reports in a process beside this one, where that can be had. The function that is
    returned waits for it, and says if all were written.
    """
    if not possible():
        return lambda: False
    try:
        process = copied(_must_write, folder, report, modules)
    except OSError:  # the system allows no more processes
        return lambda: False

    return lambda: finished(process, _PATIENCE)


def _must_write(folder: Path, report: Report, modules: Iterable[Format]) -> None:
    """Write some derived reports. Raises :class:`OSError` if one of them can't be written."""
    for error in _write(folder, report, modules):
        raise error


def _write(folder: Path, report: Report, modules: Iterable[Format]) -> list[OSError]:
    """Write some derived reports. Returns why some of them can't be written."""
    failed: list[OSError] = []
    for module in modules:
        made = getattr(module, "pieces", None)
        try:
            with (folder / module.NAME).open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as stream:
                stream.writelines(made(report, str(folder)) if made else [module.render(report, str(folder))])
        except OSError as error:
            failed.append(error)
    return failed


def seal(folder: Path) -> None:
    """Write the manifest of all files in a folder. It must be written again after a file was added."""
    manifest.write(folder)


def overview(folder: Path, rows: Sequence[Row]) -> None:
    """Write the pages above the api-versions of a run."""
    for name, text in (
        (overview_page.NAME, overview_page.page(rows)),
        (overview_page.MARKDOWN, overview_page.markdown(rows)),
    ):
        (folder / name).write_text(text, "utf-8", "backslashreplace")
    seal(folder)
