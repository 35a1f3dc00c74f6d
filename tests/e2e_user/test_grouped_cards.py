"""The HTML page of a run whose target never answers successfully: one card for each reason, instead of dozens."""

from __future__ import annotations

from pathlib import Path

import pytest
from report_pages import index_of
from served import ORDINARY, command
from test_odd_targets import answering

from conformance.cli import main


@pytest.mark.prove
def test_what_could_not_be_judged_for_one_reason_is_one_card(tmp_path: Path) -> None:
    with answering('{"error":{"code":"500","message":"no"}}', 500) as url:
        chosen = ("--api-version", ORDINARY, "--scenario", "corpus.assistants.*", "--profile", "smoke", "--out", "out")
        command(tmp_path, "run", "--target", url, *chosen)
    (page,) = (tmp_path / "out").glob("*/index.html")
    text = page.read_text("utf-8")
    cards = [card.partition("</li>")[0] for card in text.split('<li class="cause not_testable"')[1:]]
    assert 1 == sum("the target answered 500" in card for card in cards)
    # The other reason is that of a rule about all violations together: the step that they are compared with failed.
    assert 2 >= len(cards)
    assert len(cards) < sum(verdict["outcome"] == "not_testable" for verdict in index_of(text)["verdicts"])


@pytest.mark.parametrize(
    ("said", "typed"),
    [
        ("--port 99999: must be 0 to 65535", ("--port", "99999")),
        (
            "unknown mutant 'run.nevr-ends' (nearest: run.never-ends",
            ("--api-version", ORDINARY, "--mutant", "run.nevr-ends"),
        ),
        (
            "2023-11-06-beta and 2024-06-01 can't share a server",
            ("--api-version", "2024-06-01", "--api-version", "2023-11-06-beta"),
        ),
    ],
)
def test_serve_says_what_to_do(said: str, typed: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == main(["serve", *typed])
    told = capsys.readouterr().err
    assert said in told
    assert 200 > len(told)
