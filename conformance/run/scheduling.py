"""How xdist hands out items here: a scenario's items all go to the worker that runs the scenario.

The worker of a scenario follows from its id and the number of workers alone, so that each worker knows its own
scenarios before any item arrives and can start them ahead.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Any

from xdist.remote import Producer
from xdist.workermanage import WorkerController, parse_tx_spec_config

__all__ = ["ByScenario", "worker_of"]

#: ``version:scenario:check`` at the end of the id of an item's test.
_ITEM = re.compile(r"\[([^:\]]+:[^:\]]+:[^:\]]+)\]$")


def worker_of(version: str, scenario: str, workers: int) -> int:
    """The number, from 0, of the worker that a scenario belongs to."""
    digest = hashlib.sha256(f"{version}\0{scenario}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % max(1, workers)


def _owner(node_id: str, workers: int) -> int:
    """The worker of an item, from its id ``…[version:scenario:check]``; items of other tests spread by their id."""
    item = _ITEM.search(node_id)
    if item is None:
        return worker_of("", node_id, workers)
    version, scenario, _ = item[1].split(":")
    return worker_of(version, scenario, workers)


class ByScenario:
    """An xdist scheduler (see ``xdist.scheduler.protocol``). All items are handed out at once."""

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
        """The ids of the items that the workers collected, after ``-k`` and the like; None where none told."""
        if self.collection is None:
            return None
        return frozenset(item[1] for node_id in self.collection if (item := _ITEM.search(node_id)))

    @property
    def tests_finished(self) -> bool:
        """True when every item is done."""
        return self.collection_is_completed and self.sent and not any(len(left) >= 2 for left in self.left.values())

    @property
    def has_pending(self) -> bool:
        """True while items are left."""
        return any(self.left.values()) or not self.sent

    def add_node(self, node: WorkerController) -> None:
        """A worker has come."""
        self.left.setdefault(node, [])

    def add_node_collection(self, node: WorkerController, collection: Sequence[str]) -> None:
        """A worker has told what it collected."""
        self.collections[node] = list(collection)
        if self.collection is None:
            self.collection = list(collection)
        self.collection_is_completed = self.collection_is_completed or len(self.collections) >= self.numnodes

    def mark_test_complete(self, node: WorkerController, item_index: int, duration: float = 0) -> None:  # noqa: ARG002 - one signature for all
        """An item is done."""
        if item_index in self.left[node]:
            self.left[node].remove(item_index)
        session = self.config.pluginmanager.get_plugin("dsession")
        if session is not None and session.shouldstop and not self.withdrawn:
            self.withdraw()

    def withdraw(self) -> None:
        """Ask every worker for the items back that it has not begun: pytest ends early, after ``-x`` for example.

        Each item is asked for alone, because a worker gives all that it is asked for or nothing.
        """
        self.withdrawn = True
        for node, left in self.left.items():
            for index in reversed(left):
                node.send_steal([index])

    def mark_test_pending(self, item: str) -> None:
        """Not used: an item is sent once."""
        raise NotImplementedError(f"{item}: items are not sent again")

    def remove_pending_tests_from_node(self, node: WorkerController, indices: Sequence[int]) -> None:
        """A worker gave items back. Nobody else gets them: items don't move between workers."""
        self.left[node] = [index for index in self.left[node] if index not in indices]

    def remove_node(self, node: WorkerController) -> str | None:
        """A worker is gone. Its scenarios can't be sent again by another one; the item it was at is named."""
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
            node.shutdown()
