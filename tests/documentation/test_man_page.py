"""The manual page is what the command line says of itself, and ``man`` can show it."""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.cli import PROG, parser

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "man"
PAGE = FOLDER / f"{PROG}.1"


def commands(given: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """A parser and those below it."""
    yield given
    for action in given._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from commands(below)


@pytest.mark.skipif(importlib.util.find_spec("argparse_manpage") is None, reason="argparse-manpage is not installed")
def test_the_page_is_what_the_command_line_makes(tmp_path: Path) -> None:
    """The page that is checked in is the one that ``python docs/man`` writes."""
    again = tmp_path / "man"
    shutil.copytree(FOLDER, again)
    (again / PAGE.name).unlink()
    env = {**os.environ, "PYTHONPATH": str(FOLDER.parents[1])}
    subprocess.run([sys.executable, str(again)], check=True, env=env)
    # Versions of Python break the lines of a usage at other places.
    assert (again / PAGE.name).read_text("utf-8").split() == PAGE.read_text("utf-8").split()


def test_it_has_every_command_and_option() -> None:
    told = PAGE.read_text("utf-8").replace("\\-", "-")
    for command in commands(parser()):
        assert command.prog in told
        options = {option for action in command._actions for option in action.option_strings} - {"-h", "--help"}
        # The first usage that begins so: that of the command itself stands before those below it.
        part = told if command.prog == PROG else told.split(f"\nusage: {command.prog} ", 1)[1].split("\n.S", 1)[0]
        assert [option for option in options if option not in part] == []


@pytest.mark.skipif(shutil.which("mandoc") is None, reason="mandoc is not installed")
def test_mandoc_finds_nothing() -> None:
    words = ["mandoc", "-T", "lint", "-W", "warning", str(PAGE)]
    lines = subprocess.run(words, capture_output=True, text=True, check=False).stdout.splitlines()
    # A page with a date would be another one every day.
    assert [line for line in lines if 'missing date, using ""' not in line] == []


@pytest.mark.skipif(shutil.which("man") is None, reason="man is not installed")
def test_man_shows_it_without_a_warning() -> None:
    env = {**os.environ, "MANWIDTH": "80", "MAN_KEEP_FORMATTING": "1", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(["man", "--warnings", "-l", str(PAGE)], capture_output=True, text=True, check=False, env=env)
    assert (0, "") == (done.returncode, done.stderr)
    assert f"{PROG} run" in re.sub(r"\x1b\[[\d;]*m|.\x08", "", done.stdout)
