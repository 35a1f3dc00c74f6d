"""What can differ between a checkout and an installed wheel: its files, its commands, and one run of each api-version.

Only in ``tox -e wheel``, whose environment has the wheel. All other rules are the same code in both and are tested from
the checkout.
"""

from __future__ import annotations

import json
import os
import pkgutil
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import distribution, entry_points
from pathlib import Path

import pytest
from served import CANARY, PATIENCE, Done

import conformance

pytestmark = pytest.mark.wheel

#: A moment in seconds since the Unix epoch.
_TIME = re.compile(r"\b1[789]\d{8}\b")

CHECKOUT = Path(__file__).resolve().parents[2]
PACKAGE = Path(conformance.__file__).resolve().parent

#: What the wheel holds, by its folder in the checkout and its folder in the installed package.
FOLDERS = {"conformance": "", "strategies": "strategies", "reports": "reports", "specs": "specs"}
if (CHECKOUT / "derived").is_dir():
    # Written by ci/derive.py before a release.
    FOLDERS["derived"] = "derived"

VERSIONS = sorted(
    file.parent.name
    for file in (CHECKOUT / "specs").glob("*/version.toml")
    if tomllib.loads(file.read_text("utf-8")).get("draft") is not True
)

COMMANDS = sorted(
    file.stem for file in (CHECKOUT / "conformance" / "cli").glob("*.py") if not file.stem.startswith("_")
)


def files_of(folder: Path) -> Iterator[Path]:
    """The files below a folder, relative to it; what Python or a run left there is not part of it."""
    for file in sorted(folder.rglob("*")):
        inside = file.relative_to(folder)
        if file.is_file() and "__pycache__" not in inside.parts and inside.parts[0] != "out":
            yield inside


def environment(state: Path, **more: str) -> dict[str, str]:
    """The environment of a command: nothing of the checkout is on the import path."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("AOAI_", "PYTEST_", "PYTHONPATH"))
    }
    # Its own cache: what a checkout of the same code has put into the user's cache would hide that a file is missing.
    folders = {"XDG_STATE_HOME": str(state / "state"), "AOAI_CONFORMANCE_CACHE": str(state / "cache")}
    keys = {"AZURE_OPENAI_API_KEY": CANARY, "AOAI_EMULATOR_KEY": CANARY}
    return {**kept, **folders, **keys, "PYTHONDONTWRITEBYTECODE": "1", **more}


def execute(state: Path, *words: str, **more: str) -> Done:
    """Run words in an empty folder, to their end."""
    (state / "here").mkdir(exist_ok=True)
    done = subprocess.run(
        words,
        env=environment(state, **more),
        cwd=state / "here",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def installed(state: Path, *arguments: str) -> Done:
    """The command that the wheel installed."""
    return execute(state, str(Path(sys.executable).with_name("aoai-conformance")), *arguments)


def test_these_tests_see_the_wheel() -> None:
    """Nothing here is imported from the checkout."""
    assert not PACKAGE.is_relative_to(CHECKOUT / "conformance")
    assert PACKAGE == Path(str(distribution("aoai-conformance").locate_file("conformance"))).resolve()


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_file_of_the_checkout_is_in_the_wheel(folder: str) -> None:
    """Modules, templates, schemas and specs: the same files, byte for byte."""
    there, here = PACKAGE / FOLDERS[folder], CHECKOUT / folder
    found = {file for file in files_of(there) if FOLDERS[folder] or file.parts[0] not in FOLDERS}
    wanted = set(files_of(here))
    assert wanted
    assert wanted == found
    assert [] == [str(file) for file in wanted if (here / file).read_bytes() != (there / file).read_bytes()]


def test_the_manual_page_is_where_man_looks() -> None:
    """Below the prefix of the environment, whose ``bin`` is on the path: ``man`` looks into ``share/man`` beside it."""
    page = "aoai-conformance.1"
    there = Path(sys.prefix) / "share" / "man" / "man1" / page
    assert (CHECKOUT / "docs" / "man" / page).read_bytes() == there.read_bytes()


def test_the_wheel_installs_nothing_else() -> None:
    """No tests, benchmarks or top-level packages ``strategies`` and ``reports``: those are other people's names."""
    files = distribution("aoai-conformance").files or []
    tops = {file.parts[0] for file in files if not file.parts[0].endswith(".dist-info") and file.parts[0] != ".."}
    assert {"conformance", "aoai_conformance_pytest.py"} == tops - {"__pycache__"}


def test_every_module_can_be_imported(tmp_path: Path) -> None:
    """Each by its name in the wheel, in one process, with warnings as errors."""
    walked = pkgutil.walk_packages([str(PACKAGE)], "conformance.")
    names = [info.name for info in walked if info.name != "conformance.__main__"]
    assert {"conformance.cli.run", "conformance.strategies.compose", "conformance.reports.html"} <= {*names}
    code = "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)"
    done = execute(tmp_path, sys.executable, "-W", "error", "-c", code, *names, "aoai_conformance_pytest")
    assert 0 == done.code, done.err


def test_pytest_finds_the_plugin_by_its_entry_point() -> None:
    """The installed package says which module pytest loads."""
    assert "aoai_conformance_pytest" in {entry.value for entry in entry_points(group="pytest11")}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_there(tmp_path: Path, command: str) -> None:
    """Its help is printed; so it was found, and so were its arguments."""
    done = installed(tmp_path, command, "--help")
    assert 0 == done.code, done.err
    assert f"usage: aoai-conformance {command} " in done.out


def test_module_and_script_are_one_command(tmp_path: Path) -> None:
    """``python -m conformance`` is the same program."""
    told = execute(tmp_path, sys.executable, "-m", "conformance", "--version")
    assert (0, f"aoai-conformance {distribution('aoai-conformance').version}") == (told.code, told.out.splitlines()[0])
    assert told.out == installed(tmp_path, "--version").out


@pytest.mark.parametrize(
    "words",
    [
        ("list", "versions", "--json"),
        ("list", "checks", "--json"),
        ("list", "clauses", "--json"),
        ("explain", "schema.response"),
        ("spec", "diff", VERSIONS[0], VERSIONS[-1]),
        ("run", "--api-version", "2024-13-01"),
    ],
    ids=" ".join,
)
def test_both_layouts_say_the_same(tmp_path: Path, words: tuple[str, ...]) -> None:
    """What the wheel knows is what the checkout knows: the same output and the same exit code."""
    checkout = execute(tmp_path, sys.executable, "-m", "conformance", *words, PYTHONPATH=str(CHECKOUT))
    wheel = installed(tmp_path, *words)
    assert (checkout.code, checkout.err) == (wheel.code, wheel.err)
    # An explanation shows an answer of the emulator, made at that moment.
    assert _TIME.sub("now", checkout.out) == _TIME.sub("now", wheel.out)
    assert wheel.out + wheel.err


@pytest.mark.parametrize("version", VERSIONS)
def test_each_version_is_certified_and_verified(tmp_path: Path, version: str) -> None:
    """The wheel judges its own emulator conformant, by the requests that the checkout derives; ``verify`` agrees."""
    asked = ("list", "cases", "--json", "--profile", "smoke", "--api-version", version)
    checkout = execute(tmp_path, sys.executable, "-m", "conformance", *asked, "--no-cache", PYTHONPATH=str(CHECKOUT))
    cases = {row["case"] for row in json.loads(checkout.out)}
    out = tmp_path / "out"
    done = installed(tmp_path, "run", "--profile", "smoke", "--api-version", version, "--out", str(out))
    assert 0 == done.code, done.out + done.err
    assert f"{version}: conformant" in done.out
    kinds: dict[str, list[dict[str, object]]] = {}
    for line in (out / version / "report.jsonl").read_text("utf-8").splitlines():
        kinds.setdefault(json.loads(line)["type"], []).append(json.loads(line))
    assert cases
    assert cases <= {found["case"]["id"] for found in kinds["exchange"]}
    for file in ("index.html", f"{version}/index.html", f"{version}/summary.md", f"{version}/badge.json"):
        assert (out / file).stat().st_size
    again = installed(tmp_path, "verify", str(out))
    assert 0 == again.code, again.out + again.err
    assert f"{version}: " in again.out
    assert "verdicts are the same" in again.out


def test_a_broken_server_is_noticed_and_its_case_replayed(tmp_path: Path) -> None:
    """``serve --break``, ``run`` and ``replay`` from the wheel: the rule fails, and fails again for the case alone."""
    words = [str(Path(sys.executable).with_name("aoai-conformance")), "serve", "--port", "0"]
    process = subprocess.Popen(
        [*words, "--break", "embeddings.count"],
        env=environment(tmp_path),
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            assert line.startswith("ready "), line
            target = ("--target", line.removeprefix("ready ").strip())
            out = tmp_path / "out"
            chosen = ("--scenario", "corpus.embeddings.create", "--check", "embeddings.count")
            done = installed(tmp_path, "run", *target, *chosen, "--profile", "smoke", "--out", str(out))
            assert 1 == done.code, done.out + done.err
            assert "FAIL embeddings.count" in done.out
            (file,) = out.glob("*/report.jsonl")
            lines = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
            case = next(line["cases"][0] for line in lines if line["type"] == "verdict" and line["outcome"] == "fail")
            again = installed(tmp_path, "replay", case, "--run", str(out), *target)
        finally:
            process.kill()
    assert 1 == again.code, again.out + again.err
    assert [True] == [line.startswith("fail") for line in again.lines if " embeddings.count " in line]


@pytest.mark.parametrize("processes", ["0", "2"])
def test_the_suite_runs_in_pytest(tmp_path: Path, processes: str) -> None:
    """``pytest --pyargs conformance``, with the plugin loaded by its entry point, in one process and in two."""
    version, out = VERSIONS[0], tmp_path / "out"
    options = (f"--aoai-api-version={version}", "--aoai-profile=smoke", f"--aoai-out={out}", "-n", processes)
    words = (sys.executable, "-m", "pytest", "--pyargs", "conformance", "-q", "-p", "no:cacheprovider", *options)
    done = execute(tmp_path, *words)
    assert 0 == done.code, done.out + done.err
    assert f"{version}: conformant" in done.out
    assert (out / version / "report.jsonl").is_file()
