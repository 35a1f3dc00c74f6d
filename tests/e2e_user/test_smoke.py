"""The smallest profile sends what each of its checks needs, so that none passes without evidence."""

from __future__ import annotations

from pathlib import Path

from served import command, serving


def test_a_stream_that_ends_without_its_sentinel_fails_in_smoke(tmp_path: Path) -> None:
    """``data: [DONE]`` is what clients wait for; the smoke profile asks for streams and misses it."""
    chosen = ("--api-version", "2024-10-21", "--profile", "smoke", "--out", "out")
    with serving(tmp_path, "--break", "sse.done.once", "--api-version", "2024-10-21") as url:
        done = command(tmp_path, "run", "--target", url, *chosen)
    assert 1 == done.code, done.lines[-3:]
    (place,) = (number for number, line in enumerate(done.lines) if line.startswith("FAIL sse.done.once "))
    explained = next(line for line in done.lines[place:] if line.startswith("  explains  "))
    assert "in 2 operations (chat.completions.create, completions.create)" in explained
