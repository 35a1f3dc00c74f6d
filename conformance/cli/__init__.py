"""The command line. Each module in this folder is a command and has ``NAME``, ``HELP``, ``ORDER``, ``add`` and
``main``.

A mistake of the caller ends with one line and exit code 2, an unreachable target with one line and exit code 3.
"""

from __future__ import annotations

import argparse
import ast
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
from typing import Any, NamedTuple

from conformance import __version__
from conformance.errors import ConformanceError, UsageError, outside

__all__ = ["PROG", "main", "parser"]

PROG = "aoai-conformance"

#: The option that needs no command.
VERSION = "--version"


def _names() -> list[str]:
    """The names of the modules that are commands."""
    return [info.name for info in pkgutil.iter_modules(__path__) if not info.name.startswith("_")]


def _commands() -> dict[str, ModuleType]:
    """All commands by name, in the order of the help."""
    modules = [importlib.import_module(f"{__name__}.{name}") for name in _names()]
    return {module.NAME: module for module in sorted(modules, key=lambda module: module.ORDER)}


class _Heading(NamedTuple):
    """What the list of commands says of one."""

    NAME: str
    HELP: str
    ORDER: int


def _heading(name: str) -> _Heading:
    """The constants of a command as they stand in its module, which is not imported: all of them take half a second."""
    found: dict[str, Any] = {}
    for statement in ast.parse((Path(__file__).parent / f"{name}.py").read_bytes()).body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=constant)], value=ast.Constant(value=value)):
                found[constant] = value
    return _Heading(NAME=found["NAME"], HELP=found["HELP"], ORDER=found["ORDER"])


class _Version(argparse.Action):
    """``--version``: the suite, and each api-version with the digest of its document."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from conformance.spec.digests import shipped_digests

        print(f"{PROG} {__version__}")
        for name, digest in shipped_digests():
            print(f"  {name}  {digest[:12]}")
        parser.exit()


def parser(chosen: str | None = None) -> argparse.ArgumentParser:
    """The argument parser, with the arguments of all commands.

    ``chosen`` is the first argument of a command line, "" if it has none: a parser for this one line, which imports no
    other command than that.
    """
    made = argparse.ArgumentParser(
        prog=PROG,
        description="Conformance tests for the Azure OpenAI data-plane REST API.",
        epilog="Exit codes: 0 conformant, 1 not conformant, 3 partial, inconclusive or not reachable, 2 wrong usage, "
        "configuration or machine, 70 an error of the suite itself, 130 interrupted.",
        allow_abbrev=False,
    )
    made.add_argument(VERSION, action=_Version, nargs=0, help="print the versions of the suite and of its documents")
    if chosen == VERSION:
        return made
    commands = made.add_subparsers(title="commands", dest="command", required=True, metavar="COMMAND")
    if chosen is not None and chosen not in _names():
        # It prints the help, the version or that there is no such command.
        for heading in sorted(map(_heading, _names()), key=lambda heading: heading.ORDER):
            commands.add_parser(heading.NAME, help=heading.HELP)
        return made
    modules = _commands() if chosen is None else {chosen: importlib.import_module(f"{__name__}.{chosen}")}
    for name, module in modules.items():
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


def _keep_tables_of_libraries() -> None:
    """Hypothesis writes a table of characters, unless told otherwise into the folder in which the command runs.

    It is told here, where the process is ours: in a pytest session of somebody else the folder is his. It is told by
    the environment, because worker processes inherit that and because Hypothesis takes long to import.
    """
    from conformance.spec.cache import cache_folder

    os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", str(cache_folder() / "hypothesis"))


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return the exit code. Raises KeyboardInterrupt, for which ``__main__`` has the exit code."""
    _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # terminals that lack a character still get the line
    given = [*(sys.argv[1:] if argv is None else argv)]  # not list(): that name is a command of this package
    try:
        args = parser(given[0] if given else "").parse_args(given)
        _must_be_somewhere()
        _keep_tables_of_libraries()
        return int(args.main(args))
    except ConformanceError as error:
        from conformance.evidence.timeline import escaped

        # What it quotes may come from a target or a file: it stays one line, and steers no terminal.
        print(f"{PROG}: {escaped(str(error))}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        # The reader of our output went away (``| head``); there is nobody left to tell. 141 is 128 + SIGPIPE.
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
