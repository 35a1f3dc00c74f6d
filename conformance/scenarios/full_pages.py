"""A list with more objects than a page may hold: the default and the greatest page, full. On the emulator only.

A hundred objects are too many for somebody's account; off loopback nothing is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from conformance.requests.case import Case
from conformance.requests.profile import Profile
from conformance.scenarios.resource_kinds import Kind, kind
from conformance.scenarios.scenario import Scenario, Script, Settings
from conformance.scenarios.steps import call, create, prepared
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec

#: One more than the greatest page holds.
CROWD = 101

#: Objects created in one step.
TOGETHER = 25

#: Kinds that cost nothing to have many of: one in the account's list, one below a parent.
CROWDED = ("assistant", "vector_store", "message")


def scenarios_for(spec: Spec) -> Iterator[Scenario]:
    """One crowd for each of these kinds, in the exhaustive profile."""
    for name in CROWDED:
        item = kind(name)
        if item.has(spec, "create", "list"):
            yield Scenario(
                id=f"crowds.{item.prefix}",
                operations=(item.operation("create"), item.operation("list")),
                script=_script(item),
                doc=f"More {item.prefix} than a page holds.",
                requests=CROWD + 8,
                resource=item.resource,
                profiles=(Profile.EXHAUSTIVE,),
                module=__name__,
            )


def _script(item: Kind) -> Callable[[Spec, Settings], Script]:
    def script(spec: Spec, settings: Settings) -> Script:
        name = f"crowds.{item.prefix}"
        if not settings.loopback:
            return
        ready = yield from prepared(spec, item, name, settings)
        if ready is None:
            return
        numbers = list(range(CROWD))
        while numbers:
            step, numbers = numbers[:TOGETHER], numbers[TOGETHER:]
            names = [f"{item.name}.{number}" for number in step]
            yield tuple(create(spec, item, n, ready.above, ready.known).at(name, f"create.{n}") for n in names)

        def page(role: str, **query: object) -> Case:
            known = ready.known
            return call(spec, item.operation("list"), *ready.above, role=role, query=query, known=known).at(name, role)

        limit = operations_of(spec)[item.operation("list")].parameter("query", "limit")
        greatest = spec.deref(limit.schema).get("maximum", 100) if limit else 100
        yield (page("crowd.default"), page("crowd.greatest", limit=greatest))

    return script
