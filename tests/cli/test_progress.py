"""The line on the progress of a run, and the colours of its summary."""

from __future__ import annotations

import os
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from conformance.cli import _progress
from conformance.cli._progress import Console


class Screen:
    """Standard error that may be a terminal."""

    def __init__(self, terminal: bool) -> None:
        self.written, self._terminal = "", terminal

    def isatty(self) -> bool:
        return self._terminal

    def write(self, text: str) -> int:
        self.written += text
        return len(text)

    def flush(self) -> None:
        """Nothing is kept back."""


def shown(monkeypatch: pytest.MonkeyPatch, *, terminal: bool, judged: int = 30) -> str:
    """What a run of 40 items shows when some of them were judged."""
    screen = Screen(terminal)
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr(_progress, "QUIET", 0.0)
    monkeypatch.setenv("COLUMNS", "200")
    made = Console()
    made._version = "v"
    made.pytest_collection_finish(SimpleNamespace(items=[None] * 40))  # type: ignore[arg-type]  # only counted
    for number in range(judged):
        outcome = "warn" if number % 10 == 3 else "pass"
        told: Any = SimpleNamespace(
            when="call",
            passed=True,
            outcome="passed",
            user_properties=[("outcome", outcome)],
            nodeid="suite/test_conformance.py::v:corpus.files.list:a.check",
        )
        made.pytest_runtest_logreport(told)
    made._show(final=True)
    return screen.written


def test_a_terminal_shows_outcomes_what_is_judged_and_the_time_that_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown(monkeypatch, terminal=True)
    last = text.rpartition("\r\x1b[K")[2]
    assert last.startswith("v: 30/40 judged, 0 sent; about 0:00 left; ")
    assert last.endswith("3 warn, 27 pass; now corpus.files.list\n")


def test_a_log_file_gets_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown(monkeypatch, terminal=False)
    assert "\x1b" not in text
    assert "\r" not in text
    assert "v: 30/40 judged, 0 sent; 3 warn, 27 pass; now corpus.files.list" == text.splitlines()[-1]
    assert "left" not in text


def test_a_narrow_terminal_never_breaks_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.get_terminal_size", lambda *_args, **_more: os.terminal_size((30, 24)))
    lines = shown(monkeypatch, terminal=True).split("\r\x1b[K")
    assert {True} == {len(line.rstrip("\n")) < 30 for line in lines}


@pytest.mark.parametrize(
    ("line", "coloured"),
    [
        ("FAIL a.check (MUST) in corpus.o", "\x1b[31mFAIL\x1b[0m a.check (MUST) in corpus.o"),
        ("WARN a.check (SHOULD) in corpus.o", "\x1b[33mWARN\x1b[0m a.check (SHOULD) in corpus.o"),
        ("v: not conformant (profile standard)", "\x1b[31mv: not conformant\x1b[0m (profile standard)"),
        ("v: conformant (profile standard)", "\x1b[32mv: conformant\x1b[0m (profile standard)"),
        ("  found     FAIL (x)", "  found     FAIL (x)"),
        ("GET /x (y)", "GET /x (y)"),
    ],
)
def test_the_words_of_an_outcome_have_its_colour(line: str, coloured: str) -> None:
    assert coloured == _progress._coloured(line)


@pytest.mark.parametrize(
    ("terminal", "variable", "colours"), [(True, "", True), (True, "1", False), (False, "", False)]
)
def test_no_color_is_kept(monkeypatch: pytest.MonkeyPatch, terminal: bool, variable: str, colours: bool) -> None:
    """As no-color.org says: any value but an empty one."""
    monkeypatch.setenv("NO_COLOR", variable)
    monkeypatch.setattr(sys, "stdout", Screen(terminal))
    assert colours == Console()._colours
