"""The emulator as a fixture of somebody else's tests."""

from __future__ import annotations

from pathlib import Path

from served import PYTEST, command

THEIRS = """
import urllib.error, urllib.request
import pytest

@pytest.fixture(scope="session")
def aoai_emulator_version():
    return "2024-06-01"

def test_my_client(aoai_emulator):
    assert aoai_emulator.key not in repr(aoai_emulator)
    assert f"{aoai_emulator.url}/openai" == aoai_emulator.base_url
    url = f"{aoai_emulator.url}/openai/deployments/gpt-4o/chat/completions?api-version={aoai_emulator.api_version}"
    body = b'{"messages": [{"role": "user", "content": "hi"}]}'
    headers = {"api-key": aoai_emulator.key, "Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(url, body, headers)) as answer:
        assert 200 == answer.status
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(urllib.request.Request(url, body, {**headers, "api-key": "wrong"}))
"""


def test_a_project_gets_an_emulator_that_answers(tmp_path: Path) -> None:
    (tmp_path / "test_theirs.py").write_text(THEIRS)
    done = command(tmp_path, *PYTEST, "-p", "conformance.plugin", "-q", "test_theirs.py", ours=False, cwd=tmp_path)
    assert 0 == done.code, done.out + done.err
    assert "1 passed" in done.out
