"""Where the data that comes with the suite lies: api-versions, the clauses they share, the schemas of their files."""

from __future__ import annotations

from pathlib import Path

__all__ = ["specs_dir"]


def specs_dir() -> Path:
    """The folder of the versions that come with the suite, in the checkout and in the wheel."""
    package = Path(__file__).resolve().parents[1]
    nested = package / "specs"
    return nested if nested.is_dir() else package.parent / "specs"
