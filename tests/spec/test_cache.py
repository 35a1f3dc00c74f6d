"""The cache of a folder returns the same version, is rebuilt if it is damaged, and changes with the folder's
content.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from spec_folders import Maker

from conformance.errors import UsageError
from conformance.spec import cache as speccache
from conformance.spec import loading
from conformance.spec.loading import load
from conformance.spec.spec import Spec


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of this test's own, with nothing remembered in the process."""
    monkeypatch.setenv("AOAI_CONFORMANCE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "specs"


def anew(folder: Path) -> Spec:
    """Load as another process would: nothing of it is in memory."""
    loading._load.cache_clear()
    return load("tiny", folder)


def test_warm_is_equal_to_cold(cache: Path, versions_folder: Maker) -> None:
    folder = versions_folder()
    cold = anew(folder)
    assert len(list(cache.glob("*.json"))) == 1
    warm = anew(folder)
    assert warm == cold
    assert warm.document == cold.document
    assert list(warm.document["paths"]) == list(cold.document["paths"])


@pytest.mark.parametrize("damage", [b"", b"{", b"0" * 64 + b'\n{"document":{}}', b"\xff\xfe"])
def test_a_broken_entry_is_rebuilt(damage: bytes, cache: Path, versions_folder: Maker) -> None:
    folder = versions_folder()
    cold = anew(folder)
    (entry,) = cache.glob("*.json")
    whole = entry.read_bytes()
    entry.write_bytes(damage)
    assert anew(folder) == cold
    assert entry.read_bytes() == whole


def test_a_cut_entry_is_rebuilt(cache: Path, versions_folder: Maker) -> None:
    folder = versions_folder()
    cold = anew(folder)
    (entry,) = cache.glob("*.json")
    entry.write_bytes(entry.read_bytes()[:-10])
    assert anew(folder) == cold


def test_another_content_is_another_version(cache: Path, versions_folder: Maker) -> None:
    folder = versions_folder()
    first = anew(folder)
    second = anew(versions_folder(("openapi.yaml", "maxLength: 64", "maxLength: 64, minLength: 2")))
    assert first.digest != second.digest
    assert second.document["components"]["schemas"]["request"]["properties"]["user"]["minLength"] == 2


def test_other_code_never_meets_an_old_entry(
    cache: Path, versions_folder: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = versions_folder()
    cold = anew(folder)
    assert speccache.get(cold.digest) is not None
    monkeypatch.setattr(speccache, "digest_of", lambda makers: "other code")
    assert speccache.get(cold.digest) is None
    assert anew(folder) == cold
    assert 2 == len(list(cache.glob("*.json")))


def test_a_cache_that_can_not_be_written_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, versions_folder: Maker
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("AOAI_CONFORMANCE_CACHE", str(tmp_path / "file"))
    assert anew(versions_folder()).version == "tiny"
    assert speccache.get("anything") is None


def test_two_processes_may_load_at_once(cache: Path, versions_folder: Maker) -> None:
    code = (
        "import sys; from pathlib import Path; from conformance.spec.loading import load;"
        " print(load('tiny', Path(sys.argv[1])).digest)"
    )
    path = os.pathsep.join(filter(None, sys.path))
    command = [sys.executable, "-c", code, str(versions_folder())]
    running = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path})
        for _ in range(3)
    ]
    digests = {process.communicate(timeout=60)[0].strip() for process in running}
    assert [process.returncode for process in running] == [0, 0, 0]
    assert len(digests) == 1
    assert [path.suffix for path in cache.iterdir()] == [".json"]


def entry(folder: Path, name: str, size: int, age: float) -> Path:
    """A file of so many bytes that was used so many seconds ago."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    moment = time.time() - age
    os.utime(path, (moment, moment))
    return path


def test_the_folder_has_a_limit_and_what_was_used_longest_ago_goes_first(
    cache: Path, versions_folder: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(speccache.SIZE_VARIABLE, "1")
    home = cache.parent
    corpora = [entry(home, f"v1-preview-standard-{age:016x}.jsonl", 300_000, age) for age in (400, 300, 200, 100)]
    spec = entry(home, f"specs/{'0' * 64}.json", 300_000, 350)
    left = [entry(home, name, 300_000, 500) for name in ("tmpabc.part", "specs/tmpabc.new")]
    theirs = [entry(home, name, 900_000, 9_000) for name in ("notes.jsonl", "specs/mine.json", "deep/a.part")]
    speccache.used(corpora[0])
    anew(versions_folder())
    assert [True, False, True, True] == [path.exists() for path in corpora]
    assert [False, False, False] == [path.exists() for path in (spec, *left)]
    assert all(path.exists() for path in theirs), "not files of ours"


def test_reading_an_entry_is_using_it(cache: Path, versions_folder: Maker) -> None:
    folder = versions_folder()
    anew(folder)
    (found,) = cache.glob("*.json")
    os.utime(found, (1, 1))
    anew(folder)
    assert 1 < found.stat().st_mtime


def test_a_size_of_nothing_keeps_nothing(cache: Path, versions_folder: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(speccache.SIZE_VARIABLE, "0")
    folder = versions_folder()
    assert anew(folder) == anew(folder)
    assert [] == list(cache.glob("*"))


@pytest.mark.parametrize("size", ["much", "-1", "1e3", "1.5", "9" * 30])
def test_a_size_that_is_none_is_told(
    size: str, cache: Path, versions_folder: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(speccache.SIZE_VARIABLE, size)
    with pytest.raises(UsageError, match="a number of megabytes"):
        anew(versions_folder())
