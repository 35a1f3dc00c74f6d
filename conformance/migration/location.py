"""Where something stands in a request or an answer: a path that names no index, and selects members of unions.

Its steps: ``.name`` for a member, ``*`` for every item of an array, ``%`` for every member under a name that isn't
documented, ``?role=user`` for an object whose member ``role`` is ``user``. ``.messages`` ``*`` ``?role=user``
``.content`` is written ``messages[role=user].content``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from conformance.pointer import Step

__all__ = ["Location", "parsed", "places", "plain", "text"]

Location: TypeAlias = tuple[str, ...]

#: The parts of a request. They are the first step of a location in one.
_PARTS = (".body", ".query", ".header")


def places(value: Any, location: Location) -> Iterator[tuple[tuple[Step, ...], Any]]:
    """Yield (path, value) for every place of a JSON value that a location names."""
    if not location:
        yield (), value
        return
    step, rest = location[0], location[1:]
    for key, item in _inside(value, step):
        for path, found in places(item, rest):
            yield (*((key,) if step[0] != "?" else ()), *path), found


def _inside(value: Any, step: str) -> Iterator[tuple[Step, Any]]:
    """Yield (key, value) for what one step leads to."""
    if step == "*":
        yield from enumerate(value) if isinstance(value, list) else ()
    elif not isinstance(value, Mapping):
        return
    elif step == "%":
        yield from value.items()
    elif step[0] == "?":
        name, _, wanted = step[1:].partition("=")
        if str(value.get(name)) == wanted:
            yield "", value
    elif step[1:] in value:
        yield step[1:], value[step[1:]]


def plain(location: Location) -> Location:
    """The location without the steps that select members of unions."""
    return tuple(step for step in location if step[0] != "?")


def text(location: Location) -> str:
    """A location for people: ``messages[role=user].content``, ``query limit``. "" for the whole body."""
    if not location:
        return ""
    part, rest = (location[0], location[1:]) if location[0] in _PARTS else (".body", location)
    made = ""
    for number, step in enumerate(rest):
        before = rest[number - 1] if number else ""
        if step[0] == ".":
            made += step if made else step[1:]
        elif step == "*":
            made += "" if rest[number + 1 : number + 2] and rest[number + 1][0] == "?" else "[]"
        elif step == "%":
            made += ".{name}" if made else "{name}"
        else:
            made += f"[{step[1:]}]" if made or before == "*" else f"({step[1:]})"
    return made if part == ".body" else f"{part[1:]} {made}".strip()


def parsed(name: str, *, whole: bool) -> Location:
    """The location that a text names, without selections: ``messages[].content``, ``query limit``.

    ``whole`` is True for a place in a request, whose first step is the part of it.
    """
    part, _, rest = name.rpartition(" ")
    steps = re.findall(r"\{name\}|\[\]|[^.\[\]]+", rest)
    made = tuple({"[]": "*", "{name}": "%"}.get(step, f".{step}") for step in steps)
    return (f".{part or 'body'}", *made) if whole else made
