"""``run``: judge a target and write a report.

Little is loaded here: an embedded emulator starts first, and loads itself while this process loads the rest.
"""

from __future__ import annotations

import argparse
from contextlib import ExitStack

from conformance.errors import UsageError
from conformance.run.interruption import interruptible
from conformance.settings.options import add_to, from_mapping

NAME = "run"
HELP = "judge a target and write a report"
ORDER = 10

#: The most worker processes: each is a Python of its own, with its part of the requests.
_MOST_WORKERS = 256


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_to(parser)
    parser.add_argument(
        "-n",
        dest="workers",
        type=int,
        default=0,
        metavar="WORKERS",
        help="number of worker processes (default: run in this process)",
    )
    parser.add_argument(
        "--har", action="store_true", help="also write all exchanges as HAR 1.2 into traffic.har of each api-version"
    )
    parser.add_argument(
        "--gzip", action="store_true", help="pack report.jsonl at the end; every command reads report.jsonl.gz too"
    )
    parser.add_argument(
        "--github",
        action="store_true",
        help="also print annotations for GitHub Actions, and add summary.md to the summary of the job",
    )
    parser.add_argument("--alluredir", metavar="DIR", default=None, help="also write Allure results into this folder")


def main(args: argparse.Namespace) -> int:
    """Run version by version. The exit code is the most serious one of all versions."""
    if args.workers < 0:
        raise UsageError(f"-n {args.workers}: must be at least 0")
    if args.workers > _MOST_WORKERS:
        raise UsageError(f"-n {args.workers}: must be at most {_MOST_WORKERS}")
    with interruptible(), ExitStack() as stack:
        from conformance.run.ahead import ahead

        started = stack.enter_context(ahead(from_mapping(vars(args))))
        from conformance.cli._judging import judge

        return judge(args, started)
