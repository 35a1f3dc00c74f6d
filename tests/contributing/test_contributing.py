"""The recipes of CONTRIBUTING.md, followed in a copy of the checkout: adding a check, an api-version, a report
format.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import field, frozen
from served import CANARY, PATIENCE, Done

CHECKOUT = Path(__file__).resolve().parents[2]

#: The api-version that is worked with: the smallest, so that the proofs are quick.
BASE = "2024-06-01"

#: An api-version with the clauses that the smallest one has not, and on which checks rest. ``spec lint`` misses them.
FULLEST = "v1-preview"

#: What a contributor types, and what the copy has to hold for it.
PARTS = (
    *("conformance", "strategies", "reports", "specs", "tests/proofs", "tests/other_providers"),
    *("conftest.py", "pyproject.toml"),
)

CHECKS = '''\
"""Examples of checks: one that is right, and three as they go wrong while somebody writes them."""

from collections.abc import Iterator
from typing import Any

from conformance.evidence.trace import Observation
from conformance.judging.check import Needs, check
from conformance.judging.counterexamples import asked, on_json
from conformance.requests.request import Request
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level

_posted = asked("POST", r"/embeddings")


def _many(value: Any, _request: Request) -> Any:
    """Counterexample: more tokens than any request here has."""
    return {**value, "usage": {"prompt_tokens": 2_000_000, "total_tokens": 2_000_000}}


def _never(value: Any, _request: Request) -> Any:
    return None


def _unseen(value: Any, _request: Request) -> Any:
    return {**value, "model": value["model"] + "-x"}


def _bounded(seen: Observation) -> Iterator[Finding]:
    if seen.json["usage"]["prompt_tokens"] > 1_000_000:
        yield seen.finding("more tokens than the request can have", place="/usage/prompt_tokens")


def _example(name: str, counterexample: Any, operation: str = "embeddings.create") -> Any:
    return check(
        name,
        Level.MUST,
        clause="example-bounded",
        counterexample=on_json(counterexample, when=_posted),
        operations=[operation],
        needs=Needs.SUCCESS,
    )


@_example("example.bounded", _many)
def bounded(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """The tokens of a prompt are below a million. People are billed by them."""
    yield from _bounded(seen)


@_example("example.never-applies", _never)
def never_applies(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """The same, with a counterexample that changes nothing."""
    yield from _bounded(seen)


@_example("example.breaks-something-else", _unseen)
def breaks_something_else(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """The same, with a counterexample that changes what the check doesn't look at."""
    yield from _bounded(seen)


@_example("example.about-nothing", _many, "embeddings.delete")
def about_nothing(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """The same, about an operation that no api-version has."""
    yield from _bounded(seen)
'''

CLAUSE = """
[[clause]]
id = "example-bounded"
text = "No prompt has a million tokens."
source = "An example"
provenance = "docs"
keyword = "MUST"
operations = ["embeddings.*"]
checks = ["example.bounded", "example.never-applies", "example.breaks-something-else", "example.about-nothing"]
"""

FORMAT = '''\
"""The failed checks, one a line."""

from .jsonl import Report

NAME = "failed.txt"


def render(report: Report, run_dir: str) -> str:
    return "".join(f"{one.check}\\n" for one in report.verdicts if one.outcome == "fail") or "none\\n"
'''


@frozen
class Copy:
    """A checkout of its own, in which a contributor works."""

    root: Path
    untouched: dict[str, bytes] = field(repr=False)

    def add(self, file: str, text: str) -> None:
        """Write at the end of a file; it is made where there is none."""
        path = self.root / file
        path.parent.mkdir(exist_ok=True)
        with path.open("a", encoding="utf-8", newline="\n") as stream:
            stream.write(text)

    @property
    def touched(self) -> set[str]:
        """The files that are new or were changed."""
        return {name for name, data in contents(self.root).items() if self.untouched.get(name) != data}

    def execute(self, *words: str) -> Done:
        """Python with these words, in the copy."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("AOAI_", "PYTEST_", "COV_"))}
        done = subprocess.run(
            [sys.executable, *words],
            env={
                **kept,
                "PYTHONPATH": str(self.root),
                "PYTHONDONTWRITEBYTECODE": "1",
                "XDG_STATE_HOME": str(self.root.parent / "state"),
                "AZURE_OPENAI_API_KEY": CANARY,
            },
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def command(self, *arguments: str) -> Done:
        """The command line of the copy."""
        return self.execute("-m", "conformance", *arguments)

    def certify(self, version: str, out: Path) -> Done:
        """A run against the emulator of the copy, the smallest profile."""
        return self.command("run", "--api-version", version, "--profile", "smoke", "--out", str(out))


def contents(root: Path) -> dict[str, bytes]:
    """Every file of a folder but bytecode, by its name relative to it."""
    files = (file for file in root.rglob("*") if file.is_file() and file.parent.name != "__pycache__")
    return {file.relative_to(root).as_posix(): file.read_bytes() for file in files}


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What every copy is made of."""
    root = tmp_path_factory.mktemp("original") / "checkout"
    shipped = {file.parent.name for file in (CHECKOUT / "specs").glob("*/version.toml")}
    # The bytecode comes along: copies keep the times of their sources, and compiling all takes longer than a small run.
    # What another process is writing there just now does not.
    ignored = shutil.ignore_patterns("*.pyc.*", "out", *shipped.difference({BASE, FULLEST}))
    for name in PARTS:
        if (CHECKOUT / name).is_dir():
            shutil.copytree(CHECKOUT / name, root / name, ignore=ignored)
        else:
            shutil.copy(CHECKOUT / name, root / name)
    for file in (CHECKOUT / "tests").glob("*.py"):
        if not file.name.startswith("test_"):
            shutil.copy(file, root / "tests")
    return root


@pytest.fixture
def checkout(original: Path, tmp_path: Path) -> Iterator[Copy]:
    """A fresh copy with one api-version."""
    root = tmp_path / "checkout"
    shutil.copytree(original, root, ignore=shutil.ignore_patterns(FULLEST))
    yield Copy(root, contents(root))
    shutil.rmtree(root)


def test_a_check_touches_its_file_and_its_clause(checkout: Copy) -> None:
    """It is found, listed, explained and judged; the proofs pass it, or say in words what is wrong with it."""
    checkout.add("conformance/checks/inference/example.py", CHECKS)
    checkout.add("specs/clauses.toml", CLAUSE)
    assert 0 == checkout.command("spec", "numbers", "--write").code
    assert {"conformance/checks/inference/example.py", "specs/clauses.toml", "specs/README.md"} == checkout.touched

    done = checkout.command("explain", "example.bounded")
    assert 0 == done.code, done.err
    assert [] == [text for text in ("People are billed", "No prompt has a million") if text not in done.out]

    done = checkout.execute(
        "-m", "pytest", "tests/proofs/test_counterexamples.py", "-q", "-k", "fails_its and example."
    )
    told = dict(re.findall(r"^(example\.[\w-]+): (.*)$", done.out, re.MULTILINE))
    assert 1 == done.code, done.out + done.err
    assert "3 failed, 1 passed" in done.out
    assert {"example.never-applies", "example.breaks-something-else", "example.about-nothing"} == set(told)
    assert re.match(
        r"its counterexample never applied. It returned None for each of the [1-9]\d* exchanges .* Let it change",
        told["example.never-applies"],
    )
    assert re.match(
        r"its counterexample changed [1-9]\d* of [1-9]\d* exchanges .* found nothing wrong",
        told["example.breaks-something-else"],
    )
    assert told["example.about-nothing"].startswith("it is about none of the exchanges")


def test_a_new_check_is_judged_in_a_run(checkout: Copy, tmp_path: Path) -> None:
    """``run`` judges by the new check as by any other."""
    checkout.add("conformance/checks/inference/example.py", CHECKS)
    checkout.add("specs/clauses.toml", CLAUSE)
    done = checkout.certify(BASE, tmp_path / "out")
    assert 0 == done.code, done.out + done.err
    lines = (tmp_path / "out" / BASE / "report.jsonl").read_text("utf-8").splitlines()
    verdicts = [line for line in map(json.loads, lines) if line["type"] == "verdict"]
    assert {"pass"} == {line["outcome"] for line in verdicts if line["check"] == "example.bounded"}


def test_an_api_version_touches_its_folder_alone(checkout: Copy, original: Path, tmp_path: Path) -> None:
    """It is listed, linted, compared with its neighbour, served by the emulator and judged conformant."""
    base = (checkout.root / "specs" / BASE / "version.toml").read_text("utf-8")
    meta = base.replace(f'"{BASE}"', '"2099-01-01"', 1)
    new = "specs/2099-01-01"
    checkout.add(f"{new}/version.toml", meta.replace("surface =", f'extends = "{BASE}"\nsurface =', 1))
    checkout.add(f"{new}/overlay.yaml", "overlay: 1.0.0\ninfo: {title: t, version: v}\nactions: []\n")
    checkout.add(f"{new}/clauses.toml", "")
    checkout.add(f"{new}/errata.toml", "")
    assert 0 == checkout.command("spec", "numbers", "--write").code
    assert {"specs/README.md"} == {name for name in checkout.touched if not name.startswith(f"{new}/")}
    assert "| 2099-01-01 |" in (checkout.root / "specs" / "README.md").read_text("utf-8")

    shutil.copytree(original / "specs" / FULLEST, checkout.root / "specs" / FULLEST)
    done = checkout.command("spec", "lint", "2099-01-01")
    assert (0, "") == (done.code, done.err), done.out
    done = checkout.command("spec", "diff", BASE, "2099-01-01")
    assert 0 == done.code, done.out + done.err
    done = checkout.certify("2099-01-01", tmp_path / "out")
    assert 0 == done.code, done.out + done.err
    assert "2099-01-01: conformant" in done.out


def test_a_report_format_touches_one_file(checkout: Copy, tmp_path: Path) -> None:
    """Its file lies beside the others of a run."""
    checkout.add("reports/failed.py", FORMAT)
    assert {"reports/failed.py"} == checkout.touched
    done = checkout.certify(BASE, tmp_path / "out")
    assert 0 == done.code, done.out + done.err
    assert "none\n" == (tmp_path / "out" / BASE / "failed.txt").read_text("utf-8")
    assert 0 == checkout.command("verify", str(tmp_path / "out")).code
