"""The worker processes of a run, as their controller sees them: who they are, and how they are told to stop."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from attrs import define, field

from conformance.run.interruption import tell_worker

__all__ = ["Workers"]

#: Seconds that a worker may need besides the removal: exchanges in flight end, files are closed.
_BESIDES = 15.0

#: Seconds for workers that were told twice: they remove nothing more.
_AT_ONCE = 5.0


@define(eq=False)
class Workers:
    """``pids`` are process ids by xdist's names of the gateways, ``nodes`` xdist's controllers of the workers."""

    pids: dict[str, int] = field(factory=dict)
    nodes: list[Any] = field(factory=list)
    _heard: set[int] = field(factory=set)

    def note_gateway(self, gateway: Any) -> None:
        """Ask a new worker for its process id, before it begins to work. One on another machine can't be told to stop:
        it ends when its connection does.
        """
        if not gateway.spec.popen:
            return
        channel = gateway.remote_exec("import os; channel.send(os.getpid())")
        self.pids[gateway.id] = channel.receive(30.0)
        channel.waitclose(30.0)

    def told(self, node: Any) -> Mapping[str, Any] | None:
        """How a worker ended, once; None if it has said nothing."""
        said = getattr(node, "workeroutput", {}).get("aoai")
        if said is None or id(node) in self._heard:
            return None
        self._heard.add(id(node))
        return dict(json.loads(said))

    def lost(self, node: Any) -> int | None:
        """The process id of a worker on this machine that has ended and said nothing; None for another one."""
        return None if hasattr(node, "workeroutput") else self.pids.get(node.gateway.id)

    def interrupt(self, seconds: float) -> Iterator[Mapping[str, Any]]:
        """Tell all workers to stop and wait until they have removed what they created, for so many seconds of removal.
        Yields how each ended. A KeyboardInterrupt meanwhile tells them a second time.
        """
        try:
            self._tell()
            self._wait(seconds + _BESIDES)
        except KeyboardInterrupt:
            self._tell()
            self._wait(_AT_ONCE)
        for node in self.nodes:
            told = self.told(node)
            if told is not None:
                yield told

    @property
    def _busy(self) -> list[Any]:
        """The nodes on this machine that have not said how they ended, and still can."""
        mine = [node for node in self.nodes if node.gateway.id in self.pids]
        return [node for node in mine if not hasattr(node, "workeroutput") and not node.channel.isclosed()]

    def _tell(self) -> None:
        for node in self._busy:
            with suppress(OSError):  # it has ended
                tell_worker(self.pids[node.gateway.id])

    def _wait(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while self._busy and time.monotonic() < deadline:
            time.sleep(0.05)
