"""Mistakes in options: each ends with one line that says what to do, the documented exit code and no traceback."""

from __future__ import annotations

from pathlib import Path

import pytest
from served import ORDINARY, command

from conformance.cli import main
from conformance.corpus.corpus import build_corpus
from conformance.requests.profile import Profile
from conformance.scenarios.registry import scenarios_of
from conformance.settings.form import EXPENSIVE_KINDS
from conformance.spec.loading import load, versions

RUN = ("run", "--profile", "smoke")
IN_ONE = (*RUN, "--api-version", ORDINARY)


@pytest.mark.parametrize(
    ("said", "typed"),
    [
        ("--target is empty", ("--target", "")),
        ("--check is empty", ("--check", "")),
        ("--out is empty", ("--out", "")),
        ("--operation embedings.create fits no operation (nearest: embed", ("--operation", "embedings.create")),
        ("--scenario nope fits no scenario", ("--scenario", "nope")),
        ("--check sse.donn fits no check (nearest: sse.done", ("--check", "sse.donn")),
        ("nothing is left to judge in ", ("--family", "fuzz", "--operation", "embeddings.create")),
        ("-n -2: must be at least 0", ("-n", "-2")),
        ("-n 3 is more than the 2 exchanges that may be in flight (--concurrency 3", ("-n", "3", "--concurrency", "2")),
        ("--cleanup-timeout nan: must be at least 0", ("--cleanup-timeout", "nan")),
        ("--cleanup-timeout inf: must be at least 0, and finite", ("--cleanup-timeout", "inf")),
        ("--cleanup-timeout 1e308: must be at most 31536000", ("--cleanup-timeout", "1e308")),
        (f"--concurrency {10**20}: must be at most 1000", ("--concurrency", str(10**20))),
        ("-n 100000: must be at most 256", ("-n", "100000")),
        ("--expensive gold: unknown kind (one of batch", ("--expensive", "gold")),
        ("no-such-folder: no such folder", ("--specs", "no-such-folder")),
        ("can't be written", ("--out", "/dev/null/out")),
    ],
)
def test_a_bad_choice_is_one_line_and_exit_2(
    said: str,
    typed: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    if typed[0] in ("--target", "--out", "--check", "-n"):
        done = command(tmp_path, *IN_ONE, *typed)
        code, lines = done.code, done.lines
    else:
        code = main([*IN_ONE, *typed])
        told = capsys.readouterr()
        lines = (told.out + told.err).splitlines()
    assert (2, 1) == (code, len(lines)), lines
    assert said in lines[0]
    assert lines[0].startswith("aoai-conformance: ")


def test_a_closed_port_is_one_line_and_exit_3(tmp_path: Path) -> None:
    done = command(tmp_path, *IN_ONE, "--target", "http://127.0.0.1:1")
    assert 3 == done.code
    assert ["aoai-conformance: http://127.0.0.1:1: no connection: [Errno 111] Connection refused"] == done.lines


def test_a_version_without_the_chosen_operation_is_left_out(tmp_path: Path) -> None:
    with_files = [name for name in versions() if "images.generations.create" in _operations(name)]
    without = [name for name in versions() if "images.generations.create" not in _operations(name)]
    if not with_files or not without:
        pytest.skip("every version has the operation, or none")
    typed = ("--api-version", without[0], "--api-version", with_files[0], "--operation", "images.generations.create")
    done = command(tmp_path, *RUN, *typed)
    assert 0 == done.code, done.lines
    assert [f"left out: nothing is left to judge in {without[0]}"] == [
        line.partition(",")[0] for line in done.lines if line.startswith("left out")
    ]


def _operations(version: str) -> set[str]:
    from conformance.spec.operations import operations_of

    return set(operations_of(load(version)))


def test_every_kind_that_is_opt_in_can_be_named() -> None:

    kinds = set()
    for name in versions():
        spec = load(name)
        corpus = build_corpus(spec, Profile.STANDARD, 0)
        kinds |= {case.expensive for each in corpus.operations.values() for case in each.cases}
        kinds |= {item.expensive for item in scenarios_of(spec, Profile.EXHAUSTIVE)}
    assert kinds - {""} <= set(EXPENSIVE_KINDS)
