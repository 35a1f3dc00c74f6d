"""The command line. Each module in this folder is a command and has ``NAME``, ``HELP``, ``ORDER``, ``add`` and
``main``.

A mistake of the caller ends with one line and exit code 2, an unreachable target with one line and exit code 3.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import os
import pkgutil
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from conformance import __version__
from conformance.errors import ConformanceError, UsageError, outside

__all__ = ["PROG", "main", "parser"]

PROG = "aoai-conformance"

#: The option that needs no command.
VERSION = "--version"


def _commands(chosen: str) -> dict[str, ModuleType]:
    """The commands by name. Only the chosen one if a module has its name, and none for ``--version``, because importing
    the others costs time.
    """
    names = [info.name for info in pkgutil.iter_modules(__path__) if not info.name.startswith("_")]
    names = [] if chosen == VERSION else [chosen] if chosen in names else names
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
    return {module.NAME: module for module in sorted(modules, key=lambda module: module.ORDER)}


class _Version(argparse.Action):
    """``--version``: the suite, and each api-version with the digest of its document."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from conformance.spec.loading import load, versions

        print(f"{PROG} {__version__}")
        for name in versions():
            print(f"  {name}  {load(name).digest[:12]}")
        parser.exit()


def parser(chosen: str = "") -> argparse.ArgumentParser:
    """The argument parser; ``chosen`` is the first argument of the command line."""
    made = argparse.ArgumentParser(
        prog=PROG, description="Conformance tests for the Azure OpenAI data-plane REST API.", allow_abbrev=False
    )
    made.add_argument(VERSION, action=_Version, nargs=0, help="print the versions of the suite and of its documents")
    commands = made.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, module in _commands(chosen).items():
        sub = commands.add_parser(name, help=module.HELP, description=module.HELP, allow_abbrev=False)
        module.add(sub)
        sub.set_defaults(main=module.main)
    return made


def _open_closed_streams() -> None:
    """Open the null device in place of standard streams that were closed, as some daemons do (``>&-``).

    Otherwise the next file that is opened, such as a report, gets the number of the closed stream, and whatever is
    printed to that number is written into the file.
    """
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)  # the lowest free number, so the one that was closed
            os.set_inheritable(opened, True)  # the workers of a run have the same streams
            if opened == number and getattr(sys, name) is None:
                setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))


def _must_be_somewhere() -> None:
    """Raise :class:`UsageError` if the current folder was deleted: paths could not be resolved."""
    try:
        Path.cwd()
    except OSError as error:
        raise UsageError(
            f"the current folder can't be used: {error.strerror}", hint="change to a folder that exists"
        ) from None


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return the exit code."""
    _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # terminals that lack a character still get the line
    given = [*(sys.argv[1:] if argv is None else argv)]  # not list(): that name is a command of this package
    args = parser(given[0] if given else "").parse_args(given)
    try:
        _must_be_somewhere()
        return int(args.main(args))
    except ConformanceError as error:
        from conformance.evidence.timeline import escaped

        # What it quotes may come from a target or a file: it stays one line, and steers no terminal.
        print(f"{PROG}: {escaped(str(error))}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print(f"{PROG}: interrupted", file=sys.stderr)
        # 128 + SIGINT, as shells report it; 141 below is 128 + SIGPIPE.
        return 130
    except BrokenPipeError:
        # The reader of our output went away (``| head``); there is nobody left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except Exception as error:  # noqa: BLE001 - the last resort: no traceback reaches a user
        if outside(error):
            with contextlib.suppress(OSError):  # the full disk may be where standard error goes
                print(f"{PROG}: {outside(error)}", file=sys.stderr)
            return 2
        from conformance.cli._crash import tell

        tell(f"{type(error).__name__}: {error}", traceback.format_exc())
        # EX_SOFTWARE of sysexits.h: an internal error.
        return 70
