"""Lifecycles: create, get, list, modify, get, delete, get again (404), delete again; for every kind with these
operations.

A second object exists beside the first, and must not change. Kinds below a parent get a second parent, which must not
list the object.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import Any

from attrs import frozen

from conformance.evidence.exchange import Exchange
from conformance.requests.case import Case, Expect
from conformance.scenarios.cursors import LARGEST, Place
from conformance.scenarios.lists import ids_of
from conformance.scenarios.resource_kinds import Kind, main_kinds
from conformance.scenarios.scenario import Scenario, Script, Settings, Step
from conformance.scenarios.steps import (
    IMPOSSIBLE,
    Prerequisites,
    answer_of,
    call,
    create,
    created_id,
    path_names,
    poll,
    prepared,
    request_body,
)
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec

#: Large pages that are looked at for an object in a list that others fill, at most.
MOST_FURTHER = 5

#: Upper bound of the requests of one lifecycle, polls and removal included.
REQUESTS = 30


def scenarios_for(spec: Spec) -> Iterator[Scenario]:
    """One lifecycle for each kind that can be created and read."""
    for item in main_kinds():
        if item.has(spec, "create", "get"):
            verbs = [verb for verb in ("create", "get", "list", "modify", "delete") if item.has(spec, verb)]
            yield Scenario(
                id=f"lifecycle.{item.prefix}",
                operations=tuple(item.operation(verb) for verb in verbs),
                script=_script(item),
                doc=f"One {item.name} is created, read, listed, modified and deleted, as far as the version can.",
                requests=REQUESTS,
                pages=MOST_FURTHER,
                tokens=item.tokens * 2,
                resource=item.resource,
                expensive=item.expensive,
                module=__name__,
            )


@frozen
class _Lifecycle:
    """What every step of one lifecycle needs: the kind, the prerequisites and the known ids."""

    spec: Spec
    item: Kind
    ready: Prerequisites
    known: dict[str, str]

    def case(self, verb: str, role: str, *ids: str, expect: Expect = Expect.ACCEPT, body: Any = None) -> Case:
        """A case of one operation of the kind."""
        operation = self.item.operation(verb)
        query = self.item.newest if verb == "list" else None
        made = call(self.spec, operation, *ids, role=role, query=query, body=body, known=self.known, expect=expect)
        return made.at(f"lifecycle.{self.item.prefix}", role)

    def on(self, verb: str, role: str, *, expect: Expect = Expect.ACCEPT, body: Any = None) -> Case:
        """A case on the first object."""
        return self.case(verb, role, *self.ready.above, f"{{{self.item.name}}}", expect=expect, body=body)

    def numbered(self, verb: str, role: str) -> Callable[[int], Case]:
        """A function that makes the n-th case of a poll. A poll as a whole is judged, so each answer may be a
        refusal.
        """

        def look(number: int) -> Case:
            step = f"{role}.{number}" if number else role
            name = f"lifecycle.{self.item.prefix}"
            if verb == "list":
                return self.case(verb, role, *self.ready.above).at(name, step)
            return self.on(verb, role, expect=Expect.EITHER).at(name, step)

        return look

    def has(self, verb: str) -> bool:
        """Return True if the version has the operation."""
        return self.item.has(self.spec, verb)


def _script(item: Kind) -> Callable[[Spec, Settings], Script]:
    """The script of one kind's lifecycle."""

    def script(spec: Spec, settings: Settings) -> Script:
        name = f"lifecycle.{item.prefix}"
        ready = yield from prepared(spec, item, name, settings, 2, second=True)
        if ready is None:
            return
        first = create(spec, item, item.name, ready.above, ready.for_object(item, 0)).at(name, "create")
        second = create(
            spec, item, f"{item.name}.second", ready.above, ready.for_object(item, 1), role="create-second", bare=True
        ).at(name, "create-second")
        answers = yield (first, second)
        made = [created_id(exchange, item.creates) for exchange in answers]
        if made[0] is None:
            return
        known = {**ready.known, item.name: made[0], **({f"{item.name}.second": made[1]} if made[1] else {})}
        life = _Lifecycle(spec, item, ready, known)
        # A service may need a moment until a new object can be read.
        seen = yield from poll(life.numbered("get", "get"), lambda x: x.ok, settings, settings.read_after_write)
        if not seen.ok:
            return
        looks = tuple(_looks(life, with_second=made[1] is not None))
        answers = yield looks
        listed = next((seen for case, seen in zip(looks, answers, strict=True) if case.role == "list"), None)
        crowded = listed is not None and _cut_short(listed, made[0])
        if crowded:
            yield from _further(life, "list.more")
        yield from _changed(life, settings)
        yield from _ended(life, settings, with_second=made[1] is not None, crowded=crowded)

    return script


def _cut_short(exchange: Exchange, id: str) -> bool:
    """True if a page lacks an object and says that more follows: others may have created newer ones."""
    return id not in ids_of(exchange) and answer_of(exchange).get("has_more") is True


def _further(life: _Lifecycle, role: str) -> Generator[Step, tuple[Exchange, ...], None]:
    """Ask for the largest pages of the list, until one shows the object or the list ends, a few at most."""
    operation, own = life.item.operation("list"), life.known[life.item.name]
    if not {"limit", "after"} <= {p.name for p in operations_of(life.spec)[operation].parameters}:
        return
    place = Place(frozenset({own}))
    for number in range(1, MOST_FURTHER + 1):
        after = place.after
        query = {**(life.item.newest or {}), "limit": LARGEST, **({"after": "{cursor}"} if after else {})}
        known = {**life.known, **({"cursor": after} if after else {})}
        ids = life.ready.above
        case = call(life.spec, operation, *ids, role=role, query=query, known=known, expect=place.expect)
        (exchange,) = yield (case.at(f"lifecycle.{life.item.prefix}", f"{role}.{number}"),)
        if place.lost(exchange):
            continue
        shown = ids_of(exchange)
        if not shown or not _cut_short(exchange, own):
            return
        place.shown(shown)


def _looks(life: _Lifecycle, *, with_second: bool) -> Iterator[Case]:
    """Yield reads of the second object, of an unknown id, of the list, and of the object under the other parent."""
    item, ready = life.item, life.ready
    if with_second:
        yield life.case("get", "get-second", *ready.above, f"{{{item.name}.second}}")
    operation = operations_of(life.spec)[item.operation("get")]
    # With the prefix of real ids, so that the id is refused because nothing has it and not for its form.
    unknown = _impossible(path_names(operation)[-1], life.known[item.name])
    yield life.case("get", "get-unknown", *ready.above, unknown, expect=Expect.EITHER)
    if life.has("list"):
        yield life.case("list", "list", *ready.above)
    if ready.other:
        yield life.case("get", "get-foreign", *ready.other, f"{{{item.name}}}", expect=Expect.EITHER)
        if life.has("list"):
            yield life.case("list", "list-foreign", *ready.other)


def _impossible(parameter: str, real: str) -> str:
    """An id with the prefix of a real one (``asst_``, ``file-``) that no object has."""
    head = next((real[: place + 1] for place, char in enumerate(real) if char in "_-"), "")
    return f"{head}{IMPOSSIBLE}" if head else IMPOSSIBLE


def _changed(life: _Lifecycle, settings: Settings) -> Generator[Step, tuple[Exchange, ...], None]:
    """Modify the object and poll until reading it shows the new values."""
    item = life.item
    if not (life.has("modify") and item.change):
        return
    body = request_body(life.spec, item.operation("modify"), item.change)
    (changed,) = yield (life.on("modify", "modify", body=body),)
    if changed.ok:
        texts = {key: value for key, value in body.items() if isinstance(value, str)}

        # Only texts are compared here: objects may come back with defaults added.
        def shows(seen: Exchange) -> bool:
            value = seen.response.json if seen.ok and seen.response else None
            return isinstance(value, dict) and all(value.get(key) == text for key, text in texts.items())

        yield from poll(life.numbered("get", "modified"), shows, settings, settings.read_after_write)


def _ended(
    life: _Lifecycle, settings: Settings, *, with_second: bool, crowded: bool
) -> Generator[Step, tuple[Exchange, ...], None]:
    """Delete the object, poll until it is neither readable nor listed, and delete it again.

    In a ``crowded`` list the first page would not have shown it before either, so further ones are looked at.
    """
    item, gone_id = life.item, life.known[life.item.name]
    if not life.has("delete"):
        return
    if item.upload is None:
        (gone,) = yield (life.on("delete", "delete"),)
    else:  # a file that is still processed may refuse to go
        gone = yield from poll(life.numbered("delete", "delete"), lambda x: x.ok, settings, settings.read_after_write)
    # Without a deletion there is nothing to look for; the failed step is reported by itself.
    if not gone.ok:
        return

    def missing(seen: Exchange) -> bool:
        return seen.status is not None and 400 <= seen.status < 500

    def unlisted(seen: Exchange) -> bool:
        return gone_id not in ids_of(seen)

    yield from poll(life.numbered("get", "deleted"), missing, settings, settings.read_after_write)
    if life.has("list"):
        yield from poll(life.numbered("list", "list-after"), unlisted, settings, settings.read_after_write)
        if crowded:
            yield from _further(life, "list-later")
    after = [life.on("delete", "delete-again", expect=Expect.EITHER)]
    if with_second:
        after.append(life.case("get", "get-second-after", *life.ready.above, f"{{{item.name}.second}}"))
    yield tuple(after)
