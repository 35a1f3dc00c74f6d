"""What a release is made of: the same bytes from the same sources, and a changelog that tells what is new."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from conformance import __version__

CHECKOUT = Path(__file__).resolve().parents[2]


def copied(to: Path, *names: str) -> Path:
    """Parts of the checkout in another folder."""
    for name in names:
        source, target = CHECKOUT / name, to / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "out"))
        else:
            shutil.copy(source, target)
    return to


def wheel(checkout: Path, **env: str) -> str:
    """The SHA-256 of the wheel of a checkout, which is built in its folder ``dist``."""
    words = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(checkout / "dist")]
    subprocess.run(words, cwd=checkout, env={**os.environ, **env}, check=True, capture_output=True)
    (built,) = (checkout / "dist").glob("*.whl")
    return hashlib.sha256(built.read_bytes()).hexdigest()


@pytest.mark.skipif(importlib.util.find_spec("hatchling") is None, reason="hatchling is not installed")
def test_the_wheel_has_the_same_bytes_wherever_and_whenever_it_is_built(tmp_path: Path) -> None:
    """Another folder, later, with other rights, time zone and order of sets: none of it is in the wheel."""
    names = ["conformance", "strategies", "reports", "specs", "docs/man", "pyproject.toml", "README.md", "LICENSE"]
    here = copied(tmp_path / "a", *names, "aoai_conformance_pytest.py")
    there = copied(tmp_path / "another" / "folder", *names, "aoai_conformance_pytest.py")
    for file in there.rglob("*"):
        if file.is_file():
            os.utime(file, (1_000_000_000, 1_000_000_000))
            file.chmod(0o600)
    assert wheel(here, PYTHONHASHSEED="1") == wheel(there, PYTHONHASHSEED="2", TZ="Asia/Tokyo", LC_ALL="C")


@pytest.mark.skipif(importlib.util.find_spec("hatchling") is None, reason="hatchling is not installed")
def test_the_wheel_holds_what_was_derived_before_although_git_ignores_it(tmp_path: Path) -> None:
    """Inside the package, and nothing of it where nothing was derived."""
    names = ["conformance/__init__.py", "docs/man", "pyproject.toml", "README.md", "LICENSE", ".gitignore"]
    here = copied(tmp_path, *names, "aoai_conformance_pytest.py")
    for derived in ([], ["v1-smoke-0.jsonl.xz", "specs/0.json.xz"]):
        for name in derived:
            file = here / "derived" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(b"x")
        wheel(here)
        with zipfile.ZipFile(next((here / "dist").glob("*.whl"))) as built:
            found = [name for name in built.namelist() if name.startswith("conformance/derived/")]
        assert sorted(f"conformance/derived/{name}" for name in derived) == sorted(found)


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """What the news of a release are made from."""
    names = ("ci/release.py", "changes/template.md.jinja", "pyproject.toml", "conformance/__init__.py")
    return copied(tmp_path, *names)


def news(sources: Path) -> int:
    """Make the news; returns the exit code."""
    words = [sys.executable, "ci/release.py", "--news"]
    return subprocess.run(words, cwd=sources, check=False, capture_output=True).returncode


@pytest.mark.skipif(importlib.util.find_spec("towncrier") is None, reason="towncrier is not installed")
def test_changes_and_lines_under_unreleased_become_the_section_of_the_version(sources: Path) -> None:
    changelog = sources / "CHANGELOG.md"
    head = "".join((CHECKOUT / "CHANGELOG.md").read_text("utf-8").partition("-->\n")[:2])
    changelog.write_text(f"{head}\n## Unreleased\n\n- By hand.\n\n## 0.0.1 (2020-01-01)\n\n- Old.\n")
    (sources / "changes" / "+one.change.md").write_text("One thing\nin two lines.\n")
    (sources / "changes" / "+two.change.md").write_text("Another.\n")
    assert 0 == news(sources)
    told = changelog.read_text()
    assert told.startswith(f"{head}\n## {__version__} (")
    _, today, before = told.split("\n## ")
    assert ["- Another.", "- One thing", "  in two lines.", "- By hand."] == list(filter(None, today.splitlines()[1:]))
    assert "0.0.1 (2020-01-01)\n\n- Old.\n" == before
    assert [] == list((sources / "changes").glob("+*"))
    assert 2 == news(sources)  # the version has its section
    assert told == changelog.read_text()


@pytest.mark.skipif(importlib.util.find_spec("towncrier") is None, reason="towncrier is not installed")
def test_a_release_without_news_is_refused(sources: Path) -> None:
    (sources / "CHANGELOG.md").write_text("# Changelog\n\n## Unreleased\n\n## 0.0.1 (2020-01-01)\n\n- Old.\n")
    assert 2 == news(sources)


def test_the_changelog_has_the_line_at_which_news_are_put() -> None:
    line = (CHECKOUT / "CHANGELOG.md").read_text("utf-8").splitlines()[2]
    assert f'start_string = "{line}\\n"' in (CHECKOUT / "pyproject.toml").read_text("utf-8")
