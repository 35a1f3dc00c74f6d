"""How long the commands wait for api-versions: ``python benchmarks/loading.py``.

Prints, for a cold and a warm cache: ``list versions`` as a process of its own, and the load of each version in a
fresh process, import of our modules aside. Bounds: 0.5 s and 0.3 s warm. Exit code 1 when one is broken.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIST_BOUND, LOAD_BOUND = 0.5, 0.3
REPEATS = 5
LOAD = (
    "import sys, time; from conformance.spec.loading import load; begin = time.perf_counter(); load(sys.argv[1]);"
    " print(time.perf_counter() - begin)"
)


def _environment(cache: str) -> dict[str, str]:
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", ""))))
    return {**os.environ, "PYTHONPATH": path, "AOAI_CONFORMANCE_CACHE": cache}


def listing(cache: str) -> float:
    """Seconds of the whole command."""
    begin = time.perf_counter()
    command = [sys.executable, "-m", "conformance", "list", "versions"]
    subprocess.run(command, env=_environment(cache), check=True, capture_output=True)
    return time.perf_counter() - begin


def loading(cache: str, version: str) -> float:
    """Seconds of one load in a new process."""
    command = [sys.executable, "-c", LOAD, version]
    done = subprocess.run(command, env=_environment(cache), check=True, capture_output=True, text=True)
    return float(done.stdout)


def _measured(what: Callable[[str], float]) -> tuple[float, float]:
    """(cold, median of warm) seconds."""
    with tempfile.TemporaryDirectory() as cache:
        cold = what(cache)
        return cold, statistics.median(what(cache) for _ in range(REPEATS))


def main() -> int:
    """Print a table; 1 when a bound is broken."""
    names = sorted(path.parent.name for path in (ROOT / "specs").glob("*/version.toml"))
    broken = False
    print(f"{'what':34}{'cold s':>9}{'warm s':>9}{'bound s':>9}")
    rows: list[tuple[str, Callable[[str], float], float]] = [("list versions", listing, LIST_BOUND)]
    rows += [(f"load {name}", lambda cache, name=name: loading(cache, name), LOAD_BOUND) for name in names]
    for name, what, bound in rows:
        cold, warm = _measured(what)
        broken = broken or warm > bound
        print(f"{name:34}{cold:9.3f}{warm:9.3f}{bound:9.1f}{'  broken' if warm > bound else ''}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
