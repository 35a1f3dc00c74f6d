"""Deletions during a run that nobody answers: scenarios keep their senders, and the end does the rest."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from conformance.evidence.exchange import Exchange, Fault, FaultKind
from conformance.target import removing
from conformance.target.cleanup import clean
from conformance.target.ledger import Entry
from conformance.target.target import Target

from .conftest import Board
from .kept_objects import DELETE, GET, Objects, Run, creation, done, early, get, told
from .memory import PATIENCE


@pytest.fixture
def objects(board: Board) -> Objects:
    return Objects(board)


@pytest.fixture
def target(target_for: Callable[..., Target]) -> Target:
    return target_for(deployments={"model": frozenset({"assistants", "chat"})})


@pytest.fixture
def release(objects: Objects) -> Iterator[Callable[[], None]]:
    """Deletions are answered when this is called, at the latest when the test is over."""
    opened = threading.Event()
    objects.until[DELETE, "/assistants/assistant_1"] = opened.is_set

    def open_() -> None:
        with objects.changed:
            opened.set()
            objects.changed.notify_all()

    yield open_
    open_()


@pytest.mark.usefixtures("bounded")
def test_a_deletion_without_an_answer_holds_no_trace_and_not_the_end(
    objects: Objects, run: Run, target: Target, release: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end waits as long as it may, cuts it off, and the journal keeps the object."""
    monkeypatch.setattr(removing, "_APPEARS", 0.0)
    scenario = told("s", (creation("s"),))
    runner = run([scenario], target=target, removal=early(target, scenario))
    assert 1 == len(runner.trace("s").observations)
    with objects.changed:
        assert objects.changed.wait_for(lambda: objects.came(DELETE, "/assistants/assistant_1"), PATIENCE)
    runner.close(0.0)
    assert target.journal is not None
    assert ["/assistants/assistant_1"] == [entry.path for entry in target.journal.pending]
    release()
    assert (1, ()) == ((made := clean(target, target.journal)).removed, made.left)
    assert {} == objects.held


@pytest.fixture
def unheard(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A function by which deletions of some kinds do their work and are not answered; what comes is the fault."""
    undo = Target.undo

    def hang(*kinds: str, fault: FaultKind = FaultKind.READ_TIMEOUT) -> None:
        def asked(self: Target, entry: Entry, seconds: float) -> Exchange:
            made = undo(self, entry, seconds)
            hangs = entry.path.split("/")[1] in kinds
            return Exchange(made.request, None, Fault(fault, "no answer", 60.0)) if hangs else made

        monkeypatch.setattr(Target, "undo", asked)

    return hang


@pytest.mark.parametrize("fault", [FaultKind.READ_TIMEOUT, FaultKind.TOTAL_TIMEOUT, FaultKind.CLOSED])
def test_after_two_deletions_of_an_operation_without_an_answer_the_end_does_the_rest_and_others_go_on(
    objects: Objects, target: Target, unheard: Callable[..., None], fault: FaultKind
) -> None:
    """Each costs a time limit, in which a sender of the run does nothing else; looks are answered in between."""
    names = [f"s{number}" for number in range(10)]
    removal = early(target, *map(told, names))
    for number, name in enumerate(names):
        target.send(creation(name, kind="assistant" if number % 2 else "thread"))
    unheard("assistants", fault=fault)
    for name in names:
        removal.ended(name)
        done(removal)
    deleted = [path.split("/")[1] for method, path in objects.told if method == DELETE]
    assert {"assistants": 2, "threads": 5} == dict(Counter(deleted))
    assert ({"assistants.delete"}, False, "") == ({*removal.hanging}, removal.busy, removal.trouble)


def test_after_three_operations_whose_deletions_hang_nothing_is_removed_before_the_end(
    objects: Objects, target: Target, unheard: Callable[..., None]
) -> None:
    kinds = ("assistant", "thread", "file", "store")
    removal = early(target, *(told(kind) for kind in kinds))
    for kind in kinds:
        target.send(creation(kind, kind=kind))
    unheard("assistants", "threads", "files")
    for kind in kinds:
        removal.ended(kind)
        done(removal)
    assert ["assistants", "threads", "files"] == [path.split("/")[1] for one, path in objects.told if one == DELETE]
    assert not removal.busy


def test_two_deletions_are_under_way_until_their_operation_has_answered(objects: Objects, target: Target) -> None:
    """Only then is it known that a deletion holds its sender for a moment only. No more than it may are done at all."""
    removal = early(target, told("s"))
    for number in range(6):
        target.send(creation("s", str(number)))
    removal.ended("s")
    first, second = removal.job(9), removal.job(9)
    assert first is not None
    assert second is not None
    assert (None, True) == (removal.job(9), removal.busy)
    first()
    more = [removal.job(4) for _ in range(4)]
    assert [True, True, True, False] == [one is not None for one in more]


@pytest.mark.usefixtures("bounded")
@pytest.mark.parametrize(("concurrency", "most"), [(1, (None, 1)), (2, (1, 2)), (3, (1, 3)), (8, (4, 8))])
def test_half_of_the_senders_stay_with_the_scenarios(
    objects: Objects, run: Run, target: Target, concurrency: int, most: tuple[int | None, int]
) -> None:
    """A removal may hang. What the runner asks for is noted; a single sender asks when it has nothing to send."""

    while_sending, then = most

    class Asked:
        busy = False
        over = False

        def __init__(self) -> None:
            self.most: dict[bool, set[int]] = {False: set(), True: set()}

        def ended(self, _scenario: str) -> None:
            self.over = True

        def job(self, most: int) -> None:
            self.most[self.over].add(most)
            with objects.changed:
                objects.changed.notify_all()

    asked = Asked()
    scenario = told("s", (get("x", "x", "s"),))
    if while_sending is not None:
        objects.until[GET, "/assistants/x"] = lambda: bool(asked.most[False])
    with run([scenario], target=target, concurrency=concurrency, removal=asked) as runner:
        runner.trace("s")
    assert ({while_sending} - {None}, {then}) == (asked.most[False], asked.most[True])
