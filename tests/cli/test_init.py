"""``init`` writes a configuration that runs; ``config`` says what is in force and where it comes from."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from served import CANARY, command
from whole_run import KEY, Reply, serving

from conformance.cli import main
from conformance.requests.request import Request
from conformance.settings.form import SCHEMA
from conformance.target.model_names import guessed

VERSION = "2024-05-01-preview"


def partial(request: Request, number: int) -> Reply | None:
    """A gateway without threads, which knows one deployment, which is for chat alone."""
    if "/threads" in request.url:
        return Reply(404, b'{"error":{"code":"404","message":"Resource not found"}}')
    if "/deployments/" in request.url and "/gpt-4o/" not in request.url:
        return Reply(404, b'{"error":{"code":"DeploymentNotFound","message":"no such deployment"}}')
    if "/deployments/gpt-4o/" in request.url and "/chat/" not in request.url:
        return Reply(400, b'{"error":{"code":"OperationNotSupported","message":"the operation does not work"}}')
    return None


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving(VERSION, partial) as (url, _):
        yield url


def test_it_writes_what_the_target_serves_and_the_file_runs(url: str, tmp_path: Path) -> None:
    env = {"AZURE_OPENAI_API_KEY": KEY}
    asked = ("init", "--target", url, "--api-version", VERSION, "--deployment", "gpt-4o", "--deployment", "other")
    done = command(tmp_path, *asked, env=env)
    assert (0, "") == (done.code, done.err)
    assert "deployment gpt-4o: chat" in done.lines
    assert f"next: aoai-conformance run --api-version {VERSION} --profile smoke" in done.lines
    text = (tmp_path / "conformance.toml").read_text()
    assert KEY not in text
    written = tomllib.loads(text)
    Draft202012Validator(json.loads(SCHEMA.read_text())).validate(written)
    assert {"gpt-4o": ["chat"]} == written["target"]["deployments"]
    assert ["threads.*"] == [*written["target"]["unsupported"]]
    assert url == written["target"]["url"]
    ran = command(
        tmp_path, "run", "--profile", "smoke", "--api-version", VERSION, "--operation", "chat.*", "--out", "o", env=env
    )
    assert (0, "") == (ran.code, ran.err)
    again = command(tmp_path, *asked, env=env)
    assert (2, True) == (again.code, "--force" in again.err)


@pytest.mark.parametrize(
    ("arguments", "key", "code", "told"),
    [
        ((), KEY, 2, "--target URL"),
        (("--target", "nonsense"), KEY, 2, "target.url"),
        (("--target", "URL", "--api-version", VERSION), "wrong-key-0123", 2, "401"),
        (("--target", "URL", "--api-version", VERSION), "", 2, "holds no key"),
        (("--target", "http://127.0.0.1:9", "--api-version", VERSION), KEY, 3, "no connection"),
    ],
)
def test_what_can_not_be_asked_ends_with_one_line_and_no_file(
    arguments: tuple[str, ...], key: str, *, code: int, told: str, url: str, tmp_path: Path
) -> None:
    given = [url if one == "URL" else one for one in arguments]
    done = command(tmp_path, "init", *given, env={"AZURE_OPENAI_API_KEY": key})
    assert code == done.code
    assert 1 == len(done.lines)
    assert told in done.err
    assert not (tmp_path / "conformance.toml").exists()


def test_at_a_terminal_it_asks_until_the_answer_fits(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MY_KEY", KEY)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    answers = iter(["", url, "password", "api-key", "MY_KEY"])
    monkeypatch.setattr("builtins.input", lambda question: next(answers))
    assert 0 == main(["init", "--api-version", VERSION, "--deployment", "gpt-4o"])
    written = tomllib.loads((tmp_path / "conformance.toml").read_text())["target"]
    assert (url, "api-key", "MY_KEY") == (written["url"], written["auth"], written["key_env"])
    assert [] == [*answers]
    assert KEY not in capsys.readouterr().out


def test_a_target_that_serves_nothing_gets_no_file(tmp_path: Path) -> None:
    with serving(VERSION, lambda request, number: Reply(404, b'{"error":{"code":"404"}}')) as (url, _):
        asked = ("init", "--target", url, "--api-version", VERSION, "--deployment", "a")
        done = command(tmp_path, *asked, env={"AZURE_OPENAI_API_KEY": KEY})
    assert 2 == done.code
    assert "nothing that any api-version documents is served" in done.err
    assert not (tmp_path / "conformance.toml").exists()


@pytest.mark.parametrize(
    ("name", "able", "words"),
    [
        ("my-embedder", ("chat", "embeddings"), ("embeddings",)),
        ("gpt-4o", ("chat", "embeddings"), ("chat",)),
        ("whisper", ("chat", "embeddings"), ("chat", "embeddings")),
    ],
)
def test_a_name_decides_only_among_what_the_answers_leave_open(
    name: str, able: tuple[str, ...], words: tuple[str, ...]
) -> None:
    assert words == guessed(name, able)


def test_config_show_names_the_value_in_force_and_its_origin(tmp_path: Path) -> None:
    """An option is stronger than the environment, and that than the file. No header and no key is printed."""
    (tmp_path / "conformance.toml").write_text(
        '[target]\nurl = "https://file.example"\nretries = 1\n[target.headers]\nx-a = "canary-header-1"\n'
        "[budget]\nrequests = 10\ntokens = 20\n"
    )
    env = {"AOAI_BUDGET_REQUESTS": "7", "AOAI_TARGET": "https://environment.example"}
    done = command(tmp_path, "config", "show", "--json", "--target", "https://option.example", env=env)
    assert 0 == done.code
    rows = {row["key"]: (row["value"], row["from"]) for row in json.loads(done.out)}
    assert ("https://option.example", "an option") == rows["target.url"]
    assert (7, "the environment") == rows["budget.requests"]
    assert (20, "conformance.toml") == rows["budget.tokens"]
    assert (1, "conformance.toml") == rows["target.retries"]
    assert (60, "default") == rows["target.timeouts.read"]
    assert "canary-header" not in done.out
    assert CANARY not in done.out
    assert rows["target.url"][0] in command(tmp_path, "config", "show", "--target", "https://option.example").out


def test_config_schema_is_the_file_that_the_code_reads(tmp_path: Path) -> None:
    assert json.loads(SCHEMA.read_text()) == json.loads(command(tmp_path, "config", "schema").out)
