"""One api-version while its requests are sent and judged: the third stage of a run. The fourth is ``Ended``.

It exists from the first request to the last, in the process that sends. The evidence is written to a
file as it comes.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from attrs import define, evolve, field

from conformance._parts import late
from conformance.errors import UsageError
from conformance.evidence.trace import Trace
from conformance.judging.repeats import as_first
from conformance.redaction import PROCESS
from conformance.run.copied import possible
from conformance.run.early import EarlyRemoval
from conformance.run.ending import Ended
from conformance.run.judging import Beside, Judging
from conformance.run.notes import header
from conformance.run.opening import Identity, Opened
from conformance.run.process import Process
from conformance.run.recorder import Recorder
from conformance.run.repeating import Key, Repeats, trace_of
from conformance.run.runner import Event, Runner
from conformance.run.selection import Item, checks_of
from conformance.run.smallest_witness import shrunk
from conformance.run.store import InFile
from conformance.target.cleanup import Cleaned, clean, not_cleaned
from conformance.target.embedded_clock import stepped
from conformance.target.journal import COPIES, Journal
from conformance.target.journal_folder import default_folder
from conformance.target.limits import Allowance
from conformance.target.target import Target
from conformance.verdict import Outcome, Verdict

if TYPE_CHECKING:
    from reports import failure
else:
    failure = late("reports.failure")

__all__ = ["MORE_SPACE", "Running"]

#: What to do where a report can't be written.
MORE_SPACE = "free some space, or choose another folder by --out"


class Running:
    """Sends the scenarios of ``items`` that belong to this process and judges them. Thread-safe but for :meth:`end`.

    ``items`` are all that pytest left of the selection, also those of other processes. ``notify`` is called from the
    threads that send.
    """

    def __init__(
        self,
        opened: Opened,
        items: Sequence[Item],
        run: Identity,
        process: Process,
        *,
        allowance: Allowance,
        notify: Callable[[Event], None],
    ) -> None:
        chosen, config = opened.chosen, opened.config
        self.version = chosen.version
        self._opened = opened
        self._header = header(opened, items, run.started)
        self._folder = run.out / self.version
        self._flight = process.in_flight(chosen.options, live=config.target.protected)
        self._unwritten = ""
        self._failed: list[Verdict] = []
        self.recorder = Recorder(self._folder, process.worker, self._header)
        self._store = InFile(self.recorder)
        self._journal = Journal(
            default_folder(),
            target=config.target.url,
            api_version=self.version,
            worker=process.worker or "main",
            # An embedded emulator ends with the run, so nothing of it can be left behind after a crash.
            sync=not opened.embedded,
            embedded=opened.embedded,
            copies=None if opened.embedded else self._folder / COPIES,
        )
        try:
            self._target = Target(
                config,
                chosen.spec,
                journal=self._journal,
                run_id=run.id,
                allowance=allowance,
            )
        except UsageError:
            self._close_journal()
            self.recorder.close()
            raise
        if opened.found.accepted:
            self._target.trust_key()
        self._notify, self._until = notify, run.until
        self._own = tuple(item for item in items if process.owns(self.version, item.scenario))
        self._final: Mapping[Key, Verdict] | None = None
        self._early: EarlyRemoval | None = None
        self._again = Repeats(config.run.repeat, self._known, self._hidden, self.recorder, self._sending)
        self._judging = self._beside(process)
        self._runner = self._sending({item.scenario for item in self._own}, self._store, self._judging)
        self._runner.start()

    def _beside(self, process: Process) -> Beside | None:
        """Who judges if not the thread that asks: a process of its own, unless the run has several anyway."""
        if process.worker or not self._opened.config.run.judge_beside or not possible():
            return None
        checks = defaultdict(list)
        for item in self._own:
            checks[item.scenario].append(item.check)
        try:
            return Beside(self._opened.chosen.spec, self._store, checks)
        except OSError:  # the system allows no more processes
            return None

    def _sending(self, wanted: Collection[str], store: InFile, judging: Judging | None = None) -> Runner:
        """A runner of some scenarios at the target of this process."""
        chosen = self._opened.chosen
        scenarios = [scenario for scenario in chosen.sent if scenario.id in wanted]
        if self._removes_early:
            self._early = EarlyRemoval(self._target, self._journal, scenarios)
        return Runner(
            chosen.spec,
            scenarios,
            checks_of(chosen.options),
            self._target,
            concurrency=self._flight,
            profile=chosen.options.profile,
            preflight=self._opened.found,
            known=chosen.known,
            notify=self._notify,
            until=self._until,
            store=store,
            judging=judging,
            another_second=self._another_second,
            removal=self._early,
        )

    @property
    def _removes_early(self) -> bool:
        """True if objects go before the end of the run.

        The objects of an embedded emulator end with it. Without time for the removal nothing is removed. A request that
        is made smaller still names the objects of its scenario, and repetitions would be sent beside the removal.
        """
        options, times = self._opened.chosen.options, self._opened.config.run.repeat
        return not self._opened.embedded and options.cleanup_timeout > 0 and not options.shrink and times <= 1

    def _another_second(self) -> bool:
        """Move the clock of an embedded emulator. No other target has one that a run may move."""
        target = self._opened.config.target
        return self._opened.embedded and stepped(target.url, target.key)

    def verdict(self, item: Item) -> Verdict:
        """The verdict of an item; waits for its scenario. Both are recorded. Raises :class:`UsageError` if the disk is
        full.

        If failures are repeated, it waits for all scenarios of this process and for all repetitions.
        """
        try:
            verdict = self._all_times()[item.scenario, item.check.id] if self._again.wanted else self._first(item)
        except OSError as error:
            # What can't be written can't be reported: nothing more is sent.
            self._target.stop()
            self._unwritten = f"the evidence can't be written: {error.strerror or error}; {MORE_SPACE}"
            raise UsageError(self._unwritten, where=str(self._folder)) from None
        if verdict.outcome is Outcome.FAIL and self._opened.chosen.options.shrink:
            self._failed.append(verdict)
        return verdict

    def _known(self, verdict: Verdict) -> Verdict:
        """The verdict with waivers and baseline."""
        chosen = self._opened.chosen
        operations = next(one.operations for one in chosen.scenarios if one.id == verdict.scenario)
        return chosen.known.applied(verdict, operations)

    def _all_times(self) -> Mapping[Key, Verdict]:
        """The verdicts of all items of this process, after what failed was sent again."""
        if self._final is None:
            self._final = self._again.all_times({(own.scenario, own.check.id): self._first(own) for own in self._own})
        return self._final

    def _first(self, item: Item) -> Verdict:
        """The verdict of an item after its scenario was sent once."""
        verdict = self._hidden(self._runner.verdict(item.scenario, item.check.id))
        # The evidence comes before the first verdict on it and only once, whatever the number of checks.
        self._store.judged(item.scenario, partial(self.trace, item))
        self.recorder.verdict(verdict)
        return verdict

    def _hidden(self, verdict: Verdict) -> Verdict:
        """The verdict without secrets: a check may join what a target sent in many small events."""
        text = self._target.secrets.text
        findings = tuple(
            evolve(f, message=text(f.message), expected=text(f.expected), actual=text(f.actual), place=text(f.place))
            for f in verdict.findings
        )
        return evolve(verdict, findings=findings) if findings != verdict.findings else verdict

    def trace(self, item: Item) -> Trace:
        """The evidence of an item's scenario, sent for the first time; empty if its script crashed."""
        return trace_of(self._runner, item.scenario)

    def _shown(self, verdict: Verdict) -> Trace:
        """The evidence that a verdict speaks of: that of the first time, or of a repetition."""
        again = self.recorder.written(verdict.repetition) if verdict.repetition else None
        return trace_of(self._runner, verdict.scenario) if again is None else again

    def explain(self, verdict: Verdict) -> Iterator[str]:
        """Yield about ten lines that explain a verdict."""
        yield from failure.explain(
            verdict,
            self._shown(verdict),
            self._header["checks"],
            run_dir=str(self._folder),
            auth=self._header["target"]["auth"],
        )

    def stop(self) -> None:
        """Stop sending."""
        self._runner.stop()

    def end(self, *, interrupted: bool) -> Ended:
        """Stop what runs, remove what was created, close the files.

        An exception in one of these steps is noted in ``troubles``; the other steps are done all the same. The report
        must not be lost because the journal can't be written, or because somebody pressed Ctrl-C a second time.
        """
        options = self._opened.chosen.options
        steps = _Steps()
        with steps.told("stopping"):
            self._runner.settle()
        if self._judging is not None:
            with steps.told("ending the process that judges"):
                self._judging.close()
        # Shrinking sends requests, which an interrupted run must not do any more.
        if options.shrink and not interrupted:
            with steps.told("making failing requests smaller"):
                self._shrink(options.shrink)
        cleaned: list[Cleaned] = []
        if interrupted and steps.interrupted:
            # A second signal came before the removal began: nothing is removed, the journal keeps it.
            with steps.told("stopping"):
                self._runner.stop(0.0)
        else:
            with steps.told("removing what was created"):
                cleaned.append(self._cleaned(options.cleanup_timeout))
        with steps.told("closing the connections"):
            self._target.close()
        with steps.told("closing the journal"):
            self._close_journal()
        with steps.told("closing the evidence"):
            self.recorder.close()
        if self._early is not None and self._early.trouble:
            steps.troubles.append(f"removing during the run: {PROCESS.text(self._early.trouble)}")
        if self._journal.trouble:
            steps.troubles.append(f"writing the journal: {self._journal.trouble}")
        return Ended.of(cleaned[0] if cleaned else not_cleaned(self._journal), steps.troubles, self._unwritten)

    def _cleaned(self, timeout: float) -> Cleaned:
        """Remove what was created and is not gone yet. The objects of an embedded emulator end with its process:
        nothing is sent.
        """
        until = time.monotonic() + timeout
        # Half of the time at most: what is left then is looked for and asked for again.
        self._runner.close(timeout / 2)
        if self._opened.embedded:
            return Cleaned()
        hanging = () if self._early is None else self._early.hanging
        left = max(0.0, until - time.monotonic())
        return clean(self._target, self._journal, left, self._flight, hanging=hanging)

    def _shrink(self, requests: int) -> None:
        failed = ((verdict, as_first(self._shown(verdict))) for verdict in self._failed)
        for trace, verdict in shrunk(self._opened.chosen.spec, self._target, failed, requests):
            self.recorder.trace(trace)
            self.recorder.verdict(verdict)

    def _close_journal(self) -> None:
        self._journal.close()
        if self._opened.embedded:
            self._journal.forget()


@define
class _Steps:
    """The steps of the end of a run: what went wrong in them, and whether a signal ended one."""

    troubles: list[str] = field(factory=list)
    interrupted: bool = False

    @contextmanager
    def told(self, what: str) -> Iterator[None]:
        """A step; what is raised within becomes a trouble."""
        try:
            yield
        except KeyboardInterrupt:
            self.interrupted = True
            self.troubles.append(f"{what} was interrupted")
        except Exception as error:  # noqa: BLE001 - the run is over and its verdicts stand; the report tells of this
            self.troubles.append(PROCESS.text(f"{what}: {type(error).__name__}: {error}"))
