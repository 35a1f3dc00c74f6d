"""The reports of a run's shards → the reports of the whole run. Nothing is sent.

A scenario belongs to one shard, so no verdict on an item depends on another shard. What depends on all of them is
computed anew by the code of an undivided run: scope, claims, root causes, outdated waivers, the conclusion.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial, reduce
from operator import add
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from conformance import __version__
from conformance._parts import late
from conformance.errors import UsageError
from conformance.run import recording
from conformance.run.conclusion import exit_code_of
from conformance.run.ending import Ended
from conformance.run.notes import claims, header, notes, outdated
from conformance.run.opening import Opened
from conformance.run.recording import SHARD
from conformance.run.shard_record import ShardRecord, as_written
from conformance.scenarios.shards import divided
from conformance.spec.loading import load
from conformance.target.preflight import SERVED_CHECK

if TYPE_CHECKING:
    from reports import jsonl, row
    from reports.jsonl import Report
else:
    jsonl = late("reports.jsonl")
    row = late("reports.row")

__all__ = ["Merged", "Part", "merged", "parts_in"]

#: How deep a shard's folders may lie below a given one: runs, and the api-versions in each.
_PLACES = (SHARD, f"*/{SHARD}", f"*/*/{SHARD}")


@frozen
class Part:
    """One shard at one api-version: its folder, its record, and its reports (several, if its workers were killed)."""

    folder: Path
    record: ShardRecord
    reports: tuple[Report, ...]

    @property
    def unfinished(self) -> str:
        """Why not everything of this shard was judged; "" if it was."""
        footers = [report.footer for report in self.reports]
        ended = self.record.ended
        if ended is None or not footers or None in footers:
            return "did not come to its end"
        told = [str(footer["ended"]) for footer in footers if footer]
        if any(told):
            return "was interrupted" if "interrupted" in told else "was ended early"
        return ended.unwritten and f"is not complete: {ended.unwritten}"


@frozen
class Merged:
    """The reports of a whole run by api-version, and a line for each shard that is missing or not complete."""

    reports: Mapping[str, Report]
    missing: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """3 if a shard is missing, whatever the others say, else that of an undivided run."""
        if self.missing:
            return 3
        return exit_code_of(report.footer for report in self.reports.values())


def parts_in(folders: Sequence[Path]) -> tuple[Part, ...]:
    """The shards in run folders, or in folders of them. Raises :class:`UsageError` for a folder without a shard."""
    found: dict[Path, Part] = {}
    for folder in folders:
        files = sorted(file for place in _PLACES for file in folder.glob(place))
        if not files:
            hint = f"give the folders of runs with --shard k/n; each holds {SHARD} beside report.jsonl"
            raise UsageError("holds no shard", where=str(folder), hint=hint)
        for file in files:
            found[file.resolve()] = Part(file.parent, ShardRecord.read(file), tuple(_reports(file.parent)))
    return tuple(found.values())


def _reports(folder: Path) -> Iterator[Report]:
    """Yield the reports in a folder of a shard: the whole one, packed or not, or what its processes had written."""
    for file in sorted(folder.glob("report*.jsonl")) or sorted(folder.glob("report.jsonl.*")):
        if file.stat().st_size:
            yield jsonl.read(file)


def merged(parts: Sequence[Part], out: Path, specs: Path | None = None) -> Merged:
    """Write the run folder of the whole run. ``specs`` holds further api-versions.

    Raises :class:`UsageError` if the parts don't belong to one run, if a report would replace that of a part, or if the
    folder can't be written.
    """
    versions: dict[str, list[Part]] = {}
    for part in sorted(parts, key=lambda part: part.record.shard.k):
        versions.setdefault(part.record.api_version, []).append(part)
    replaced = {(out / name).resolve() for name in versions} & {part.folder.resolve() for part in parts}
    if replaced:
        hint = "the report of the whole run would replace the shard"
        raise UsageError(f"{min(replaced)} holds a shard", where=f"--out {out}", hint=hint)
    every = {part.record.shard.k for part in parts}
    wholes = {name: _whole(name, found, specs) for name, found in versions.items()}
    reports, missing = {}, list[str]()
    for name, found in versions.items():
        lacking = tuple(_lacking(wholes[name], found, every))
        missing += [f"{name}: {line}" for line in lacking]
        try:
            (out / name).mkdir(parents=True, exist_ok=True)
            recording.clear(out / name)
            reports[name] = _report(wholes[name], found, out / name, lacking)
            recording.derive(out / name, reports[name])
        except OSError as error:
            raise UsageError(f"can't be written: {error.strerror or error}", where=f"--out {out}") from None
    made = Merged(reports, tuple(missing))
    recording.overview(out, [row.row_of(report) for report in reports.values()])
    return made


def _whole(version: str, parts: Sequence[Part], specs: Path | None) -> Opened:
    """The undivided run that shards belong to. Raises :class:`UsageError` if they belong to several."""
    first = parts[0]
    seen: dict[int, Path] = {}
    for part in parts:
        record, where = part.record, str(part.folder)
        if record.whole.get("suite") != __version__:
            told = f"was written by version {record.whole.get('suite')} of the suite, and this is {__version__}"
            raise UsageError(told, where=where, hint="merge with the version that judged")
        if record.shard.n != first.record.shard.n:
            raise UsageError(f"is shard {record.shard}, and {first.folder} is {first.record.shard}", where=where)
        if record.shard.k in seen:
            raise UsageError(f"is shard {record.shard}, as {seen[record.shard.k]} is", where=where)
        seen[record.shard.k] = part.folder
        for name, value in first.record.whole.items():
            if record.whole.get(name) != value:
                hint = "run all shards with the same options, configuration and baseline"
                told = f"differs from {first.folder} in {name.replace('_', ' ')}"
                raise UsageError(told, where=where, hint=hint)
        same = record.embedded == first.record.embedded and (record.embedded or record.url == first.record.url)
        if not same:
            raise UsageError(f"judged another target than {first.folder}: {record.url}", where=where)
        if any(report.header["scope"]["pytest"] for report in part.reports):
            hint = "run the shard without -k, -m and --lf"
            raise UsageError("pytest left out a part of this shard", where=where, hint=hint)
    spec = load(version, specs)
    if spec.digest != first.record.whole.get("spec_digest"):
        hint = "--specs names the folder of further api-versions"
        raise UsageError(f"{version} is not the document that the shards were judged by", hint=hint)
    with as_written(first.folder / SHARD):
        chosen = first.record.chosen(spec, specs, max(part.record.day for part in parts))
    live = any(part.record.live for part in parts)
    target = evolve(chosen.config.target, url=first.record.url, live=live)
    found = reduce(add, (part.record.found for part in parts))
    return Opened(chosen, evolve(chosen.config, target=target), first.record.embedded, found)


def _lacking(whole: Opened, parts: Sequence[Part], every: set[int]) -> Iterator[str]:
    """Yield a line for each shard of an api-version that is missing or not complete. ``every``: the shards that have
    judged any api-version.
    """
    n = parts[0].record.shard.n
    here = {part.record.shard.k: part for part in parts}
    used = frozenset(divided(whole.chosen.scenarios, n).values())
    # Shards beyond the scenarios are empty, and a mistyped number of them may be large.
    for k in sorted(used | here.keys()):
        if k in here:
            if why := here[k].unfinished:
                yield f"shard {k}/{n} {why} ({here[k].folder})"
        else:
            more = "" if k in every else "; none of the folders is of it"
            yield f"shard {k}/{n} is missing{more}"


def _report(whole: Opened, parts: Sequence[Part], folder: Path, lacking: Sequence[str]) -> Report:
    """Write the report of one api-version. The parts stay as they are."""
    items = whole.chosen.items
    ended = reduce(add, (part.record.ended or Ended() for part in parts), Ended())
    reports = [report for part in parts for report in part.reports]
    around = tuple(dict.fromkeys(line for part in parts for line in part.record.around))
    started = min((str(report.header["started"]) for report in reports), default=recording.now())
    return recording.assembled(
        folder,
        whole.chosen.spec,
        header(whole, items, started),
        items,
        [_without_claims(report) for report in reports],
        extra=claims(whole),
        early="; ".join(lacking),
        notes=notes(whole, items, ended, around),
        outdated=partial(outdated, whole, items),
        ended_with=ended,
    )


def _without_claims(report: Report) -> Report:
    """A report without what is computed anew: the verdicts on claims, and the causes of the others."""
    return evolve(
        report,
        verdicts=tuple(evolve(one, cause="") for one in report.verdicts if one.check != SERVED_CHECK),
    )
