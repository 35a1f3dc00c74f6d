"""``python ci/release.py DIST``: build, prove and describe a release.

The wheel and the source archive are built twice and must be equal byte for byte. ``twine check`` reads both. The wheel
is installed into an empty environment, in the versions of ``constraints.txt``; what that pulls in stands in
``sbom.cdx.json`` (CycloneDX). The version comes from ``conformance/__init__.py`` alone.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def _run(*words: str) -> None:
    print("$", *words, flush=True)
    subprocess.run(words, cwd=ROOT, check=True)


def _built(folder: Path) -> dict[str, str]:
    """Build both archives; returns the SHA-256 of each by name."""
    _run(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder))
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(folder.iterdir())}


def main(dist: Path) -> int:
    """Build into a folder, which must be empty. Returns 1 if two builds differ."""
    if dist.exists() and any(dist.iterdir()):
        print(f"{dist} is not empty: give an empty folder, so that nothing old is published", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        first, second = _built(dist), _built(scratch / "again")
        if first != second:
            print(f"two builds differ: {first} and {second}", file=sys.stderr)
            return 1
        archives = [str(dist / archive) for archive in first]
        _run(sys.executable, "-m", "twine", "check", "--strict", *archives)
        venv.create(scratch / "empty", with_pip=True)
        python = str(scratch / "empty" / "bin" / "python")
        wheel = next(one for one in archives if one.endswith(".whl"))
        _run(python, "-m", "pip", "install", "--quiet", "--constraint", str(ROOT / "constraints.txt"), wheel)
        _run(python, "-m", "conformance", "--version")
        bom = str(dist / "sbom.cdx.json")
        _run(sys.executable, "-m", "cyclonedx_py", "environment", "--output-reproducible", "-o", bom, python)
    for archive, digest in first.items():
        print(f"{digest}  {archive}")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
