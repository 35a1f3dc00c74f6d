"""Which requests a small profile sends: data of an api-version, computed from what shows which bad target.

``specs/<version>/profiles.toml`` is written by ``python tests/matrix --requests``. A version without it, such as an
imported one, takes the data of the version of the suite that has most of the named requests in common with it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from attrs import field, frozen

from conformance.spec.operations import operations_of
from conformance.spec.shipped import specs_dir
from conformance.spec.spec import Spec
from conformance.spec.textfile import read_toml

__all__ = ["Choice", "Kills", "choice_of", "kills_of"]


@frozen
class Kills:
    """How many bad targets a profile shows, of those that are known for a version, and what that takes.

    ``requests`` are those of preflight and scenarios, without removal; ``tokens`` is an upper bound.
    """

    shown: int
    known: int
    requests: int
    tokens: int


@frozen
class Choice:
    """What a small profile sends. ``version`` is the one that it was computed for.

    ``order`` are the ids of scenarios, those first that show most for what they cost. ``requests`` are the names of
    cases by operation, in the same order (``requests/case_names.py``).
    """

    version: str
    order: tuple[str, ...] = field(repr=False)
    requests: Mapping[str, tuple[str, ...]] = field(repr=False)

    @property
    def digest(self) -> str:
        """A hash of what is chosen."""
        essence = json.dumps([self.order, list(self.requests.items())])
        return hashlib.sha256(essence.encode()).hexdigest()


def choice_of(spec: Spec, profile: str) -> Choice | None:
    """What a profile sends of a version; None if it sends all, or if nothing computed has anything to do with it."""
    own = spec.profiles.get(profile)
    if own is not None:
        # Of a profile that sends all there is only what it shows.
        return _choice(spec.version, own) if "requests" in own else None
    known = operations_of(spec)
    best: tuple[int, str, Mapping[str, Any]] = (0, "", {})
    for version, table in _computed().items():
        common = sum(len(names) for name, names in table.get(profile, {}).get("requests", {}).items() if name in known)
        # Of equal ones the newest: versions are in their order.
        if common and common >= best[0]:
            best = common, version, table[profile]
    return _choice(best[1], best[2]) if best[1] else None


def kills_of(spec: Spec, profile: str) -> Kills | None:
    """How many bad targets a profile shows; None if that was not computed for this version."""
    table = spec.profiles.get(profile)
    if table is None:
        return None
    return Kills(table["shown"], table["known"], table["requests_sent"], table["tokens"])


def _choice(version: str, table: Mapping[str, Any]) -> Choice:
    requests = {name: tuple(names) for name, names in table.get("requests", {}).items()}
    return Choice(version, tuple(table.get("order", ())), requests)


@lru_cache(maxsize=1)
def _computed() -> Mapping[str, Mapping[str, Any]]:
    """The data of all versions of the suite, in the order of their names."""
    return {file.parent.name: read_toml(file) for file in sorted(specs_dir().glob("*/profiles.toml"))}
