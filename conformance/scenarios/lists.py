"""Cursor laws: five objects of our own, walked two at a time in both orders, within our own window of the list.

A list of the whole account may hold ten thousand objects of other people. The walk begins at one of our own objects
and ends when all of ours were seen, when a page shows an object older than ours, or after a fixed number of pages.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import Any

from conformance.cases import Case, Expect
from conformance.exchange import Exchange
from conformance.operations import operations_of
from conformance.scenario import Profile, Scenario, Script, Settings, Step
from conformance.scenarios.kinds import KINDS, Kind
from conformance.scenarios.steps import call, create, create_parents, created_id
from conformance.spec import Spec

#: Objects that a walk creates, and how many it asks for at a time.
OBJECTS = 5
PAGE = 2

#: Pages of one walk at the most: ours, and as many again for objects that others create meanwhile.
MOST_PAGES = 8

#: A cursor in the form of an id that no object has.
NO_OBJECT = "conformance_no_such_object"


def scenarios_for(spec: Spec) -> Iterator[Scenario]:
    """One walk for each kind whose list has ``limit`` and ``after``."""
    for item in KINDS:
        if item.has(spec, "create", "list") and {"limit", "after"} <= _parameters(spec, item):
            verbs = [verb for verb in ("create", "list", "delete") if item.has(spec, verb)]
            yield Scenario(
                id=f"lists.{item.prefix}",
                operations=tuple(item.operation(verb) for verb in verbs),
                script=_script(item),
                doc=f"Walks over the list of {item.prefix}.",
                requests=OBJECTS * 2 + 2 * MOST_PAGES + 10,
                tokens=item.tokens * OBJECTS,
                resource=item.prefix.split(".", maxsplit=1)[0],
                profiles=Profile.ALL[1:],
                expensive=item.expensive,
                module=__name__,
            )


def _parameters(spec: Spec, item: Kind) -> frozenset[str]:
    operation = operations_of(spec)[item.operation("list")]
    return frozenset(parameter.name for parameter in operation.parameters if parameter.location == "query")


def _script(item: Kind) -> Callable[[Spec, Settings], Script]:
    def script(spec: Spec, settings: Settings) -> Script:  # noqa: ARG001 - all scripts share one signature
        name = f"lists.{item.prefix}"
        known = yield from create_parents(spec, item, name)
        if known is None:
            return
        above = tuple(f"{{{key}}}" for key in known)
        ids: list[str] = []
        for number in range(1, OBJECTS + 1):
            case = create(spec, item, f"{item.name}.{number}", above, known).at(name, f"create.{number}")
            (exchange,) = yield (case,)
            made = created_id(exchange, item.creates)
            if made is None:
                return
            ids.append(made)
        known = {**known, **{f"{item.name}.{number}": made for number, made in enumerate(ids, start=1)}}
        parameters = _parameters(spec, item)

        def page(role: str, step: str, **query: object) -> Case:
            wanted = {key: value for key, value in query.items() if key in parameters}
            return call(spec, item.operation("list"), *above, role=role, query=wanted, known=known).at(name, step)

        yield (page("list.default", "default"),)
        yield (page("list.limit", "limit-1", limit=1), page("list.limit", "limit-100", limit=100))
        if "order" in parameters:
            own = [f"{{{item.name}.{number}}}" for number in range(1, OBJECTS + 1)]
            yield from _walk(page, "walk.asc", own[0], "asc", set(ids[1:]))
            yield from _walk(page, "walk.desc", own[-1], "desc", set(ids[:-1]))
            yield (page("walk.asc.again", "walk.asc.again", limit=PAGE, order="asc", after=own[0]),)
            if "before" in parameters:
                yield (page("list.before", "before", limit=PAGE, order="asc", before=own[-1]),)
                yield (page("list.both", "both", limit=PAGE, order="asc", after=own[0], before=own[-1]),)
        unknown = call(
            spec,
            item.operation("list"),
            *above,
            role="list.unknown-cursor",
            query={"after": NO_OBJECT},
            known=known,
            expect=Expect.EITHER,
        )
        yield (unknown.at(name, "unknown-cursor"),)

    return script


def _walk(
    page: Callable[..., Case], role: str, start: str, order: str, missing: set[str]
) -> Generator[Step, tuple[Exchange, ...], None]:
    """Follow ``after`` from one of our objects until the others were seen and one page more, or the list ends."""
    after, beyond = start, 0
    for number in range(1, MOST_PAGES + 1):
        case = page(role, f"{role}.{number}", limit=PAGE, order=order, after="{cursor}")
        (exchange,) = yield (case.bind(cursor=case.bindings.get(after.strip("{}"), after)),)
        value: Any = exchange.response.json if exchange.ok and exchange.response else None
        data = value.get("data") if isinstance(value, dict) else None
        ids = [entry.get("id") for entry in data if isinstance(entry, dict)] if isinstance(data, list) else []
        missing = missing - set(ids)
        beyond += not missing
        if not ids or not isinstance(ids[-1], str) or not value.get("has_more") or beyond > 1:
            return
        after = ids[-1]
