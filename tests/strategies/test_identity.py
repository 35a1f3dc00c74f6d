"""Ids and digests: the same in every process, whatever the order; the cache."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from corpus_stage import ALL, PROVED, VERSIONS, corpus
from imported import FILMS, spec_of

from conformance.corpus.corpus import build_corpus, corpus_digest, lines_of
from conformance.emulator.behaviour import DEFAULT_DEPLOYMENTS
from conformance.errors import UsageError
from conformance.requests.case import Case
from conformance.requests.profile import Profile
from conformance.settings.form import CAPABILITIES
from conformance.spec import derived
from conformance.spec.loading import load
from conformance.spec.operations import operations_of

SMALL = "2024-06-01"

#: Its requests of smoke are derived in a tenth of a second.
QUICKEST = "2023-11-06-beta"

SCRIPT = """
import importlib, pkgutil, sys
import conformance
if sys.argv[2] == "backwards":  # many modules are loaded: what is loaded must not matter either
    for info in pkgutil.walk_packages(conformance.__path__, "conformance."):
        if not info.name.startswith(("conformance.suite", "conformance.__main__")):
            importlib.import_module(info.name)
from conformance.corpus.corpus import build_corpus, corpus_digest
from conformance.spec.operations import operations_of
from conformance.spec.loading import load
spec = load(sys.argv[1])
names = list(operations_of(spec))
names = names[::-1] if sys.argv[2] == "backwards" else names
cases = [case for name in names for case in build_corpus(spec, sys.argv[3], operations=[name], cached=False)]
print(corpus_digest(cases), len(cases))
"""


def _digest(seed: str, order: str, profile: str) -> str:
    root = Path(__file__).resolve().parents[2]
    found = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT, SMALL, order, profile],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(root)},
    )
    return found.stdout


@pytest.mark.parametrize("profile", ["standard", pytest.param("exhaustive", marks=pytest.mark.prove)])
def test_two_processes_with_other_hash_seeds_orders_and_modules_agree(profile: str) -> None:
    assert _digest("1", "forwards", profile) == _digest("2", "backwards", profile)


def test_every_capability_is_a_word_of_the_configuration() -> None:
    """What a request asks of a deployment can be claimed for one; so does the emulator, against which scripts run."""
    asked = {word for version in VERSIONS for case in corpus(version) for word in case.capability.split("+") if word}
    assert {"chat", "embeddings"} <= asked <= set(CAPABILITIES)
    assert set().union(*(deployment.abilities for deployment in DEFAULT_DEPLOYMENTS)) <= set(CAPABILITIES)


@pytest.mark.parametrize("version", PROVED)
def test_a_case_survives_its_json_form(version: str) -> None:
    for case in corpus(version):
        again = Case.from_json(json.loads(json.dumps(case.to_json())))
        assert case == again
        assert case.id == again.id


def test_a_unique_prefix_finds_its_case() -> None:
    made = corpus(SMALL)
    wanted = next(iter(made))
    assert wanted == made.find(wanted.id)
    with pytest.raises(UsageError):
        made.find("")
    with pytest.raises(UsageError):
        made.find("not-an-id")


def test_an_unknown_profile_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="nonsense"):
        build_corpus(load(SMALL), "nonsense")


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AOAI_CONFORMANCE_CACHE", str(tmp_path))
    # A checkout may have what the next package will hold.
    monkeypatch.setattr(derived, "derived_folder", lambda: tmp_path / "none")
    return tmp_path


def _corpora(folder: Path) -> list[Path]:
    """The cached corpora; other caches share the folder."""
    return [file for file in folder.iterdir() if file.suffix in (".jsonl", ".part")]


def test_the_cache_gives_back_what_was_built(own_cache: Path) -> None:
    spec = load(SMALL)
    built = build_corpus(spec)
    assert 1 == len(_corpora(own_cache))
    again = build_corpus(spec)
    assert built.operations == again.operations
    assert [json.dumps(case.to_json()) for case in built] == [json.dumps(case.to_json()) for case in again]
    assert built.digest == build_corpus(spec, cached=False).digest


@pytest.mark.parametrize("profile", Profile.CHOSEN)
@pytest.mark.parametrize(
    "version",
    [SMALL, FILMS, *(pytest.param(name, marks=pytest.mark.prove) for name in ALL if name != SMALL)],
)
def test_a_small_profile_is_the_same_cut_from_the_standard_one(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch, version: str, profile: str
) -> None:
    """Where that is in the cache, nothing but the plainest requests is derived again."""
    spec = spec_of(version)
    alone = build_corpus(spec, profile, cached=False)
    build_corpus(spec)
    for name in ("boundaries", "violations", "rule_breaks", "generated"):
        monkeypatch.setattr(f"strategies.compose.{name}", None)
    assert [*lines_of(alone.parts)] == [*lines_of(build_corpus(spec, profile).parts)]


@pytest.mark.parametrize("keep", [0, 1, 1000, -20])
def test_a_damaged_cache_is_built_again(own_cache: Path, keep: int) -> None:
    spec = load(QUICKEST)
    whole = build_corpus(spec, "smoke").digest
    (file,) = _corpora(own_cache)
    assert 1000 < file.stat().st_size
    file.write_bytes(file.read_bytes()[:keep])
    assert whole == build_corpus(spec, "smoke").digest


def test_another_seed_profile_or_spec_has_a_cache_of_its_own(own_cache: Path) -> None:
    build_corpus(load(QUICKEST), "smoke", 1)
    build_corpus(load(QUICKEST), "smoke", 2)
    build_corpus(load("2024-10-21"), "smoke", 1)
    assert 3 == len(_corpora(own_cache))


def test_old_corpora_are_removed(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each change of the code makes new ones; without a limit the folder would grow for ever."""
    monkeypatch.setenv("AOAI_CONFORMANCE_CACHE_MB", "1")
    old = own_cache / f"{SMALL}-standard-{'0' * 16}.jsonl"
    old.write_bytes(b"x" * 900_000)
    os.utime(old, (1, 1))
    build_corpus(load(SMALL), "smoke")
    build_corpus(load(SMALL), "standard")
    assert not old.exists()
    assert 0 < sum(file.stat().st_size for file in _corpora(own_cache)) <= 1_000_000


def test_parallel_writers_leave_one_whole_file(own_cache: Path) -> None:
    spec = load(QUICKEST)
    found: list[str] = []
    workers = [threading.Thread(target=lambda: found.append(build_corpus(spec, "smoke").digest)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert 1 == len(set(found))
    assert 1 == len(_corpora(own_cache))


def test_a_cache_that_cannot_be_written_is_no_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    monkeypatch.setenv("AOAI_CONFORMANCE_CACHE", str(blocked))
    assert len(build_corpus(load(QUICKEST), "smoke")) > 0


def test_only_the_named_operations_are_built() -> None:
    spec = load(SMALL)
    name = next(iter(operations_of(spec)))
    made = build_corpus(spec, operations=[name], cached=False)
    assert [name] == list(made.operations)
    assert corpus_digest(made) == corpus_digest(case for case in corpus(SMALL) if case.operation == name)


@pytest.mark.parametrize("version", PROVED)
def test_long_lists_hold_short_texts_and_real_ids(version: str) -> None:
    """A text costs tokens, so 2,048 of them are short. What names an object names one that is there."""
    for case in corpus(version):
        for name, value in (case.json if isinstance(case.json, dict) else {}).items():
            if isinstance(value, list) and len(value) > 100 and all(isinstance(item, str) for item in value):
                if name in ("prompt", "input"):
                    assert max(map(len, value[1:])) <= 5, (case.id, name)
                elif any("{" in item for item in value):
                    assert len(set(value)) == 1, (case.id, name)
                else:
                    assert not any(item.isdigit() for item in value), (case.id, name, value[:3])
