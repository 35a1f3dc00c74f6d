"""What a package holds besides its sources: found by the code that made it and by no other, and equal to what is
derived.
"""

from __future__ import annotations

import importlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from corpus_stage import VERSIONS, corpus

from conformance.corpus import corpus as corpora
from conformance.corpus.corpus import DERIVING, OperationCorpus, build_corpus, shipped_name
from conformance.corpus.shipping import files_of
from conformance.errors import HarnessError
from conformance.spec import cache, derived, folder, loading
from conformance.spec.cache import READING, code_of
from conformance.spec.loading import load
from conformance.spec.spec import Spec

#: Its requests of smoke are derived in a tenth of a second.
SMALL = "2023-11-06-beta"
ROOT = Path(__file__).resolve().parents[2]
CHECKOUT = pytest.mark.skipif(not (ROOT / "strategies").is_dir(), reason="only a checkout has the sources beside it")


@pytest.fixture
def put(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of entries, empty. The user's cache is empty too."""
    monkeypatch.setenv("AOAI_CONFORMANCE_CACHE", str(tmp_path / "cache"))
    there = tmp_path / "derived"
    monkeypatch.setattr(derived, "derived_folder", lambda: there)
    return there


@pytest.fixture
def small(put: Path) -> dict[str, bytes]:
    """The entries of a small version at smoke, by name. They are in the folder."""
    made = dict(files_of(SMALL, ("smoke",)))
    for name, content in made.items():
        (put / name).parent.mkdir(parents=True, exist_ok=True)
        (put / name).write_bytes(content)
    return made


def anew(version: str) -> Spec:
    """Load as another process would: nothing of it is in memory."""
    loading._load.cache_clear()
    return load(version)


def refused(*_: object) -> None:
    raise HarnessError("nothing is derived here")


def test_what_comes_with_a_package_is_not_derived_again(
    put: Path, small: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The document, the requests and what creates their objects are those that are derived; the cache stays empty."""
    before = load(SMALL)
    made = build_corpus(before, "smoke", cached=False)
    monkeypatch.setattr(folder, "_fresh", refused)
    monkeypatch.setattr(importlib.import_module("strategies.compose"), "Composer", refused)
    monkeypatch.setattr(cache, "cache_folder", refused)
    spec = anew(SMALL)
    assert before == spec
    assert [*before.document["paths"]] == [*spec.document["paths"]]
    monkeypatch.setattr(cache, "cache_folder", lambda: put / "no-cache")
    assert made.operations == build_corpus(spec, "smoke").operations
    assert not (put / "no-cache").exists()


@pytest.mark.parametrize("keep", [0, 1, -1, -20])
def test_a_damaged_entry_is_derived(put: Path, small: dict[str, bytes], keep: int) -> None:
    before, whole = load(SMALL), build_corpus(load(SMALL), "smoke").digest
    for name, content in small.items():
        (put / name).write_bytes(content[:keep])
    assert before == anew(SMALL)
    assert whole == build_corpus(load(SMALL), "smoke").digest


def test_asked_to_derive_again_a_run_does(put: Path, small: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.import_module("strategies.compose"), "Composer", refused)
    with pytest.raises(HarnessError, match="nothing is derived here"):
        build_corpus(load(SMALL), "smoke", cached=False)


def test_a_name_says_what_an_entry_was_made_from(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another version, profile, seed, kind of requests or code has another name."""
    spec = load(SMALL)
    names = [
        shipped_name(spec, "smoke"),
        shipped_name(spec, "standard"),
        shipped_name(spec, "smoke", 1),
        shipped_name(spec, "smoke", 0, frozenset({"large-body"})),
        shipped_name(load("2024-10-21"), "smoke"),
    ]
    monkeypatch.setattr(corpora, "code_of", lambda makers: "other code")
    names.append(shipped_name(spec, "smoke"))
    assert len(names) == len({*names})
    before = derived.folder_name(spec.digest)
    monkeypatch.setattr(derived, "code_of", lambda makers: "other code")
    assert before != derived.folder_name(spec.digest)


def test_a_checkout_reads_nothing_that_a_build_left_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its libraries may be others by now, and no name tells. The same file inside the package is found."""
    package = tmp_path / "conformance"
    monkeypatch.setattr(derived, "_PACKAGE", package)
    found = []
    for home in (tmp_path, package):
        (home / derived.NAME).mkdir(parents=True)
        (home / derived.NAME / "entry.xz").write_bytes(derived.packed(b"content"))
        found.append(derived.shipped("entry.xz"))
    assert [None, b"content"] == found


@CHECKOUT
@pytest.mark.parametrize("makers", [READING, DERIVING], ids=["documents", "requests"])
def test_a_package_has_the_code_of_its_checkout(tmp_path: Path, makers: cache.Makers) -> None:
    """In a wheel some folders lie inside the package; a changed letter is other code in both."""
    package = tmp_path / "conformance"
    for name in ("conformance", "strategies", "specs"):
        to = package if name == "conformance" else package / name
        ignored = shutil.ignore_patterns("__pycache__", "emulator", "checks", "*.yaml")
        shutil.copytree(ROOT / name, to, ignore=ignored)
    assert code_of(makers) == code_of(makers, package)
    errors = package / "errors.py"
    errors.write_text(errors.read_text("utf-8") + "#\n", "utf-8")
    code_of.cache_clear()
    assert code_of(makers) != code_of(makers, package)


@CHECKOUT
@pytest.mark.prove
def test_the_command_writes_the_same_bytes_again(tmp_path: Path, small: dict[str, bytes]) -> None:
    """In another process, another folder and another order of sets."""
    for name in ("conformance", "strategies", "specs", "ci/derive.py"):
        to = tmp_path / "again" / name
        to.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, to)
    words = [sys.executable, "-W", "ignore", str(tmp_path / "again" / "ci" / "derive.py"), SMALL]
    subprocess.run(words, check=True, cwd=tmp_path, env={"PYTHONHASHSEED": "7", "HOME": str(tmp_path)})
    there = tmp_path / "again" / "derived"
    assert small == {name: (there / name).read_bytes() for name in small}
    assert 3 == sum(file.is_file() for file in there.rglob("*"))


@pytest.mark.prove
@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_comes_with_the_requests_that_are_derived(put: Path, version: str) -> None:
    for name, content in files_of(version):
        (put / name).parent.mkdir(parents=True, exist_ok=True)
        (put / name).write_bytes(content)
    found = corpora._shipped(anew(version), "standard", 0, frozenset())
    assert found is not None
    assert all(isinstance(one, OperationCorpus) for one in found.values())
    assert dict(corpus(version).operations) == found
