"""A run from its options to its report, in one process. The pytest plugin and the command line share it.

One process is the controller: it opens the target or starts the embedded emulator, runs the preflight and writes the
reports. If xdist's workers send the requests, they receive what the controller found and judge their share.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import evolve

from conformance._parts import late
from conformance.errors import HarnessError, UsageError
from conformance.evidence.trace import Trace
from conformance.run import notes as endnotes
from conformance.run import recording
from conformance.run.runner import Event, Runner, default_concurrency
from conformance.run.scheduling import worker_of
from conformance.run.selection import Item, checks_of, default_versions, must_name_something, nothing_chosen
from conformance.run.smallest_witness import shrunk
from conformance.run.version_run import VersionRun
from conformance.settings.configuration import Config, is_loopback, load_config
from conformance.settings.options import Options
from conformance.spec.loading import load
from conformance.target.cleanup import clean
from conformance.target.journal import Journal, default_folder
from conformance.target.limits import WRONG_KEY_PROBES
from conformance.target.preflight import Preflight, preflight
from conformance.target.target import Target
from conformance.verdict import Outcome, Verdict

if TYPE_CHECKING:
    from reports import console, failure, headline
    from reports.headline import Headline
    from reports.jsonl import Report
else:
    console = late("reports.console")
    failure = late("reports.failure")
    headline = late("reports.headline")

__all__ = ["Item", "Session", "configured"]

ENVIRONMENT: Mapping[str, str] = os.environ


def configured(options: Options) -> Config:
    """The configuration with the options applied, and with default deployments if none are configured."""
    from conformance.emulator.behaviour import DEFAULT_DEPLOYMENTS

    overrides: dict[str, Any] = {"target.url": options.target or None}
    if options.allow_plain_http:
        overrides["target.allow_http"] = True
    config = load_config(options.config, overrides, ENVIRONMENT)
    if options.expensive:
        allowed = config.budget.expensive | frozenset(options.expensive)
        config = evolve(config, budget=evolve(config.budget, expensive=allowed))
    if not config.target.deployments:
        named = {one.name: one.abilities for one in DEFAULT_DEPLOYMENTS}
        config = evolve(config, target=evolve(config.target, deployments=named))
    return config


class Session:
    """A run in one process. ``worker`` is "" in the only process and in the controller of workers."""

    def __init__(self, options: Options, *, workers: int = 0, worker: str = "", out: Path | None = None) -> None:
        self.options, self.workers, self.worker = options, workers, worker
        self.out = (out or recording.out_folder(options)).absolute()
        self.run_id = secrets.token_hex(4)
        self.started = recording.now()
        self.interrupted = False
        self.finished = False
        self.reports: dict[str, Report] = {}
        self.notify = _silent
        self._stack = ExitStack()
        self._current = ""
        names = options.api_versions or default_versions(options.specs)
        self.versions = {name: VersionRun(load(name, options.specs), options) for name in names}

    @property
    def controls(self) -> bool:
        """True in the process that opens the target and writes the reports."""
        return not self.worker

    @property
    def only_controls(self) -> bool:
        """True in a controller that hands out all items to workers and judges none itself."""
        return self.controls and self.workers > 0

    # -- opening ------------------------------------------------------------------------------------------------------

    @classmethod
    def open(cls, options: Options, *, workers: int = 0) -> Session:
        """The session of the controller (or the only process). Raises :class:`UsageError` for options that can't be
        met.
        """
        session = cls(options, workers=workers)
        checks_of(options)
        config = configured(options)
        reasons = [nothing_chosen(run.spec, options) for run in session.versions.values()]
        if all(reasons):
            raise UsageError(reasons[0])
        for run in session.versions.values():
            must_name_something(run.spec, config, options.specs)
            run.config = config
            if options.baseline is not None and options.baseline.resolve() == session.out.resolve():
                raise UsageError("--out and --baseline are one folder", hint="the new run would replace the baseline")
            _ = run.known  # read now, so that a bad baseline is reported before anything is sent
            if 0 < options.concurrency < workers:
                raise UsageError(
                    f"-n {workers} is more than the {options.concurrency} exchanges that may be in flight",
                    hint=f"--concurrency {workers}, or fewer processes",
                )
        return session

    def prepare(self) -> None:
        """Open the target, or start the embedded emulator, and run the preflight.

        Raises :class:`Unreachable`, or :class:`UsageError` if nothing could be judged.
        """
        self._may_write()
        try:
            for run in self.versions.values():
                config = self._embed(run)
                with Target(config, run.spec, run_id=self.run_id) as target:
                    run.found = preflight(target, run.spec)
            for name in self.versions:
                recording.clear(self.out / name)
        except BaseException:
            self._stack.close()
            raise

    def _may_write(self) -> None:
        """Raise :class:`UsageError` if the run folder can't be written, before anything is sent."""
        for name in self.versions:
            try:
                (self.out / name).mkdir(parents=True, exist_ok=True)
                with tempfile.TemporaryFile(dir=self.out / name):
                    pass
            except OSError as error:
                raise UsageError(f"can't be written: {error.strerror}", where=f"--out {self.out}") from None

    def _embed(self, run: VersionRun) -> Config:
        """The configuration of a version. If it names no target, an emulator is started and named as the target."""
        if run.config is None:
            raise HarnessError("the session was not opened")
        if run.config.target.url:
            return run.config
        from conformance.emulator.behaviour import Settings
        from conformance.emulator.process import emulator

        key = secrets.token_urlsafe(24)
        url = self._stack.enter_context(
            emulator([run.spec.version], settings=Settings(key=key), folder=self.options.specs)
        )
        target = evolve(run.config.target, url=url, key=key, auth="api-key", deterministic=True)
        run.config, run.embedded = evolve(run.config, target=target), True
        return run.config

    def handoff(self) -> dict[str, Any]:
        """What a worker must know, as JSON values. It includes the key of an embedded emulator, but never another
        key.
        """
        return {
            "out": str(self.out),
            "run_id": self.run_id,
            "started": self.started,
            "versions": {
                name: {
                    "found": run.found.to_json(),
                    "url": run.config.target.url if run.config else "",
                    "key": run.config.target.key if run.config and run.embedded else "",
                    "embedded": run.embedded,
                }
                for name, run in self.versions.items()
            },
        }

    @classmethod
    def join(cls, options: Options, given: Mapping[str, Any], worker: str, workers: int) -> Session:
        """The session of an xdist worker."""
        session = cls(options, workers=workers, worker=worker, out=Path(given["out"]))
        session.run_id, session.started = given["run_id"], given["started"]
        config = configured(options)
        for name, run in session.versions.items():
            told = given["versions"][name]
            run.found, run.embedded = Preflight.from_json(told["found"]), told["embedded"]
            target = evolve(config.target, url=told["url"])
            if run.embedded:
                target = evolve(target, key=told["key"], auth="api-key", deterministic=True)
            run.config = evolve(config, target=target)
        return session

    # -- running ------------------------------------------------------------------------------------------------------

    @property
    def items(self) -> tuple[Item, ...]:
        """The items of all versions, version by version."""
        return tuple(item for run in self.versions.values() for item in run.items)

    def choose(self, ids: Collection[str]) -> None:
        """Note which items pytest selected for the workers. Without a call, all are."""
        for run in self.versions.values():
            run.chosen = tuple(item for item in run.items if item.id in ids)

    def start(self, chosen: Iterable[Item]) -> None:
        """Start the scenarios of the chosen items; a worker starts only its own."""
        items = tuple(chosen)
        for name, run in self.versions.items():
            run.chosen = tuple(item for item in items if item.version == name)
        if items:
            self._open(items[0].version)

    def _mine(self, version: str, scenario: str) -> bool:
        """True if this process sends a scenario."""
        number = int(self.worker.removeprefix("gw")) if self.worker else 0
        return not self.worker or worker_of(version, scenario, self.workers) == number

    def _open(self, version: str) -> Runner:
        """The runner of a version. The runner of the version before it is closed first."""
        run = self.versions[version]
        if run.runner is not None:
            return run.runner
        if self._current:
            self._finish(self.versions[self._current])
        self._current = version
        if run.config is None:
            raise HarnessError("the session was not opened")
        wanted = {item.scenario for item in run.chosen if self._mine(version, item.scenario)}
        scenarios = [scenario for scenario in run.scenarios if scenario.id in wanted]
        folder = self.out / version
        share = 1.0 / self.workers if self.worker else 1.0
        run.recorder = recording.Recorder(folder, self.worker, run.header(self.started))
        run.journal = Journal(
            default_folder(),
            target=run.config.target.url,
            api_version=version,
            worker=self.worker or "main",
            sync=not run.embedded,
        )
        number = int(self.worker.removeprefix("gw")) if self.worker else 0
        # A live resource gets at most two wrong keys in a run, whatever the number of processes.
        probes = (1 if number < 2 else 0) if self.worker else WRONG_KEY_PROBES
        run.target = Target(
            run.config, run.spec, journal=run.journal, run_id=self.run_id, share=share, wrong_keys=probes
        )
        run.runner = Runner(
            run.spec,
            scenarios,
            checks_of(self.options),
            run.target,
            concurrency=self._share_of_concurrency(run),
            profile=self.options.profile,
            preflight=run.found,
            known=run.known,
            notify=lambda event: self.notify(version, event),
        )
        run.runner.start()
        return run.runner

    def _share_of_concurrency(self, run: VersionRun) -> int:
        """How many exchanges this process may have in flight. By default each process has at least one."""
        loopback = run.config is not None and is_loopback(run.config.target.url)
        total = self.options.concurrency or default_concurrency(loopback=loopback)
        return max(1, total // max(1, self.workers))

    def verdict(self, item: Item) -> Verdict:
        """The verdict on an item; blocks until its scenario has ended."""
        run = self.versions[item.version]
        runner = self._open(item.version)
        verdict = runner.verdict(item.scenario, item.check.id)
        if run.recorder is not None:
            if item.scenario not in run.recorded:
                run.recorded.add(item.scenario)
                run.recorder.trace(self.trace(item))
            run.recorder.verdict(verdict)
            if verdict.outcome is Outcome.FAIL:
                run.failed.append((verdict, self.trace(item)))
        return verdict

    def trace(self, item: Item) -> Trace:
        """The evidence of an item's scenario; empty if its script crashed."""
        runner = self._open(item.version)
        try:
            return runner.trace(item.scenario)
        except HarnessError as error:
            return Trace(item.scenario, ended=str(error), outcome=Outcome.ERROR)

    def explain(self, item: Item, verdict: Verdict) -> Iterator[str]:
        """Yield about ten lines that explain a verdict."""
        run = self.versions[item.version]
        header = run.known_header(self.started)
        folder = str(self.out / item.version)
        yield from failure.explain(
            verdict, self.trace(item), header["checks"], run_dir=folder, auth=header["target"]["auth"]
        )

    def interrupt(self) -> None:
        """Stop sending."""
        self.interrupted = True
        run = self.versions.get(self._current)
        if run is not None and run.runner is not None:
            run.runner.stop()

    # -- ending -------------------------------------------------------------------------------------------------------

    def _finish(self, run: VersionRun) -> None:
        """Stop the runner of a version, remove what it created and close its files."""
        if run.runner is None or run.target is None or run.journal is None or run.recorder is None:
            return
        run.runner.close()
        if self.options.shrink and not self.interrupted:
            for trace, verdict in shrunk(run.spec, run.target, run.failed, self.options.shrink):
                run.recorder.trace(trace)
                run.recorder.verdict(verdict)
        run.cleaned = clean(run.target, run.journal, self.options.cleanup_timeout, self._share_of_concurrency(run))
        run.target.close()
        run.journal.close()
        if run.embedded:
            # The objects of an embedded emulator end with its process, so they need not be removed.
            run.journal.path.unlink(missing_ok=True)
        run.recorder.close()

    def close(self, *, interrupted: bool = False, early: str = "") -> None:
        """End the run in this process; the controller also writes the reports. A second call does nothing.

        ``early`` says why pytest ended before it had run all items (``-x``); "" if it ran them all.
        """
        if self.finished:
            return
        self.finished = True
        self.interrupted = self.interrupted or interrupted
        try:
            if self._current:
                self._finish(self.versions[self._current])
            if self.controls:
                self._report(early)
        finally:
            self._stack.close()

    def _report(self, early: str) -> None:
        """Write the reports of all versions."""
        for name, run in self.versions.items():
            folder = self.out / name
            if not any(folder.glob("report*.jsonl")):
                continue
            self.reports[name] = recording.merge(
                folder,
                run.spec,
                run.header(self.started),
                run.chosen,
                extra=endnotes.claims(run),
                interrupted=self.interrupted,
                early=early,
                notes=endnotes.notes(run),
                outdated=partial(endnotes.outdated, run),
                left_behind=[f"{entry.undo.operation}: {dict(entry.ids)}" for entry in run.cleaned.left],
            )
        if self.reports:
            recording.overview(self.out, self.headlines)

    @property
    def headlines(self) -> Mapping[str, Headline]:
        """The headline of each version that has a report."""
        return {name: headline.headline(report) for name, report in self.reports.items()}

    def summary(self) -> Iterator[str]:
        """Yield the lines of the summary on the console."""
        for name, report in self.reports.items():
            folder = self.out / name
            yield from console.render(report, str(folder))
            yield f"report: {folder / 'index.html'}"

    @property
    def exit_code(self) -> int:
        """The exit code of the command, from the conclusions."""
        if self.interrupted:
            return 130
        codes = [report.footer["exit_code"] for report in self.reports.values() if report.footer is not None]
        return next((code for code in (70, 1, 3) if code in codes), 0 if codes else 3)


def _silent(version: str, event: Event) -> None:
    """A receiver of progress events that ignores them."""
