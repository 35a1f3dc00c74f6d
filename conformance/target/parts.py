"""Parts that the service makes inside an object of the run, such as the checkpoints of a job. Pure.

A request that changes something may name only what belongs to the run. Nothing creates a part, so no answer to a
creation names it: a list below the object does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from attrs import frozen

from conformance.evidence.exchange import Exchange
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec
from conformance.target.created import made_at

__all__ = ["Part", "PartLists"]

_PARAMETER = re.compile(r"\{([^}]*)\}")
_READING = ("GET", "HEAD")


@frozen
class Part:
    """A part: its ``ids`` are its own and the names that other paths have for it. ``made`` is the time of its creation
    in seconds since the Unix epoch, 0 if it tells none.
    """

    ids: tuple[str, ...]
    made: float


@frozen
class PartLists:
    """The lists of parts of one api-version. ``names`` are the fields of a part that paths name it by, ``id`` first."""

    operations: frozenset[str]
    names: tuple[str, ...]

    @classmethod
    def of(cls, spec: Spec) -> PartLists:
        """A list below an object shows parts if nothing creates its members and some request changes them.

        A path parameter whose object has no path of its own, such as the name of a checkpoint, is a name of parts.
        """
        known = operations_of(spec).values()
        changing = [one.path for one in known if one.method not in _READING]
        made = {one.path for one in known if one.method == "POST"}
        lists = frozenset(
            one.id
            for one in known
            if one.method == "GET"
            and "{" in one.path
            and one.path not in made
            and any(path.startswith(one.path + "/{") for path in changing)
        )
        named = dict.fromkeys(name for path in changing for name in _PARAMETER.findall(path))
        homeless = (name for name in named if not any(one.path.endswith("/{" + name + "}") for one in known))
        return cls(lists, ("id", *homeless))

    def shown(self, operation: str, exchange: Exchange) -> Iterator[Part]:
        """Yield the parts that an answer of an operation shows."""
        value = exchange.response.json if operation in self.operations and exchange.ok and exchange.response else None
        data = value.get("data") if isinstance(value, dict) else None
        for item in data if isinstance(data, list) else ():
            ids = tuple(item[n] for n in self.names if isinstance(item.get(n), str)) if isinstance(item, dict) else ()
            if ids:
                yield Part(ids, made_at(item))
