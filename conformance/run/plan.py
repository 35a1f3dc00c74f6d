"""What a run will send and what it may cost at most, computed before anything is sent."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import frozen

from conformance.requests.case import Case, Expect, Family
from conformance.scenarios.scenario import Scenario
from conformance.spec.spec import Spec
from conformance.target.created import removal
from conformance.target.guards import with_undo
from conformance.target.preflight import probes

__all__ = ["Line", "Plan", "plan"]


@frozen
class Line:
    """The number of requests of one family of one resource, and upper limits of its tokens, images and seconds of
    media.
    """

    resource: str
    family: str
    requests: int = 0
    tokens: int = 0
    images: int = 0
    seconds: float = 0.0

    def __add__(self, other: Line) -> Line:
        return Line(
            self.resource,
            self.family,
            self.requests + other.requests,
            self.tokens + other.tokens,
            self.images + other.images,
            self.seconds + other.seconds,
        )

    def times(self, number: int) -> Line:
        """The line of everything sent ``number`` times: the upper bound if each scenario is repeated."""
        return Line(
            self.resource,
            self.family,
            self.requests * number,
            self.tokens * number,
            self.images * number,
            self.seconds * number,
        )


@frozen
class Plan:
    """The lines by resource and family, and the requests of each expensive kind that is not allowed.

    ``pages`` are further requests at most, in lists of the account that others fill.
    """

    lines: tuple[Line, ...]
    expensive: tuple[tuple[str, int], ...] = ()
    pages: int = 0

    @property
    def total(self) -> Line:
        """The sum of all lines."""
        made = Line("all", "all")
        for line in self.lines:
            made = made + line
        return made


def _of(case: Case, resource: str, family: str) -> Line:
    """The cost of one case, without the removal of what it creates."""
    return Line(resource, family, 1, case.cost.tokens, case.cost.images, case.cost.seconds)


def _removed(spec: Spec, cases: Iterable[Case]) -> int:
    """How many requests remove what some cases create, at a target that refuses what it must refuse."""
    return sum(removal(spec, with_undo(case, spec)) for case in cases if case.expect is not Expect.REJECT)


def plan(
    spec: Spec,
    scenarios: Iterable[Scenario],
    *,
    capabilities: Iterable[str] = (),
    allowed: Iterable[str] | None = None,
) -> Plan:
    """The plan of some scenarios, with the preflight before them and the removal after them.

    ``capabilities`` are those of the deployments. ``allowed`` are the expensive kinds that may be sent; None allows all
    (an emulator). Requests that aren't allowed are counted only in ``expensive``.
    """
    permitted = None if allowed is None else frozenset(allowed)
    lines: dict[tuple[str, str], Line] = {}
    expensive: dict[str, int] = {}

    def add(line: Line) -> None:
        key = (line.resource, line.family)
        lines[key] = lines[key] + line if key in lines else line

    pages = 0
    add(Line("all", "preflight", len(probes(spec, frozenset(capabilities)))))
    for each in scenarios:
        kinds = {case.expensive for case in each.cases if case.expensive} | ({each.expensive} - {""})
        for kind in kinds:
            expensive[kind] = expensive.get(kind, 0) + (
                sum(case.expensive == kind for case in each.cases) if each.cases else each.requests
            )
        if not each.cases:
            if permitted is None or not each.expensive or each.expensive in permitted:
                add(Line(each.resource, Family.SCENARIO, each.requests, each.tokens))
                pages += each.pages
            continue
        sent = [c for c in each.cases if permitted is None or not c.expensive or c.expensive in permitted]
        for case in sent:
            add(_of(case, each.resource, case.family))
        for family, requests in (("setup", len(each.setup)), ("removal", _removed(spec, (*each.setup, *sent)))):
            if requests:
                add(Line(each.resource, family, requests))
    ordered = tuple(lines[key] for key in sorted(lines))
    return Plan(ordered, tuple(sorted(expensive.items())), pages)
