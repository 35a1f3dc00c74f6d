"""A Scenario: a named generator of steps. It does no I/O and never cleans up.

It yields a step, a tuple of independent cases that are sent together, or :class:`Wait`, and receives the exchanges in
the same order. A case that creates something declares its ``undo``; the runner journals it before sending.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Generator, Iterable, Mapping
from functools import cache
from typing import Any

from attrs import field, frozen

from conformance.cases import Case
from conformance.errors import HarnessError
from conformance.exchange import Exchange
from conformance.spec import Spec

__all__ = ["Profile", "Scenario", "Script", "Settings", "Step", "Wait", "corpus_scenario", "scenario", "scenarios_of"]


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


def corpus_scenario(operation: str, resource: str, cases: tuple[Case, ...]) -> Scenario:
    """The plain corpus of one operation: a scenario of one step."""

    def script(spec: Spec, settings: Settings) -> Script:
        yield cases

    return Scenario(
        id=f"corpus.{operation}",
        operations=(operation,),
        script=script,
        doc=f"The requests derived for {operation}.",
        requests=len(cases),
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
    from conformance.operations import operations_of

    known = operations_of(spec)
    found: dict[str, Scenario] = {}
    for item in _registered():
        for made in (item,) if isinstance(item, Scenario) else item(spec):
            if profile in made.profiles and all(operation in known for operation in made.operations):
                if made.id in found:
                    raise HarnessError(f"two scenarios are called {made.id}", where=made.module)
                found[made.id] = made
    return tuple(found[key] for key in sorted(found))
