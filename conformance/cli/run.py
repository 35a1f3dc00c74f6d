"""``run``: judge a target. A thin front of ``pytest.main``: JUnit, Allure and processes come from pytest's plugins."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import pytest

from conformance.options import ROWS, add_to, from_mapping
from conformance.selection import default_versions
from conformance.session import out_folder

NAME = "run"
HELP = "judge a target and write a report"
ORDER = 10


def add(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add_to(parser)
    parser.add_argument("-n", dest="workers", type=int, default=0, metavar="WORKERS", help="processes (default: none)")
    parser.add_argument("--alluredir", metavar="DIR", default=None, help="also write Allure results there")


def main(args: argparse.Namespace) -> int:
    """Run version by version, each with its own JUnit file; the exit code is the heaviest."""
    options = from_mapping(vars(args))
    out = out_folder(options).absolute()
    codes: list[int] = []
    for version in options.api_versions or default_versions(options.specs):
        codes.append(_run(args, version, out))
        if codes[-1] in (2, 130):
            break
    if len(codes) > 1:
        _overview(out)
    return next((code for code in (130, 2, 70, 1, 3) if code in codes), 0)


def _run(args: argparse.Namespace, version: str, out: Path) -> int:
    from conformance.cli import _console

    words = ["-c", str(_SUITE / "pytest.ini"), "--rootdir", str(_SUITE), "-p", "no:cacheprovider", "-p", "no:randomly"]
    words += ["-p", "no:terminal", "-p", "conformance.plugin", "--junitxml", str(out / version / "junit.xml")]
    words += ["-o", "junit_family=xunit2", "-o", "junit_suite_name=aoai-conformance"]
    if args.workers:
        words += ["-n", str(args.workers)]
    if args.alluredir:
        words += ["--alluredir", args.alluredir]
    words += [*_passed_on(args), "--api-version", version, "--out", str(out), str(_SUITE)]
    console = _console.Console()
    os.environ.pop("PYTEST_ADDOPTS", None)  # options of somebody's other tests
    code = int(pytest.main(words, plugins=[console]))
    return console.exit_code if console.exit_code is not None else _of_pytest(code)


_SUITE = Path(__file__).resolve().parent.parent / "suite"


def _of_pytest(code: int) -> int:
    return {0: 3, 2: 130, 4: 2, 5: 3}.get(code, 70)


def _passed_on(args: argparse.Namespace) -> list[str]:
    words: list[str] = []
    for row in ROWS:
        value = getattr(args, row.name)
        if row.flag in ("--api-version", "--out") or not value:
            continue
        if row.kind == "flag":
            words.append(row.flag)
        else:
            words += [f"{row.flag}={one}" for one in (value if isinstance(value, list) else [value])]
    return words


def _overview(out: Path) -> None:
    from conformance import recording
    from conformance._parts import part
    from conformance.verdict import Conclusion

    found = {}
    for file in sorted(out.glob("*/report.jsonl")):
        report = part("reports.jsonl").read(file)
        if report.footer:
            found[file.parent.name] = Conclusion(report.footer["conclusion"])
    recording.overview(out, found)
