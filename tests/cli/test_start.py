"""The start of a command: what it loads before it does anything, and Ctrl-C while it loads. People and scripts ask for
version and help often.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from served import environment, words

from conformance import __version__
from conformance.cli import PROG, _heading, _names, parser
from conformance.corpus.corpus import build_corpus
from conformance.spec.loading import load, versions

#: What takes long to load.
HEAVY = {"pytest", "httpx", "jsonschema_rs", "conformance.cli.run", "conformance.spec.loading"}

#: What only some runs need: the processes of xdist, certificates, a wrong value told in words, a table read anew.
SELDOM = {"xdist", "execnet", "httpx", "rich", "click", "jsonpath", "jsonpatch", "conformance.recordings.har_writer"}

#: A process gets Ctrl-C at the moment when it imports the module with the name in the variable. A test run in the
#: background of a script inherits an ignored SIGINT; a person's terminal doesn't.
INTERRUPTING = """
import os, signal, sys

signal.signal(signal.SIGINT, signal.default_int_handler)

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == os.environ["INTERRUPT_AT"]:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Finder())
"""


def loaded(*arguments: str) -> tuple[str, set[str]]:
    """The output of a command, and the modules that it imported."""
    words = [sys.executable, "-X", "importtime", "-m", "conformance", *arguments]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    names = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "conformance.cli" in names
    return done.stdout, names


def test_the_version_loads_no_command() -> None:
    out, names = loaded("--version")
    first, *rest = out.splitlines()
    assert f"{PROG} {__version__}" == first
    assert [(name, load(name).digest[:12]) for name in versions()] == [tuple(line.split()) for line in rest]
    assert set() == (HEAVY | {"yaml"}) & names


def test_a_run_loads_nothing_that_only_other_runs_need(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run at http, in one process, of a version whose document was read and whose requests were derived before."""
    monkeypatch.chdir(tmp_path)
    build_corpus(load("2024-10-21"), "smoke")
    out, names = loaded("run", "--api-version=2024-10-21", "--scenario=corpus.embeddings.create", "--profile=smoke")
    assert "2024-10-21: conformant" in out
    assert "pytest" in names
    assert set() == SELDOM & names


@pytest.mark.parametrize("arguments", [("--help",), ("-h",), (), ("no-such-command",)], ids=" ".join)
def test_the_list_of_commands_loads_none_of_them(arguments: tuple[str, ...]) -> None:
    assert set() == HEAVY & loaded(*arguments)[1]


def test_the_list_of_commands_is_that_of_the_commands() -> None:
    """It is read from the text of their modules, so it is compared with the modules themselves."""
    assert parser().format_help() == parser("").format_help()
    assert {"run", "serve"} <= {_heading(name).NAME for name in _names()}


@pytest.mark.parametrize(
    ("module", "arguments"),
    [
        ("conformance.cli", ("run",)),
        ("conformance.errors", ("--version",)),
        ("conformance.cli.run", ("run",)),
        ("pytest", ("run",)),
        ("conformance.emulator.app", ("serve",)),
    ],
)
def test_ctrl_c_while_it_loads_ends_with_one_line(module: str, arguments: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(INTERRUPTING)
    env = environment(tmp_path, INTERRUPT_AT=module)
    env["PYTHONPATH"] = f"{tmp_path}:{env['PYTHONPATH']}"
    done = subprocess.run(
        words(*arguments), env=env, capture_output=True, text=True, check=False, cwd=tmp_path, timeout=300
    )
    assert (130, "", f"{PROG}: interrupted\n") == (done.returncode, done.stdout, done.stderr)


def test_deriving_requests_leaves_nothing_in_the_folder_of_the_command(tmp_path: Path) -> None:
    """Hypothesis keeps a table of characters, by itself in the folder in which its process began."""
    given = words("plan", "--api-version", "2024-10-21", "--operation", "embeddings.*")
    kept = tmp_path / "kept"
    env = environment(tmp_path, AOAI_CONFORMANCE_CACHE=str(kept))
    where = tmp_path / "where"
    where.mkdir()
    done = subprocess.run(given, cwd=where, env=env, capture_output=True, text=True, timeout=300, check=False)
    assert 0 == done.returncode, done.stderr
    assert [] == [*where.iterdir()]
    assert {"hypothesis", "specs"} <= {path.name for path in kept.iterdir()}
