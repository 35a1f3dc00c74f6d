"""``merge DIR…``: the shards of a run → the report of the whole run."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from conformance._parts import late
from conformance.cli import PROG
from conformance.evidence.timeline import escaped
from conformance.run.interruption import held
from conformance.run.merging import merged, parts_in
from conformance.run.recording import out_folder
from conformance.settings.options import Options, add_to, from_mapping

if TYPE_CHECKING:
    from reports import console
else:
    console = late("reports.console")

NAME = "merge"
HELP = "join the shards of a run into the report of the whole run; exit 3 if one is missing"
ORDER = 15


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "dirs", metavar="DIR", nargs="+", type=Path, help="folders of runs with --shard, or folders that hold them"
    )
    add_to(parser, "--out", "--specs")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the summary")


def main(args: argparse.Namespace) -> int:
    """Write the reports and print their summaries. The exit code is that of an undivided run, or 3 if a shard is
    missing.
    """
    options: Options = from_mapping(vars(args))
    parts = parts_in(args.dirs)
    out = out_folder(options).absolute()
    with held() as signals:
        made = merged(parts, out, options.specs)
    for line in made.missing:
        print(f"{PROG}: {escaped(line)}", file=sys.stderr)
    if args.json:
        told = {name: dict(report.footer or {}) for name, report in made.reports.items()}
        print(json.dumps({"out": str(out), "missing": list(made.missing), "footers": told}, indent=1))
    else:
        for name, report in made.reports.items():
            print("\n".join(map(escaped, console.render(report, str(out / name)))))
            print(f"report: {out / name / 'index.html'}")
    return 130 if signals.came else made.exit_code
