"""Moves between two versions at a server of this process, which may serve something else than what is documented."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pytest

from conformance.emulator.app import App
from conformance.emulator.behaviour import Settings
from conformance.emulator.server import ASGI, Receive, Scope, Send, asgi, running
from conformance.migration.change import Basis, Change
from conformance.migration.conclusion import Conclusion, Upgrade
from conformance.requests.profile import Profile
from conformance.settings.options import Options
from conformance.spec.spec import Spec
from conformance.upgrade.upgrade import upgrade

__all__ = ["KEY", "concluded", "moved", "options_for"]

KEY = "a-key-of-this-test-5f0c"


def options_for(folder: Path, url: str, monkeypatch: pytest.MonkeyPatch, profile: str = Profile.STANDARD) -> Options:
    """Options for a server of this process, which nobody else owns."""
    monkeypatch.setenv("XDG_STATE_HOME", str(folder / "state"))
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", KEY)
    config = folder / "conformance.toml"
    config.write_text("[target]\nlive = false\n", encoding="utf-8")
    return Options(target=url, config=config, profile=profile, out=folder / "out")


def moved(
    old: Spec,
    new: Spec,
    served: Spec,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    operations: Collection[str] | None = None,
    changes: tuple[Change, ...] | None = None,
    profile: str = Profile.STANDARD,
) -> Upgrade:
    """The move from ``old`` to ``new`` at a server that answers as ``old`` and ``served`` say."""
    with running(_both(old, served)) as url:
        options = options_for(folder, url, monkeypatch, profile)
        return upgrade(old, new, options, operations=operations, changes=changes)


def _both(old: Spec, served: Spec) -> ASGI:
    """A server of two versions. Where one of them is asked without an api-version, each is an emulator of its own, and
    the one that the query names answers.
    """
    settings = Settings(key=KEY)
    if old.api_version.required and served.api_version.required:
        return asgi(App([old, served], settings))
    before, after = (asgi(App([spec], settings)) for spec in (old, served))
    # The last of the accepted values is the one that is sent.
    named = {f"{served.api_version.name}={value}" for value in served.api_version.accepted[-1:]}

    async def front(scope: Scope, receive: Receive, send: Send) -> None:
        query = scope.get("query_string", b"").decode().split("&")
        await (after if named & set(query) else before)(scope, receive, send)

    return front


def concluded(move: Upgrade, conclusion: Conclusion) -> set[str]:
    """The places of the service's changes with a conclusion."""
    rows = (row for row in move.rows if row.change.basis is Basis.SERVICE)
    return {row.change.where for row in rows if row.result.conclusion is conclusion}
