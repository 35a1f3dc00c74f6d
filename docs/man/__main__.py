"""Makes the manual page in this folder from the parser of the command line, which ``--help`` and the completion of
shells come from too.

    python docs/man

A test compares the page with what this makes. The wheel installs it into ``share/man/man1``.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from argparse_manpage.manpage import Manpage

from conformance import __version__
from conformance.cli import PROG, parser

PAGE = Path(__file__).with_name(f"{PROG}.1")


def page() -> str:
    """The text of the page, in the macros of man(7). It holds no date, so it is the same on every day."""
    os.environ["COLUMNS"] = "80"  # whatever terminal it is made in
    whole = parser()
    for action in whole._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                command.description = None  # it is told with the name of the command already
    made = Manpage(whole, format="single-commands-section")
    made.date = ""
    made.description = whole.description
    made.manual = "User commands"
    made.source = f"{PROG} {__version__}"
    # Lines are left as long as they are, because options and patterns can't be stretched. Exit codes stand where
    # man-pages(7) has them.
    title, _, rest = str(made).partition("\n")
    return f"{title}\n.ad l\n.nh\n{rest}".replace(".SH COMMENTS\n", ".SH EXIT STATUS\n")


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
