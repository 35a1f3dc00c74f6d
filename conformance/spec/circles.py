"""Schemas that contain themselves in the same place: a value could be held against them for ever.

JSON Schema 2020-12, core, section 9.4.1, forbids them. A schema that contains itself further inside, below a property
or an item, is a common one: each step takes a smaller value.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from conformance.pointer import follow

__all__ = ["circles"]

#: The keywords whose schemas are applied to the same value as the schema around them (core, section 10.2).
_ONE = ("not", "if", "then", "else")
_LISTS = ("allOf", "anyOf", "oneOf")
_MAPS = ("dependentSchemas",)


def circles(document: Any, references: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield (pointer, message) for one schema of each circle that can be reached from these references (``#/…``).

    A reference that leads nowhere ends a chain.
    """
    done: set[str] = set()
    for start in references:
        # Reference → what still follows from it. Not by recursion: chains of references may be long.
        chain: dict[str, Iterator[str]] = {}
        following: Iterator[str] = iter((start,))
        while True:
            ref = next(following, None)
            if ref is not None and ref not in chain and ref not in done:
                chain[ref] = following = _beside(document, ref)
            elif ref is not None and ref in chain:
                names = [one.rpartition("/")[2] for one in (*chain, ref)]
                told = " → ".join(names[list(chain).index(ref) :])
                yield ref.removeprefix("#"), f"the schema contains itself in the same place, without end: {told}"
            elif ref is None and chain:
                done.add(chain.popitem()[0])
                following = next(reversed(chain.values()), iter(()))
            elif ref is None:
                break


def _beside(document: Any, ref: str) -> Iterator[str]:
    """Yield the references of a schema that concern the same value as itself."""
    try:
        waiting = [follow(document, ref)]
    except KeyError:
        return
    while waiting:
        node = waiting.pop()
        if not isinstance(node, Mapping):
            continue
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        waiting.extend(node[key] for key in _ONE if key in node)
        waiting.extend(item for key in _LISTS if isinstance(node.get(key), list) for item in node[key])
        waiting.extend(item for key in _MAPS if isinstance(node.get(key), Mapping) for item in node[key].values())
