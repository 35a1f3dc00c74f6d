"""Options mean the same on the command line and in pytest, and a bad value ends in one line."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from conformance.errors import UsageError
from conformance.settings.options import ROWS, Options, add_to, from_mapping


def parsed(*words: str) -> Options:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    add_to(parser)
    return from_mapping(vars(parser.parse_args(words)))


def test_nothing_given_selects_everything() -> None:
    assert Options() == parsed()


def test_what_is_given_arrives() -> None:
    options = parsed(
        *("--target", "http://127.0.0.1:1", "--api-version", "a", "--api-version", "b", "--api-version", "a"),
        *("--seed", "7", "--cleanup-timeout", "0", "--shard", "2/3", "--family", "fuzz", "--out", "o"),
    )
    assert ("a", "b") == options.api_versions
    assert (7, 0.0, "2/3", ("fuzz",), Path("o")) == (
        options.seed,
        options.cleanup_timeout,
        options.shard,
        options.families,
        options.out,
    )
    assert {"--family": ["fuzz"], "--shard": "2/3"} == dict(options.selection)


@pytest.mark.parametrize(
    ("says", "words"),
    [
        ("unknown profile 'full'", ("--profile", "full")),
        ("unknown family 'f'", ("--family", "f")),
        ("not a number", ("--seed", "x")),
        ("must be at least 0", ("--seed", "-1")),
        ("not a number", ("--cleanup-timeout", "soon")),
        ("must be at least 1", ("--concurrency", "0")),
        ("4/3", ("--shard", "4/3")),
    ],
)
def test_bad_values_are_told(says: str, words: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match=says):
        parsed(*words)


def test_no_option_takes_a_key() -> None:
    assert [] == [row.flag for row in ROWS if "key" in row.flag or "token" in row.flag]
