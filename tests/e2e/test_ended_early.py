"""Runs that pytest ends early or that judge only a part: never an internal error, and the report says what is
missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from served import HOME, ORDINARY, PYTEST, Done, command, serving

from conformance._parts import part
from conformance.verdict import Outcome

VERSION = ORDINARY
CHOICE = ("--aoai-scenario=corpus.embeddings.create", "--aoai-scenario=corpus.assistants.list", "--aoai-profile=smoke")
BROKEN = f"{VERSION}:corpus.embeddings.create:embeddings.count"


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server that keeps one rule wrong."""
    with serving(tmp_path_factory.mktemp("target"), "--api-version", VERSION, "--break", "embeddings.count") as url:
        yield url


def suite(state: Path, target: str, *arguments: str) -> Done:
    """The suite as people start it who live in pytest."""
    options = (f"--aoai-target={target}", f"--aoai-api-version={VERSION}", f"--aoai-out={state / 'out'}", *CHOICE)
    words = (*PYTEST, "conformance", "-q", "-o", f"cache_dir={state / 'cache'}")
    return command(state, *words, *options, *arguments, cwd=HOME, ours=False)


def report_of(state: Path) -> Any:
    return part("reports.jsonl").read(state / "out" / VERSION)


def judged(state: Path) -> dict[Outcome, int]:
    found = [verdict.outcome for verdict in report_of(state).verdicts]
    return {outcome: found.count(outcome) for outcome in set(found)}


@pytest.mark.parametrize("processes", ["0", pytest.param("2", marks=pytest.mark.prove)])
def test_first_failure_ends_the_run(target: str, tmp_path: Path, processes: str) -> None:
    """``-x``: the failure decides; what was not judged is counted and named, and is no error."""
    done = suite(tmp_path, target, "-x", "-n", processes)
    assert done.code in (pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED), done.out + done.err
    assert 1 == judged(tmp_path)[Outcome.FAIL]
    assert Outcome.ERROR not in judged(tmp_path)
    footer = report_of(tmp_path).footer
    assert ("not conformant", 1, True) == (footer["conclusion"], footer["exit_code"], footer["interrupted"])
    assert "corpus.embeddings.create" in footer["not_run"]
    assert [True] == ["ended early (stopping after 1 failures)" in note for note in footer["notes"]]
    assert "internal error" not in done.out + done.err


@pytest.mark.parametrize("processes", [pytest.param("0", marks=pytest.mark.prove), "2"])
def test_a_part_is_judged_and_told_as_a_part(target: str, tmp_path: Path, processes: str) -> None:
    """``-k``: what pytest leaves is judged to its end; the report tells how much of the whole that was."""
    done = suite(tmp_path, target, "-k", "corpus.assistants.list", "-n", processes)
    assert 0 == done.code, done.out + done.err
    report = report_of(tmp_path)
    assert {"corpus.assistants.list"} == {verdict.scenario for verdict in report.verdicts}
    assert Outcome.ERROR not in judged(tmp_path)
    assert ("conformant", False) == (report.footer["conclusion"], report.footer["interrupted"])
    part_of = f"{len(report.verdicts)} of "
    assert report.header["scope"]["pytest"].startswith(part_of)
    assert [True] == [f"pytest left {part_of}" in note for note in report.footer["notes"]]


@pytest.mark.parametrize("processes", [pytest.param("0", marks=pytest.mark.prove), "2"])
def test_last_failures_alone_are_judged_again(target: str, tmp_path: Path, processes: str) -> None:
    """``--lf`` after a run: only what failed is judged, and fails again."""
    assert 1 == suite(tmp_path, target, "-n", processes).code
    done = suite(tmp_path, target, "--lf", "-n", processes)
    assert 1 == done.code, done.out + done.err
    assert {Outcome.FAIL: 1} == judged(tmp_path)
    assert not report_of(tmp_path).footer["interrupted"]


@pytest.mark.parametrize("processes", ["0", pytest.param("2", marks=pytest.mark.prove)])
def test_collecting_sends_and_writes_nothing(tmp_path: Path, processes: str) -> None:
    """``--co`` lists the items by their ids; no target is asked, no folder made."""
    done = suite(tmp_path, "http://127.0.0.1:9", "--co", "-n", processes)
    assert 0 == done.code, done.out + done.err
    assert f"::{BROKEN}\n" in done.out
    assert not (tmp_path / "out").exists()


def test_requests_are_derived_anew_without_a_warning(tmp_path: Path) -> None:
    """Where no corpus is kept, it is built while pytest starts. Hypothesis warns of that; with our own settings, which
    turn warnings into errors, it would end the run.
    """
    anew = ("--aoai-no-cache", "--aoai-operation=embeddings.create")
    done = suite(tmp_path, "http://127.0.0.1:9", "--co", "-W", "error", *anew)
    assert 0 == done.code, done.out + done.err
    assert f"::{BROKEN}\n" in done.out


@pytest.mark.parametrize("processes", ["0", pytest.param("2", marks=pytest.mark.prove)])
def test_nothing_left_is_no_error(target: str, tmp_path: Path, processes: str) -> None:
    """``-k`` that fits nothing ends as pytest ends it, without a report."""
    done = suite(tmp_path, target, "-k", "nothing_at_all", "-n", processes)
    assert pytest.ExitCode.NO_TESTS_COLLECTED == done.code, done.out + done.err
    assert not (tmp_path / "out" / VERSION / "report.jsonl").exists()
