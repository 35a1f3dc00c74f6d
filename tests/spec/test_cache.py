"""The cache of a folder returns the same version, is rebuilt if it is damaged, and changes with the folder's
content.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from spec_folders import Maker

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
