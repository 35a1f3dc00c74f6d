"""How fast a corpus is built and read, and how much memory that takes.

    python benchmarks/corpus.py [VERSION …] [--profile standard]

Each measurement is a process of its own, so that the peak of the memory belongs to it: one builds the corpus cold into
an empty cache folder, one reads it from there. Times are CPU seconds and wall seconds after the imports.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]

CHILD = """
import collections, json, resource, sys, time
from conformance.spec.loading import load
from conformance.corpus.corpus import build_corpus
version, profile = sys.argv[1:3]
wall, cpu = time.perf_counter(), time.process_time()
spec = load(version)
loaded = time.perf_counter() - wall
wall, cpu = time.perf_counter(), time.process_time()
made = build_corpus(spec, profile)
row = {
    "cases": len(made),
    "operations": len(made.operations),
    "wall": time.perf_counter() - wall,
    "cpu": time.process_time() - cpu,
    "spec": loaded,
    "rss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    "families": dict(collections.Counter(str(case.family) for case in made)),
}
print(json.dumps(row))
"""


def measure(version: str, profile: str, cache: str) -> dict[str, Any]:
    """One process: seconds, megabytes and counts."""
    environment = {**os.environ, "AOAI_CONFORMANCE_CACHE": cache, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-W", "ignore", "-c", CHILD, version, profile]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> int:
    """Print one line per version, and cases per second by family of the cold builds."""
    sys.path.insert(0, str(ROOT))
    from conformance.spec.loading import versions

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("versions", nargs="*", default=list(versions()))
    parser.add_argument("--profile", default="standard")
    options = parser.parse_args()
    print("version              ops  cases  per op   cold cpu/wall s   MB   cached cpu/wall s   MB   cases/s")
    families: dict[str, int] = {}
    seconds = 0.0
    for version in options.versions:
        with tempfile.TemporaryDirectory() as cache:
            cold = measure(version, options.profile, cache)
            warm = measure(version, options.profile, cache)
        seconds += cold["cpu"]
        for family, count in cold["families"].items():
            families[family] = families.get(family, 0) + count
        print(
            f"{version:19} {cold['operations']:4} {cold['cases']:6} {cold['cases'] / cold['operations']:7.1f}"
            f"   {cold['cpu']:6.2f}/{cold['wall']:6.2f} {cold['rss']:6.0f}"
            f"      {warm['cpu']:6.2f}/{warm['wall']:6.2f} {warm['rss']:6.0f}   {cold['cases'] / cold['cpu']:7.0f}"
        )
    print("cases per CPU second of all cold builds, by family:")
    for family, count in sorted(families.items()):
        print(f"  {family:10} {count:6}  {count / seconds:7.0f}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
