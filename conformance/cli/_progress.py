"""The progress of a run: one line that is overwritten on a terminal, a line every 15 seconds elsewhere; then the
summary. On a terminal outcomes are coloured, unless ``NO_COLOR`` is set (no-color.org).
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from conformance.cli._crash import tell
from conformance.errors import ConformanceError, UsageError, outside
from conformance.evidence.timeline import escaped
from conformance.verdict import Outcome

if TYPE_CHECKING:
    from conformance.target.limits import Spent
    from reports.row import Row

__all__ = ["Console"]

#: Seconds between two lines if the output is no terminal.
QUIET = 15.0

#: Items that must be judged before the time that is left is told.
_ENOUGH = 20

#: The colour of each outcome, as an attribute of ECMA-48 (section 8.3.117). Others are not coloured.
_COLOURS = {
    Outcome.ERROR: 35,
    Outcome.FAIL: 31,
    Outcome.WARN: 33,
    Outcome.WAIVED: 36,
    Outcome.PASS: 32,
    Outcome.UNAVAILABLE: 33,
    Outcome.INCONCLUSIVE: 33,
    Outcome.NOT_TESTABLE: 33,
}

#: What is coloured in a line of the summary: the outcome with which an explanation begins, and the conclusion.
_COLOURED = re.compile(r"^(?:([A-Z_]+)(?= \S+ \()|(\S+: (?:not )?conformant))")


def _coloured(line: str) -> str:
    """A line of the summary with its first words in the colour of their outcome."""
    found = _COLOURED.match(line)
    if found is None:
        return line
    conclusion = Outcome.FAIL if " not " in f" {found[0]}" else Outcome.PASS
    outcome = conclusion if found[2] else Outcome.__members__.get(str(found[1]))
    colour = _COLOURS.get(outcome) if outcome is not None else None
    return line if colour is None else f"\x1b[{colour}m{found[0]}\x1b[0m{line[found.end() :]}"


class Console:
    """A pytest plugin that replaces the terminal reporter.

    ``exit_code`` is that of the run, ``rows`` what the overview tells of each api-version, ``refused`` the error
    because of which the run did not begin, ``spent`` what the run has spent of its budget.
    """

    def __init__(self) -> None:
        self.exit_code: int | None = None
        self.rows: Mapping[str, Row] = {}
        self.refused: ConformanceError | None = None
        self.spent: Spent | None = None
        self._sent = self._judged = self._items = 0
        self._outcomes: Counter[str] = Counter()
        self._now = ""
        self._version = ""
        self._last = self._began = time.monotonic()
        self._lock = threading.Lock()
        self._moving = sys.stderr.isatty()
        self._colours = sys.stdout.isatty() and not os.environ.get("NO_COLOR")

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Subscribe to the events of the session."""
        from conformance.plugin import SESSION

        # Failures are explained by findings. Tracebacks of our own code would cost 20 ms each and explain nothing.
        config.option.tbstyle = "line"
        session = config.stash.get(SESSION, None)
        if session is not None:
            session.notify = self._event
            self._version = ", ".join(session.versions)
            self._last = self._began = time.monotonic()

    def _event(self, version: str, event: Any) -> None:
        """Count a request that was sent."""
        self._version = version
        if event.kind == "sent":
            self._sent += 1
            self._show()

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Note the number of items."""
        self._items = len(session.items)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count an item that was judged."""
        # An item without a verdict ends in its setup; each item is counted once.
        if report.when == "call" or (report.when == "setup" and not report.passed):
            self._judged += 1
            told = dict(report.user_properties)
            self._outcomes[str(told.get("outcome") or report.outcome)] += 1
            self._now = report.nodeid.rpartition("::")[2].partition(":")[2].rpartition(":")[0]
            self._show()

    def _line(self, now: float) -> str:
        """What was sent and judged, by outcome, and which scenario is judged; on a terminal also the time that is left.

        The worst outcomes come first, because a narrow terminal cuts the end of the line.
        """
        of = f"/{self._items}" if self._items else ""
        counts = [f"{self._outcomes[one.value]} {one.value}" for one in Outcome if self._outcomes[one.value]]
        parts = [f"{self._version}: {self._judged}{of} judged, {self._sent} sent"]
        if self._moving and self._items and self._judged >= _ENOUGH:
            left = (now - self._began) / self._judged * (self._items - self._judged)
            parts.append(f"about {int(left) // 60}:{int(left) % 60:02} left")
        parts += [", ".join(counts)] if counts else []
        parts += [f"now {self._now}"] if self._now and self._judged != self._items else []
        line = escaped("; ".join(parts))
        return line[: shutil.get_terminal_size().columns - 1] if self._moving else line

    def _show(self, *, final: bool = False) -> None:
        """Print the progress, unless the last line is too recent."""
        with self._lock:
            now = time.monotonic()
            # Ten times a second is smooth on a terminal; a log file needs far fewer lines.
            if not final and now - self._last < (0.1 if self._moving else QUIET):
                return
            self._last = now
            line = self._line(now)
            with suppress(OSError):  # the terminal was closed: its signal ends the run, not the line that it interrupts
                if self._moving:
                    # Return to the start of the line and erase it (ECMA-48), so that a shorter line leaves no rest.
                    sys.stderr.write(f"\r\x1b[K{line}" + ("\n" if final else ""))
                else:
                    sys.stderr.write(line + "\n")
                sys.stderr.flush()

    def pytest_internalerror(self, excrepr: Any, excinfo: pytest.ExceptionInfo[BaseException]) -> bool:
        """An internal error: say so in one line. Returns True, so that pytest prints no traceback."""
        told = str(excinfo.value) if isinstance(excinfo.value, UsageError) else outside(excinfo.value)
        if told:
            sys.stderr.write(f"aoai-conformance: {told}\n")
            self.exit_code = 2
            return True
        tell(excinfo.exconly(), str(excrepr))
        self.exit_code = 70
        return True

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """An error during collection is an internal error too."""
        if report.failed:
            text = str(report.longrepr)
            tell(text.strip().rpartition("\n")[2], text)
            self.exit_code = 70

    @pytest.hookimpl(tryfirst=True)
    def pytest_unconfigure(self, config: pytest.Config) -> None:
        """Print the summary; if the run did not begin, keep the reason."""
        from conformance.plugin import REFUSED, SESSION

        self.refused = config.stash.get(REFUSED, None)
        session = config.stash.get(SESSION, None)
        if session is None:
            return
        self.rows, self.spent = session.rows, session.spent
        # An internal error was reported; a summary would look like a result.
        if self.exit_code is not None:
            return
        if self._moving:
            self._show(final=True)
        for line in session.summary():
            print(_coloured(line) if self._colours else line)
        if session.interrupted and self.rows:
            print("interrupted: the report holds what was judged until then")
        self.exit_code = session.exit_code
