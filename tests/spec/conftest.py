"""Fixtures of the tests about api-versions: the folder of source material, folders of versions to break."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from spec_folders import FILES, Maker

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of source material, which is no part of the project."""
    folder = Path(os.environ.get("AOAI_SHARED", ROOT.parent / "shared"))
    if not (folder / "official-specs").is_dir():
        pytest.skip("needs the source material (folder shared beside the project, or $AOAI_SHARED)")
    return folder


@pytest.fixture
def versions_folder(tmp_path: Path) -> Maker:
    """Write versions into a folder; each edit is (file, old text, new text). Gives the folder of versions."""

    def make(*edits: tuple[str, str, str], name: str = "tiny", files: dict[str, str] | None = None) -> Path:
        folder = tmp_path / "versions"
        place = folder / name
        place.mkdir(parents=True, exist_ok=True)
        texts = dict(files if files is not None else FILES)
        for file, old, new in edits:
            assert old in texts[file], f"{old!r} is not in {file}"
            texts[file] = texts[file].replace(old, new, 1)
        for file, text in texts.items():
            (place / file).write_text(text, encoding="utf-8")
        return folder

    return make
