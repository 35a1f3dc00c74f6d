"""The pytest plugin. An item is a scenario and a check: it waits for its scenario's trace and judges it.

The plugin does nothing until one of its options is used, and all its names begin with ``aoai``: short names belong to
other plugins and to other people's tests. Everything that doesn't concern pytest is in ``run/session.py``.
"""

from __future__ import annotations

import json
import os
import warnings
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from attrs import define, field

from conformance._parts import late
from conformance.emulator.fixture import aoai_emulator, aoai_emulator_version
from conformance.errors import ConformanceError
from conformance.settings.options import ROWS, as_typed_in_pytest, from_mapping, keywords
from conformance.suite.items import FILE, OURS, SESSION, Rule, Suite, item_of, nobody_else_looks_at

if TYPE_CHECKING:  # loaded only when an option is used: other people's pytest runs stay fast
    from conformance.run.ahead import Ahead
    from conformance.run.scheduling import ByScenario
    from conformance.run.selection import Item
    from conformance.run.session import Session
    from conformance.run.workers import Workers
    from conformance.target.limits import Spent
    from reports import allure, allure_results, junit
else:
    allure = late("reports.allure")
    allure_results = late("reports.allure_results")
    junit = late("reports.junit")

__all__ = [
    "BEGAN",
    "EARLY",
    "REFUSED",
    "SESSION",
    "SPENT",
    "aoai_emulator",
    "aoai_emulator_version",
    "pytest_addoption",
    "pytest_configure",
]

#: What earlier sessions of the same run have spent of its budget. The command sets it, which judges version by version.
SPENT: pytest.StashKey[Spent] = pytest.StashKey()

#: When the run began, in seconds since the Unix epoch, if it was before this session.
BEGAN: pytest.StashKey[float] = pytest.StashKey()

#: An embedded emulator that starts already. The command sets it.
EARLY: pytest.StashKey[Ahead | None] = pytest.StashKey()

#: The items that the options select.
ITEMS: pytest.StashKey[tuple[Item, ...]] = pytest.StashKey()

#: The error because of which there is no session. Its exit code becomes the command's; pytest has none for it.
REFUSED: pytest.StashKey[ConformanceError] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of a run, in a group of their own."""
    group = parser.getgroup("aoai-conformance", "conformance of an Azure OpenAI target")
    for row in ROWS:
        words = keywords(row)
        # argparse takes a percent sign in a help text for a format.
        words["help"] = words["help"].replace("%", "%%")
        group.addoption(row.pytest_flag, **words)


def _used(config: pytest.Config) -> bool:
    """True if an option of the plugin is used."""
    # An empty value counts as used, so that it is reported as a mistake and the run isn't silently left out.
    return any(config.getoption(row.name, default=None) not in (None, False) for row in ROWS)


def pytest_configure(config: pytest.Config) -> None:
    """Open the session if an option asks for it. The controller also starts the target and runs the preflight."""
    if not _used(config):
        return
    try:
        with warnings.catch_warnings():
            # Hypothesis warns if strategies are used before any test. It can't be avoided here: the items depend on
            # the derived requests.
            warnings.filterwarnings("ignore", "Slow code in plugin")
            session, items = _opened(config)
    except ConformanceError as error:
        config.stash[REFUSED] = error
        # The command prints the error itself. If a user called pytest, pytest must print it.
        alone = not config.pluginmanager.is_blocked("terminal")
        raise pytest.UsageError(*([as_typed_in_pytest(str(error))] if alone else [])) from error
    config.stash[ITEMS] = items
    if session is not None:
        config.stash[SESSION] = session
        from conformance.run.interruption import controlled, interruptible
        from conformance.run.workers import Workers

        run = _Run(session, Workers())
        run.signals.enter_context(interruptible() if session.process.controls else controlled())
        config.pluginmanager.register(run, OURS)


def _opened(config: pytest.Config) -> tuple[Session | None, tuple[Item, ...]]:
    """The session of this process and all selected items. There is no session if items are only listed (``--co``)."""
    from conformance.run.choice import choose, chosen_by
    from conformance.run.process import Process
    from conformance.run.session import Session
    from conformance.scenarios.shards import Shard
    from conformance.target.limits import NOTHING

    options = from_mapping(vars(config.option))
    worker = getattr(config, "workerinput", None)
    session: Session | None = None
    if worker is not None:
        # The controller has checked the choice; a worker only derives it again.
        choice = chosen_by(options)
        shard = Shard.parse(options.shard)
        process = Process(worker["workerid"], int(worker["workercount"]), shard)
        session = Session.join(choice, json.loads(worker["aoai"]), process)
    else:
        workers = _workers(config)
        choice = choose(options, workers=workers)
        # Listing the items must not send anything.
        if not config.getoption("collectonly", default=False):
            session = Session.open(
                choice,
                workers=workers,
                before=config.stash.get(SPENT, NOTHING),
                began=config.stash.get(BEGAN, None),
                early=config.stash.get(EARLY, None),
            )
    return session, tuple(item for one in choice for item in one.queue)


def _workers(config: pytest.Config) -> int:
    """The number of xdist's worker processes; 0 if this process runs the items itself."""
    if getattr(config.option, "dist", "no") == "no" or config.getoption("collectonly", default=False):
        return 0
    from xdist.workermanage import parse_tx_spec_config

    return len(parse_tx_spec_config(config))


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """The selected items, in place of the file of the suite."""
    items = parent.config.stash.get(ITEMS, None)
    if items is None or file_path != FILE:
        return None
    return Suite.from_parent(parent, path=file_path, items=items)


def _path_of(config: pytest.Config, option: str) -> Path | None:
    """The file or folder that an option of another plugin names; None without it."""
    where = getattr(config.option, option, None)
    return Path(os.path.expandvars(where)).expanduser() if where else None


@define(eq=False)
class _Run:
    """The hooks of a run. They are registered only if a run was asked for, and in no other pytest session."""

    session: Session
    workers: Workers
    signals: ExitStack = field(factory=ExitStack)
    scheduler: ByScenario | None = None
    #: Why pytest ended before all items were run, if an exception says so.
    stopped: str = ""
    #: True if the reports of our items are made without the course that pytest has for them.
    directly: bool = False

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_newgateway(self, gateway: Any) -> None:
        """Note a new process for a worker."""
        self.workers.note_gateway(gateway)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell an xdist worker what the controller found."""
        self.workers.nodes.append(node)
        node.workerinput["aoai"] = json.dumps(self.session.handoff())

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> Any:
        """Use our scheduler whatever ``--dist`` says: a scenario belongs to one worker, so that each exchange is sent
        once.
        """
        from conformance.run.scheduling import ByScenario

        config.option.maxworkerrestart = "0"  # a worker's scenarios can't be sent a second time
        self.scheduler = ByScenario(config, log)
        return self.scheduler

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep the items of an api-version together in spite of other plugins, because only one target is open at a
        time, and those of a scenario, because its evidence leaves the memory when another one is judged.

        Tests of somebody else come last, in their own order.
        """
        versions = {version: place for place, version in enumerate(self.session.versions)}
        scenarios: dict[tuple[str, str], int] = {}

        def place(test: pytest.Item) -> tuple[int, int]:
            item = item_of(test)
            if item is None:
                return len(versions), 0
            # Where its first item stands. ``sort`` is stable, so the order within a scenario stays.
            return versions[item.version], scenarios.setdefault((item.version, item.scenario), len(scenarios))

        items.sort(key=place)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Start the scenarios of the selected items before the items run."""
        self.directly = nobody_else_looks_at(session.config)
        if not self.session.process.only_controls:
            self.session.choose({item.id for test in session.items if (item := item_of(test))})
            self.session.start()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        """Judge an item and report it, where no other plugin takes part in its course.

        The last item before a test of somebody else, or before the end, has pytest's course, which also ends what is
        still set up. So has an item that somebody marked.
        """
        if not self.directly or not isinstance(item, Rule) or not isinstance(nextitem, Rule) or item.own_markers:
            return None
        try:
            reports = [*item.reported()]
        except Exception:  # noqa: BLE001 - a full disk, or a bug of ours: in pytest's course it is an error of this item
            return None
        hook = item.config.hook
        hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        for report in reports:
            hook.pytest_runtest_logreport(report=report)
        hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Note the reason of an early end. A signal is an interruption instead: the workers are told to stop too."""
        if excinfo.type is not KeyboardInterrupt:  # pytest's and xdist's own exceptions, after -x for example
            self.stopped = str(excinfo.value)
            return
        for told in self.workers.interrupt(self.session.cleanup_timeout):
            self.session.hear(told)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Receive from a worker how it ended. A worker that crashed sends nothing."""
        told = self.workers.told(node)
        if told is not None:
            self.session.hear(told)
        elif (pid := self.workers.lost(node)) is not None:
            self.session.lose(pid)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Remove what was created; the last process also writes the reports."""
        if self.scheduler is not None and self.scheduler.items is not None:
            self.session.choose(self.scheduler.items)
        early = str(session.shouldfail or session.shouldstop or self.stopped)
        self.session.close(interrupted=exitstatus == pytest.ExitCode.INTERRUPTED and not early, early=early)
        if session.exitstatus == pytest.ExitCode.OK and self.session.exit_code == 1:
            # A waiver or an entry of the baseline is out of date: no item fails for it.
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        if not self.session.process.controls:
            session.config.workeroutput["aoai"] = json.dumps(self.session.outcome())  # type: ignore[attr-defined]  # xdist adds it
        # pytest and Allure have written their reports by now. They know only items, so the headline is added here.
        if self.session.reports:
            xml, folder = (_path_of(session.config, name) for name in ("xmlpath", "allure_report_dir"))
            if xml is not None:
                junit.add_to(xml, self.session.headlines, self.session.reports, str(self.session.run.out))
            if folder is not None:
                try:
                    allure.add_headlines(folder, self.session.headlines)
                    allure_results.complete(folder, self.session.reports, str(self.session.run.out))
                except OSError as error:
                    self.session.unwritten.append(f"Allure's results in {folder}: {error.strerror or error}")

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print where the reports are, and the conclusion of each api-version."""
        if self.session.reports:
            terminalreporter.section("conformance")
            for line in self.session.summary():
                terminalreporter.write_line(line)

    def pytest_unconfigure(self) -> None:
        """End an embedded emulator even if pytest gave up before the tests began."""
        with self.signals:
            self.session.close()
