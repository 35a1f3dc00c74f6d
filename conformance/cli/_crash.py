"""An internal error: one line for the user, the traceback in a file for the bug report."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from conformance.redaction import PROCESS

__all__ = ["tell"]


def tell(summary: str, traceback: str) -> None:
    """Print one line on stderr: what happened and in which file the traceback is."""
    summary, traceback = PROCESS.text(summary), PROCESS.text(traceback)
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", prefix="aoai-conformance-", suffix=".txt", delete=False
        ) as file:
            file.write(traceback)
        kept = f"the traceback is in {Path(file.name)}"
    except OSError:
        kept = "the traceback could not be kept"
    line = " ".join(summary.split())
    sys.stderr.write(f"aoai-conformance: internal error: {line} ({kept}; please report it)\n")
