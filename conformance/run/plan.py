"""What a run will send and what it may cost at most, computed before anything is sent."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import frozen

from conformance.requests.case import Case, Family
from conformance.scenarios.scenario import Scenario

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
    """The lines by resource and family, and the requests of each expensive kind that is not allowed."""

    lines: tuple[Line, ...]
    expensive: tuple[tuple[str, int], ...] = ()

    @property
    def total(self) -> Line:
        """The sum of all lines."""
        made = Line("all", "all")
        for line in self.lines:
            made = made + line
        return made


def _of(case: Case, resource: str, family: str) -> Line:
    """The cost of one case. Its undo is one more request."""
    requests = 1 + (1 if case.undo is not None else 0)
    return Line(resource, family, requests, case.cost.tokens, case.cost.images, case.cost.seconds)


def plan(scenarios: Iterable[Scenario], *, allowed: Iterable[str] | None = None) -> Plan:
    """The plan of some scenarios.

    ``allowed`` are the expensive kinds that may be sent; None allows all (an emulator). Requests that aren't
    allowed are counted only in ``expensive``.
    """
    permitted = None if allowed is None else frozenset(allowed)
    lines: dict[tuple[str, str], Line] = {}
    expensive: dict[str, int] = {}

    def add(line: Line) -> None:
        key = (line.resource, line.family)
        lines[key] = lines[key] + line if key in lines else line

    for each in scenarios:
        kinds = {case.expensive for case in each.cases if case.expensive} | ({each.expensive} - {""})
        for kind in kinds:
            expensive[kind] = expensive.get(kind, 0) + (
                sum(case.expensive == kind for case in each.cases) if each.cases else each.requests
            )
        if not each.cases:
            if permitted is None or not each.expensive or each.expensive in permitted:
                add(Line(each.resource, Family.SCENARIO, each.requests, each.tokens))
            continue
        for case in each.cases:
            if permitted is None or not case.expensive or case.expensive in permitted:
                add(_of(case, each.resource, case.family))
        extra = each.requests - len(each.cases)
        if extra:
            add(Line(each.resource, "setup", 2 * extra))
    ordered = tuple(lines[key] for key in sorted(lines))
    return Plan(ordered, tuple(sorted(expensive.items())))
