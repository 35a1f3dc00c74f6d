"""The pytest plugin: an item is scenario and check; it waits for its scenario's trace and judges it.

It stays silent until one of its options is used. Everything that isn't about pytest is in ``session.py``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

import pytest
from attrs import frozen

from conformance.errors import ConformanceError
from conformance.settings.options import ROWS, from_mapping, keywords
from conformance.verdict import Outcome, Verdict

if TYPE_CHECKING:  # loaded only when an option is used: other people's pytest runs stay fast
    from conformance.run.session import Item, Session

__all__ = ["FIXTURE", "BrokenItem", "Judged", "pytest_addoption", "pytest_configure"]

SESSION: pytest.StashKey[Session] = pytest.StashKey()

#: What an item's test asks for. Its parameter is the item.
FIXTURE = "conformance_verdict"

#: Why there is no session. Its exit code is the command's; pytest itself knows only usage errors.
REFUSED: pytest.StashKey[ConformanceError] = pytest.StashKey()

#: Outcomes that are neither the target's pass nor its failure: raised in setup, so that they show as errors.
BROKEN = (Outcome.ERROR, Outcome.UNAVAILABLE, Outcome.INCONCLUSIVE, Outcome.NOT_TESTABLE)


class BrokenItem(Exception):  # noqa: N818 - pytest shows the name; it is an outcome, not an error of ours
    """An item that could not be judged. The text says why."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of a run, in a group of their own."""
    group = parser.getgroup("aoai-conformance", "conformance of an Azure OpenAI target")
    for row in ROWS:
        words = keywords(row)
        words["help"] = words["help"].replace("%", "%%")
        group.addoption(row.flag, **words)


def _used(config: pytest.Config) -> bool:
    return any(config.getoption(row.name, default=None) for row in ROWS)


def pytest_configure(config: pytest.Config) -> None:
    """Open the session where an option asks for it; the controller also starts the target and looks at it."""
    if not _used(config):
        return
    from conformance.run.session import Session

    worker = getattr(config, "workerinput", None)
    try:
        options = from_mapping(vars(config.option))
        if worker is not None:
            session = Session.join(options, json.loads(worker["aoai"]), worker["workerid"], int(worker["workercount"]))
        else:
            session = Session.open(options, workers=int(getattr(config.option, "numprocesses", 0) or 0))
            if not config.getoption("collectonly", default=False):
                session.prepare()
    except ConformanceError as error:
        config.stash[REFUSED] = error
        # The command prints the error itself; pytest prints it for people who typed pytest.
        alone = config.pluginmanager.has_plugin("terminalreporter")
        raise pytest.UsageError(*([str(error)] if alone else [])) from error
    config.stash[SESSION] = session


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell an xdist worker what the controller found out."""
    session = node.config.stash.get(SESSION, None)
    node.workerinput["aoai"] = json.dumps(session.handoff()) if session else ""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """A scenario belongs to one worker, whatever ``--dist`` says: each exchange is sent once."""
    if SESSION not in config.stash:
        return None
    from conformance.run.scheduling import ByScenario

    config.option.maxworkerrestart = "0"  # a worker's scenarios can't be sent a second time
    return ByScenario(config, log)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each item."""
    if FIXTURE in metafunc.fixturenames:
        session = metafunc.config.stash.get(SESSION, None)
        items = session.items if session else ()
        metafunc.parametrize(FIXTURE, items, ids=[item.id for item in items], indirect=True)


@frozen
class Judged:
    """An item's verdict, and what a person needs to know of it."""

    session: Session
    item: Item
    verdict: Verdict

    def explained(self) -> str:
        """About ten lines."""
        return "\n".join(self.session.explain(self.item, self.verdict))


@pytest.fixture
def conformance_verdict(request: pytest.FixtureRequest) -> Judged:
    """The verdict of this test's item; skips or raises where there is nothing to pass or fail."""
    item: Item = request.param
    session = request.config.stash[SESSION]
    verdict = session.verdict(item)
    judged = Judged(session, item, verdict)
    # One fixture for each item and no more: there are thousands of items, and a fixture costs more than a verdict.
    request.node.user_properties += _properties(item, verdict)
    if verdict.waiver:
        pytest.skip(f"waived: {verdict.waiver}")
    if verdict.outcome is Outcome.NOT_APPLICABLE:
        pytest.skip(verdict.reason or "not applicable")
    if verdict.outcome in BROKEN:
        raise BrokenItem(judged.explained())
    return judged


def _properties(item: Item, verdict: Verdict) -> Iterator[tuple[str, object]]:
    """What JUnit tells of a verdict besides its outcome."""
    yield "outcome", verdict.outcome.value
    yield "level", item.check.level.value
    yield "clause", item.check.clause
    for finding in verdict.findings[:5]:
        yield "finding", f"{finding.case_id} {finding.message}"
    if verdict.waiver:
        yield "waiver", verdict.waiver


def pytest_collection_finish(session: pytest.Session) -> None:
    """Start the scenarios of the selected items, ahead of them."""
    ours = session.config.stash.get(SESSION, None)
    if (
        ours is not None
        and not session.config.getoption("collectonly", default=False)
        and not _controls(session.config)
    ):
        chosen = [
            cast("Item", item.callspec.params[FIXTURE])
            for item in session.items
            if isinstance(item, pytest.Function) and FIXTURE in item.fixturenames and hasattr(item, "callspec")
        ]
        ours.start(chosen)


def _controls(config: pytest.Config) -> bool:
    """True in the process that only hands out work to xdist's workers."""
    return not hasattr(config, "workerinput") and bool(getattr(config.option, "numprocesses", 0))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Remove what was created; where the last process ends, write the reports."""
    ours = session.config.stash.get(SESSION, None)
    if ours is not None:
        ours.close(interrupted=exitstatus == pytest.ExitCode.INTERRUPTED)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Where the reports are, and the conclusion of each api-version."""
    session = config.stash.get(SESSION, None)
    if session is not None and session.finished:
        terminalreporter.section("conformance")
        for line in session.summary():
            terminalreporter.write_line(line)
