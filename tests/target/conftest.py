"""Servers that send given bytes, and a target for them with small limits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from conformance.settings.configuration import Budget, Config, Limits, Timeouts
from conformance.settings.configuration import Target as TargetConfig
from conformance.spec.loading import load
from conformance.spec.spec import Spec
from conformance.target import cleanup, removing
from conformance.target.journal import Journal
from conformance.target.limits import Allowance
from conformance.target.target import Target

from .wire_server import Script, WireServer

KEY = "canary-7d1f0a9c55e24b"

NO_CAPS = Budget()

Serve = Callable[[Script], WireServer]
Open = Callable[..., Target]


@pytest.fixture(scope="session")
def spec() -> Spec:
    return load("2024-05-01-preview")


@pytest.fixture
def serve() -> Iterator[Serve]:
    servers: list[WireServer] = []

    def make(script: Script) -> WireServer:
        servers.append(WireServer(script))
        return servers[-1]

    yield make
    for server in servers:
        server.close()


@pytest.fixture
def open_target(spec: Spec, tmp_path: Path) -> Iterator[Open]:
    opened: list[Any] = []

    def make(
        url: str,
        *,
        budget: Budget = NO_CAPS,
        limits: Limits = Limits(answer_bytes=10_000),  # noqa: B008 - a frozen value
        allowance: Allowance | None = None,
        journaled: bool = True,
        **values: Any,
    ) -> Target:
        settings = TargetConfig(
            url=url,
            key=KEY,
            live=False,
            timeouts=Timeouts(connect=5.0, read=0.8, idle=0.8, whole=1.6),
            deployments={"model": frozenset({"chat", "embeddings", "tools"})},
        )
        config = Config(target=evolve(settings, **values), budget=budget, limits=limits)
        journal = Journal(tmp_path, target=url, api_version=spec.version, sync=False) if journaled else None
        target = Target(config, spec, journal=journal, allowance=allowance)
        opened.extend([journal, target])
        return target

    yield make
    for item in reversed(opened):
        if item is not None:
            item.close()


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shelf changes at once: what it still holds it will hold later too, and what it lacks won't appear."""
    monkeypatch.setattr(cleanup, "_PAUSES", (0.0, 0.0))
    monkeypatch.setattr(removing, "_APPEARS", 0.0)
