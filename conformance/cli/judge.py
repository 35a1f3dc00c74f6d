"""``judge FILE…``: judge recorded traffic and write a report. Nothing is sent."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from conformance._parts import late
from conformance.run.recorded import judge_files
from conformance.run.recording import out_folder
from conformance.settings.options import Options

if TYPE_CHECKING:
    from reports import console
else:
    console = late("reports.console")

NAME = "judge"
HELP = "judge recorded traffic (HAR, cassettes, session records, report.jsonl, JSON lines); sends nothing"
ORDER = 55


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("files", metavar="FILE", nargs="+", type=Path, help="a file of recorded traffic")
    parser.add_argument(
        "--api-version", default="", metavar="V", help="judge by this api-version, whatever the requests name"
    )
    parser.add_argument(
        "-o", "--out", type=Path, default=None, metavar="DIR", help="folder of the report (default reports/out/<time>)"
    )
    parser.add_argument("--specs", metavar="DIR", type=Path, default=None, help="a folder with further api-versions")


def main(args: argparse.Namespace) -> int:
    """Print the conclusions. The exit code is that of the run folder, as for ``run``; 3 if nothing could be judged."""
    out = out_folder(Options(out=args.out))
    judged = judge_files(args.files, out, version=args.api_version, specs=args.specs)
    for name, report in judged.reports.items():
        for line in console.render(report, str(out / name)):
            print(line)
        print(f"report: {out / name / 'index.html'}")
    if not judged.reports:
        print("nothing could be judged")
        for note in judged.notes:
            print(note)
    return judged.exit_code
