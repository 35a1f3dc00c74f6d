"""A scenario belongs to one worker, and every item is handed out once."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from conformance.run.scheduling import ByScenario, worker_of


class Node:
    """What xdist's controller knows of a worker."""

    def __init__(self, number: int) -> None:
        self.gateway = SimpleNamespace(id=f"gw{number}")
        self.sent: list[int] = []
        self.ended = False

    def send_runtest_some(self, indices: list[int]) -> None:
        self.sent += indices

    def shutdown(self) -> None:
        self.ended = True


SCENARIOS = [f"corpus.{name}" for name in ("chat", "completions", "embeddings", "threads", "files")]
ITEMS = [f"suite/test_conformance.py::v1:{one}:check.{n}" for one in SCENARIOS for n in range(4)]


def handed_out(workers: int, items: list[str]) -> list[Node]:
    scheduler = ByScenario(SimpleNamespace(option=None, getvalue=lambda _name: ["popen"] * workers))
    nodes = [Node(number) for number in range(workers)]
    for node in nodes:
        scheduler.add_node(node)  # type: ignore[arg-type]
    for node in reversed(nodes):  # they come in any order
        scheduler.add_node_collection(node, items)  # type: ignore[arg-type]
    scheduler.schedule()
    return nodes


@pytest.mark.parametrize("workers", [1, 2, 3, 10, 12])
def test_each_item_goes_once_to_the_worker_of_its_scenario(workers: int) -> None:
    nodes = handed_out(workers, ITEMS)
    assert list(range(len(ITEMS))) == sorted(index for node in nodes for index in node.sent)
    for number, node in enumerate(nodes):
        owners = {worker_of("v1", ITEMS[index].split(":")[-2], workers) for index in node.sent}
        assert owners <= {number}
        assert node.ended


def test_items_of_other_tests_are_run_too() -> None:
    others = ["test_other.py::test_plain", "test_other.py::test_with[a:b]", "test_other.py::test_with[]"]
    assert [0, 1, 2] == sorted(index for node in handed_out(2, others) for index in node.sent)


def test_workers_that_collected_different_items_are_refused() -> None:
    scheduler = ByScenario(SimpleNamespace(option=None, getvalue=lambda _name: ["popen"] * 2))
    for number in range(2):
        scheduler.add_node(Node(number))  # type: ignore[arg-type]
    scheduler.add_node_collection(Node(0), ITEMS)  # type: ignore[arg-type]
    scheduler.add_node_collection(Node(1), ITEMS[1:])  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match="different items"):
        scheduler.schedule()


@pytest.mark.parametrize("version", ["v1", "2024-05-01-preview"])
def test_scenarios_of_a_version_spread_over_the_workers(version: str) -> None:
    assert {0, 1} == {worker_of(version, f"corpus.{n}", 2) for n in range(30)}
    assert {0} == {worker_of(version, f"corpus.{n}", 1) for n in range(30)}
