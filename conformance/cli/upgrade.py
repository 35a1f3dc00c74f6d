"""``upgrade A B``: what changes for a caller between two api-versions, and does the target really do it?"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import evolve

from conformance._parts import late
from conformance.errors import UsageError
from conformance.migration.conclusion import Upgrade
from conformance.run.interruption import interruptible
from conformance.run.recording import out_folder
from conformance.run.runner import Event
from conformance.settings.options import Options, add_to, from_mapping
from conformance.spec.loading import load
from conformance.spec.spec import Spec
from conformance.upgrade.sides import Side
from conformance.upgrade.upgrade import predicted, upgrade
from conformance.upgrade.usage import Usage, usage_of

if TYPE_CHECKING:
    from reports import upgrade_console, upgrade_json, upgrade_markdown, upgrade_page
else:
    upgrade_console = late("reports.upgrade_console")
    upgrade_json = late("reports.upgrade_json")
    upgrade_markdown = late("reports.upgrade_markdown")
    upgrade_page = late("reports.upgrade_page")

NAME = "upgrade"
HELP = "tell what changes between two api-versions, and whether a target does it"
ORDER = 66

#: What makes the exit code 1: something that breaks callers, any change that was seen, anything at all.
FAIL_ON = ("breaking", "observed", "any")


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("old", metavar="A", help="the api-version in use")
    parser.add_argument("new", metavar="B", help="the api-version to move to")
    add_to(
        parser,
        *("--target", "--config", "--specs", "--profile", "--operation", "--out", "--concurrency"),
        *("--expensive", "--allow-plain-http", "--cleanup-timeout", "--no-cache"),
    )
    parser.add_argument(
        "--used",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help="count only what touches this: recorded traffic as `judge` reads it, or a list of uses; repeatable",
    )
    parser.add_argument("--predict", action="store_true", help="compare the documents and send nothing")
    parser.add_argument("--fail-on", choices=FAIL_ON, default="", help="exit with 1 if there is such a change")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON instead of text")
    form.add_argument("--markdown", action="store_true", help="print Markdown of at most 60 lines instead of text")


def main(args: argparse.Namespace) -> int:
    """Print what a move means, and write the report. 1 if ``--fail-on`` says so, 3 if the target answered nothing."""
    options = from_mapping(vars(args))
    with interruptible():
        move = _move(args, options)
    folder = out_folder(options) / f"upgrade-{move.old}-{move.new}"
    _write(folder, move)
    if args.json:
        print(upgrade_json.json_text(move), end="")
    elif args.markdown:
        print(upgrade_markdown.markdown(move), end="")
    else:
        for line in upgrade_console.console(move):
            print(line)
        print(f"report: {folder / 'index.html'}")
    return _code(args.fail_on, move)


def _move(args: argparse.Namespace, options: Options) -> Upgrade:
    """The move, with what is used counted alone."""
    old, new = load(args.old, options.specs), load(args.new, options.specs)
    changes = predicted(old, new, options.specs)
    used = _used(args.used, old, new, options)
    names = _chosen(options.operations, old, new)
    if used is not None:
        changes = used.touched(changes)
        names = {*used.operations} & names
    elif options.operations:
        changes = tuple(change for change in changes if change.operation in (names | {"*"}))
    wanted = names if used is not None or options.operations else None
    move = upgrade(old, new, options, changes=changes, operations=wanted, send=not args.predict, notify=_progress())
    if used is None:
        return move
    return evolve(move, used=used.told, refused=tuple(used.refused()), notes=(*used.notes, *move.notes))


def _used(files: list[Path], old: Spec, new: Spec, options: Options) -> Usage | None:
    if not files:
        return None
    return usage_of(files, Side(old, options.profile), Side(new, options.profile))


def _chosen(globs: tuple[str, ...], old: Spec, new: Spec) -> set[str]:
    """The operations that some globs name. Raises :class:`UsageError` for a glob that names none."""
    names = {*Side(old, "").operations, *Side(new, "").operations}
    for glob in globs:
        if not any(fnmatchcase(name, glob) for name in names):
            raise UsageError(f"--operation {glob}: neither version has such an operation")
    return {name for name in names if not globs or any(fnmatchcase(name, glob) for glob in globs)}


def _progress() -> Callable[[Event], None]:
    """What shows the number of requests in one line of a terminal."""
    sent = itertools.count(1)

    def told(event: Event) -> None:
        if event.kind == "sent" and sys.stderr.isatty():
            print(f"\r{next(sent)} requests", end="", file=sys.stderr, flush=True)

    return told


def _write(folder: Path, move: Upgrade) -> None:
    """Write the report. Raises :class:`UsageError` if the folder can't be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "upgrade.json").write_text(upgrade_json.json_text(move), encoding="utf-8")
        (folder / "upgrade.md").write_text(upgrade_markdown.markdown(move), encoding="utf-8")
        (folder / "index.html").write_text(upgrade_page.render(move), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"can't be written: {error.strerror}", where=f"--out {folder}") from None


def _code(fail_on: str, move: Upgrade) -> int:
    """The exit code."""
    anything = bool(move.results or move.drifts or move.refused)
    if {"breaking": move.breaking, "observed": move.observed, "any": anything}.get(fail_on, False):
        return 1
    return 3 if move.target and move.results and not all(move.answered) else 0
