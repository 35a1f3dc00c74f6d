"""Build, prove and describe a release. The version comes from ``conformance/__init__.py`` alone.

    python ci/release.py --news     CHANGELOG.md: what is new stands under the version, the files of changes/ are gone
    python ci/release.py DIST       wheel, source archive and bill of materials in DIST, which must be empty

What the wheel holds besides its sources is derived first (``ci/derive.py``). All of that, the wheel and the source
archive are built twice and must be equal byte for byte. ``twine check`` reads both. The wheel
is installed into an empty environment, in the versions of ``constraints.txt``; what that pulls in stands in
``sbom.cdx.json`` (CycloneDX), which is validated.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

#: The section of CHANGELOG.md for lines that stand there before a release.
_UNRELEASED = "## Unreleased\n"


def _run(*words: str) -> None:
    print("$", *words, flush=True)
    subprocess.run(words, cwd=ROOT, check=True)


def version() -> str:
    """The version of the code."""
    (found,) = re.findall(
        r'^__version__ = "(.*)"$', (ROOT / "conformance" / "__init__.py").read_text("utf-8"), re.MULTILINE
    )
    return str(found)


def fragments() -> list[Path]:
    """The changes that are not in CHANGELOG.md yet."""
    return sorted((ROOT / "changes").glob("*.change*.md"))


def news() -> int:
    """Make the section of this version in CHANGELOG.md: the files of ``changes/``, then what stood under Unreleased.

    Returns 2 if nothing is new, or if the version has a section already.
    """
    changelog = ROOT / "CHANGELOG.md"
    before = changelog.read_text("utf-8")
    if f"\n## {version()} " in before:
        print(f"CHANGELOG.md has {version()} already: set another version in conformance/__init__.py", file=sys.stderr)
        return 2
    _, heading, unreleased = before.partition(_UNRELEASED)
    waiting = unreleased.split("\n## ")[0].strip()
    if not (waiting or fragments()):
        print("nothing is new: there is no file in changes/ and no line under Unreleased", file=sys.stderr)
        return 2
    _run(sys.executable, "-m", "towncrier", "build", "--yes", "--version", version())
    after = changelog.read_text("utf-8")
    # What stood there follows directly, as a part of the same section.
    changelog.write_text(after.replace(_UNRELEASED, "", 1) if heading else after, "utf-8")
    print(f"CHANGELOG.md tells what is new in {version()}: read it, commit it, and build")
    return 0


def _built(folder: Path) -> dict[str, str]:
    """Derive what the wheel holds besides its sources, and build both archives; returns the SHA-256 of each by name."""
    _run(sys.executable, "ci/derive.py")
    _run(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder))
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(folder.iterdir())}


def build(dist: Path) -> int:
    """Build into a folder. Returns 2 if it isn't empty, 1 if two builds differ."""
    if dist.exists() and any(dist.iterdir()):
        print(f"{dist} is not empty: give an empty folder, so that nothing old is published", file=sys.stderr)
        return 2
    if fragments():
        print(f"{len(fragments())} changes are not in CHANGELOG.md yet: --news puts them there", file=sys.stderr)
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
        # pip brought the rest, and is no part of it.
        _run(python, "-m", "pip", "uninstall", "--quiet", "--yes", "setuptools", "pip")
        bom = str(dist / "sbom.cdx.json")
        project = scratch / "pyproject.toml"
        text = (ROOT / "pyproject.toml").read_text("utf-8")
        # The bill names the version too, which stands elsewhere for hatchling.
        project.write_text(text.replace('dynamic = ["version"]', f'version = "{version()}"'), "utf-8")
        described = ("--output-reproducible", "--mc-type", "application", "--pyproject", str(project))
        _run(sys.executable, "-m", "cyclonedx_py", "environment", *described, "--validate", "-o", bom, python)
    for archive, digest in first.items():
        print(f"{digest}  {archive}")
    return 0


def main() -> int:
    """The command. Returns its exit code."""
    given = argparse.ArgumentParser(prog="ci/release.py", description=str(__doc__).splitlines()[0], allow_abbrev=False)
    what = given.add_mutually_exclusive_group(required=True)
    what.add_argument("--news", action="store_true", help="put the changes into CHANGELOG.md")
    what.add_argument("dist", nargs="?", type=Path, metavar="DIST", help="an empty folder for what is built")
    args = given.parse_args()
    return news() if args.news else build(args.dist)


if __name__ == "__main__":
    sys.exit(main())
