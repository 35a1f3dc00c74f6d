"""What pytest collects for a run: one file, and in it an item for each scenario and check.

An item has no function, no fixture and no parameters, because pytest's work for them would cost more than the verdict.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from attrs import frozen

from conformance._parts import late
from conformance.verdict import Outcome, Verdict

if TYPE_CHECKING:  # loaded only when an option is used: other people's pytest runs stay fast
    from conformance.run.selection import Item
    from conformance.run.session import Session
    from reports import allure, junit
else:
    allure = late("reports.allure")
    junit = late("reports.junit")

__all__ = ["FILE", "OURS", "SESSION", "BrokenItem", "Rule", "Suite", "item_of", "nobody_else_looks_at"]

#: The file that pytest is called with. What it collects there are the selected items.
FILE = Path(__file__).resolve().parent / "test_conformance.py"

#: The run of this process. Under ``--co`` there is none.
SESSION: pytest.StashKey[Session] = pytest.StashKey()

#: Outcomes that are neither a pass nor a failure of the target. They are raised in setup, so that pytest calls them
#: errors.
_BROKEN = (Outcome.ERROR, Outcome.UNAVAILABLE, Outcome.INCONCLUSIVE, Outcome.NOT_TESTABLE)

#: The hooks by which a plugin takes part in the course of an item.
_COURSE = (
    *("pytest_runtest_protocol", "pytest_runtest_setup", "pytest_runtest_call", "pytest_runtest_teardown"),
    *("pytest_runtest_makereport", "pytest_exception_interact"),
)

#: pytest's options that show or stop at the steps of an item.
_STEPWISE = ("usepdb", "setupshow", "setuponly", "setupplan")


#: The name under which the plugin registers its own hooks of a run.
OURS = "aoai-conformance-run"


class BrokenItem(Exception):  # noqa: N818 - pytest shows the name; it is an outcome, not an error of ours
    """An item that could not be judged. The text says why."""


@frozen
class Judged:
    """What pytest is told of an item: why it is ``skipped``, ``broken`` or ``failed``; all are "" if it passed."""

    skipped: str = ""
    broken: str = ""
    failed: str = ""

    @classmethod
    def of(cls, session: Session, item: Item, verdict: Verdict) -> Judged:
        """That of a verdict."""
        from conformance.evidence.timeline import escaped

        if verdict.waived is not None:
            return cls(skipped=escaped(f"waived ({verdict.waived.outcome.value}): {verdict.waived.text}"))
        if verdict.outcome is Outcome.NOT_APPLICABLE:
            return cls(skipped=escaped(verdict.reason or "not applicable"))
        if verdict.outcome in _BROKEN:
            return cls(broken="\n".join(session.explain(item, verdict)))
        if verdict.outcome is Outcome.FAIL:
            return cls(failed="\n".join(session.explain(item, verdict)))
        return cls()


class Suite(pytest.File):
    """The file of the items. ``items`` are those that the options select."""

    def __init__(self, *, items: Iterable[Item], **words: Any) -> None:
        super().__init__(**words)
        self._items = tuple(items)
        #: Where all of them stand, as pytest tells it.
        self.place = ""

    def collect(self) -> Iterator[pytest.Item]:
        """Yield an item of pytest for each item."""
        for item in self._items:
            yield Rule.from_parent(self, name=item.id, item=item)


class Rule(pytest.Item):
    """Whether the target keeps one rule in one scenario. Its name is ``version:scenario:check``."""

    def __init__(self, *, item: Item, **words: Any) -> None:
        super().__init__(**words)
        self.item = item
        self._failed = ""

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where it stands, which is the same place for all, and its name."""
        return self.path, 0, self.name

    @property
    def location(self) -> tuple[str, int | None, str]:
        """The same with the path as pytest tells it, which is found out once."""
        suite = cast("Suite", self.parent)
        suite.place = suite.place or super().location[0]
        return suite.place, 0, self.name

    def _judge(self) -> Judged:
        """Wait for the scenario and judge it."""
        from conformance.evidence.timeline import escaped, visible

        session = self.config.stash[SESSION]
        verdict = session.verdict(self.item)
        judged = Judged.of(session, self.item, verdict)
        told = junit.properties(verdict, self.item.check.level.value, self.item.check.clause)
        # Last: an item that raises before is judged again.
        self.user_properties += [(name, escaped(value) if isinstance(value, str) else value) for name, value in told]
        if getattr(self.config.option, "allure_report_dir", None):
            self.add_marker(pytest.mark.allure_description(visible(allure.description(verdict))))
        return judged

    def setup(self) -> None:
        """Judge. Skips or raises if there is nothing to pass or fail."""
        __tracebackhide__ = True
        judged = self._judge()
        self._failed = judged.failed
        if judged.skipped:
            pytest.skip(judged.skipped)
        if judged.broken:
            raise BrokenItem(judged.broken)

    def runtest(self) -> None:
        """Fail with about ten lines that explain where the target breaks the rule."""
        if self._failed:
            pytest.fail(self._failed, pytrace=False)

    def reported(self) -> Iterator[pytest.TestReport]:
        """Judge, and yield the reports that pytest would make of :meth:`setup`, :meth:`runtest` and the tear-down."""
        began = time.time()
        judged = self._judge()
        ended = time.time()
        words: dict[str, Any] = {
            "nodeid": self.nodeid,
            "location": self.location,
            "keywords": {self.name: 1},
            "user_properties": self.user_properties,
        }
        skipped = (str(self.path), 1, f"Skipped: {judged.skipped}") if judged.skipped else None
        broken = f"{BrokenItem.__name__}: {judged.broken}" if judged.broken else None
        # The wait for the verdict belongs to the setup, as it does without us.
        yield pytest.TestReport(
            when="setup",
            outcome="skipped" if skipped else "failed" if broken else "passed",
            longrepr=skipped or broken,
            duration=ended - began,
            start=began,
            stop=ended,
            **words,
        )
        words |= {"start": ended, "stop": ended}
        if not skipped and not broken:
            failed = judged.failed or None
            yield pytest.TestReport(when="call", outcome="failed" if failed else "passed", longrepr=failed, **words)
        yield pytest.TestReport(when="teardown", outcome="passed", longrepr=None, **words)


def item_of(test: pytest.Item) -> Item | None:
    """The item of a test of this suite; None for a test of somebody else."""
    return test.item if isinstance(test, Rule) else None


def nobody_else_looks_at(config: pytest.Config) -> bool:
    """True if no plugin takes part in the course of an item but pytest's own, which have nothing to do for ours.

    Then the reports can be made directly. Allure's plugin is one that takes part, and so are those that repeat, time
    or colour the tests of a project.
    """
    if any(config.getoption(name, default=False) for name in _STEPWISE):
        return False
    return all(
        cast("str", found.function.__module__).startswith("_pytest.")
        for name in _COURSE
        for found in getattr(config.hook, name).get_hookimpls()
        if found.plugin_name != OURS
    )
