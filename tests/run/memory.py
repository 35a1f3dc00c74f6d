"""A target that answers from memory, and scenarios for it: the runner alone, without a network."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from conformance.evidence.exchange import Exchange, Fault, FaultKind, Response
from conformance.requests.case import Case
from conformance.requests.request import Request
from conformance.run.runner import Runner
from conformance.scenarios.scenario import Scenario, Script, Settings, Step
from conformance.settings.configuration import Config
from conformance.settings.configuration import Target as TargetConfig
from conformance.spec.loading import load
from conformance.spec.spec import Spec
from conformance.target.limits import Withheld
from conformance.verdict import Outcome

SPEC = load("2024-05-01-preview")

#: Seconds after which a test of a runner alone counts as hanging. Each takes a small part of one.
PATIENCE = 120


def answer(case: Case, status: int = 200) -> Exchange:
    return Exchange(Request(case.method, "http://t.example/x"), Response(status))


def refused(case: Case) -> Exchange:
    fault = Fault(FaultKind.CONNECT, "refused", 0.0)
    return Exchange(Request(case.method, "http://t.example/x"), None, fault)


def withholding(outcome: Outcome, *names: str, final: bool = False) -> Callable[[Case], Exchange]:
    def send(one: Case) -> Exchange:
        if one.role in names:
            raise Withheld(f"no {one.role}", outcome, final=final)
        return answer(one)

    return send


class Memory:
    """What the runner asks of a target, without a network."""

    def __init__(self, send: Callable[[Case], Exchange] = answer, *, live: bool = False, **config: Any) -> None:
        can = {"gpt": frozenset({"chat"})}
        self.config = Config(TargetConfig(url="http://t.example", deployments=can), **config)
        self.live, self.control = live, None
        self.called: list[str] = []
        self.sent: list[str] = []
        self._send = send
        self._lock = threading.Lock()

    def send(self, case: Case) -> Exchange:
        with self._lock:
            self.sent.append(case.role)
        return self._send(case)

    def foreign(self) -> None:
        """Nothing is hidden."""

    def stop(self) -> None:
        self.called.append("stop")

    def abort(self) -> None:
        self.called.append("abort")


def case(role: str, operation: str = "chat.completions.create", **values: Any) -> Case:
    return Case(operation, "POST", "/x", role=role, query=(("r", role),), **values)


def told(id: str, *steps: Step, got: list[Any] | None = None, operation: str = "chat.completions.create") -> Scenario:
    def script(spec: Spec, settings: Settings) -> Script:
        try:
            for step in steps:
                received = yield step
                if got is not None:
                    got.append(received)
        finally:
            if got is not None:
                got.append("closed")

    return Scenario(id, (operation,), script)


def corpus(id: str, *cases: Case) -> Scenario:
    def script(spec: Spec, settings: Settings) -> Script:
        yield cases

    return Scenario(id, ("chat.completions.create",), script, cases=cases)


def runner(target: Memory, *scenarios: Scenario, checks: Any = (), **values: Any) -> Runner:
    return Runner(SPEC, scenarios, checks, target, **values)  # type: ignore[arg-type]


def roles(made: Runner, id: str) -> list[str]:
    return [seen.case.role for seen in made.trace(id)]
