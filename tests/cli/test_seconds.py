"""Every option in seconds is finite: nothing waits for ever."""

from __future__ import annotations

import pytest

from conformance.cli import main


@pytest.mark.parametrize("text", ["nan", "inf", "-1", "soon"])
@pytest.mark.parametrize(
    "words",
    [
        ["via", "--gateway", "http://127.0.0.1:1", "--wait"],
        ["via", "--gateway", "http://127.0.0.1:1", "--patience"],
        ["serve", "--latency"],
        ["serve", "--interval"],
        ["serve", "--stall"],
        ["spec", "check", "2024-10-21", "--timeout"],
    ],
    ids=lambda words: f"{words[0]} {words[-1]}",
)
def test_a_time_that_never_ends_is_refused(words: list[str], text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*words[:-1], f"{words[-1]}={text}"])
    assert 2 == ended.value.code
    assert f"argument {words[-1]}: '{text}' is not a finite number of seconds" in capsys.readouterr().err
