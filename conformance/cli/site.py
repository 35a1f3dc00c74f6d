"""``site DIR…``: a static site of many reports."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from conformance._parts import late
from conformance.errors import UsageError

if TYPE_CHECKING:
    from reports import jsonl, site
else:
    jsonl = late("reports.jsonl")
    site = late("reports.site")

NAME = "site"
HELP = "make a static site of many reports: implementations, api-versions, areas, history, feeds"
ORDER = 75


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "runs",
        nargs="+",
        metavar="[NAME=]DIR",
        help="a run folder, or the folder of one api-version in it; NAME is the implementation (default: its URL)",
    )
    parser.add_argument(
        "--start",
        action="append",
        default=[],
        metavar="NAME=COMMAND",
        help="the command that starts an implementation, shown with how to reproduce its rows",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder of the site")
    parser.add_argument("--title", default="Conformance of Azure OpenAI implementations", help="the title of the site")


def main(args: argparse.Namespace) -> int:
    """Write the site and print where it is. What was in the folder before stays, unless it has the same name."""
    starts = dict(map(_start, args.start))
    found = [pair for given in args.runs for pair in _reports(given)]
    unknown = sorted({*starts} - {name for name, _ in found})
    if unknown:
        raise UsageError(f"--start {unknown[0]}=…: no report has this name", hint="name the folder: NAME=DIR")
    runs = [site.run_of(name, jsonl.read(folder), starts.get(name, "")) for name, folder in found]
    try:
        args.out.mkdir(parents=True, exist_ok=True)
        site.site(runs, args.out, args.title)
    except OSError as error:
        raise UsageError(f"can't be written: {error.strerror or error}", where=f"--out {args.out}") from None
    print(f"{len(runs)} reports: {args.out / 'index.html'}")
    return 0


def _start(given: str) -> tuple[str, str]:
    """(implementation, command). Raises :class:`UsageError` for something else."""
    name, equals, command = given.partition("=")
    if not (name and equals and command):
        raise UsageError(f"--start {given}: must be NAME=COMMAND")
    return name, command


def _reports(given: str) -> list[tuple[str, Path]]:
    """(implementation, folder) of each report. Raises :class:`UsageError` if there is none."""
    name, equals, rest = given.partition("=")
    # A folder may have such a sign in its own name.
    named, folder = (name, Path(rest)) if equals and not Path(given).exists() else ("", Path(given))
    found = jsonl.reports_in(folder)
    if not found:
        raise UsageError("no report here", where=str(folder), hint="give the folder of a run")
    return [(named, one) for one in found]
