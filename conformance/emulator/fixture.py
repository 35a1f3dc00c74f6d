"""The emulator for other people's tests: a fixture of pytest, which the plugin of this package brings."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest
from attrs import field, frozen

__all__ = ["RunningEmulator", "aoai_emulator", "aoai_emulator_version"]


@frozen
class RunningEmulator:
    """Where the emulator listens, the key that it accepts, and the api-version that it serves.

    ``base_url`` is the address before the routes: what ``openai.OpenAI`` wants. ``openai.AzureOpenAI`` wants ``url``
    and an api-version with a date.
    """

    url: str
    key: str = field(repr=False)
    api_version: str
    base_url: str


@pytest.fixture(scope="session")
def aoai_emulator_version() -> str:
    """The api-version of :func:`aoai_emulator`. Another fixture of this name replaces it; "" is the default one."""
    return ""


@pytest.fixture(scope="session")
def aoai_emulator(aoai_emulator_version: str) -> Iterator[RunningEmulator]:
    """The emulator of the suite in a process of its own, on a free port of this machine, until the session ends."""
    # Imported here, because other people's sessions load this module and may never ask for the emulator.
    from conformance.emulator.behaviour import Settings
    from conformance.emulator.process import emulator
    from conformance.spec.loading import load, versions

    version = aoai_emulator_version or next(name for name in versions() if load(name).default)
    key = secrets.token_urlsafe(24)
    with emulator([version], settings=Settings(key=key)) as url:
        yield RunningEmulator(url, key, version, url + load(version).base_path)
