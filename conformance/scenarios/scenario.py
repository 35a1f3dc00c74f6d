"""A Scenario: a named generator of steps. It does no I/O and never cleans up.

It yields a step, a tuple of independent cases that are sent together, or :class:`Wait`, and receives the exchanges in
the same order. A case that creates something declares its ``undo``; the runner journals it before sending.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections.abc import Callable, Generator, Iterable, Mapping
from functools import cache
from typing import Any

from attrs import evolve, field, frozen

from conformance.errors import HarnessError
from conformance.evidence.exchange import Exchange
from conformance.requests.case import Case, Expect, Multipart, body_to_json
from conformance.spec.spec import Spec

__all__ = [
    "Profile",
    "Scenario",
    "Script",
    "Settings",
    "Step",
    "Wait",
    "bound",
    "corpus_scenario",
    "created",
    "scenario",
    "scenarios_of",
]


@frozen
class Wait:
    """Let some seconds pass before the next step."""

    seconds: float


Step = tuple[Case, ...] | Wait
Script = Generator[Step, tuple[Exchange, ...], None]


class Profile:
    """The names of the profiles, from the cheapest to the fullest."""

    SMOKE = "smoke"
    STANDARD = "standard"
    EXHAUSTIVE = "exhaustive"
    ALL = (SMOKE, STANDARD, EXHAUSTIVE)


@frozen
class Settings:
    """What a scenario may know of the run: never a URL, never a key.

    ``poll_interval`` and ``deadline`` are in seconds and bound every poll; ``deterministic`` is the target's claim.
    """

    profile: str = Profile.STANDARD
    poll_interval: float = 1.0
    deadline: float = 60.0
    read_after_write: float = 10.0
    deterministic: bool = False
    loopback: bool = True
    expensive: frozenset[str] = frozenset()
    capabilities: Mapping[str, frozenset[str]] = field(factory=dict)


@frozen
class Scenario:
    """A scenario as a value: id, the operations it sends, and the script.

    ``requests`` is an upper bound for planning; ``smoke`` says whether the smoke profile holds it.
    """

    id: str
    operations: tuple[str, ...]
    script: Callable[[Spec, Settings], Script] = field(repr=False)
    doc: str = ""
    requests: int = 0
    tokens: int = 0
    resource: str = ""
    cases: tuple[Case, ...] = field(default=(), repr=False)
    profiles: tuple[str, ...] = Profile.ALL[1:]
    expensive: str = ""
    module: str = ""

    @property
    def is_corpus(self) -> bool:
        """True for the one-step scenario of an operation's corpus."""
        return bool(self.cases)


def created(case: Case, exchange: Exchange) -> dict[str, str]:
    """The values that a create case's answer gives to its placeholders; nothing where it failed or has no such text."""
    answer = exchange.response.json if exchange.ok and exchange.response is not None else None
    found: dict[str, str] = {}
    for name, pointer in case.creates.items():
        value: Any = answer
        for token in pointer.split("/")[1:]:
            value = value.get(token) if isinstance(value, dict) else None
        if isinstance(value, str):
            found[name] = value
    return found


def bound(case: Case, values: Mapping[str, str]) -> Case:
    """The case with its own and its undo's placeholders bound."""
    if not values:
        return case
    undo = case.undo.bind(**values) if case.undo is not None else None
    return evolve(case.bind(**values), undo=undo)


def _mentions(case: Case, name: str) -> bool:
    texts = [*case.path_params.values(), *(value for _, value in case.query)]
    if case.body is not None and not isinstance(case.body, Multipart):
        texts.append(json.dumps(body_to_json(case.body)))
    return any("{" + name + "}" in text for text in texts)


def corpus_scenario(
    operation: str,
    resource: str,
    cases: tuple[Case, ...],
    setup: tuple[Case, ...] = (),
    fresh: tuple[Case, ...] = (),
) -> Scenario:
    """The plain corpus of one operation: a scenario of one step, after the setup that it needs.

    ``setup`` creates what the placeholders of the cases stand for, one object after the other. ``fresh`` is created
    once more for every case that may succeed, where one success would spoil the next (a run locks its thread). A case
    whose object could not be created isn't sent.
    """
    id = f"corpus.{operation}"
    names = tuple(name for case in (*setup, *fresh) for name in case.creates)
    again = tuple(case.id for case in cases if fresh and case.expect is not Expect.REJECT and case.role[:6] != "probe.")

    def script(spec: Spec, settings: Settings) -> Script:
        del spec, settings
        values: dict[str, str] = {}
        for number, case in enumerate(setup):
            sent = bound(case.at(id, f"setup.{number}"), values)
            (exchange,) = yield (sent,)
            values |= created(case, exchange)
        own: dict[str, dict[str, str]] = {key: {} for key in again}
        for number, case in enumerate(fresh):
            step = tuple(bound(case.at(id, f"setup.{number}.{key}"), {**values, **own[key]}) for key in again)
            for key, exchange in zip(again, (yield step) if step else (), strict=True):
                own[key] |= created(case, exchange)
        ready = []
        for case in cases:
            known = {**values, **own.get(case.id, {})}
            if all(name in known for name in names if _mentions(case, name)):
                ready.append(bound(case, known))
        if ready:
            yield tuple(ready)

    return Scenario(
        id=id,
        operations=(operation,),
        script=script,
        doc=f"The requests derived for {operation}.",
        requests=len(cases) + len(setup) + len(fresh) * len(again),
        tokens=sum(case.cost.tokens for case in cases),
        resource=resource,
        cases=cases,
        profiles=Profile.ALL,
    )


def scenario(
    id: str,
    *,
    operations: Iterable[str],
    requests: int,
    tokens: int = 0,
    resource: str = "",
    profiles: Iterable[str] = Profile.ALL[1:],
    expensive: str = "",
) -> Callable[[Callable[[Spec, Settings], Script]], Scenario]:
    """Turn a generator function into a frozen scenario. It runs where the version has all its operations."""

    names = tuple(operations)

    def make(script: Callable[[Spec, Settings], Script]) -> Scenario:
        return Scenario(
            id=id,
            operations=names,
            script=script,
            doc=(script.__doc__ or "").strip(),
            requests=requests,
            tokens=tokens,
            resource=resource or names[0].split(".")[0],
            profiles=tuple(profiles),
            expensive=expensive,
            module=script.__module__,
        )

    return make


@cache
def _registered() -> tuple[Any, ...]:
    """Scenarios and scenario factories (``scenarios(spec) → Scenario…``) of ``conformance/scenarios/``."""
    from conformance import scenarios

    found: list[Any] = []
    for info in pkgutil.walk_packages(scenarios.__path__, scenarios.__name__ + "."):
        module = importlib.import_module(info.name)
        found.extend(v for v in vars(module).values() if isinstance(v, Scenario) and v.module == info.name)
        if "scenarios_for" in vars(module):
            found.append(module.scenarios_for)
    return tuple(found)


def scenarios_of(spec: Spec, profile: str) -> tuple[Scenario, ...]:
    """The scenarios that a version's operations allow, by id. Raises :class:`HarnessError` for a repeated id."""
    from conformance.spec.operations import operations_of

    known = operations_of(spec)
    found: dict[str, Scenario] = {}
    for item in _registered():
        for made in (item,) if isinstance(item, Scenario) else item(spec):
            if profile in made.profiles and all(operation in known for operation in made.operations):
                if made.id in found:
                    raise HarnessError(f"two scenarios are called {made.id}", where=made.module)
                found[made.id] = made
    return tuple(found[key] for key in sorted(found))
