"""Runs that the modules here share. Each is made at most once in a process of pytest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from narrow_runs import CHOICE, NARROW, VERSION, run
from served import HOME, PYTEST, Done, command, serving


@pytest.fixture(scope="session")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("run")


@pytest.fixture(scope="session")
def first(state: Path) -> tuple[Done, Path]:
    """One run against the embedded emulator, in one process."""
    return run(state, "first", *CHOICE, "--seed", "7")


@pytest.fixture(scope="session")
def broken(state: Path) -> Iterator[tuple[str, Done, Path]]:
    """A server that keeps one rule wrong, still running, and a run against it with Allure results."""
    with serving(state, "--api-version", VERSION, "--break", "embeddings.count") as url:
        done, out = run(state, "broken", *CHOICE, "--target", url, "--alluredir", str(state / "broken" / "allure"))
        yield url, done, out


@pytest.fixture(scope="session")
def suite(state: Path) -> Callable[..., Done]:
    """``pytest conformance`` in the checkout."""

    def ask(*arguments: str) -> Done:
        words = (*PYTEST, "conformance", "-p", "no:cacheprovider")
        chosen = (f"--aoai-scenario={name}" for name in NARROW)
        return command(state, *words, *arguments, *chosen, cwd=HOME, ours=False)

    return ask
