"""A run from what was chosen to its report, in one process. The pytest plugin and the command line share it.

A run goes through stages. Each stage is a type of its own, so that nothing can be used before it exists: ``Chosen``
(``choice.py``), ``Opened`` (``opening.py``), ``Running`` (``running.py``), ``Ended`` (``ending.py``).
"""

from __future__ import annotations

import gc
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import asdict

from conformance._parts import late
from conformance.errors import HarnessError, UsageError
from conformance.evidence.timeline import escaped
from conformance.evidence.trace import Trace
from conformance.run import recording
from conformance.run.ahead import Ahead
from conformance.run.arenas import one_arena, trimmed
from conformance.run.choice import Chosen
from conformance.run.conclusion import exit_code_of
from conformance.run.ending import Ended
from conformance.run.interruption import held
from conformance.run.lost_workers import recovered
from conformance.run.notes import around, claims, header, notes, outdated
from conformance.run.opening import Identity, Opened, joined, opened, started
from conformance.run.process import Process
from conformance.run.recorder import Recorder
from conformance.run.runner import Event
from conformance.run.running import MORE_SPACE, Running
from conformance.run.selection import Item
from conformance.run.shard_record import ShardRecord
from conformance.scenarios.shards import Shard
from conformance.schema.validators import forget_validators
from conformance.target import journal_folder
from conformance.target.limits import NOTHING, Allowance, Spent
from conformance.verdict import Verdict

if TYPE_CHECKING:
    from reports import console, row
    from reports.headline import Headline
    from reports.jsonl import Report
    from reports.row import Row
else:
    console = late("reports.console")
    row = late("reports.row")

__all__ = ["Item", "Session"]


class Session:
    """A run in one process, at targets that are open. Make it by :meth:`open` or :meth:`join`, end it by :meth:`close`.

    The items of an api-version must be asked for together: one target is used at a time.
    """

    def __init__(
        self, versions: Iterable[Opened], run: Identity, process: Process, allowance: Allowance, running: ExitStack
    ) -> None:
        one_arena()
        forget_validators()
        trimmed()
        self.run, self.process = run, process
        self._allowance, self._elsewhere = allowance, NOTHING
        self.interrupted = False
        #: True if a signal came when everything had been judged, and the reports were written.
        self.interrupted_late = False
        self.finished = False
        self.reports: dict[str, Report] = {}
        #: What the table above the reports tells of each of them.
        self.rows: dict[str, Row] = {}
        self.unwritten: list[str] = []
        self.notify = _silent
        self._opened = {one.chosen.version: one for one in versions}
        self._items = {name: one.chosen.items for name, one in self._opened.items()}
        self._running: Running | None = None
        self._ended = dict.fromkeys(self._opened, Ended())
        self._recorders: dict[str, Recorder] = {}
        self._over: set[str] = set()
        self._lost: set[int] = set()
        self._refused: dict[str, UsageError] = {}
        self._stack = running

    @classmethod
    def open(
        cls,
        choice: Sequence[Chosen],
        *,
        workers: int = 0,
        before: Spent = NOTHING,
        began: float | None = None,
        early: Ahead | None = None,
    ) -> Session:
        """The session of the controller (or the only process): opens every target and runs the preflight.

        ``before`` is what earlier sessions of the same run have spent, ``began`` when the first of them began (in
        seconds since the Unix epoch), ``early`` an emulator that starts already. Raises :class:`Unreachable`, or
        :class:`UsageError` if nothing could be judged or the run folder can't be written.
        """
        run = Identity.new(recording.out_folder(choice[0].options), choice[0].config.budget.wall_seconds, began)
        folders = [run.out / one.version for one in choice]
        for folder in folders:
            _must_be_writable(folder, run.out)
        journal_folder.must_be_writable(journal_folder.default_folder())
        process = Process(workers=workers, shard=Shard.parse(choice[0].options.shard))
        allowance = process.allowance(choice[0].config, before, run.until)
        with ExitStack() as stack:
            targets = [started(one, stack, early) for one in choice]
            for one in choice:
                # Requests and items are derived while an emulator starts. Another target is asked first: whoever named
                # a wrong one hears of it at once.
                if not one.config.target.url:
                    _ = one.items
            # All targets are opened before any corpus is sent, so that a wrong configuration is noticed at once.
            versions = [
                opened(one, run, allowance, target, process) for one, target in zip(choice, targets, strict=True)
            ]
            # The session now ends the emulators. If opening failed, the ``with`` block ends those that had been
            # started.
            session = cls(versions, run, process, allowance, stack.pop_all())
        session._elsewhere = before
        for folder in folders:
            # Only now: a run that could not begin must not delete the reports of an earlier one.
            recording.clear(folder)
        session._record_shard()
        return session

    def handoff(self) -> dict[str, Any]:
        """What a worker must know, as JSON values."""
        return {
            "out": str(self.run.out),
            "run_id": self.run.id,
            "started": self.run.started,
            "spent": asdict(self.spent),
            "ends": self.run.ends,
            "versions": {name: one.to_json() for name, one in self._opened.items()},
        }

    @classmethod
    def join(cls, choice: Iterable[Chosen], told: Mapping[str, Any], process: Process) -> Session:
        """The session of an xdist worker, from :meth:`handoff` of the controller."""
        run = Identity(told["run_id"], told["started"], Path(told["out"]), told["ends"])
        versions = [joined(one, told["versions"][one.version]) for one in choice]
        allowance = process.allowance(versions[0].config, Spent(**told["spent"]), run.until)
        return cls(versions, run, process, allowance, ExitStack())

    @property
    def spent(self) -> Spent:
        """What the run has spent so far, as far as this process knows: here, in earlier sessions and in workers."""
        return self._elsewhere + self._allowance.spent

    @property
    def cleanup_timeout(self) -> float:
        """The most seconds that a process may take to remove what it created."""
        return max((one.chosen.options.cleanup_timeout for one in self._opened.values()), default=0.0)

    @property
    def versions(self) -> tuple[str, ...]:
        """The api-versions of the run, in order."""
        return tuple(self._opened)

    def _record_shard(self, ended: str = "") -> None:
        """Note for the merge what belongs to a shard: of all api-versions at the beginning, of one that has ended."""
        for name in [ended] if ended else self._opened:
            one = self._opened[name]
            # A matrix may have a run of one shard, 1/1, which is merged as the others are.
            if not one.chosen.options.shard:
                continue
            record = ShardRecord.of(one, tuple(around(one)), self._ended[name] if ended else None)
            with self._told(name):
                record.write(self.run.out / name)

    # -- running ------------------------------------------------------------------------------------------------------

    def choose(self, ids: Collection[str]) -> None:
        """Note which items pytest selected, by their ids. Without a call, all are."""
        self._items = {
            name: tuple(item for item in one.chosen.items if item.id in ids) for name, one in self._opened.items()
        }

    def start(self) -> None:
        """Begin to send the selected scenarios, before their verdicts are asked for."""
        first = next((name for name in self._opened if self._items[name]), None)
        if first is None:
            return
        # What is there now stays until the end: nobody need look for garbage in it, and copies of the process share it.
        gc.freeze()
        try:
            self._at(first)
        except UsageError:
            # xdist would call this an internal error of the worker; each of its items tells it instead.
            if self.process.controls:
                raise

    def _at(self, version: str) -> Running:
        """The running api-version. The one before it is ended first."""
        if self._running is None or self._running.version != version:
            self._end()
            if version in self._refused:
                raise self._refused[version]
            if version in self._over or self.finished:
                raise HarnessError(f"the run of {version} is over")
            try:
                self._running = Running(
                    self._opened[version],
                    self._items[version],
                    self.run,
                    self.process,
                    allowance=self._allowance,
                    notify=lambda event: self.notify(version, event),
                )
            except UsageError as error:  # a worker that can't get a token, for example
                self._refused[version] = error
                self._ended[version] += Ended(unwritten=str(error))
                raise
        return self._running

    def verdict(self, item: Item) -> Verdict:
        """The verdict on an item; blocks until its scenario has ended."""
        return self._at(item.version).verdict(item)

    def trace(self, item: Item) -> Trace:
        """The evidence of an item's scenario; empty if its script crashed."""
        return self._at(item.version).trace(item)

    def explain(self, item: Item, verdict: Verdict) -> Iterator[str]:
        """Yield about ten lines that explain a verdict."""
        return self._at(item.version).explain(verdict)

    # -- ending -------------------------------------------------------------------------------------------------------

    def _end(self) -> None:
        """End the running api-version, if there is one."""
        running, self._running = self._running, None
        if running is not None:
            self._over.add(running.version)
            self._ended[running.version] += running.end(interrupted=self.interrupted)
            self._recorders[running.version] = running.recorder

    def outcome(self) -> dict[str, Any]:
        """How the api-versions ended in a worker and what it spent, as JSON values for the controller."""
        ended = {name: ended.to_json() for name, ended in self._ended.items()}
        return {"ended": ended, "spent": asdict(self._allowance.spent)}

    def hear(self, told: Mapping[str, Any]) -> None:
        """Add :meth:`outcome` of a worker to what this controller knows."""
        for name, ended in told["ended"].items():
            self._ended[name] += Ended.from_json(ended)
        self._elsewhere += Spent(**told["spent"])

    def lose(self, pid: int) -> None:
        """Note the process id of a worker that ended without a word. What it created is removed at the end."""
        self._lost.add(pid)

    def close(self, *, interrupted: bool = False, early: str = "") -> None:
        """End the run in this process; the controller also writes the reports, whatever went wrong before. A second
        call does nothing.

        ``early`` says why pytest ended before it had run all items (``-x``); "" if it ran them all.
        """
        if self.finished:
            return
        self.finished = True
        self.interrupted = self.interrupted or interrupted
        with self._stack:
            gc.unfreeze()
            try:
                self._end()
                if self._lost and not self.interrupted:
                    for name, one in self._opened.items():
                        self._ended[name] += recovered(one, self.run.out / name, self._lost)
            finally:
                # Also if ending raised an exception: the evidence must become a report.
                if self.process.controls:
                    with held() as signals:
                        self._report(early)
                    self.interrupted_late = signals.came

    def _report(self, early: str) -> None:
        for name, one in self._opened.items():
            folder = self.run.out / name
            self._record_shard(name)
            items, ended = self._items[name], self._ended[name]
            self.unwritten += [f"{name}: {ended.unwritten}"] * bool(ended.unwritten)
            # Nothing of this version was sent, for example because pytest ended before.
            if not any(folder.glob("report*.jsonl")):
                continue
            with self._told(name):
                self.reports[name] = recording.merge(
                    folder,
                    one.chosen.spec,
                    header(one, items, self.run.started),
                    items,
                    extra=claims(one),
                    interrupted=self.interrupted,
                    early=ended.unwritten or early,
                    notes=notes(one, items, ended, tuple(around(one))),
                    outdated=partial(outdated, one, items),
                    ended_with=ended,
                    own=self._recorders.pop(name, None),
                )
                self.rows[name] = row.row_of(self.reports[name])
                recording.derive(folder, self.reports[name])
        if self.rows:
            with self._told("the overview"):
                recording.overview(self.run.out, [*self.rows.values()])

    @contextmanager
    def _told(self, name: str) -> Iterator[None]:
        """Note what can't be written; other reports may be possible."""
        try:
            yield
        except OSError as error:
            self.unwritten.append(f"{name}: not all reports could be written: {error.strerror or error}; {MORE_SPACE}")
        except UsageError as error:  # a part of the evidence that another process could not write
            self.unwritten.append(f"{name}: the evidence can't be read: {error}")

    @property
    def headlines(self) -> Mapping[str, Headline]:
        """The headline of each version that has a report."""
        return {name: one.first for name, one in self.rows.items()}

    def summary(self) -> Iterator[str]:
        """Yield the lines of the summary on the console."""
        for name, report in self.reports.items():
            folder = self.run.out / name
            yield from map(escaped, console.render(report, str(folder)))
            yield f"report: {folder / 'index.html'}"
        yield from (f"incomplete: {escaped(line)}" for line in self.unwritten)

    @property
    def exit_code(self) -> int:
        """The exit code of the command, from the conclusions."""
        if self.interrupted or self.interrupted_late:
            return 130
        if self.unwritten:
            return 2
        return exit_code_of(report.footer for report in self.reports.values())


def _silent(version: str, event: Event) -> None:
    """A receiver of progress events that ignores them."""


def _must_be_writable(folder: Path, out: Path) -> None:
    """Raise :class:`UsageError` if a folder of the run can't be written, before anything is sent."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UsageError(f"can't be written: {error.strerror}", where=f"--out {out}") from None
