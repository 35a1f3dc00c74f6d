"""``matrix.toml``: targets, api-versions, profiles, each in shards; the runs that it stands for."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from conformance.errors import ConfigError
from conformance.requests.profile import Profile
from conformance.settings.files import read_text

__all__ = ["MatrixRun", "runs_of"]

#: The most bytes of the file, the most shards of a run, and the most runs of a matrix (GitHub allows 256 jobs).
LONGEST, MOST_SHARDS, MOST_RUNS = 1_000_000, 64, 256

_LISTS = ("api_versions", "profiles")
_TOP = ("shards", *_LISTS, "target")
_TARGET = ("name", "url", "config", "secret", "shards", *_LISTS)

#: A name is part of the names of folders and artefacts.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,60}")


@frozen
class MatrixRun:
    """One target at one api-version and profile, in ``shards`` parts. ``secret`` names a secret of the CI."""

    target: str
    url: str
    api_version: str
    profile: str
    shards: int = 1
    config: str = ""
    secret: str = "AZURE_OPENAI_API_KEY"  # noqa: S105 - the name of a variable, not a secret

    @property
    def name(self) -> str:
        """The name of the run, different for each run of a matrix."""
        return f"{self.target}-{self.api_version}-{self.profile}"


def runs_of(path: Path) -> tuple[MatrixRun, ...]:
    """The runs of a file, in its order. Raises :class:`ConfigError`, which names the file, the key and what is
    expected.
    """
    where = str(path)
    try:
        document = tomllib.loads(read_text(path, LONGEST).removeprefix("\ufeff"))
    except OSError as error:
        raise ConfigError(f"can't be read: {error.strerror or error}", where=where) from None
    except (ValueError, RecursionError) as error:  # also a whole number that is too long for Python
        raise ConfigError(f"is not TOML: {error}", where=where) from None
    _known(document, _TOP, "", where)
    targets = document.get("target")
    if not isinstance(targets, list) or not targets or not all(isinstance(one, dict) for one in targets):
        raise ConfigError("has no target", where=where, hint="one or more tables [[target]] with name and url")
    runs = tuple(
        run for number, one in enumerate(targets, 1) for run in _runs(one, document, f"target {number}", where)
    )
    names = [run.name for run in runs]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"{name} is there twice", where=where, hint="targets have names of their own")
    if sum(run.shards for run in runs) > MOST_RUNS:
        raise ConfigError(f"has more than {MOST_RUNS} jobs", where=where, hint="fewer shards, or several files")
    return runs


def _known(table: Mapping[str, Any], names: tuple[str, ...], place: str, where: str) -> None:
    for key in table:
        if key not in names:
            told = f"unknown key {place}{': ' * bool(place)}{key}"
            raise ConfigError(told, where=where, hint=f"known: {', '.join(names)}")


def _runs(target: Mapping[str, Any], top: Mapping[str, Any], place: str, where: str) -> Iterator[MatrixRun]:
    """Yield the runs of one target. What it doesn't say itself, the top of the file says for all."""
    _known(target, _TARGET, place, where)

    def wrong(key: str, expected: str) -> ConfigError:
        return ConfigError(f"{place}: {key} is not what it should be", where=where, hint=f"expected {expected}")

    name, shards = _whose(target, top, wrong)
    if not target.get("url") and not target.get("config"):
        raise ConfigError(f"{place}: neither url nor config is there", where=where, hint="one of them names the target")
    lists = {key: target.get(key, top.get(key, [Profile.STANDARD] if key == "profiles" else [])) for key in _LISTS}
    for key, value in lists.items():
        if not isinstance(value, list) or not value or not all(isinstance(one, str) and one for one in value):
            raise wrong(key, "a list of one or more texts")
    for profile in lists["profiles"]:
        if profile not in Profile.ALL:
            raise wrong("profiles", f"some of {', '.join(Profile.ALL)}")
    more = {key: target[key] for key in ("config", "secret") if target.get(key)}
    for version in lists["api_versions"]:
        for profile in lists["profiles"]:
            yield MatrixRun(name, target.get("url", ""), version, profile, shards, **more)


def _whose(
    target: Mapping[str, Any], top: Mapping[str, Any], wrong: Callable[[str, str], ConfigError]
) -> tuple[str, int]:
    """The name of a target and the number of its shards, after a look at its texts."""
    name, shards = target.get("name"), target.get("shards", top.get("shards", 1))
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise wrong("name", "letters, digits, - and _")
    for key in ("url", "config", "secret"):
        if not isinstance(target.get(key, ""), str):
            raise wrong(key, "a text")
    if not isinstance(shards, int) or isinstance(shards, bool) or not 1 <= shards <= MOST_SHARDS:
        raise wrong("shards", f"a whole number from 1 to {MOST_SHARDS}")
    return name, shards
