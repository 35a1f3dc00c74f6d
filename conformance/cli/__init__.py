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
from types import ModuleType

from conformance import __version__
from conformance.errors import ConformanceError, outside

__all__ = ["main"]

PROG = "aoai-conformance"


def _commands(chosen: str) -> dict[str, ModuleType]:
    """The commands by name. Only the chosen one if a module has its name, because importing the others costs time."""
    names = [info.name for info in pkgutil.iter_modules(__path__) if not info.name.startswith("_")]
    names = [chosen] if chosen in names else names
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
    return {module.NAME: module for module in sorted(modules, key=lambda module: module.ORDER)}


def _parser(chosen: str = "") -> argparse.ArgumentParser:
    """The argument parser; ``chosen`` is the first argument of the command line."""
    parser = argparse.ArgumentParser(
        prog=PROG, description="Conformance tests for the Azure OpenAI data-plane REST API.", allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=f"{PROG} {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, module in _commands(chosen).items():
        sub = commands.add_parser(name, help=module.HELP, description=module.HELP, allow_abbrev=False)
        module.add(sub)
        sub.set_defaults(main=module.main)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # terminals that lack a character still get the line
    given = [*(sys.argv[1:] if argv is None else argv)]  # not list(): that name is a command of this package
    args = _parser(given[0] if given else "").parse_args(given)
    try:
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
