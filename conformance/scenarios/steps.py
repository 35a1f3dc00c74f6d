"""Building blocks of scripts: cases of an operation, ids from answers, objects that must exist first, polling."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from typing import Any

from attrs import field, frozen

from conformance.evidence.exchange import Exchange
from conformance.pointer import look_up
from conformance.requests.capabilities import with_capabilities
from conformance.requests.case import Case, Cost, Expect, Family, JsonBody, Multipart, Part
from conformance.scenarios.resource_kinds import MARKER, Kind, kind, properties
from conformance.scenarios.scenario import Settings, Step, Wait
from conformance.schema.completion import completion_of
from conformance.spec.operations import Operation, operations_of
from conformance.spec.spec import Spec

__all__ = [
    "IMPOSSIBLE",
    "Ids",
    "Prerequisites",
    "answer_of",
    "call",
    "create",
    "created_id",
    "documents",
    "listed_in",
    "path_names",
    "poll",
    "poll_status",
    "prepared",
    "request_body",
    "status_of",
]

#: A path parameter in a path template.
_NAME = re.compile(r"\{([^}]+)\}")

#: The digits of an id that no object has. A changing request may name such an id: it can't touch anything.
IMPOSSIBLE = "0" * 24

#: The fields that remain in a bare request: the run's marker and those that limit the cost.
_KEPT = ("model", "metadata", "input", "input_file_id", "n_seconds", "n_variants", "seconds")

#: Placeholder → real id, as far as known.
Ids = Mapping[str, str]


def path_names(operation: Operation) -> list[str]:
    """The names of an operation's path parameters, in the order of the path."""
    return _NAME.findall(operation.path)


def documents(spec: Spec, operation_id: str, *names: str) -> bool:
    """Return True if a JSON body may hold all these fields: the document describes them, and the version lists the
    features that they ask for.
    """
    return operation_id in operations_of(spec) and set(names) <= set(
        request_body(spec, operation_id, dict.fromkeys(names, True))
    )


def call(
    spec: Spec,
    operation_id: str,
    *ids: str,
    role: str,
    query: Mapping[str, object] | None = None,
    body: Any = None,
    form: Multipart | None = None,
    known: Ids | None = None,
    expect: Expect = Expect.ACCEPT,
    **more: Any,
) -> Case:
    """A case of an operation. ``ids`` are placeholders (``{assistant.1}``) for its path parameters, in path order.

    What its body asks of a deployment is added to its capability.
    """
    operation = operations_of(spec)[operation_id]
    media = operation.body.get("application/json")
    if spec.imported and body is not None and media is not None and expect is Expect.ACCEPT:
        # An imported document may require fields that no version of the suite does.
        body = completion_of(spec).complete(media.schema, body)
    # Required headers get their documented value: without ``OpenAI-Beta`` assistants are refused on older versions.
    headers = tuple(
        (p.name, str(spec.deref(p.schema).get("default") or spec.deref(p.schema).get("const") or "preview"))
        for p in operation.parameters
        if p.location == "header" and p.required
    )
    made = Case(
        operation=operation_id,
        method=operation.method,
        path=operation.path,
        path_params=dict(zip(path_names(operation), ids, strict=True)),
        query=tuple((name, str(value)) for name, value in (query or {}).items()),
        headers=headers,
        body=form if form is not None else None if body is None else JsonBody(body),
        family=Family.SCENARIO,
        expect=expect,
        role=role,
        step=role,
        bindings=dict(known or {}),
        **more,
    )
    return with_capabilities(spec, made)


def request_body(spec: Spec, operation_id: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the wanted fields that the version documents for the request, and whose features it lists."""
    media = operations_of(spec)[operation_id].body.get("application/json")
    known = properties(spec, media.schema) if media else frozenset()
    unclaimed = spec.unclaimed(operation_id)
    return {
        name: value
        for name, value in wanted.items()
        if name in known and not any(ability.shown({name: value}) for ability in unclaimed)
    }


def create(
    spec: Spec, item: Kind, name: str, parents: tuple[str, ...] = (), known: Ids | None = None, **more: Any
) -> Case:
    """A case that creates one object, with its undo. Its id gets the placeholder ``name`` (``assistant.1``).

    ``wanted`` adds to the fields of the kind; ``bare`` leaves out all that the version doesn't require.
    """
    operation_id = item.operation("create")
    undo = None
    # Without an undo the object goes with its parent, or stays: some kinds can't be deleted.
    if item.has(spec, item.undo):
        undo = call(spec, item.operation(item.undo), *parents, f"{{{name}}}", role="undo", known=known)
    wanted, bare = {**item.body, **more.pop("wanted", {})}, more.pop("bare", False)
    if item.upload is not None:
        sent = item.upload
        file = Part("file", sent.data, sent.filename, sent.content_type)
        purpose = (Part("purpose", sent.purpose.encode()),) if sent.purpose else ()
        content: dict[str, Any] = {"form": Multipart((*purpose, file))}
    else:
        body = request_body(spec, operation_id, wanted)
        if bare:
            media = operations_of(spec)[operation_id].body["application/json"]
            needed = spec.deref(media.schema).get("required", ())
            body = {key: value for key, value in body.items() if key in (*needed, *_KEPT)}
        content = {"body": body}
    if item.needs and not kind(item.needs).has(spec, "create"):
        # A needed object that can't be created is named by an impossible id, which the target may refuse.
        more = {"expect": Expect.EITHER, **more}
    return call(
        spec,
        operation_id,
        *parents,
        role=more.pop("role", "create"),
        known=known,
        creates={name: item.creates},
        undo=undo,
        capability=item.capability,
        expensive=item.expensive,
        cost=more.pop("cost", Cost(tokens=item.tokens)),
        **content,
        **more,
    )


def created_id(exchange: Exchange, pointer: str = "/id") -> str | None:
    """The id in the answer to a create, or None if there is none."""
    node = look_up(exchange.response.json, pointer) if exchange.ok and exchange.response else None
    return node if isinstance(node, str) and node else None


@frozen
class Prerequisites:
    """What exists before the objects of a kind are created.

    ``known`` are ids by placeholder; ``above`` the placeholders of the parents in the path; ``other`` those of a path
    with a second parent.
    """

    known: dict[str, str]
    above: tuple[str, ...] = ()
    other: tuple[str, ...] = ()
    #: The ids of the needed objects, one for each object to be created.
    needed: tuple[str, ...] = field(default=())

    def with_ids(self, **more: str) -> dict[str, str]:
        """The known ids and some more."""
        return {**self.known, **more}

    def for_object(self, item: Kind, number: int) -> dict[str, str]:
        """The known ids for creating the object with this number (from 0)."""
        return {**self.known, item.needs: self.needed[number]} if item.needs else dict(self.known)


def _many(  # noqa: PLR0917 - what a create takes, and where it stands
    spec: Spec, item: Kind, names: Iterable[str], above: tuple[str, ...], known: Ids, scenario: str, role: str
) -> Generator[Step, tuple[Exchange, ...], dict[str, str] | None]:
    """Create several objects of a kind in one step. Return their ids by placeholder, or None if one is missing."""
    wanted = tuple(names)
    made = yield tuple(create(spec, item, n, above, known, role=role).at(scenario, f"{role}.{n}") for n in wanted)
    # A refused creation has no id, and the scenario can't go on without one of its objects.
    ids = {name: id for name, seen in zip(wanted, made, strict=True) if (id := created_id(seen, item.creates))}
    return ids if len(ids) == len(wanted) else None


def _usable(
    spec: Spec, source: Kind, ids: Ids, scenario: str, settings: Settings
) -> Generator[Step, tuple[Exchange, ...], None]:
    """Poll files until none is being processed, or until the deadline: what uses a file may refuse it before."""
    waited, number = 0.0, 0
    while ids and source.has(spec, "get"):
        looks = [call(spec, source.operation("get"), f"{{{n}}}", role="needed.get", known=ids) for n in ids]
        steps = zip(looks, ids, strict=True)
        answers = yield tuple(case.at(scenario, f"needed.get.{n}.{number}") for case, n in steps)
        under_way = any(status_of(seen) in ("pending", "running") for seen in answers)
        if not under_way or waited >= settings.deadline:
            return
        yield from _pause(settings.poll_interval, answers)
        # With an interval of 0 the loop would never reach its deadline.
        waited += max(settings.poll_interval, 0.001)
        number += 1


def prepared(
    spec: Spec, item: Kind, scenario: str, settings: Settings, objects: int = 1, *, second: bool = False
) -> Generator[Step, tuple[Exchange, ...], Prerequisites | None]:
    """Create the parents of a kind, and one needed object for each of ``objects`` objects.

    With ``second`` another direct parent is created too. Return None if something could not be created. In a
    version without uploads, ids that no file has are used where the body needs ids of files.
    """
    known: dict[str, str] = {}
    chain: list[Kind] = []
    above: tuple[str, ...] = ()
    other: tuple[str, ...] = ()
    top = item
    # From the object up to its topmost parent; created in the opposite order.
    while top.parent:
        top = kind(top.parent)
        chain.insert(0, top)
    for parent in chain:
        names = [parent.name, f"{parent.name}.other"] if second and parent is chain[-1] else [parent.name]
        ids = yield from _many(spec, parent, names, above, known, scenario, "parent")
        if ids is None:
            return None
        known |= ids
        # Before ``above`` gets this parent: the second parent stands in its place.
        other = (*above, f"{{{names[-1]}}}")
        above = (*above, f"{{{parent.name}}}")
    needed: tuple[str, ...] = ()
    if item.needs:
        source = kind(item.needs)
        names = [f"{source.name}.{number}" for number in range(objects)]
        if source.has(spec, "create"):
            ids = yield from _many(spec, source, names, (), known, scenario, "needed")
            if ids is None:
                return None
            yield from _usable(spec, source, ids, scenario, settings)
        else:
            ids = {name: f"file-{number:04d}{IMPOSSIBLE}" for number, name in enumerate(names)}
        known |= ids
        needed = tuple(ids[name] for name in names)
    return Prerequisites(known, above, other if second and item.parent else (), needed)


#: How often the same refusal is asked for again, and the longest pause of a poll in seconds.
SAME_REFUSALS = 3
LONGEST_PAUSE = 1.0

#: Refusals that may end by themselves (RFC 9110 sections 15.5.5 and 15.5.10, RFC 8470, RFC 6585).
_MENDED_BY_TIME = (404, 409, 425, 429)


def poll(
    make: Callable[[int], Case], done: Callable[[Exchange], bool], settings: Settings, deadline: float
) -> Generator[Step, tuple[Exchange, ...], Exchange]:
    """Send ``make(n)`` for n = 0, 1, … until ``done`` or until the pauses add up to ``deadline`` seconds. Return the
    last exchange.

    Each pause is half as long again as the one before, up to a second, and begins when the request before it is sent:
    it counts whole, even if the answer took as long. The same refusal three times in a row ends the poll too, unless a
    later try may succeed (404, 409, 425, 429): what was just written may be missing or locked for a while.
    """
    waited, number, refused = 0.0, 0, 0
    pause, last = max(settings.poll_interval, 0.001), None
    while True:
        (exchange,) = yield (make(number),)
        # Another status may mean progress, so the count begins again.
        refused = refused + 1 if _refused_for_good(exchange) and exchange.status == last else 1
        last = exchange.status
        for_good = refused == SAME_REFUSALS and _refused_for_good(exchange)
        if done(exchange) or waited >= deadline or for_good:
            return exchange
        yield from _pause(pause, (exchange,))
        waited += pause
        number += 1
        pause = min(pause * 1.5, max(LONGEST_PAUSE, settings.poll_interval))


def _pause(seconds: float, answers: tuple[Exchange, ...]) -> Iterator[Wait]:
    """A pause between two looks, from sending to sending. While a slow answer came, it has passed already."""
    left = seconds - max((one.response.elapsed for one in answers if one.response), default=0.0)
    if left > 0:
        yield Wait(left)


def _refused_for_good(exchange: Exchange) -> bool:
    return exchange.status is not None and exchange.status >= 400 and exchange.status not in _MENDED_BY_TIME


def answer_of(exchange: Exchange) -> dict[str, Any]:
    """The JSON object of a successful answer, or an empty one."""
    value = exchange.response.json if exchange.ok and exchange.response else None
    return value if isinstance(value, dict) else {}


def listed_in(exchange: Exchange, name: str) -> list[dict[str, Any]]:
    """The objects in one array of a successful answer, or an empty list."""
    found = answer_of(exchange).get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def status_of(exchange: Exchange) -> str:
    """The ``status`` of the object in an answer, or ""."""
    found = answer_of(exchange).get("status")
    return found if isinstance(found, str) else ""


def poll_status(
    case: Case, role: str, until: Iterable[str], settings: Settings
) -> Generator[Step, tuple[Exchange, ...], Exchange]:
    """Read an object until its status is one of ``until``, it can't be read, or the deadline passes."""
    ends = frozenset(until)

    def look(number: int) -> Case:
        step = f"{role}.{number}" if number else role
        return case.at(case.scenario, step)

    def over(seen: Exchange) -> bool:
        return not seen.ok or status_of(seen) in ends

    return (yield from poll(look, over, settings, settings.deadline))


#: The metadata that marks an object as created by this run.
MARK = {MARKER: "{run}"}
