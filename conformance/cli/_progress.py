"""What a person sees of a run: one moving line on a terminal, a quiet line now and then elsewhere, then the summary."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest

from conformance.cli._crash import tell
from conformance.errors import ConformanceError

if TYPE_CHECKING:
    from reports.headline import Headline

__all__ = ["Console"]

#: Seconds between two lines where nothing can be overwritten.
QUIET = 15.0


class Console:
    """A pytest plugin in the place of the terminal reporter. ``exit_code`` is that of the verdicts, ``headlines`` holds
    what the report of each api-version says first.
    """

    def __init__(self) -> None:
        self.exit_code: int | None = None
        self.headlines: Mapping[str, Headline] = {}
        self.refused: ConformanceError | None = None
        self._sent = self._judged = self._failed = 0
        self._items = 0
        self._version = ""
        self._last = 0.0
        self._lock = threading.Lock()
        self._moving = sys.stderr.isatty()

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Follow the session's progress."""
        from conformance.plugin import SESSION

        # Our messages are the evidence; frames of our own code would cost 20 ms for each failure, and say nothing.
        config.option.tbstyle = "line"
        session = config.stash.get(SESSION, None)
        if session is not None:
            session.notify = self._event
            self._version = ", ".join(session.versions)
            self._last = time.monotonic()

    def _event(self, version: str, event: Any) -> None:
        self._version = version
        if event.kind == "sent":
            self._sent += 1
            self._show()

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """How many items there are."""
        self._items = len(session.items)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count what was judged."""
        if report.when == "call" or (report.when == "setup" and not report.passed):
            self._judged += 1
            self._failed += report.failed
            self._show()

    def _show(self, *, final: bool = False) -> None:
        with self._lock:
            now = time.monotonic()
            if not final and now - self._last < (0.1 if self._moving else QUIET):
                return
            self._last = now
            of = f"/{self._items}" if self._items else ""
            line = f"{self._version}: {self._sent} sent, {self._judged}{of} judged, {self._failed} failed"
            if self._moving:
                sys.stderr.write(f"\r\x1b[K{line}" + ("\n" if final else ""))
            else:
                sys.stderr.write(line + "\n")
            sys.stderr.flush()

    def pytest_internalerror(self, excrepr: Any, excinfo: pytest.ExceptionInfo[BaseException]) -> bool:
        """A crash of ours: say so in one line. True, so that pytest prints nothing more."""
        tell(excinfo.exconly(), str(excrepr))
        self.exit_code = 70
        return True

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """An error while collecting is ours too."""
        if report.failed:
            text = str(report.longrepr)
            tell(text.strip().rpartition("\n")[2], text)
            self.exit_code = 70

    @pytest.hookimpl(tryfirst=True)
    def pytest_unconfigure(self, config: pytest.Config) -> None:
        """The summary; where nothing began, the reason is kept."""
        from conformance.plugin import REFUSED, SESSION

        self.refused = config.stash.get(REFUSED, None)
        session = config.stash.get(SESSION, None)
        if session is None:
            return
        self.headlines = session.headlines
        if self.exit_code is not None:
            return
        if self._moving:
            self._show(final=True)
        for line in session.summary():
            print(line)
        if session.interrupted:
            print("interrupted: the report holds what was judged until then")
        self.exit_code = session.exit_code
