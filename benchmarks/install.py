"""What an install brings, and how soon there is a verdict: ``python -m benchmarks.install [--wheel FILE]``.

The wheel (that of this checkout, if none is given) is installed by pip into an empty environment. Printed are the
packages that this pulls in, their size on disk with the bytecode that pip makes, and the seconds until the first
verdict and until the whole report of a run against the embedded emulator: the first run, which finds nothing in its
cache, and the next one. The versions are those of ``constraints.txt``, unless ``--newest`` is given.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path

from attrs import frozen

ROOT = Path(__file__).resolve().parents[1]

#: What an empty environment has already.
_PIP = {"pip", "setuptools"}

#: Seconds after which a run is given up.
_PATIENCE = 300.0

#: The one whose numbers are in ``README.md``.
VERSION = "2024-05-01-preview"


@frozen
class Taken:
    """Seconds from the start of a run to its first verdict, and to its end."""

    first: float
    whole: float


def built(folder: Path) -> Path:
    """The wheel of this checkout."""
    words = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(words, cwd=ROOT, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


def size(package: Distribution) -> int:
    """Bytes of the files of a package."""
    paths = [Path(str(package.locate_file(file))) for file in package.files or ()]
    return sum(path.stat().st_size for path in paths if path.is_file())


def installed(folder: Path) -> Iterator[tuple[str, int]]:
    """(name, bytes) of each package in an environment."""
    (site,) = folder.glob("lib/python3*/site-packages")
    for package in distributions(path=[str(site)]):
        if package.name not in _PIP:
            yield package.name, size(package)


def run(command: Path, scratch: Path, out: Path) -> Taken:
    """One run against the embedded emulator. Raises RuntimeError if it isn't conformant, or takes too long."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("AOAI_", "PYTHONPATH"))}
    env |= {"AOAI_CONFORMANCE_CACHE": str(scratch / "cache"), "XDG_STATE_HOME": str(scratch / "state")}
    begin, first = time.perf_counter(), 0.0
    words = [str(command), "run", "--api-version", VERSION, "--profile", "smoke", "--out", str(out)]
    with subprocess.Popen(words, env=env, cwd=scratch, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            if not first and any(b'"verdict"' in file.read_bytes() for file in out.glob("**/*.jsonl")):
                first = time.perf_counter() - begin
            if time.perf_counter() - begin > _PATIENCE:
                process.kill()
            time.sleep(0.01)
    if process.returncode:
        raise RuntimeError(f"the run ended with {process.returncode}")
    whole = time.perf_counter() - begin
    return Taken(first or whole, whole)


def main() -> int:
    """Print a table. Returns 0."""
    given = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    given.add_argument("--wheel", type=Path, help="the wheel (default: the one of this checkout)")
    given.add_argument("--newest", action="store_true", help="the newest versions in place of constraints.txt")
    args = given.parse_args()
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        wheel = args.wheel or built(scratch / "dist")
        venv.create(scratch / "empty", with_pip=True)
        pinned = [] if args.newest else ["--constraint", str(ROOT / "constraints.txt")]
        begin = time.perf_counter()
        pip = [str(scratch / "empty" / "bin" / "python"), "-m", "pip", "install", "--quiet", *pinned, str(wheel)]
        subprocess.run(pip, check=True, stderr=subprocess.DEVNULL)
        install = time.perf_counter() - begin
        packages = sorted(installed(scratch / "empty"), key=lambda row: -row[1])
        command = scratch / "empty" / "bin" / "aoai-conformance"
        cold, warm = (run(command, scratch, scratch / which) for which in ("cold", "warm"))
        print(f"| {wheel.name} | {wheel.stat().st_size / 1e6:.1f} MB |")
        print(f"| packages pulled in, with the suite | {len(packages)} |")
        print(f"| on disk | {sum(row[1] for row in packages) / 1e6:.0f} MB |")
        print("| largest | " + ", ".join(f"{name} {bytes / 1e6:.1f}" for name, bytes in packages[:6]) + " MB |")
        print(f"| `pip install` | {install:.0f} s |")
        for told, taken in (("first run", cold), ("next run", warm)):
            print(f"| {told}: first verdict, whole report | {taken.first:.1f} s, {taken.whole:.1f} s |")
        print(f"| from `pip install` to the first verdict | {install + cold.first:.0f} s |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
