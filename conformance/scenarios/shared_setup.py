"""Objects that several corpora of a small run share: what one operation creates, the requests of others read. Pure.

A small profile sends few requests to each operation. Most need an object first; if each corpus created its own,
creating would take more requests than all the rest. So a corpus uses what the corpus of the creating operation
has made, unless its own request removes or stops the object, or the object serves one request only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property

from attrs import field, frozen

from conformance.corpus.corpus import OperationCorpus
from conformance.requests.case import ENDS, Case, Expect, body_to_json
from conformance.requests.wire import placeholders
from conformance.scenarios.scenario import Given
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec

__all__ = ["SharedSetup"]


def _same(one: Case) -> tuple[object, ...]:
    """What two requests must have in common to create the same kind of object."""
    return (one.operation, tuple(one.path_params.items()), one.query, one.headers, repr(body_to_json(one.body)))


@frozen(slots=False, eq=False)
class SharedSetup:
    """Which objects the corpora of some operations share."""

    spec: Spec = field(repr=False)
    parts: Mapping[str, OperationCorpus] = field(repr=False)
    _known: dict[str, Mapping[str, Given]] = field(factory=dict, repr=False, init=False)

    @classmethod
    def of(cls, spec: Spec, parts: Iterable[OperationCorpus]) -> SharedSetup:
        """The objects that these corpora share."""
        return cls(spec, {part.operation: part for part in parts})

    @cached_property
    def _makers(self) -> Mapping[tuple[object, ...], Given]:
        """The cases that create something, by what they send. Those with an object for each request are left out."""
        return {
            _same(case): Given(f"corpus.{part.operation}", case.id, next(iter(case.creates)))
            for part in self.parts.values()
            if not part.fresh
            for case in part.cases
            if case.creates and case.expect is Expect.ACCEPT and not case.role.startswith("probe.")
        }

    def given(self, operation: str) -> Mapping[str, Given]:
        """The objects that the corpus of an operation takes from others, by placeholder."""
        if operation not in self._known:
            self._known[operation] = {}  # a corpus that needs what it creates itself shares nothing
            self._known[operation] = self._shared(self.parts[operation])
        return self._known[operation]

    def left(self, operation: str) -> tuple[Case, ...]:
        """The set-up cases that are still needed, in their order."""
        part, given = self.parts[operation], self.given(operation)
        needed = self._needed(part, set(given)) - set(given)
        return tuple(case for case in part.setup if set(case.creates) & needed)

    def _needed(self, part: OperationCorpus, given: set[str]) -> set[str]:
        """The objects that a corpus needs if some are given: those that its cases name, and what creates these names.

        What each request gets anew need not be there before.
        """
        anew = {name for case in part.fresh for name in case.creates}
        asking = [case for case in part.cases if case.expect is Expect.REJECT or case.role.startswith("probe.")]
        needed = self._named(part.cases, part) - (anew - self._named(asking, part))
        for case in reversed(part.setup):
            if set(case.creates) & (needed - given):
                needed |= self._named((case,), part)
        return needed

    def _named(self, cases: Iterable[Case], part: OperationCorpus) -> set[str]:
        """The objects that requests name and that the set-up creates."""
        made = {name for case in part.setup for name in case.creates}
        return {name for case in cases for name in placeholders(case)} & made

    def _shared(self, part: OperationCorpus) -> dict[str, Given]:
        own = self._own(part)
        last = {name: case for case in part.setup for name in case.creates}
        found = {name: self._makers.get(_same(case)) for name, case in last.items() if name not in own}
        taken = {
            name: one for name, one in found.items() if one is not None and one.scenario != f"corpus.{part.operation}"
        }
        while True:
            needed = self._needed(part, set(taken))
            # An object lies inside others. All of them must be those inside which the other corpus created it.
            apart = [
                name
                for name, one in taken.items()
                for outer in self._named((last[name],), part) & needed - {name}
                if outer not in taken or self.given(one.scenario.removeprefix("corpus.")).get(outer) != taken[outer]
            ]
            if not apart:
                return {name: one for name, one in taken.items() if name in needed}
            for name in apart:
                taken.pop(name, None)

    def _own(self, part: OperationCorpus) -> set[str]:
        """The objects that a corpus must have for itself: its request removes or stops them, or they serve once."""
        known = operations_of(self.spec)
        operation = known[part.operation]
        once = {name for case in part.setup for name in known[case.operation].facts.fresh} | set(operation.facts.fresh)
        if operation.method == "DELETE" or operation.path.endswith(ENDS):
            for case in part.cases:
                texts = list(case.path_params.values())[-1:]
                once |= {name for name in self._named(part.cases, part) if any("{" + name + "}" in t for t in texts)}
        return once
