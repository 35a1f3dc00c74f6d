"""What pytest sees of a run: an item for each scenario and check, reported alike whoever looks at it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from attrs import evolve
from served import HOME, PYTEST, command

from conformance import plugin
from conformance.checks.catalogue import all_checks
from conformance.errors import UsageError
from conformance.run.selection import Item
from conformance.run.workers import Workers
from conformance.suite.items import FILE, OURS, SESSION, Rule
from conformance.verdict import Finding, Level, Outcome, Verdict, Waived

VERSION = "2024-05-01-preview"
CHECKS = tuple(all_checks().values())[: len(Outcome)]

#: What pytest makes of each outcome: the last report before the tear-down, and the text of it.
SHOWN = {
    Outcome.PASS: ("call", "passed", ""),
    Outcome.WARN: ("call", "passed", ""),
    Outcome.FAIL: ("call", "failed", "FAIL: why"),
    Outcome.WAIVED: ("setup", "skipped", "it is known"),
    Outcome.NOT_APPLICABLE: ("setup", "skipped", "why"),
    Outcome.ERROR: ("setup", "failed", "ERROR: why"),
    Outcome.UNAVAILABLE: ("setup", "failed", "UNAVAILABLE: why"),
    Outcome.INCONCLUSIVE: ("setup", "failed", "INCONCLUSIVE: why"),
    Outcome.NOT_TESTABLE: ("setup", "failed", "NOT_TESTABLE: why"),
}


def verdict_of(outcome: Outcome) -> Verdict:
    found = (Finding("why", "case", level=Level.MUST),) if outcome is Outcome.FAIL else ()
    made = Verdict("a.check", "corpus.a", outcome, found, reason="why", judged=3)
    return evolve(made, waived=Waived(Outcome.FAIL, reason="it is known")) if outcome is Outcome.WAIVED else made


class Judging:
    """A session that has all verdicts already; one for each outcome."""

    versions = (VERSION,)
    process = SimpleNamespace(only_controls=False, controls=True)
    reports: Any = {}
    exit_code = 0

    def __init__(self, *scenarios: str) -> None:
        names = itertools.cycle(scenarios or ("corpus.a",))
        self.items = [Item(VERSION, next(names), check) for check in CHECKS]
        self.verdicts = dict(zip((item.id for item in self.items), map(verdict_of, Outcome), strict=True))
        self.chosen: list[str] = []

    def choose(self, ids: set[str]) -> None:
        self.chosen = sorted(ids)

    def start(self) -> None:
        """There is nothing to send."""

    def close(self, **_: Any) -> None:
        """There is nothing to remove."""

    def verdict(self, item: Item) -> Verdict:
        return self.verdicts[item.id]

    def explain(self, item: Item, verdict: Verdict) -> Iterator[str]:
        yield f"{verdict.outcome.name}: {verdict.reason}"


class Stage:
    """Gives the session to pytest, and keeps the reports."""

    def __init__(self, session: Judging) -> None:
        self.session = session
        self.reports: list[pytest.TestReport] = []
        self.directly = False

    def pytest_configure(self, config: pytest.Config) -> None:
        config.stash[plugin.ITEMS] = tuple(self.session.items)
        config.stash[SESSION] = cast("Any", self.session)
        config.pluginmanager.register(plugin._Run(cast("Any", self.session), Workers()), OURS)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.reports.append(report)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.directly = session.config.pluginmanager.get_plugin(OURS).directly


class Watching:
    """Somebody's plugin that takes part in the course of each item."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        self.seen.append(item.name)


class Marking:
    """Somebody's conftest that expects a failure."""

    def pytest_collection_modifyitems(self, items: Sequence[pytest.Item]) -> None:
        for item in items:
            if isinstance(item, Rule):
                item.add_marker(pytest.mark.xfail)


def played(
    *others: object,
    files: Sequence[Path] = (FILE,),
    options: Sequence[str] = (),
    cache: bool = False,
    scenarios: Sequence[str] = (),
) -> Stage:
    """A session of pytest in this process."""
    stage = Stage(Judging(*scenarios))
    words = ["-c", str(FILE.parent / "run.ini"), "--rootdir", str(FILE.parent), "--disable-plugin-autoload"]
    # As in a run. Of this process it would look through all that other tests left.
    words += ["-p", "no:unraisableexception"]
    words += ["-p", "no:terminal", "-p", plugin.__name__, *options]
    words += [] if cache else ["-p", "no:cacheprovider"]
    pytest.main([*words, *map(str, files)], plugins=[stage, *others])
    return stage


def told(report: pytest.TestReport) -> str:
    return str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr or "")


def test_each_outcome_is_shown_alike_whoever_looks_on() -> None:
    """The reports that are made directly are those of pytest's own course, down to the properties."""
    watching = Watching()
    direct, usual = played(), played(watching)
    assert (True, False) == (direct.directly, usual.directly)
    assert len(Outcome) == len(watching.seen)
    shapes = [[(one.nodeid, one.when, one.outcome, one.location) for one in stage.reports] for stage in (direct, usual)]
    assert shapes[1] == shapes[0]
    assert [one.user_properties for one in usual.reports] == [one.user_properties for one in direct.reports]
    for outcome, item in zip(Outcome, direct.session.items, strict=True):
        for stage in (direct, usual):
            of_item = [one for one in stage.reports if one.nodeid.endswith(f"::{item.id}")]
            *_, last, teardown = of_item
            assert ("teardown", "passed") == (teardown.when, teardown.outcome)
            assert SHOWN[outcome][:2] == (last.when, last.outcome)
            assert SHOWN[outcome][2] in told(last)
            assert outcome.value == dict(last.user_properties)["outcome"]


@pytest.mark.parametrize(
    "error", [UsageError("no space is left"), RuntimeError("a bug of ours")], ids=["full disk", "bug"]
)
def test_what_goes_wrong_is_an_error_of_the_item_whoever_looks_on(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """The items after it are judged."""
    whole = Judging.verdict

    def first_fails(self: Judging, item: Item) -> Verdict:
        if item.id == self.items[0].id:
            raise error
        return whole(self, item)

    monkeypatch.setattr(Judging, "verdict", first_fails)
    for stage in (played(), played(Watching())):
        setups = [one for one in stage.reports if one.when == "setup"]
        assert (len(Outcome), "failed") == (len(setups), setups[0].outcome)
        assert f"{type(error).__name__}: {error}" in told(setups[0])


def test_a_name_has_no_brackets_and_says_what_is_judged() -> None:
    stage = played()
    names = [one.nodeid for one in stage.reports if one.when == "setup"]
    assert [f"test_conformance.py::{VERSION}:corpus.a:{check.id}" for check in CHECKS] == names
    assert sorted(item.id for item in stage.session.items) == stage.session.chosen


class Shuffling:
    """Somebody's plugin that puts the tests into another order."""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items.reverse()


@pytest.mark.parametrize("others", [(), (Shuffling(),)], ids=["alone", "shuffled"])
def test_the_items_of_a_scenario_are_judged_together(others: tuple[object, ...]) -> None:
    """Its evidence leaves the memory when another one is judged."""
    stage = played(*others, scenarios=("corpus.a", "corpus.b", "corpus.c"))
    judged = [one.nodeid.split(":")[-2] for one in stage.reports if one.when == "setup"]
    assert len(Outcome) == len(judged)
    assert 3 == len([name for name, _ in itertools.groupby(judged)])


def test_an_item_that_somebody_marked_has_the_course_of_pytest() -> None:
    failed = [one for one in played(Marking()).reports if one.outcome == "failed"]
    assert [] == [one.nodeid for one in failed if one.when == "call"]


def test_tests_of_somebody_else_are_set_up_and_torn_down_beside_ours(tmp_path: Path) -> None:
    """Fixtures of their modules end before the next module begins, whichever items ran between."""
    for name in "ab":
        (tmp_path / f"test_{name}.py").write_text(
            "import pytest\n\nSEEN = []\n\n@pytest.fixture(scope='module', autouse=True)\ndef made():\n"
            "    yield\n    open(__file__ + '.ended', 'w').close()\n\ndef test_it(): pass\n"
        )
    theirs = [tmp_path / "test_a.py", tmp_path / "test_b.py"]
    stage = played(files=[theirs[0], FILE, theirs[1]], options=["--override-ini", "python_files=test_*.py"])
    assert stage.directly
    assert 2 == len([one for one in stage.reports if "test_it" in one.nodeid and one.when == "call" and one.passed])
    assert [] == [told(one) for one in stage.reports if one.failed and "why" not in told(one)]
    assert all(Path(f"{file}.ended").is_file() for file in theirs)


NARROW = ("--aoai-scenario=corpus.assistants.list", f"--aoai-api-version={VERSION}")


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """The ids that ``pytest --collect-only`` prints in the checkout."""
    done = command(
        tmp_path_factory.mktemp("listed"), *PYTEST, "conformance", "--co", "-q", *NARROW, cwd=HOME, ours=False
    )
    assert 0 == done.code, done.out + done.err
    return tuple(line for line in done.lines if "::" in line)


def test_an_id_that_was_listed_selects_its_item(listed: tuple[str, ...], tmp_path: Path) -> None:
    """By itself, and by words of it."""
    first = listed[0]
    assert re.fullmatch(rf"conformance/suite/test_conformance\.py::{VERSION}:corpus\.assistants\.list:[\w.-]+", first)
    check = first.rpartition(":")[2]
    for chosen in ((first,), ("conformance", "-k", f"assistants and {check}")):
        done = command(tmp_path, *PYTEST, "--co", "-q", *chosen, *NARROW, cwd=HOME, ours=False)
        assert first in done.lines, done.out + done.err
        assert [first] == [line for line in done.lines if line.endswith(f":{check}")]


def test_what_failed_last_is_run_again(tmp_path: Path) -> None:
    """``--lf`` of pytest knows the items by their ids."""
    cache = ("--override-ini", f"cache_dir={tmp_path}")
    before, after = (played(options=[*cache, *more], cache=True) for more in ((), ("--lf",)))
    failed = {one.nodeid for one in before.reports if one.failed}
    assert {outcome for outcome in Outcome if SHOWN[outcome][1] == "failed"} == {
        Outcome(dict(one.user_properties)["outcome"]) for one in before.reports if one.failed
    }
    assert failed == {one.nodeid for one in after.reports}
