"""Pagination scenarios: a few objects of our own are walked with cursors, in both orders and with small pages.

A list of the whole account may contain thousands of objects of other people. A walk there begins at one of our objects
and ends when all of ours were seen, or after a fixed number of pages. The list below a parent that we created contains
only our objects and is walked from its beginning.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from itertools import count
from typing import Any

from attrs import field, frozen

from conformance.evidence.exchange import Exchange
from conformance.requests.case import Case, Expect
from conformance.requests.ordering import order_words
from conformance.requests.profile import Profile
from conformance.scenarios.cursors import LARGEST, Place
from conformance.scenarios.resource_kinds import Kind, main_kinds
from conformance.scenarios.scenario import Scenario, Script, Settings, Step, Wait
from conformance.scenarios.steps import answer_of, call, create, created_id, prepared
from conformance.scenarios.together import Part, together
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec

__all__ = ["ANOTHER_SECOND", "MOST_PAGES", "OBJECTS", "PAGE", "Listing", "Objects", "ids_of", "listing", "walked"]

#: How many objects a walk creates, and how many it asks for per page.
OBJECTS = 5
PAGE = 2

#: Pages of one walk over an account's list, at most: ours, and room for what others create meanwhile.
MOST_PAGES = 60

#: Pages of each part of a walk through a changing list, at most, and how many of them may be small.
MOST_CHANGING, SMALL_CHANGING = 12, 3

#: The pause between the older and the newer objects, so that ``created_at`` (whole seconds) differs.
ANOTHER_SECOND = Wait(1.1, apart=True)

#: The numbers of the objects that a walk creates, by steps. The oldest one and the two newest ones have their places
#: for certain; nothing depends on the order of those between them.
_CREATIONS = ((0,), (1, 2), (3,), (4,))

#: A cursor that no object has as its id.
NO_OBJECT = "conformance_no_such_object"


@frozen
class Objects:
    """The objects of a list, oldest first. ``own`` is True if the list can't contain any others.

    ``known`` are ids by placeholder; ``above`` the placeholders of the parents' ids in the path.
    """

    ids: tuple[str, ...]
    known: Mapping[str, str] = field(factory=dict)
    above: tuple[str, ...] = ()
    own: bool = False
    #: ``more(role)`` creates another object, ``remove(index)`` deletes one; None where that isn't possible.
    more: Callable[[str], Case] | None = None
    remove: Callable[[int], Case] | None = None


@frozen
class Listing:
    """A list operation, the generator that creates its objects, and the page size of the walks."""

    operation: str
    make: Callable[[Spec, Settings, str], Generator[Step, tuple[Exchange, ...], Objects | None]] = field(repr=False)
    page: int = PAGE

    @property
    def name(self) -> str:
        """The scenario's id."""
        stem, _, verb = self.operation.rpartition(".")
        return f"lists.{stem}" if verb == "list" else f"lists.{self.operation}"


def listing(spec: Spec, item: Listing, doc: str, *, requests: int = 70, tokens: int = 0, **more: Any) -> Scenario:
    """The scenario that walks the list of a :class:`Listing`."""
    operations = more.pop("operations", (item.operation,))

    def script(spec: Spec, settings: Settings) -> Script:
        yield from walked(spec, settings, item)

    return Scenario(
        id=item.name,
        operations=operations,
        script=script,
        doc=doc,
        requests=requests,
        tokens=tokens,
        resource=item.operation.split(".", maxsplit=1)[0],
        profiles=Profile.WHOLE,
        module=__name__,
        **more,
    )


def scenarios_for(spec: Spec) -> Iterator[Scenario]:
    """One walk for each list that has ``limit`` and ``after``, with objects of the first kind that it lists."""
    for item in main_kinds():
        if item.has(spec, "create", "list") and {"limit", "after"} <= parameters(spec, item.operation("list")):
            verbs = [verb for verb in ("create", "list", "delete") if item.has(spec, verb)]
            yield listing(
                spec,
                Listing(item.operation("list"), _maker(item)),
                f"Walks over the list of {item.prefix}.",
                # An account's list also holds what the run's other scenarios create meanwhile.
                requests=70 if item.parent else 100,
                pages=0 if item.parent else 2 * MOST_PAGES,
                tokens=item.tokens * (OBJECTS + 1),
                operations=tuple(item.operation(verb) for verb in verbs),
                expensive=item.expensive,
            )


def parameters(spec: Spec, operation: str) -> frozenset[str]:
    """The names of an operation's query parameters."""
    return frozenset(p.name for p in operations_of(spec)[operation].parameters if p.location == "query")


def _maker(item: Kind) -> Any:
    """A maker for :class:`Listing` that creates objects of a kind, with a pause in the middle."""

    def make(spec: Spec, settings: Settings, name: str) -> Generator[Step, tuple[Exchange, ...], Objects | None]:
        # One more than the walk needs, for the object that is created during it.
        ready = yield from prepared(spec, item, name, settings, OBJECTS + 1)
        if ready is None:
            return None
        ids: list[str] = []
        times: set[int] = set()
        for numbers in _CREATIONS:
            names = [f"{item.name}.{number}" for number in numbers]
            cases = [
                create(spec, item, one, ready.above, ready.for_object(item, number)).at(name, f"create.{number}")
                for one, number in zip(names, numbers, strict=True)
            ]
            answers = yield tuple(cases)
            made = [id for seen in answers if (id := created_id(seen, item.creates)) is not None]
            if len(made) < len(numbers):
                return None
            ids += made
            stamps = (answer_of(seen).get("created_at") for seen in answers)
            times |= {one for one in stamps if isinstance(one, int)}
            # The objects need two creation times. Those of a slow target have them already. The others may be equal,
            # which tests the order of equals.
            if len(ids) == OBJECTS // 2 + 1 and len(times) < 2:
                yield ANOTHER_SECOND

        def more(role: str) -> Case:
            last = ready.for_object(item, OBJECTS)
            return create(spec, item, f"{item.name}.more", ready.above, last, role=role).at(name, role)

        def remove(index: int) -> Case:
            known = ready.with_ids(**{f"{item.name}.{index}": ids[index]})
            placeholders = (*ready.above, f"{{{item.name}.{index}}}")
            made = call(spec, item.operation("delete"), *placeholders, role="change.delete", known=known)
            return made.at(name, "change.delete")

        able = remove if item.has(spec, "delete") else None
        return Objects(tuple(ids), ready.known, ready.above, bool(ready.above), more, able)

    return make


def walked(spec: Spec, settings: Settings, item: Listing) -> Script:
    """Send every kind of page request that the operation documents."""
    name = item.name
    found = yield from item.make(spec, settings, name)
    if found is None or not found.ids:
        return
    known, words = parameters(spec, item.operation), order_words(spec, operations_of(spec)[item.operation])

    def page(role: str, step: str, expect: Expect = Expect.ACCEPT, **query: object) -> Case:
        wanted = {key: value for key, value in query.items() if key in known and value is not None}
        return call(spec, item.operation, *found.above, role=role, query=wanted, known=found.known, expect=expect).at(
            name, step
        )

    ids = found.ids
    # Pages that nothing else depends on. They begin with the third step and are spread over three: the walks beside
    # them send least then, and a step whose requests don't all find a sender takes two answers.
    alone: list[tuple[Case, ...]] = [
        (),
        (),
        (page("list.default", "default"), page("list.limit", "limit-1", limit=1)),
        # Whether a limit outside 1…100 is refused or cut is not documented; either way the answer must be sound.
        (page("list.limit", "limit-100", limit=100), page("list.bound", "limit-0", Expect.EITHER, limit=0)),
        (
            page("list.bound", "limit-101", Expect.EITHER, limit=101),
            page("list.unknown-cursor", "unknown-cursor", Expect.EITHER, after=NO_OBJECT),
        ),
    ]
    cursors: list[tuple[Case, ...]] = [()]
    if "before" in known and len(ids) > 1:
        before = _at(page("list.before", "before", limit=PAGE, order=words[1], before="{cursor}"), ids[-2])
        # With both cursors the page lies between two of our objects, so others can't be in doubt.
        both = page("list.both", "both", limit=PAGE, order=words[1], after="{cursor}", before="{other}")
        cursors.append((before, both.bind(cursor=ids[-1], other=ids[0])))
    # Four pages more than our objects fill: enough to see that a list does not end.
    most = len(ids) // item.page + 4 if found.own else MOST_PAGES
    #: What must be over before an object of ours is removed.
    looking: set[object] = set()
    if "order" in known:
        plans = [
            _WalkPlan(f"walk.{role}", order, None if found.own else start, frozenset(rest), found.own, most)
            for role, order, rest, start in (("asc", words[0], ids[1:], ids[0]), ("desc", words[1], ids[:-1], ids[-1]))
        ]
        # The same page twice: without changes in between it must be the same.
        again = [
            page("walk.again", f"walk.again-{number}", limit=item.page, order=words[0], after=_start(found))
            for number in (1, 2)
        ]
        cursor = None if found.own else ids[0]
        twice = _in_turn([(_at(case, cursor),) for case in again], looking)
        parts = [*(_walk(page, plan, item.page, looking) for plan in plans), twice, _in_turn(cursors, looking)]
    else:
        plan = _WalkPlan("walk.default", None, None, frozenset(ids), found.own, most)
        parts = [_walk(page, plan, item.page, looking), _in_turn(cursors, looking)]
    if found.more is not None and len(ids) >= OBJECTS and "order" in known:
        parts.append(_coming_and_going(page, found, words[1], looking))
    yield from together(*parts, _in_turn(alone, set()))


def _start(found: Objects) -> str | None:
    """The cursor that a walk begins after: none in our own list, else a placeholder for one of our objects."""
    return None if found.own else "{cursor}"


def _at(case: Case, cursor: str | None) -> Case:
    """The case with its cursor filled in, if it has one."""
    return case if cursor is None else case.bind(cursor=cursor)


def _page_of(exchange: Exchange) -> tuple[list[str], bool]:
    """The ids of a page, and whether it says that more follows."""
    value: Any = exchange.response.json if exchange.ok and exchange.response else None
    data = value.get("data") if isinstance(value, dict) else None
    ids = [str(one.get("id")) for one in data if isinstance(one, dict)] if isinstance(data, list) else []
    return ids, isinstance(value, dict) and value.get("has_more") is True


@frozen
class _WalkPlan:
    """One walk: its role and order, the object that it starts after, the objects that it must show, and its bounds.

    ``own`` is True if the list has only our objects; ``most`` is the largest number of pages.
    """

    role: str
    order: str | None
    start: str | None
    wanted: frozenset[str]
    own: bool = False
    most: int = 0


def ids_of(exchange: Exchange) -> list[str]:
    """The ids of a page."""
    return _page_of(exchange)[0]


def _in_turn(steps: Iterable[tuple[Case, ...]], looking: set[object]) -> Part:
    """Send some steps. Until the last one is answered, ``looking`` holds an object that stands for them."""
    token = object()
    looking.add(token)
    for step in steps:  # noqa: UP028 - a list of steps can't be sent the answers
        yield step
    looking.discard(token)


def _walk(page: Callable[..., Case], plan: _WalkPlan, limit: int, looking: set[object]) -> Part:
    """Follow ``after`` until all our objects were seen and one page more, or until the list ends. Until they were seen,
    ``looking`` holds the plan.

    In a list of the whole account a cursor may be somebody else's object, which may be deleted before the next request.
    Whether such a request succeeds is not judged, and the walk goes on after the object before it. What others create
    meanwhile may lie between our objects; then it is passed in large pages.
    """
    missing, beyond = set(plan.wanted), 0
    place = Place(plan.wanted, plan.start, plan.own)
    looking.add(plan)
    for number in range(1, plan.most + 1):
        after, size = place.after, LARGEST if missing and place.crowded else limit
        cursor = "{cursor}" if after else None
        case = page(plan.role, f"{plan.role}.{number}", place.expect, limit=size, order=plan.order, after=cursor)
        (exchange,) = yield (_at(case, after),)
        if place.lost(exchange):
            continue
        ids, more = _page_of(exchange)
        missing = missing - set(ids)
        # One page more than necessary, to see what follows the last of our objects.
        beyond += not missing
        if not missing:
            looking.discard(plan)
        if not ids or not more or beyond > 1:
            break
        place.shown(ids)
    looking.discard(plan)


def _coming_and_going(ask: Callable[..., Case], found: Objects, newest: str, looking: set[object]) -> Part:
    """Walk from the newest object on; meanwhile an object that was already seen is deleted and a new one is created.

    ``newest`` is the word of the list for this order. Others may create and remove objects of the same list. So each
    part of the walk goes on until it has shown as many of our objects as it would show without them. Nothing is
    changed while ``looking`` holds a walk beside it that must still find our objects.
    """
    place = Place(frozenset(found.ids), None if found.own else found.ids[-1], found.own)
    left, numbers = set(found.ids) - {place.start}, count(1)

    def page(role: str, step: str, expect: Expect, *, limit: int, after: str | None) -> Case:
        return ask(role, step, expect, limit=limit, order=newest, after=after)

    # All of ours on one page would leave nothing to be lost, so the pages stay small among objects of others.
    first = yield from _some_of(left, lambda _: 2, page, place, numbers)
    if not first:
        return
    while looking:
        yield ()
    if found.remove is not None:
        (gone,) = yield (found.remove(found.ids.index(first[0])),)
        if not gone.ok:
            return
        place.removed(first[0])
    # Behind a change the size of a page doesn't matter: what is lost or repeated is at its beginning.
    if (yield from _some_of(left, _one_or_all, page, place, numbers)) is None:
        return
    # The new object is newer than the cursor and must not appear any more.
    if found.more is not None:
        yield (found.more("change.create"),)
    yield from _some_of(left, _one_or_all, page, place, numbers)


def _one_or_all(place: Place) -> int:
    """The size of a page behind a change: the objects of others are passed at once."""
    return LARGEST if place.crowded else 1


def _some_of(
    left: set[str], size_at: Callable[[Place], int], page: Callable[..., Case], place: Place, numbers: Iterator[int]
) -> Generator[tuple[Case, ...], tuple[Exchange, ...], list[str] | None]:
    """Ask for pages until some objects of ``left`` came. Return them; None if the list ended before.

    They are taken out of ``left``. The first pages have the size that ``size_at`` tells, the others the largest one.
    """
    found: list[str] = []
    for part in range(1, MOST_CHANGING + 1):
        after, size = place.after, size_at(place) if part <= SMALL_CHANGING else LARGEST
        cursor = "{cursor}" if after else None
        step = f"change.page.{next(numbers)}"
        case = page("change.page", step, place.expect, limit=size, after=cursor)
        (exchange,) = yield (_at(case, after),)
        if place.lost(exchange):
            continue
        ids, more = _page_of(exchange)
        place.shown(ids)
        found += [id for id in ids if id in left]
        left -= set(ids)
        if not ids or found or not left:
            return found if ids else None
        if not more:
            return None
    return None
