"""The embedded emulator of a run starts before the run is loaded, if it is certain that one is wanted."""

from __future__ import annotations

import urllib.error
import urllib.request
from contextlib import ExitStack
from pathlib import Path

import pytest

from conformance.errors import ConfigError
from conformance.run.ahead import ahead
from conformance.settings.options import Options

VERSION = "2024-05-01-preview"


def answers(url: str, key: str = "") -> int:
    """The status of an answer; 0 where nobody listens."""
    asked = urllib.request.Request(f"{url}/openai/assistants?api-version={VERSION}", headers={"api-key": key})
    try:
        with urllib.request.urlopen(asked, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except urllib.error.URLError:
        return 0


def test_it_ends_with_whoever_took_it_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run that took it still has it when the command's own hold is over; without a run it ends with that."""
    monkeypatch.chdir(tmp_path)
    with ExitStack() as run:
        with ahead(Options(api_versions=(VERSION,))) as early:
            assert early is not None
            assert VERSION == early.version
            early.taken(run)
        assert 200 == answers(early.url(), early.key)
        assert 401 == answers(early.url(), "another")
    assert 0 == answers(early.url())
    with ahead(Options(api_versions=(VERSION,))) as unused:
        assert unused is not None
        url = unused.url()
    assert 0 == answers(url)


@pytest.mark.parametrize(
    "options",
    [
        Options(target="http://127.0.0.1:9", api_versions=(VERSION,)),
        Options(api_versions=("2024-13-01",)),
        Options(api_versions=("../specs",)),
        Options(api_versions=(VERSION, "2024-06-01")),
        Options(api_versions=(VERSION,), specs=Path()),
    ],
    ids=["a target is named", "unknown version", "no version", "two versions", "somebody's folders"],
)
def test_none_starts_where_the_run_may_not_want_it(options: Options) -> None:
    with ahead(options) as early:
        assert early is None


def test_none_starts_where_a_configuration_names_a_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "conformance.toml").write_text('[target]\nurl = "http://127.0.0.1:9"\nauth = "none"\n')
    monkeypatch.chdir(tmp_path)
    with ahead(Options(api_versions=(VERSION,))) as early:
        assert early is None
    (tmp_path / "conformance.toml").write_text('[target]\nurll = "http://127.0.0.1:9"\n')
    with pytest.raises(ConfigError, match="urll"), ahead(Options(api_versions=(VERSION,))):
        pass
