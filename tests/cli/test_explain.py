"""``explain`` shows an answer that keeps the rule and one that breaks it, made from the check itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.checks.catalogue import find_check
from conformance.cli import main
from conformance.judging.check import Scope
from conformance.run.example import example_of
from conformance.spec.loading import load

#: A rule of a JSON answer, of a stream, of headers, of a scenario, and of refusals.
CHECKS = ("usage.adds-up", "sse.done.once", "http.request-id", "lists.limit", "auth.missing.refused")


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A configuration in the current folder names a target, to which nothing may be sent."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "conformance.toml").write_text('[target]\nurl = "https://somebody.invalid"\n')


@pytest.mark.parametrize("name", CHECKS)
def test_the_check_accepts_the_good_answer_and_reports_the_bad_one(name: str) -> None:
    check = find_check(name)
    found = example_of(check)
    assert found is not None
    assert found.findings
    assert found.good.exchange != found.bad
    if check.scope is Scope.EXCHANGE:
        assert [] == [one for one in check.judge(load(found.version), found.good) if not one.note]


def test_the_lines_that_differ_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == main(["explain", "usage.adds-up"])
    told = capsys.readouterr().out
    _, _, example = told.partition("What to change in your server")
    lines = [line.strip() for line in example.splitlines()]
    (good,) = (line for line in lines if line.startswith('-     "total_tokens": '))
    (bad,) = (line for line in lines if line.startswith('+     "total_tokens": '))
    assert good[1:] != bad[1:]
    assert "content-length" not in example
    assert "usage.adds-up says of it: the total does not add up at /usage" in lines


def test_without_an_example_no_emulator_is_started(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("conformance.cli.explain.example_of", lambda check, version: pytest.fail("asked"))
    assert 0 == main(["explain", "usage.adds-up", "--no-example"])
    assert "What to change" not in capsys.readouterr().out
