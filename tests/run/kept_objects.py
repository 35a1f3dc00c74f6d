"""A target that keeps objects and notes what it is asked, and the scenarios that create them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from attrs import define, field

from conformance.requests.case import Case
from conformance.run.early import EarlyRemoval
from conformance.run.runner import Runner
from conformance.scenarios.scenario import Given, Scenario, Script, Settings
from conformance.spec.spec import Spec
from conformance.target.journal import Journal
from conformance.target.target import Target

from .conftest import Board
from .memory import PATIENCE

Run = Callable[..., Runner]
GET, DELETE, POST = "GET", "DELETE", "POST"


@define
class Objects:
    """What the board keeps, by path. It notes the requests in the order in which they came."""

    board: Board
    held: dict[str, Any] = field(factory=dict)
    told: list[tuple[str, str]] = field(factory=list)
    #: How many requests had come when one was answered for the last time.
    answered: dict[tuple[str, str], int] = field(factory=dict)
    #: What the answer to a request waits for.
    until: dict[tuple[str, str], Callable[[], bool]] = field(factory=dict)
    #: Statuses of answers that change nothing, by method and path, one for each request.
    refusals: dict[tuple[str, str], list[int]] = field(factory=dict)
    #: Further members of what a creation makes, by kind.
    made: dict[str, Any] = field(factory=dict)
    changed: threading.Condition = field(factory=threading.Condition)

    def __attrs_post_init__(self) -> None:
        self.board.answer = self.answer

    def answer(self, method: str, path: str, _body: Any, _number: int) -> tuple[int, Any]:
        path = path.removeprefix("/openai")
        with self.changed:
            self.told.append((method, path))
            self.changed.notify_all()
            wanted = self.until.get((method, path))
            if wanted is not None and not self.changed.wait_for(wanted, PATIENCE):
                return 500, {}
            self.answered[method, path] = len(self.told)
            refusal = self.refusals.get((method, path))
            if refusal:
                return refusal.pop(0), {"error": {"code": "x", "message": "not now"}}
            return self._done(method, path)

    def _done(self, method: str, path: str) -> tuple[int, Any]:
        if method == POST:
            if path.endswith("/cancel"):
                return 200, self.held[path.removesuffix("/cancel")]
            kind = path.rpartition("/")[2][:-1]
            name = f"{kind}_{sum(one == (POST, path) for one in self.told)}"
            self.held[f"{path}/{name}"] = {"id": name, "status": "running", **self.made.get(kind, {})}
            return 200, self.held[f"{path}/{name}"]
        if path not in self.held:
            return 404, {"error": {"code": "x", "message": "gone"}}
        if method == DELETE:
            for one in [one for one in self.held if one == path or one.startswith(path + "/")]:
                del self.held[one]
            return 200, {"deleted": True}
        return 200, self.held[path]

    def came(self, *request: str) -> bool:
        return request in self.told

    def place(self, *request: str) -> int:
        """The place of the last such request among all."""
        return max(number for number, one in enumerate(self.told) if one == request)


def creation(scenario: str, step: str = "create", kind: str = "assistant", **values: Any) -> Case:
    gone = Case(f"{kind}s.delete", DELETE, f"/{kind}s/{{{kind}_id}}", {f"{kind}_id": f"{{{kind}}}"})
    made = {"creates": {kind: "/id"}, "undo": gone, **values}
    return Case(f"{kind}s.create", POST, f"/{kind}s", **made).at(scenario, step)


def get(name: str, step: str, scenario: str, kind: str = "assistant") -> Case:
    return Case(f"{kind}s.get", GET, f"/{kind}s/{{{kind}_id}}", {f"{kind}_id": name}).at(scenario, step)


def told(id: str, *steps: tuple[Case, ...], given: dict[str, Given] | None = None) -> Scenario:
    def script(spec: Spec, settings: Settings) -> Script:
        for step in steps:  # noqa: UP028 - a tuple can't be sent the answers
            yield step

    return Scenario(id, ("assistants.create",), script, given=given or {}, requests=len(steps))


def early(target: Target, *scenarios: Scenario) -> EarlyRemoval:
    assert target.journal is not None
    return EarlyRemoval(target, target.journal, scenarios)


def sent(run: Run, target: Target, *scenarios: Scenario, concurrency: int = 4, **values: Any) -> Journal:
    """Send scenarios and wait for the end of the removal; the journal."""
    removal = early(target, *scenarios)
    with run(scenarios, target=target, concurrency=concurrency, removal=removal, **values) as runner:
        for one in scenarios:
            runner.trace(one.id)
    assert "" == removal.trouble
    assert target.journal is not None
    return target.journal


def done(removal: EarlyRemoval) -> None:
    """Do all the work that there is now."""
    while (job := removal.job(1)) is not None:
        job()
