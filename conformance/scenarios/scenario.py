"""A Scenario: a named generator of steps. It does no I/O and never cleans up.

It yields a step, a tuple of independent cases that are sent together, or :class:`Wait`, and receives the exchanges in
the same order. A case that creates something declares its ``undo``; the runner journals it before sending.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from typing import Any

from attrs import evolve, field, frozen

from conformance.evidence.exchange import Exchange
from conformance.requests.case import Case
from conformance.requests.profile import Profile
from conformance.spec.spec import Spec

__all__ = [
    "Scenario",
    "Script",
    "Settings",
    "Step",
    "Wait",
    "bound",
    "created",
    "scenario",
]


@frozen
class Wait:
    """Let some seconds pass before the next step."""

    seconds: float


Step = tuple[Case, ...] | Wait
Script = Generator[Step, tuple[Exchange, ...], None]


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
