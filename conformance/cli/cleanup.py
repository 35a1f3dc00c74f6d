"""``cleanup``: remove the objects that interrupted runs left, and only those that their journals name."""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from attrs import evolve

from conformance.cli import PROG
from conformance.cli._leftovers import Leftovers, of_found, of_recovered
from conformance.errors import ConformanceError, UsageError
from conformance.run.interruption import interruptible
from conformance.settings.applied import configured
from conformance.settings.options import Options, add_to, from_mapping
from conformance.spec.loading import load
from conformance.target.journal import Journal
from conformance.target.journal_folder import default_folder
from conformance.target.recovery import Open, found, is_same, recover
from conformance.target.target import Target

NAME = "cleanup"
HELP = "show the objects that interrupted runs left, as their journals name them, ask, and remove them"
ORDER = 80

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.epilog = (
        "Exit code 0: nothing is left. 3: something is left, or may be: it was not removed, is at another target, got "
        "no answer, or can't be read. 2: wrong usage. 130: interrupted; the journals name the rest."
    )
    add_to(parser, "--target", "--config", "--specs", "--allow-plain-http", "--cleanup-timeout")
    parser.add_argument(
        "--run",
        action="append",
        default=[],
        metavar="DIR",
        help="take the journals of this run folder, also one that was saved on another machine; can be repeated",
    )
    parser.add_argument(
        "--older-than", default="", metavar="AGE", help="only runs that began longer ago: 90s, 30m, 12h, 7d"
    )
    parser.add_argument("--dry-run", action="store_true", help="only show what would be removed; sends nothing")
    parser.add_argument("--yes", action="store_true", help="remove without asking")
    parser.add_argument(
        "--forget",
        action="store_true",
        help="also delete journals in which nothing can be removed: creations without an answer, damaged lines",
    )
    parser.add_argument("--json", action="store_true", help="print a JSON object")


def main(args: argparse.Namespace) -> int:
    """Show, ask, remove, and show what is left. The exit code is 0 if nothing is left, else 3."""
    options = from_mapping(vars(args))
    folders = [_run_folder(name) for name in args.run] or [default_folder()]
    before = time.time() - _seconds(args.older_than) if args.older_than else float("inf")
    there = found(folders, before=before)
    with interruptible():
        shown = of_found(there)
        # A journal of nothing but an emulator that ended needs no question.
        asks = not (args.yes or args.dry_run or args.json) and _in_terminal()
        if asks and shown.something:
            _print(False, shown)
        acts = not args.dry_run and (args.yes or not shown.something or (asks and _agreed()))
        if not acts:
            if not asks:
                _print(args.json, shown)
            if shown.something and not args.dry_run and not args.json:
                print(
                    f"nothing was removed; to remove: {PROG} {' '.join(['cleanup', *_words(args, options), '--yes'])}"
                )
            return 3 if shown.something else 0
        done = recover([one.journal for one in there], _opener(options), options.cleanup_timeout, forget=args.forget)
        left = of_recovered(done)
        _print(args.json, left)
        return 3 if left.something else 0


def _in_terminal() -> bool:
    """True if somebody is there to be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def _agreed() -> bool:
    """Ask whether all of what was shown may be removed."""
    try:
        return input("Remove all of this? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False


def _print(as_json: bool, shown: Leftovers) -> None:
    if as_json:
        print(json.dumps(shown.to_json(), indent=1))
        return
    for line in shown.lines():
        print(line)


def _words(args: argparse.Namespace, options: Options) -> list[str]:
    """The words of this command line that choose what is removed."""
    words = [word for name in args.run for word in ("--run", name)]
    chosen: Sequence[tuple[str, Any]] = (
        ("--target", options.target),
        ("--config", options.config),
        ("--older-than", args.older_than),
    )
    return words + [word for flag, value in chosen if value for word in (flag, str(value))]


def _run_folder(name: str) -> Path:
    folder = Path(name)
    if not folder.is_dir():
        raise UsageError(f"--run {name}: no such folder", hint="give the folder of a run, as --out names it")
    return folder


def _seconds(age: str) -> float:
    """``7d`` → seconds. Raises :class:`UsageError` for anything else."""
    parts = re.fullmatch(r"(\d{1,9})([smhd])", age)
    if parts is None:
        raise UsageError(f"--older-than {age}: not an age", hint="a number and a unit, such as 90s, 30m, 12h or 7d")
    return float(int(parts[1]) * _UNITS[parts[2]])


def _opener(options: Options) -> Open:
    """A function that opens the target of a journal if it is the configured one, or without one if it is on this
    machine. Any other stays untouched: the key is for the configured target alone.
    """
    config = configured(options)
    url = config.target.url

    def open_target(journal: Journal) -> Target | None:
        chosen = evolve(config, target=evolve(config.target, url=journal.target))
        mine = is_same(journal.target, url) if url else chosen.target.loopback
        if not mine:
            return None
        try:
            return Target(chosen, load(journal.api_version, options.specs), journal=journal)
        except ConformanceError as error:
            raise UsageError(f"can't be asked: {error}") from None

    return open_target
