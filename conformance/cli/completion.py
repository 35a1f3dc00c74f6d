"""``completion SHELL``: print a script by which a shell completes our commands and options."""

from __future__ import annotations

import argparse

from conformance.cli import PROG, parser
from conformance.errors import UsageError

NAME = "completion"
HELP = "print the completion script of a shell (needs the extra `completion`)"
ORDER = 95


def add(given: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    given.add_argument("shell", choices=("bash", "zsh", "tcsh"), help='for example: eval "$(… completion bash)"')


def main(args: argparse.Namespace) -> int:
    """Print the script. Raises :class:`UsageError` without shtab."""
    try:
        import shtab
    except ImportError:
        raise UsageError("shtab is not installed", hint='pip install "aoai-conformance[completion]"') from None
    made = parser()
    made.prog = PROG
    print(shtab.complete(made, shell=args.shell))
    return 0
