"""The page of a report is written by a copy of the process, and by the process itself where that breaks down."""

from __future__ import annotations

import json
import multiprocessing
import os
import runpy
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

from conformance._parts import part
from conformance.run import copied, recording

HOME = os.getpid()

copies = pytest.mark.skipif(not copied.possible(), reason="no process can be copied here, or there is one processor")


@frozen
class Page:
    """A long format. What it does first depends on the process that writes it."""

    before: Callable[[], object] = lambda: None
    NAME: str = "index.html"

    def pieces(self, _report: Any, _folder: str) -> Iterator[str]:
        yield "begun "
        if os.getpid() != HOME:
            self.before()
        yield str(os.getpid())

    def render(self, _report: Any, _folder: str) -> str:
        raise AssertionError("it is written piece by piece")


@pytest.fixture
def derived(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Page], tuple[str, str]]:
    """Write a page beside another format, and return what it says: the word, and who wrote it."""

    def derive(page: Page) -> tuple[str, str]:
        monkeypatch.setattr(recording, "formats", lambda: (page,))
        recording.derive(tmp_path, None)  # type: ignore[arg-type]
        sealed = json.loads((tmp_path / part("reports.manifest").NAME).read_text("utf-8"))
        assert page.NAME in str(sealed)
        word, writer = (tmp_path / page.NAME).read_text("utf-8").split()
        return word, "here" if writer == str(HOME) else "beside"

    return derive


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def fail() -> None:
    raise MemoryError


@copies
def test_the_page_is_written_beside(derived: Callable[[Page], tuple[str, str]]) -> None:
    assert ("begun", "beside") == derived(Page())


@copies
@pytest.mark.parametrize("before", [kill, fail])
def test_a_page_that_breaks_off_is_written_here(
    derived: Callable[[Page], tuple[str, str]], before: Callable[[], object]
) -> None:
    assert ("begun", "here") == derived(Page(before))


@copies
def test_nobody_waits_for_ever_for_the_page(
    derived: Callable[[Page], tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A signal is only noted meanwhile, so nobody could end the run."""
    monkeypatch.setattr(recording, "_PATIENCE", 0.05)
    assert ("begun", "here") == derived(Page(threading.Event().wait))


@copies
def test_a_wait_that_is_interrupted_leaves_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who interrupts it a second time wants an end."""

    def interrupted(_seconds: float) -> None:
        monkeypatch.undo()
        raise KeyboardInterrupt

    process = copied.copied(threading.Event().wait)
    monkeypatch.setattr(process, "join", interrupted)
    with pytest.raises(KeyboardInterrupt):
        copied.finished(process, 60.0)
    assert -signal.SIGKILL == process.exitcode


def test_where_no_process_may_be_added_the_page_is_written_here(
    derived: Callable[[Page], tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(recording, "copied", refused)
    assert ("begun", "here") == derived(Page())


def test_a_page_that_can_not_be_written_is_told(derived: Callable[[Page], tuple[str, str]], tmp_path: Path) -> None:
    (tmp_path / Page().NAME).mkdir()
    with pytest.raises(IsADirectoryError):
        derived(Page())


def test_other_systems_copy_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """The module can be loaded where its signals and calls don't exist."""
    with monkeypatch.context() as patched:
        patched.setattr(sys, "platform", "win32")
        for module, name in ((signal, "SIGHUP"), (signal, "pthread_sigmask"), (os, "sched_getaffinity")):
            patched.delattr(module, name, raising=False)
        loaded = runpy.run_path(str(copied.__file__))
        possible = loaded["possible"]()
    assert not possible


def test_a_process_that_may_have_none_copies_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker of a pool of ``multiprocessing`` is a daemon, which may start no process."""
    monkeypatch.setitem(multiprocessing.current_process()._config, "daemon", True)  # type: ignore[attr-defined]
    assert not copied.possible()
