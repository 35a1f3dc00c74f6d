"""The scheduler for xdist: all items of a scenario go to the worker that runs the scenario.

The worker of a scenario depends only on its id and the number of workers. So each worker knows its scenarios before it
receives any item, and can start them early.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from xdist.remote import Producer
from xdist.workermanage import WorkerController, parse_tx_spec_config

from conformance.run.process import worker_of

__all__ = ["ByScenario", "worker_of"]

#: ``version:scenario:check`` at the end of the id of an item's test.
_ITEM = re.compile(r"/?test_conformance\.py::([^:]+:[^:]+:[^:]+)$")


def _owner(node_id: str, workers: int) -> int:
    """The worker of an item, from its id ``…::version:scenario:check``. Tests of other suites are spread by their
    id.
    """
    item = _ITEM.search(node_id)
    if item is None:
        return worker_of("", node_id, workers)
    version, scenario, _ = item[1].split(":")
    return worker_of(version, scenario, workers)


class ByScenario:
    """An xdist scheduler (see ``xdist.scheduler.protocol``). It hands out all items at once."""

    def __init__(self, config: Any, log: Producer | None = None) -> None:
        self.config = config
        self.log = log
        self.numnodes = len(parse_tx_spec_config(config))
        self.collections: dict[WorkerController, list[str]] = {}
        self.left: dict[WorkerController, list[int]] = {}
        self.collection: list[str] | None = None
        self.sent = False
        self.withdrawn = False
        #: True when every worker has told what it collected; it stays true when workers end.
        self.collection_is_completed = False

    @property
    def nodes(self) -> list[WorkerController]:
        """The workers, in the order of their numbers."""
        return sorted(self.collections or self.left, key=lambda node: int(node.gateway.id.removeprefix("gw")))

    @property
    def items(self) -> frozenset[str] | None:
        """The ids of the items that the workers collected, after ``-k`` and the like; None if no worker has reported
        yet.
        """
        if self.collection is None:
            return None
        return frozenset(item[1] for node_id in self.collection if (item := _ITEM.search(node_id)))

    @property
    def tests_finished(self) -> bool:
        """True if every item is done."""
        # xdist keeps the last item of a worker back until the shutdown, so one item may be left.
        return self.collection_is_completed and self.sent and not any(len(left) >= 2 for left in self.left.values())

    @property
    def has_pending(self) -> bool:
        """True while items are left."""
        return any(self.left.values()) or not self.sent

    def add_node(self, node: WorkerController) -> None:
        """Register a new worker."""
        self.left.setdefault(node, [])

    def add_node_collection(self, node: WorkerController, collection: Sequence[str]) -> None:
        """Note the items that a worker collected."""
        self.collections[node] = list(collection)
        if self.collection is None:
            self.collection = list(collection)
        self.collection_is_completed = self.collection_is_completed or len(self.collections) >= self.numnodes

    def mark_test_complete(self, node: WorkerController, item_index: int, duration: float = 0) -> None:  # noqa: ARG002 - one signature for all
        """Note that an item is done."""
        if item_index in self.left[node]:
            self.left[node].remove(item_index)
        session = self.config.pluginmanager.get_plugin("dsession")
        if session is not None and session.shouldstop and not self.withdrawn:
            self.withdraw()

    def withdraw(self) -> None:
        """Ask every worker to give back the items that it has not begun, because pytest ends early (``-x`` for
        example).

        Each item is asked for by itself: a worker gives back either everything in a request or nothing.
        """
        self.withdrawn = True
        for node, left in self.left.items():
            # From the end, because a worker runs its items from the front.
            for index in reversed(left):
                node.send_steal([index])

    def mark_test_pending(self, item: str) -> None:
        """Not used: an item is handed out once."""
        raise NotImplementedError(f"{item}: items are not sent again")

    def remove_pending_tests_from_node(self, node: WorkerController, indices: Sequence[int]) -> None:
        """Note that a worker gave items back. No other worker gets them, because a scenario belongs to one worker."""
        self.left[node] = [index for index in self.left[node] if index not in indices]

    def remove_node(self, node: WorkerController) -> str | None:
        """Note that a worker has died; returns the item that it was running. Its scenarios can't be sent by another
        worker.
        """
        left = self.left.pop(node, [])
        self.collections.pop(node, None)
        return self.collection[left[0]] if left and self.collection else None

    def schedule(self) -> None:
        """Hand out every item to the worker of its scenario."""
        if self.sent or self.collection is None:
            return
        nodes = self.nodes
        if any(collection != self.collection for collection in self.collections.values()):
            raise RuntimeError("the workers collected different items")
        self.sent = True
        for index, node_id in enumerate(self.collection):
            self.left[nodes[_owner(node_id, len(nodes))]].append(index)
        for node in nodes:
            if self.left[node]:
                node.send_runtest_some(list(self.left[node]))
            # Sent behind the items: a worker ends when it has run them, and gets no others.
            node.shutdown()
