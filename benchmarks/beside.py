"""An emulator that a benchmark serves in a process of its own, beside the commands that it measures."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["KEY", "ROOT", "beside", "environment"]

ROOT = Path(__file__).resolve().parent.parent
KEY = "benchmark-key-0123456789"


def environment() -> dict[str, str]:
    """The environment of every command: this checkout, and the key of the emulator."""
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", ""))))
    return {**os.environ, "PYTHONPATH": path, "AZURE_OPENAI_API_KEY": KEY}


@contextmanager
def beside(module: str, version: str, *more: str) -> Iterator[str]:
    """The address of what ``python -m MODULE --serve VERSION …`` serves; it says ``ready ADDRESS`` when it listens.

    Raises :class:`SystemExit` if it does not start.
    """
    words = [sys.executable, "-m", module, "--serve", version, *more]
    process = subprocess.Popen(
        words, env=environment(), cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    )
    try:
        line = process.stdout.readline() if process.stdout else ""
        if not line.startswith("ready "):
            raise SystemExit("the emulator did not start")
        yield line.removeprefix("ready ").strip()
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()
