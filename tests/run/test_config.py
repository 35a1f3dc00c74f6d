"""Configuration: valid values, the precedence of its layers, and the message for each mistake."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest

from conformance.errors import ConfigError, UsageError
from conformance.settings.configuration import Config, is_loopback, load_config
from conformance.spec.loading import load
from conformance.target.target import Target

FULL = """
[target]
url = "https://name.openai.azure.com/"
auth = "bearer"
key_env = "MY_KEY"
base_path = "/openai"
api_version = "2024-06-01"
headers = {x-team = "a"}
deterministic = false

[target.timeouts]
whole = 60

[target.deployments]
gpt-4o = ["chat", "tools", "vision"]
o1 = ["chat", "reasoning"]
ada = ["embeddings"]

[target.unsupported]
"assistants*" = "retired"

[budget]
requests = 100
seconds = 2.5
expensive = ["images"]

[poll]
interval = 2

[[waiver]]
check = "chat.*"
owner = "ann"
reason = "known"
expires = 2030-01-31
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "conformance.toml"
    path.write_text(FULL)
    return path


def test_everything_is_read(file: Path) -> None:
    config = load_config(file, {}, {"MY_KEY": "canary"})
    target = config.target
    assert (target.url, target.auth, target.key) == ("https://name.openai.azure.com", "bearer", "canary")
    assert (target.timeouts.whole, target.timeouts.connect) == (60.0, 10.0)
    assert (config.budget.requests, config.budget.seconds, config.poll.interval) == (100, 2.5, 2.0)
    assert config.budget.expensive == {"images"}
    assert config.waivers[0].expires == date(2030, 1, 31)
    assert not target.loopback


def test_options_win_over_the_environment_and_that_over_the_file(file: Path) -> None:
    env = {"AOAI_TARGET_URL": "https://env.example", "AOAI_BUDGET_REQUESTS": "7", "AOAI_TARGET_AUTH": "none"}
    config = load_config(file, {"target.url": "https://option.example", "target.auth": None}, env)
    assert (config.target.url, config.budget.requests) == ("https://option.example", 7)
    assert (config.target.auth, config.target.key) == ("none", "")


def test_the_short_name_of_the_target_works(file: Path) -> None:
    assert load_config(file, {}, {"AOAI_TARGET": "http://localhost:1"}).target.loopback


def test_deployments_are_found_by_what_they_can(file: Path) -> None:
    target = load_config(file, {}, {}).target
    assert target.deployment_for("chat") == "gpt-4o"
    assert target.deployment_for("chat+reasoning") == "o1"
    assert target.deployment_for("chat+vision") == "gpt-4o"
    assert target.deployment_for("embeddings") == "ada"
    assert target.deployment_for("audio") is None


def test_unsupported_names_are_globs_with_a_reason(file: Path) -> None:
    target = load_config(file, {}, {}).target
    assert target.unsupported_reason("assistants.list") == "retired"
    assert target.unsupported_reason("chat", "embeddings") is None


def test_without_a_file_there_are_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_config(None, {}, {}) == Config()


def test_the_key_comes_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("canary\n")
    config = load_config(None, {"target.key_file": str(tmp_path / "key")}, {"AZURE_OPENAI_API_KEY": "other"})
    assert config.target.key == "canary"
    assert "canary" not in repr(config)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[target]\nurll = 'x'", "unknown key target.urll (did you mean url?)"),
        ("[targt]\nurl = 'x'", "unknown section [targt] (did you mean [target]?)"),
        ("[target]\nkey = 'secret-1'", "a key is never written here"),
        ("[target]\nurl = 'name.openai.azure.com'", "expected an http or https URL"),
        ("[target]\nurl = 'https://me:pw@x.example'", "expected an URL without user name"),
        ("[target]\nauth = 'apikey'", "expected one of api-key, bearer, entra, none"),
        ("[target]\nbase_path = '@evil'", 'expected a path that begins with one "/"'),
        ("[target]\ndeterministic = 'maybe'", "target.deterministic is not what it should be (expected true or false"),
        ("[limits]\nanswer_bytes = 0", "expected a whole number of bytes"),
        ("[limits]\nanswer_bytes = true", "expected a whole number of bytes"),
        ("[target.timeouts]\nidel = 1", "unknown key target.timeouts.idel (did you mean idle?)"),
        ("[target.timeouts]\nidle = -1", "expected seconds, more than 0"),
        ("[target.timeouts]\nidle = nan", "expected seconds, more than 0"),
        ("[target.deployments]\ngpt-4o = [1]", 'expected name = ["capability"'),
        ("[target.deployments]\ngpt-4o = ['chatt']", "expected 'chat' instead of 'chatt'"),
        (
            "[target.deployments]\ngpt-4o = []",
            "deployments.gpt-4o is not what it should be (expected one or more of chat, tools",
        ),
        ("[target.deployments]\ngpt-4o = 'chat'", 'expected name = ["capability"'),
        ("[target.deployments]\n'gpt 4' = 3", 'target.deployments."gpt 4" is not what it should be'),
        ("[target.deployments]\ngpt-4o = ['smell']", "expected one of chat, tools, vision"),
        ("[target.unsupported]\nchat = 3", "expected a table of texts"),
        ("[target]\nunsupported = 'chat'", "target.unsupported is not what it should be (expected a table"),
        ("[target]\nallow_http = 'yes'", "target.allow_http is not what it should be (expected true or false"),
        ("[target]\nurl = 'http://x.example:99999'", "expected an http or https URL"),
        ("[target]\nurl = 'http://x.example:0'", "expected an http or https URL"),
        ("[target]\nurl = 'https://x.example/?a=b'", "expected an http or https URL without query"),
        ("[budget]\nrequests = '7'", "expected a whole number of 0 or more"),
        ("[budget]\nseconds = inf", "expected seconds, more than 0"),
        ("[budget]\nseconds = 1e308", "expected seconds, more than 0 and at most a year"),
        (f"[poll]\ninterval = {'9' * 400}", "expected seconds, more than 0 and at most a year"),
        (f"[budget]\nrequests = {'9' * 400}", "expected a whole number of 0 or more, at most 10^15"),
        (f"[budget]\nrequests = {'9' * 5000}", "is not TOML: Exceeds the limit"),
        (f"[limits]\nkept_bytes = {'9' * 400}", "expected a whole number of bytes, at least 1 and at most 10^15"),
        ("[target]\nretries = 1000", "expected a whole number from 0 to 100"),
        ("[budget]\nexpensive = 'images'", "budget.expensive is not what it should be (expected a list of names"),
        ("[budget]\nrequests = -1", "expected a whole number of 0 or more"),
        ("[budget]\nrequests = 1.5", "expected a whole number of 0 or more"),
        ("[[waiver]]\ncheck = 'x'", "waiver 1: owner is missing"),
        ("[[waiver]]\ncheck = 'x'\nowner = 'a'\nreason = 'b'\nexpires = 'soon'", "expected a date"),
        ("[[waiver]]\nchek = 'x'", "unknown key waiver 1: chek (did you mean check?)"),
        ("[waiver]\ncheck = 'x'", "expected [[waiver]] tables"),
        ("waiver = [3]", "waiver 1 is not what it should be (expected [[waiver]] tables"),
        ("target = 3", "expected a table [target]"),
        ("[target", "conformance.toml"),
    ],
)
def test_a_mistake_names_file_key_and_what_is_expected(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "conformance.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as stop:
        load_config(path, {}, {})
    assert expected in str(stop.value)
    assert str(path) in str(stop.value)
    assert stop.value.exit_code == 2
    assert "secret-1" not in str(stop.value)


def test_mistakes_in_options_and_environment_say_where() -> None:
    with pytest.raises(ConfigError, match=r"an option: .*target\.auth"):
        load_config(None, {"target.auth": "x"}, {})
    with pytest.raises(ConfigError, match=r"the environment: .*budget\.requests"):
        load_config(None, {}, {"AOAI_BUDGET_REQUESTS": "many"})


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("AOAI_BUDGET_EXPENSIVE", "images, gold", "budget.expensive is not what it should be (expected one of batch"),
        ("AOAI_TARGET_DETERMINISTIC", "maybe", "expected true or false"),
        ("AOAI_TARGET_TIMEOUTS_IDLE", "nan", "target.timeouts.idle is not what it should be (expected seconds"),
        ("AOAI_TARGET_DEPLOYMENTS", "gpt-4o", "target.deployments is not what it should be (expected a table"),
    ],
)
def test_a_variable_is_held_to_what_the_file_is_held_to(variable: str, value: str, expected: str) -> None:
    with pytest.raises(ConfigError) as stop:
        load_config(None, {}, {variable: value})
    assert str(stop.value).startswith("the environment: ")
    assert expected in str(stop.value)


def test_the_text_of_a_variable_is_read_as_its_key_wants(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    env = {
        "AOAI_TARGET_DETERMINISTIC": "Yes",
        "AOAI_TARGET_TIMEOUTS_IDLE": "2.5",
        "AOAI_TARGET_RETRIES": "0",
        "AOAI_BUDGET_EXPENSIVE": "images, video,",
        "AOAI_TARGET_BASE_PATH": "/openai/",
    }
    config = load_config(None, {}, env)
    target = config.target
    assert (True, 2.5, 0, "/openai") == (
        target.deterministic,
        target.timeouts.idle,
        target.retries,
        target.base_path,
    )
    assert {"images", "video"} == config.budget.expensive


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="can't be read"):
        load_config(tmp_path / "none.toml", {}, {})


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://127.0.0.1:1", True),
        ("http://127.9.9.9", True),
        ("http://[::1]:80", True),
        ("http://localhost", True),
        ("http://localhost.example", False),
        ("http://10.0.0.1", False),
        ("https://127.0.0.1.example", False),
    ],
)
def test_loopback_is_this_machine_only(url: str, here: bool) -> None:
    assert is_loopback(url) is here


def test_a_byte_order_mark_is_no_part_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "conformance.toml"
    file.write_text("\ufeff[budget]\nrequests = 7\n", "utf-8")
    assert 7 == load_config(file, {}, {}).budget.requests


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_without_a_writer_is_not_an_empty_configuration(tmp_path: Path) -> None:
    """An empty one would judge the emulator in place of the target that somebody wrote down."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ConfigError, match="nobody wrote into this pipe"):
        load_config(tmp_path / "pipe", {}, {})


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_read_although_its_writer_comes_late(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as pool:
        read = pool.submit(load_config, pipe, {}, {})
        with pipe.open("w") as file:
            file.write("[budget]\nrequests = 7\n")
        assert 7 == read.result().budget.requests


def test_a_path_with_a_nul_is_told(tmp_path: Path) -> None:
    file = tmp_path / "conformance.toml"
    file.write_text('[target]\nkey_file = "a\\u0000b"', "utf-8")
    with pytest.raises(ConfigError, match=r"target\.key_file can't be read: a path holds no NUL"):
        load_config(file, {}, {})


def test_a_key_in_place_of_the_name_of_a_variable_is_not_quoted(tmp_path: Path) -> None:
    key = "7f3a9c0e5d2b4f68canary91"
    file = tmp_path / "conformance.toml"
    file.write_text(f'[target]\nurl = "https://name.example"\nkey_env = "{key}"', "utf-8")
    with pytest.raises(UsageError, match="no key") as stop:
        Target(load_config(file, {}, {}), load("2024-10-21"))
    assert key not in str(stop.value)
