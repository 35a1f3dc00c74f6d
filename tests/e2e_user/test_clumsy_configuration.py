"""Mistakes in a configuration: each is reported with the nearest valid word."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from served import ORDINARY

from conformance.errors import ConfigError
from conformance.run.selection import must_name_something
from conformance.settings.configuration import load_config
from conformance.spec.loading import load

WAIVER = "[[waiver]]\ncheck = '{check}'\nowner = 'me'\nreason = 'known'\nexpires = {expires}\n"


def refused(tmp_path: Path, text: str, env: dict[str, str] | None = None) -> str:
    """What is said about a configuration."""
    file = tmp_path / "conformance.toml"
    file.write_text(text, "utf-8")
    try:
        must_name_something(load(ORDINARY), load_config(file, {}, env or {}), None)
    except ConfigError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ("is not TOML", "[target"),
        (
            'target.headers."x a" is not what it should be (expected headers that HTTP can carry',
            "[target.headers]\n'x a' = 'b'",
        ),
        (
            "target.headers.x-a is not what it should be (expected headers that HTTP can carry",
            '[target.headers]\nx-a = "a\\r\\nb: c"',
        ),
        ("budget.expensive is not what it should be (expected one of batch", "[budget]\nexpensive = ['gold']"),
        ("asistants.* fits nothing (nearest: assistants", "[target.unsupported]\n'asistants.*' = 'no'"),
        ("waiver of sse.dnoe fits no check (nearest: sse.done", WAIVER.format(check="sse.dnoe", expires="2030-01-01")),
    ],
)
def test_a_mistake_is_named(said: str, text: str, tmp_path: Path) -> None:
    assert said in refused(tmp_path, text)


def test_the_file_must_be_utf_8(tmp_path: Path) -> None:
    file = tmp_path / "conformance.toml"
    file.write_bytes(b"# \xfc\n")
    with pytest.raises(ConfigError, match="is not UTF-8"):
        load_config(file, {}, {})


def test_a_misspelt_cap_in_the_environment_is_no_silent_lack_of_a_cap(tmp_path: Path) -> None:
    assert "did you mean AOAI_BUDGET_REQUESTS?" in refused(tmp_path, "", {"AOAI_BUDGET_REQEUSTS": "5"})


def test_an_empty_target_in_the_environment_is_refused(tmp_path: Path) -> None:
    assert "target.url is not what it should be" in refused(tmp_path, "", {"AOAI_TARGET": ""})


def test_a_waiver_may_end_at_a_time_of_a_day(tmp_path: Path) -> None:
    file = tmp_path / "conformance.toml"
    file.write_text(WAIVER.format(check="sse.*", expires="2030-01-01T12:00:00Z"), "utf-8")
    (waiver,) = load_config(file, {}, {}).waivers
    assert date(2030, 1, 1) == waiver.expires
    assert waiver.covers("any", "sse.done.once", "any", ["chat.completions.create"])


def test_claims_may_name_operations_resources_and_features(tmp_path: Path) -> None:
    file = tmp_path / "conformance.toml"
    file.write_text("[target.unsupported]\n'assistants.*' = 'a'\nchat = 'b'\n'embeddings.create' = 'c'\n", "utf-8")
    must_name_something(load(ORDINARY), load_config(file, {}, {}), None)
