"""The page of a report in a real browser: Chromium without a window, which loads the file from disk."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import browsing
import pytest
from playwright.sync_api import Browser, sync_playwright


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The machine's own Chromium. It ends with the module: its driver keeps an event loop that others would meet."""
    found = shutil.which("chromium")
    if found is None:
        pytest.skip("there is no chromium on this machine")
    with sync_playwright() as play:
        # The tests may run as root and in a container, where Chromium's own sandbox can't.
        made = play.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu", "--disable-quic"])
        yield made
        made.close()


@pytest.fixture
def opened(browser: Browser) -> Iterator[browsing.Opening]:
    """Opens pages. At the end none may have raised an error, broken its policy or asked for anything but its file."""
    with ExitStack() as stack:
        yield lambda file, fragment="", **options: stack.enter_context(
            browsing.opened(browser, file, fragment, options)
        )


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a run against an emulator that sends an event after ``[DONE]``."""
    chosen = ("--scenario", "corpus.chat.completions.create", "--scenario", "corpus.embeddings.create")
    folder = tmp_path_factory.mktemp("broken")
    return browsing.judged(
        folder, *chosen, "--profile", "smoke", broken=("--break", "sse.done.last", "--interval", "0.01")
    )


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a run against an emulator that refuses every valid request for embeddings."""
    chosen = ("--scenario", "corpus.embeddings.create")
    return browsing.judged(tmp_path_factory.mktemp("refused"), *chosen, broken=("--break", "http.accepted"))
