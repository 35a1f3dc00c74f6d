"""The commands that the pages of the documentation show, in the order in which a reader types them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

from conformance.cli import PROG

SITE = Path(__file__).resolve().parents[2] / "docs" / "site"

_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@frozen
class Line:
    """One line of a block. ``code`` is the exit code that the page states, 0 without a word."""

    words: tuple[str, ...]
    code: int = 0
    background: bool = False

    @property
    def ours(self) -> bool:
        """True for a command of the suite."""
        return self.words[0] == PROG


def lines_of(page: Path) -> Iterator[Line]:
    """Yield the lines of all blocks of a page."""
    for block in _BLOCK.findall(page.read_text("utf-8")):
        for text in block.splitlines():
            command, _, told = text.partition(" # exit ")
            words = shlex.split(command)
            background = words[-1] == "&"
            yield Line(tuple(words[:-1] if background else words), int(told or 0), background)
