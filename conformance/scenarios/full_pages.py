"""Lists with more objects than one page holds: the default page and the largest page, both full.

A hundred objects are too many to create in somebody's account, so nothing is sent to a live target.
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

#: The number of objects: one more than the largest documented page.
MANY = 101

#: The number of objects created in one step.
PER_STEP = 25

#: Kinds that are cheap to create: two in lists of the account, one in a list below a parent.
KIND_NAMES = ("assistant", "vector_store", "message")


def scenarios_for(spec: Spec) -> Iterator[Scenario]:
    """One scenario for each of these kinds, in the exhaustive profile."""
    for name in KIND_NAMES:
        item = kind(name)
        if item.has(spec, "create", "list"):
            yield Scenario(
                id=f"crowds.{item.prefix}",
                operations=(item.operation("create"), item.operation("list")),
                script=_script(item),
                doc=f"More {item.prefix} than fit on one page: the default and the largest page must be full.",
                requests=3 * MANY + 8,  # each is created, deleted and looked for
                resource=item.resource,
                profiles=(Profile.EXHAUSTIVE,),
                module=__name__,
            )


def _script(item: Kind) -> Callable[[Spec, Settings], Script]:
    """The script for one kind: create the objects, then ask for the default page and for the largest one."""

    def script(spec: Spec, settings: Settings) -> Script:
        name = f"crowds.{item.prefix}"
        # Checked here and not in the registry, which doesn't know the target.
        if settings.live:
            return
        ready = yield from prepared(spec, item, name, settings)
        if ready is None:
            return
        numbers = list(range(MANY))
        while numbers:
            step, numbers = numbers[:PER_STEP], numbers[PER_STEP:]
            names = [f"{item.name}.{number}" for number in step]
            yield tuple(create(spec, item, n, ready.above, ready.known).at(name, f"create.{n}") for n in names)

        def page(role: str, **query: object) -> Case:
            known = ready.known
            return call(spec, item.operation("list"), *ready.above, role=role, query=query, known=known).at(name, role)

        limit = operations_of(spec)[item.operation("list")].parameter("query", "limit")
        greatest = spec.deref(limit.schema).get("maximum", 100) if limit else 100
        yield (page("crowd.default"), page("crowd.greatest", limit=greatest))

    return script
