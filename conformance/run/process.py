"""This process among those of a run: which scenarios are its own, and its part of what may be sent.

One process controls. It opens the target and writes the reports; without xdist it is also the one that judges. With
xdist the workers judge, each the scenarios that belong to it.
"""

from __future__ import annotations

import hashlib

from attrs import frozen

from conformance.run.scenario_settings import default_concurrency
from conformance.scenarios.shards import WHOLE, Shard
from conformance.settings.configuration import Config
from conformance.settings.options import Options
from conformance.target.limits import WRONG_KEY_PROBES, Allowance, Spent

__all__ = ["Process", "worker_of"]


def worker_of(version: str, scenario: str, workers: int) -> int:
    """The number (from 0) of the worker that a scenario belongs to."""
    # Not ``hash()``: it differs between processes, and all must agree.
    digest = hashlib.sha256(f"{version}\0{scenario}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % max(1, workers)


@frozen
class Process:
    """``worker`` is xdist's name of a worker (``gw0``), and "" in the process that controls. ``workers`` is how many
    workers the run has, 0 without xdist. ``shard`` is its part of a run that is divided among machines; each has its
    part of what may be sent and of what may be in flight.
    """

    worker: str = ""
    workers: int = 0
    shard: Shard = WHOLE

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

    def allowance(self, config: Config, before: Spent, until: float) -> Allowance:
        """What this process may spend of the run's budget, after what the run has spent elsewhere.

        ``until`` (in seconds of ``time.monotonic``) is the end of the run's time. At most two probes with a wrong key
        are sent in a run, whatever the number of processes.
        """
        budget = config.budget.divided(self.shard.n)
        # The first shard has all scenarios with a wrong key.
        probes = max(0, WRONG_KEY_PROBES - before.wrong_keys) if self.shard.first else 0
        if not self.worker:
            return Allowance(budget, wrong_keys=probes, before=before, until=until)
        probes, share = int(self._number < probes), 1.0 / self.workers
        return Allowance(budget, share=share, wrong_keys=probes, before=before, until=until)

    def before_workers(self, options: Options, *, live: bool) -> int:
        """How many exchanges the controller may have in flight while there are no workers yet."""
        total = options.concurrency or default_concurrency(live=live)
        return max(1, total // self.shard.n)

    def in_flight(self, options: Options, *, live: bool) -> int:
        """How many exchanges it may have in flight. Each process of each shard has one at least."""
        return max(1, self.before_workers(options, live=live) // max(1, self.workers))
