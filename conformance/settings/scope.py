"""The scope of a run: the part of an api-version that its conclusion covers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from attrs import asdict, field, frozen

from conformance.requests.profile import Profile

__all__ = ["RunScope"]

#: The most names in one part of the line on scope. The report holds all of them.
MOST_NAMES = 4


@frozen
class RunScope:
    """The scope of one report. Empty fields mean: everything.

    ``operations``, ``scenarios``, ``checks`` and ``families`` are the selected globs and names, ``shard`` is ``k/n``,
    ``pytest`` says how many items options such as ``-k`` left. ``unsupported`` (not claimed by the configuration) and
    ``not_served`` (claimed but not found) hold reasons by name. ``unclaimed`` are capabilities that no deployment has.
    ``left_out`` counts the requests of each expensive kind that was not allowed, ``budget`` holds the limits of the
    configuration. ``waivers`` are those in force, in words; ``baseline`` is the date of the run whose failures are
    known, or "". ``recorded`` is the number of exchanges if recorded traffic was judged and nothing was sent.
    """

    profile: str = Profile.STANDARD
    operations: tuple[str, ...] = ()
    scenarios: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    families: tuple[str, ...] = ()
    shard: str = ""
    pytest: str = ""
    unsupported: Mapping[str, str] = field(factory=dict)
    unclaimed: tuple[str, ...] = ()
    not_served: Mapping[str, str] = field(factory=dict)
    left_out: Mapping[str, int] = field(factory=dict)
    budget: Mapping[str, float] = field(factory=dict)
    waivers: tuple[str, ...] = ()
    baseline: str = ""
    recorded: int = 0

    @property
    def selection(self) -> Mapping[str, tuple[str, ...]]:
        """What was selected, by the words of reports, without empty parts."""
        chosen = {
            "operations": self.operations,
            "scenarios": self.scenarios,
            "checks": self.checks,
            "families": self.families,
            "shard": (self.shard,) if self.shard else (),
            "pytest": (self.pytest,) if self.pytest else (),
        }
        return {what: names for what, names in chosen.items() if names}

    @property
    def narrowed(self) -> bool:
        """True if the conclusion doesn't cover everything that the api-version documents."""
        less = (self.selection, self.unsupported, self.unclaimed, self.not_served, self.left_out)
        return self.profile in Profile.CHOSEN or bool(self.recorded) or any(less)

    @property
    def text(self) -> str:
        """The scope in one line: ``profile smoke; operations chat.*; not claimed: completions.*``."""
        exchanges = "exchange" if self.recorded == 1 else "exchanges"
        parts = [f"recorded traffic, {self.recorded} {exchanges}" if self.recorded else f"profile {self.profile}"]
        parts += [f"{what} {_listed(names)}" for what, names in self.selection.items()]
        for what, names in (
            ("not claimed", (*self.unsupported, *self.unclaimed)),
            ("not served", tuple(self.not_served)),
            ("left out as expensive", tuple(self.left_out)),
            ("budget", tuple(f"{cap:g} {what}" for what, cap in self.budget.items())),
        ):
            if names:
                parts.append(f"{what}: {_listed(names)}")
        if self.baseline:
            parts.append(f"baseline {self.baseline}")
        return "; ".join(parts)

    def reasons(self) -> Iterator[tuple[str, str]]:
        """Yield each part of the api-version that the conclusion doesn't cover, and why."""
        for name, why in self.unsupported.items():
            yield f"{name} is not claimed", why
        for word in self.unclaimed:
            yield f"{word} is not claimed", "no deployment of the configuration has this capability"
        for name, why in self.not_served.items():
            yield f"{name} is claimed and not served", why
        for kind, requests in self.left_out.items():
            yield f"{kind} was left out", f"{requests} requests are expensive; --expensive {kind} allows them"

    def to_json(self) -> dict[str, Any]:
        """A JSON object from which :meth:`from_json` builds an equal value."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> RunScope:
        """The inverse of :meth:`to_json`."""
        read: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in plain.items()}
        return cls(**read)


def _listed(names: Iterable[str]) -> str:
    """The first names of a list, and how many more there are."""
    known = tuple(names)
    more = f" and {len(known) - MOST_NAMES} more" if len(known) > MOST_NAMES else ""
    return ", ".join(known[:MOST_NAMES]) + more
