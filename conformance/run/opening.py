"""An open target and what the preflight found: the second stage of a run, for one api-version.

The controller opens the target, or starts an embedded emulator if none is named. Workers receive what it found as JSON
values, because they are processes of their own.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from attrs import evolve, frozen

from conformance.run import recording
from conformance.run.ahead import Ahead, embedded
from conformance.run.choice import Chosen
from conformance.run.process import Process
from conformance.settings.configuration import Config
from conformance.target.limits import Allowance
from conformance.target.preflight import Preflight, preflight
from conformance.target.target import Target

__all__ = ["Identity", "Opened", "joined", "opened", "started"]


@frozen
class Identity:
    """What names a run: its id (in the metadata of what it creates), when it began, and its folder.

    ``ends`` is the end of its time in seconds since the Unix epoch. All processes of a run have the same.
    """

    id: str
    started: str
    out: Path
    ends: float = float("inf")

    @classmethod
    def new(cls, out: Path, seconds: float | None = None, began: float | None = None) -> Identity:
        """The identity of a run that may take so many seconds (None: as long as it likes).

        ``began`` is when the run began, in seconds since the Unix epoch; None: now.
        """
        ends = float("inf") if seconds is None else (time.time() if began is None else began) + seconds
        return cls(secrets.token_hex(4), recording.now(), out.absolute(), ends)

    @property
    def until(self) -> float:
        """The end of its time in seconds of ``time.monotonic``."""
        return time.monotonic() + self.ends - time.time()


@frozen
class Opened:
    """One api-version at an open target. ``config`` names the target in use, which is an embedded emulator if the
    configuration of ``chosen`` names no target.
    """

    chosen: Chosen
    config: Config
    embedded: bool
    found: Preflight

    def to_json(self) -> dict[str, Any]:
        """What a worker must know. It includes the key of an embedded emulator, but never another key."""
        target = self.config.target
        return {
            "found": self.found.to_json(),
            "url": target.url,
            # Workers read another key themselves, from the same place as the controller.
            "key": target.key if self.embedded else "",
            "embedded": self.embedded,
            "live": target.live,
        }


def started(chosen: Chosen, running: ExitStack, early: Ahead | None = None) -> Callable[[], Config]:
    """Start the embedded emulator if no target is named, without a wait for it: that is done by the function that is
    returned, whose value is the configuration with the target in use. ``running`` ends the emulator.

    ``early`` is an emulator that starts already. It is taken over if it is that of the api-version.
    """
    config = chosen.config
    if config.target.url:
        return lambda: config
    own = early is not None and early.version == chosen.version
    starts = early.taken(running) if early and own else embedded(chosen.version, chosen.options.specs, running)
    return lambda: _at(config, starts.url(), starts.key)


def opened(
    chosen: Chosen, run: Identity, allowance: Allowance, target_of: Callable[[], Config], process: Process
) -> Opened:
    """Wait for the target that ``target_of`` names (see :func:`started`), and run the preflight.

    Whether the target is live is decided here, if its owner has not said it: all is live but our own emulator. Raises
    :class:`Unreachable`, or :class:`UsageError` if nothing could be judged.
    """
    config, embedded = target_of(), not chosen.config.target.url
    # A target of its own for the preflight, without a journal: its requests create nothing.
    with Target(config, chosen.spec, run_id=run.id, allowance=allowance) as target:
        at_once = process.before_workers(chosen.options, live=config.target.protected and not embedded)
        found = preflight(target, chosen.spec, at_once)
    live = not found.emulated if config.target.live is None else config.target.live
    return Opened(chosen, evolve(config, target=evolve(config.target, live=live)), embedded, found)


def joined(chosen: Chosen, told: Mapping[str, Any]) -> Opened:
    """The open target of a worker, from :meth:`Opened.to_json` of the controller. Sends nothing."""
    config = chosen.config
    if told["embedded"]:
        config = _at(config, told["url"], told["key"])
    config = evolve(config, target=evolve(config.target, live=told["live"]))
    return Opened(chosen, config, told["embedded"], Preflight.from_json(told["found"]))


def _at(config: Config, url: str, key: str) -> Config:
    return evolve(config, target=config.target.at_emulator(url, key))
