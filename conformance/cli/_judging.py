"""What ``run`` does, with all that takes long to load. It calls ``pytest.main``, so Allure and xdist are pytest's
plugins.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conformance._parts import late
from conformance.cli import PROG
from conformance.errors import ConformanceError, UsageError
from conformance.run.interruption import held
from conformance.run.recording import out_folder, overview, seal
from conformance.run.selection import default_versions, nothing_chosen
from conformance.settings.options import ROWS, Options, from_mapping
from conformance.spec.loading import load
from conformance.target.limits import NOTHING

if TYPE_CHECKING:
    from conformance.run.ahead import Ahead
    from reports import github, jsonl, packed
    from reports import overview as overview_page
    from reports.row import Row
else:
    github = late("reports.github")
    jsonl = late("reports.jsonl")
    overview_page = late("reports.overview")
    packed = late("reports.packed")

__all__ = ["judge"]


def judge(args: argparse.Namespace, started: Ahead | None) -> int:
    """Run version by version; ``started`` is the emulator of the first one, if it has one and was started already.
    Returns the most serious exit code of all versions.
    """
    options = from_mapping(vars(args))
    out = out_folder(options).absolute()
    codes: list[int] = []
    rows: dict[str, Row] = {}
    purse = _Purse(started)
    for version in _versions(options):
        try:
            codes.append(_run(args, version, out, rows, purse))
        except ConformanceError as error:
            if not codes:
                raise
            # What was judged before keeps its report.
            print(f"{PROG}: {version}: {error}", file=sys.stderr)
            codes.append(error.exit_code)
            break
        # A wrong option is wrong for all versions, and Ctrl-C means the whole run.
        if codes[-1] in (2, 130):
            break
    with held():
        if len(rows) > 1:
            # Until now the table has one row, that of the last version.
            overview(out, [*rows.values()])
        elif rows:
            # Files were added to the folder of the version, or packed.
            seal(out)
        if args.github:
            _summarise_job(out, [*rows.values()])
    # From the most to the least serious. A failure of the target weighs more than a version that could not be judged.
    return next((code for code in (130, 2, 70, 1, 3) if code in codes), 0)


def _versions(options: Options) -> tuple[str, ...]:
    """The versions to judge. If several are judged, those without anything chosen are left out, with a line on
    stderr.
    """
    names = options.api_versions or default_versions(options.specs)
    if len(names) < 2:
        return names
    reasons = {name: nothing_chosen(load(name, options.specs), options) for name in names}
    if all(reasons.values()):
        raise UsageError(next(iter(reasons.values())))
    for reason in filter(None, reasons.values()):
        print(f"left out: {reason}", file=sys.stderr)
    return tuple(name for name in names if not reasons[name])


class _Purse:
    """What the api-versions before have spent, and when the run began: a plugin that tells the next one, which has a
    session of its own.
    """

    def __init__(self, early: Ahead | None) -> None:
        self.spent = NOTHING
        self._early = early
        self._began = time.time()

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Tell the session that is about to begin."""
        from conformance.plugin import BEGAN, EARLY, SPENT

        config.stash[SPENT] = self.spent
        config.stash[BEGAN] = self._began
        # The first session takes it over.
        config.stash[EARLY], self._early = self._early, None


def _run(args: argparse.Namespace, version: str, out: Path, rows: dict[str, Row], purse: _Purse) -> int:
    """Judge one api-version with pytest; returns its exit code and adds to ``rows``."""
    from conformance.cli import _progress as _console

    # Plugins of other people's tests stay out: they cost seconds at every start, and some change what is run.
    words = ["-c", str(_SUITE / "run.ini"), "--rootdir", str(_SUITE), "--disable-plugin-autoload"]
    words += ["-p", "no:cacheprovider", "-p", "no:terminal", "-p", "conformance.plugin"]
    # Nothing is printed by an item, so nothing needs to be caught: it would cost a third of an item's time.
    words += ["-s", "-p", "no:logging"]
    # The plugin runs the garbage collector several times at the end. Our threads catch their exceptions themselves.
    words += ["-p", "no:unraisableexception"]
    words += ["-p", "no:junitxml"]  # the report has a file of this form
    if not args.workers:
        # Its work for each item takes a third of pytest's time. Without a terminal plugin it would show nothing.
        words += ["-p", "no:warnings"]
    # xdist is loaded only if it is wanted: it costs time at every start.
    if args.workers:
        words += ["-p", "xdist.plugin", "-n", str(args.workers)]
    if args.alluredir:
        words += ["-p", "allure_pytest.plugin", "--alluredir", args.alluredir]
    words += [*_passed_on(args), "--aoai-api-version", version, "--aoai-out", str(out), str(_SUITE)]
    console = _console.Console()
    os.environ.pop("PYTEST_ADDOPTS", None)  # it holds options for the user's own tests
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        code = int(pytest.main(words, plugins=[purse, console]))
    purse.spent = console.spent or purse.spent
    if console.refused is not None:
        raise console.refused
    rows.update(console.rows)
    with held() as signals:
        if console.rows and args.har:
            _write_har(out / version)
            seal(out / version)
        if console.rows and args.github:
            _annotate(out / version)
        if console.rows and args.gzip:
            _pack(out / version)
    if signals.came:
        return 130
    if code == pytest.ExitCode.INTERRUPTED and not console.rows:
        # Also where the session is open already and pytest has not begun: then only pytest knows of it.
        print(f"{PROG}: {version}: interrupted before anything was judged", file=sys.stderr)
        return 130
    return console.exit_code if console.exit_code is not None else _of_pytest(code)


def _write_har(folder: Path) -> None:
    """Write the exchanges of a report as HAR beside it. What can't be written is told; the report is there already."""
    from conformance.recordings.har_writer import NAME, write_har

    try:
        write_har(folder / NAME, jsonl.read(folder).traces.values())
    except OSError as error:
        print(f"{PROG}: {folder / NAME}: can't be written: {error.strerror or error}", file=sys.stderr)


def _annotate(folder: Path) -> None:
    """Print the annotations of one api-version for GitHub Actions."""
    for line in github.commands(jsonl.read(folder)):
        print(line)


def _summarise_job(out: Path, rows: Sequence[Row]) -> None:
    """Add to the summary of the job: the table of several api-versions, then what is told of each. What can't be
    written is told.
    """
    try:
        if len(rows) > 1:
            github.summarise_job(overview_page.markdown(rows, linked=False), os.environ)
        for row in rows:
            github.summarise_job((out / row.version / "summary.md").read_text("utf-8"), os.environ)
    except OSError as error:
        print(f"{PROG}: the summary of the job can't be written: {error.strerror or error}", file=sys.stderr)


def _pack(folder: Path) -> None:
    """Pack the report. The manifest needs no change: it names the content."""
    try:
        packed.pack(folder / jsonl.NAME)
    except OSError as error:
        print(f"{PROG}: {folder / jsonl.NAME}: can't be packed: {error.strerror or error}", file=sys.stderr)


_SUITE = Path(__file__).resolve().parent.parent / "suite"


def _of_pytest(code: int) -> int:
    """The exit code for one of pytest, if no verdict decides it: 0 and 5 mean that nothing was judged."""
    return {0: 3, 2: 130, 4: 2, 5: 3}.get(code, 70)


def _passed_on(args: argparse.Namespace) -> list[str]:
    """The options as arguments of the pytest plugin."""
    words: list[str] = []
    for row in ROWS:
        value = getattr(args, row.name)
        # These two are set for each version by the caller.
        if row.flag in ("--api-version", "--out") or not value:
            continue
        if row.kind == "flag":
            words.append(row.pytest_flag)
        else:
            words += [f"{row.pytest_flag}={one}" for one in (value if isinstance(value, list) else [value])]
    return words
