"""The content of ``profiles.toml``: what was chosen, in the form of the data of an api-version."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping

from choosing import Result

__all__ = ["text_of"]

HEAD = """\
# Written by `python tests/matrix --requests {version}`: which requests show which mutants of the emulator and which
# defects of its answers. Not to be edited: a test sends a sample, and the whole of it with `tox run -e prove`.
"""


def text_of(version: str, found: Mapping[str, Result]) -> str:
    """The content of ``profiles.toml``."""
    lines = [HEAD.format(version=version)]
    for profile, result in found.items():
        table = result.table
        lines += [f"[{profile}]", *(f"{key} = {table[key]}" for key in ("shown", "known", "requests_sent", "tokens"))]
        lines += [*_listed("missed", result.lost)]
        lines += [*_listed("order", table["order"])]
        if "requests" in table:
            lines += ["", f"[{profile}.requests]"]
            for operation, names in table["requests"].items():
                lines += _listed(json.dumps(operation), names)
        lines.append("")
    return "\n".join(lines)


def _listed(key: str, names: Iterable[str]) -> Iterator[str]:
    """Yield the lines of a list of texts."""
    yield f"{key} = ["
    yield from (f"    {json.dumps(name, ensure_ascii=False)}," for name in names)
    yield "]"
