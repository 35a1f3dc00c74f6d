"""This process among those of a run: which scenarios are its own, and its part of what may be sent.

One process controls. It opens the target and writes the reports; without xdist it is also the one that judges. With
xdist the workers judge, each the scenarios that belong to it.
"""

from __future__ import annotations

from attrs import frozen

from conformance.run.runner import default_concurrency
from conformance.run.scheduling import worker_of
from conformance.settings.configuration import is_loopback
from conformance.settings.options import Options
from conformance.target.limits import WRONG_KEY_PROBES

__all__ = ["Process"]


@frozen
class Process:
    """``worker`` is xdist's name of a worker (``gw0``), and "" in the process that controls. ``workers`` is how many
    workers the run has, 0 without xdist.
    """

    worker: str = ""
    workers: int = 0

    @property
    def controls(self) -> bool:
        """True in the process that opens the target and writes the reports."""
        return not self.worker

    @property
    def only_controls(self) -> bool:
        """True in a controller that hands out all items to workers and judges none itself."""
        return self.controls and self.workers > 0

    @property
    def _number(self) -> int:
        return int(self.worker.removeprefix("gw")) if self.worker else 0

    def owns(self, version: str, scenario: str) -> bool:
        """True where a scenario is sent by this process."""
        return not self.worker or worker_of(version, scenario, self.workers) == self._number

    @property
    def share(self) -> float:
        """The part of the run's budget that this process may spend."""
        return 1.0 / self.workers if self.worker else 1.0

    @property
    def wrong_keys(self) -> int:
        """Probes with a wrong key that it may send: at most two in a run, whatever the number of processes."""
        if not self.worker:
            return WRONG_KEY_PROBES
        return 1 if self._number < WRONG_KEY_PROBES else 0

    def in_flight(self, options: Options, url: str) -> int:
        """How many exchanges it may have in flight. Where nobody says, each process has one at least."""
        total = options.concurrency or default_concurrency(loopback=is_loopback(url))
        return max(1, total // max(1, self.workers))
