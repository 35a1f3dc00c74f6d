"""What a target must do with a broken constraint: refuse it (MUST), probably refuse it (SHOULD), or either.

The default is SHOULD. MUST needs a ``[[refusal]]`` entry of the Spec, which names a source that says the service
refuses. Between the document's bound and the widest one that any source states, both outcomes are right.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from conformance.requests.case import Expect
from conformance.spec.spec import Spec
from conformance.verdict import Level

__all__ = ["Judgement", "Levels"]


@frozen
class Judgement:
    """The expected outcome of a request, how hard a deviation is judged, and why."""

    expect: Expect
    level: Level
    reason: str = ""


#: The note of a breach → why both outcomes are right.
_NOTES: Mapping[str, str] = {
    "between": "lies between two documented bounds",
    "float": "a whole number written with a fraction may be taken for an integer",
    "extra": "an unknown field may be ignored",
    "null": "null may be taken for absent",
}


@frozen
class Levels:
    """The ``[[refusal]]`` and ``[[widest]]`` entries of one operation."""

    spec: Spec = field(repr=False)
    operation: str

    def widest(self, location: str, pointer: str) -> Mapping[str, Any]:
        """Keyword → the widest bound that any source states, for one field."""
        return {
            item.keyword: item.value
            for item in self.spec.widest
            if self._named(item.operations) and _same(item.pointer, location, pointer)
        }

    def judge(self, location: str, pointer: str, keyword: str, note: str = "") -> Judgement:
        """The judgement of a request that breaks ``keyword`` at ``pointer`` (a pattern such as ``/messages/*/role``).

        ``note`` is that of the breach: ``between``, ``float``, ``extra`` and ``null`` have judgements of their own.
        """
        if note in ("between", "float", "extra", "null"):
            # A source may say that null is refused; the other notes leave both outcomes open by themselves.
            exact = self._refusal(location, pointer, keyword) if note == "null" else None
            if exact is None:
                return Judgement(Expect.EITHER, Level.SHOULD, _NOTES[note])
            return exact
        return self._refusal(location, pointer, keyword) or Judgement(Expect.REJECT, Level.SHOULD)

    def disputed(self, location: str, pointer: str, keyword: str) -> str:
        """Why a value at the edge of a bound may be refused too; "" if the bound is undisputed.

        A dispute about a minimum size concerns only smaller sizes, so a value exactly at the minimum is never disputed.
        """
        if keyword in ("minItems", "minLength", "minProperties"):
            return ""
        found = self._refusal(location, pointer, keyword)
        return found.reason if found is not None and found.expect is Expect.EITHER else ""

    def _refusal(self, location: str, pointer: str, keyword: str) -> Judgement | None:
        """The judgement by the ``[[refusal]]`` entry that fits best, or None if there is none."""
        found = [
            item
            for item in self.spec.refusals
            if self._named(item.operations)
            and item.keyword in ("*", keyword)
            and (_same(item.pointer, location, pointer) or _covers(item.pointer, item.keyword, location, pointer))
        ]
        if not found:
            return None
        # An entry for this keyword counts more than one for all keywords.
        exact = next((item for item in found if item.keyword == keyword), found[-1])
        expect = Expect.EITHER if exact.expect == "either" else Expect.REJECT
        return Judgement(expect, Level(exact.level), f"{exact.id}: {exact.source}" if expect is Expect.EITHER else "")

    def _named(self, operations: tuple[str, ...]) -> bool:
        """Return True if an entry is about this operation."""
        return self.operation in operations or "*" in operations


def _same(written: str, location: str, pointer: str) -> bool:
    """Return True if the pointer of an entry names the field. ``query:limit`` names a query parameter; ``/tools/0`` any
    tool.
    """
    place, _, rest = written.partition(":")
    if place in ("query", "header", "path"):
        return place == location and rest.strip("/") == pointer.strip("/")
    return location == "body" and re.sub(r"/\d+(?=/|$)", "/*", written) == pointer


def _covers(written: str, keyword: str, location: str, pointer: str) -> bool:
    """Return True if an entry for all keywords names a field that contains this one."""
    return keyword == "*" and location == "body" and pointer.startswith(written + "/")
