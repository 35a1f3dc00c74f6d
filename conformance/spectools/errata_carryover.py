"""The errata that an imported document takes over from a known version, with a verdict on each.

An erratum is a JSON Patch (RFC 6902) that begins with a test of what the known document says. A patch may speak of
several places. Each place is decided by itself: the change is applied, or is in the document already, or its place
isn't here, or the document says something else there.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

from attrs import frozen

from conformance.pointer import look_up
from conformance.spec.overlay import PatchError, patched
from conformance.spec.spec import Erratum

__all__ = ["Carried", "Fate", "carry"]

_NOTHING = object()

#: Keywords whose value is a set of names: their order says nothing.
_SETS = ("required", "enum", "type")


class Fate(StrEnum):
    """What an erratum of a known version means for the imported document."""

    APPLIES = "applies"
    IN_PART = "applies in part"
    ALREADY = "already in the document"
    ELSEWHERE = "its place is not here"
    DIFFERS = "the document says something else there"
    NO_CHANGE = "changes no schema"


@frozen
class Carried:
    """One erratum of the known version, what became of it, and the patch for this document (empty if none)."""

    erratum: Erratum
    fate: Fate
    patch: tuple[Mapping[str, Any], ...] = ()


def carry(document: Mapping[str, Any], errata: Sequence[Erratum]) -> list[Carried]:
    """Decide each erratum on the document with the errata before it applied."""
    current: Mapping[str, Any] = document
    found: list[Carried] = []
    for erratum in errata:
        patch: list[Mapping[str, Any]] = []
        fates: list[Fate] = []
        for change in _changes(erratum.patch):
            fate, steps = _decided(current, change)
            if steps:
                try:
                    after = patched(current, erratum.id, steps)
                except PatchError:
                    fate, steps = Fate.DIFFERS, ()
                else:
                    # What it adds may use a component that this document has not.
                    if all(look_up(after, ref[1:], _NOTHING) is not _NOTHING for ref in _used(steps)):
                        current = after
                    else:
                        fate, steps = Fate.ELSEWHERE, ()
            fates.append(fate)
            patch.extend(steps)
        found.append(Carried(erratum, _folded(fates), tuple(patch)))
    return found


def _used(node: Any) -> Iterator[str]:
    """Yield every text in a value that is a reference into the document: of ``$ref`` and of discriminators alike."""
    if isinstance(node, Mapping):
        for value in node.values():
            yield from _used(value)
    elif isinstance(node, list | tuple):
        for item in node:
            yield from _used(item)
    elif isinstance(node, str) and node.startswith("#/components/"):
        yield node


def _changes(patch: Sequence[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    """The patch cut into changes: tests, and the operations that rest on them."""
    change: list[Mapping[str, Any]] = []
    for step in patch:
        if step["op"] == "test" and change and change[-1]["op"] != "test":
            yield change
            change = []
        change.append(step)
    if change:
        yield change


def _folded(fates: Sequence[Fate]) -> Fate:
    """The verdict on an erratum, of the verdicts on its changes."""
    kinds = set(fates)
    if not kinds:
        return Fate.NO_CHANGE
    if Fate.APPLIES in kinds:
        return Fate.APPLIES if kinds <= {Fate.APPLIES, Fate.ALREADY} else Fate.IN_PART
    return next(fate for fate in (Fate.DIFFERS, Fate.ALREADY, Fate.ELSEWHERE) if fate in kinds)


def _decided(document: Mapping[str, Any], change: Sequence[Mapping[str, Any]]) -> tuple[Fate, tuple[Any, ...]]:
    """The verdict on one change, and its operations in the words of this document."""
    tests = {step["path"]: step["value"] for step in change if step["op"] == "test"}
    after = {step["path"]: step["value"] for step in change if step["op"] in ("add", "replace")}
    if all(_same(path, look_up(document, path, _NOTHING), value) for path, value in after.items()) and after:
        return Fate.ALREADY, ()
    steps: list[Mapping[str, Any]] = []
    for step in change:
        path = str(step["path"])
        here = look_up(document, path, _NOTHING)
        if step["op"] == "test":
            if here is _NOTHING:
                return Fate.ELSEWHERE, ()
            if not _same(path, here, step["value"]) and not _rests_on(path, here, step["value"], after.get(path)):
                return Fate.DIFFERS, ()
            steps.append({**step, "value": copy.deepcopy(here)})
        elif step["op"] == "replace" and path in tests and _names(here):
            steps.append({**step, "value": _renamed(here, tests[path], step["value"])})
        else:
            steps.append(step)
    return Fate.APPLIES, tuple(steps)


def _same(path: str, here: Any, value: Any) -> bool:
    """Return True if two values say the same in a place of a schema."""
    if here == value:
        return True
    if path.rpartition("/")[2] in _SETS:
        one, other = ([each] if isinstance(each, str) else each for each in (here, value))
        return isinstance(one, list) and isinstance(other, list) and _sorted(one) == _sorted(other)
    return False


def _sorted(items: Sequence[Any]) -> list[str]:
    return sorted(map(repr, items))


def _names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _rests_on(path: str, here: Any, before: Any, after: Any) -> bool:
    """Return True if a change of a set of names means the same for another set.

    It does where all names that it removes are there and none that it adds.
    """
    if path.rpartition("/")[2] not in _SETS or not all(_names(each) for each in (here, before, after)):
        return False
    removed, added = set(before) - set(after), set(after) - set(before)
    return removed <= set(here) and not added & set(here)


def _renamed(here: list[str], before: Any, after: Any) -> Any:
    """The names that are here, with those removed and added that the change removes and adds."""
    if not _names(before) or not _names(after):
        return after
    return [*(name for name in here if name in after or name not in before), *(n for n in after if n not in before)]
