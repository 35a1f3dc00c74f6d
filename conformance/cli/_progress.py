"""The progress of a run: one line that is overwritten on a terminal, a line every 15 seconds elsewhere; then the
summary.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from conformance.cli._crash import tell
from conformance.errors import ConformanceError, UsageError, outside

if TYPE_CHECKING:
    from conformance.target.limits import Spent
    from reports.headline import Headline

__all__ = ["Console"]

#: Seconds between two lines if the output is no terminal.
QUIET = 15.0


class Console:
    """A pytest plugin that replaces the terminal reporter.

    ``exit_code`` is that of the run, ``headlines`` the first line of each api-version's report, ``refused`` the error
    because of which the run did not begin, ``spent`` what the run has spent of its budget.
    """

    def __init__(self) -> None:
        self.exit_code: int | None = None
        self.headlines: Mapping[str, Headline] = {}
        self.refused: ConformanceError | None = None
        self.spent: Spent | None = None
        self._sent = self._judged = self._failed = 0
        self._items = 0
        self._version = ""
        self._last = 0.0
        self._lock = threading.Lock()
        self._moving = sys.stderr.isatty()

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
            self._last = time.monotonic()

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
            self._failed += report.failed
            self._show()

    def _show(self, *, final: bool = False) -> None:
        """Print the progress, unless the last line is too recent."""
        with self._lock:
            now = time.monotonic()
            # Ten times a second is smooth on a terminal; a log file needs far fewer lines.
            if not final and now - self._last < (0.1 if self._moving else QUIET):
                return
            self._last = now
            of = f"/{self._items}" if self._items else ""
            line = f"{self._version}: {self._sent} sent, {self._judged}{of} judged, {self._failed} failed"
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
        self.headlines, self.spent = session.headlines, session.spent
        # An internal error was reported; a summary would look like a result.
        if self.exit_code is not None:
            return
        if self._moving:
            self._show(final=True)
        for line in session.summary():
            print(line)
        if session.interrupted:
            print("interrupted: the report holds what was judged until then")
        self.exit_code = session.exit_code
