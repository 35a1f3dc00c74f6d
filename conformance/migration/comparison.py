"""What the documents of two versions say differently, operation by operation: raw changes, not yet judged.

The suite's operationIds are the same in every version, so a route that moved is the same operation. Where one version
has the deployment in the path and the other takes it as ``model`` in the body, that is one change of all operations and
not one of each body.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from conformance._parts import late
from conformance.migration.change import EVERY, Change, Direction, Kind, Subject
from conformance.migration.location import Location
from conformance.migration.schema_walk import Walk
from conformance.spec.operations import Media, Operation, operations_of
from conformance.spec.spec import Clause, Spec
from conformance.streams.event_schemas import event_schemas

if TYPE_CHECKING:
    from strategies import schema_tree
    from strategies.schema_tree import Node, Shapes
else:
    schema_tree = late("strategies.schema_tree")

__all__ = ["DEPLOYMENT", "compared", "moved_deployment", "published"]

#: The parameter of paths that names a deployment.
DEPLOYMENT = "deployment-id"

#: The schema of a part of a request that has no members.
_NO_MEMBERS = {"type": "object", "additionalProperties": False}

_IN_PATH = f"/deployments/{{{DEPLOYMENT}}}"


@frozen
class _Sides:
    """The schemas of both versions."""

    old: Shapes
    new: Shapes


def published(spec: Spec) -> Spec:
    """The version as its sources describe it, without errata."""
    return evolve(spec, document=spec.faithful, digest=f"{spec.digest}-faithful")


def moved_deployment(old: Operation, new: Operation) -> bool:
    """True if one version has the deployment of an operation in the path and the other one has not."""
    return (_IN_PATH in old.path) != (_IN_PATH in new.path)


def compared(old: Spec, new: Spec, operations: Collection[str] | None = None) -> tuple[Change, ...]:
    """The raw changes from one version to another, in the order of the newer document.

    ``operations`` limits it to some operationIds. Equal documents give no change.
    """
    sides = _Sides(schema_tree.Shapes(old), schema_tree.Shapes(new))
    before, after = operations_of(old), operations_of(new)
    found = [] if operations is not None else list(_route_of_all(old, new))
    for name, operation in after.items():
        if operations is None or name in operations:
            known = before.get(name)
            found += [_whole(Kind.ADDED, operation)] if known is None else _both(sides, known, operation)
    for name, operation in before.items():
        if name not in after and (operations is None or name in operations):
            found.append(_whole(Kind.REMOVED, operation))
    return tuple(found)


def _title(operation: Operation) -> str:
    return f"{operation.method} {operation.path}"


def _whole(kind: Kind, operation: Operation) -> Change:
    """The change of an operation that came, or has gone."""
    old, new = (None, _title(operation)) if kind is Kind.ADDED else (_title(operation), None)
    return Change(operation.id, Direction.REQUEST, kind, Subject.OPERATION, old=old, new=new, pointer=operation.pointer)


def _route_of_all(old: Spec, new: Spec) -> Iterator[Change]:
    """Yield the change of base path, api-version and deployment, which concerns every operation."""
    was, now = _way(old), _way(new)
    if was != now:
        yield Change(EVERY, Direction.REQUEST, Kind.RENAMED, Subject.ROUTE, old=was, new=now, pointer="/servers/0/url")


def _way(spec: Spec) -> str:
    """How requests of a version are addressed, in words."""
    version = spec.api_version
    sent = (
        f"{version.name} in the {version.location}"
        if version.location != "none" and version.required
        else f"no {version.name} needed"
    )
    inside = any(_IN_PATH in operation.path for operation in operations_of(spec).values())
    return f"{spec.base_path}/…, {sent}, {'deployment in the path' if inside else 'deployment as model in the body'}"


def _both(sides: _Sides, old: Operation, new: Operation) -> Iterator[Change]:
    """Yield the changes of an operation that both versions have."""
    if _bare(old) != _bare(new):
        yield Change(
            new.id,
            Direction.REQUEST,
            Kind.RENAMED,
            Subject.ROUTE,
            old=_title(old),
            new=_title(new),
            pointer=new.pointer,
        )
    yield from _requests(sides, old, new)
    yield from _answers(sides, old, new)
    yield from _streams(sides, old, new)
    yield from _rules(sides, new.id)
    yield from _answer_rules(sides, new.id)


def _bare(operation: Operation) -> tuple[str, str]:
    """Method and path without the deployment, and without the names of parameters, which no client sees."""
    return operation.method, re.sub(r"\{[^}]*\}", "{}", operation.path.replace(_IN_PATH, ""))


def _requests(sides: _Sides, old: Operation, new: Operation) -> Iterator[Change]:
    """Yield the changes of parameters and body."""
    pairs = list(_paired(old.body, new.body)) or [("", "")]
    for kind in old.body.keys() - {left for left, _ in pairs}:
        yield Change(new.id, Direction.REQUEST, Kind.REMOVED, Subject.MEDIA, old=kind, pointer=old.pointer)
    for kind in new.body.keys() - {right for _, right in pairs}:
        yield Change(new.id, Direction.REQUEST, Kind.ADDED, Subject.MEDIA, new=kind, pointer=new.pointer)
    for left, right in pairs:
        walk = Walk(new.id, Direction.REQUEST)
        before = schema_tree.request_node(sides.old, old, left).properties
        after = schema_tree.request_node(sides.new, new, right).properties
        for part in ("body", "query", "header"):
            if part in before or part in after:
                # A request without query parameters has an empty query.
                walk.compare(
                    before.get(part) or sides.old.node(_NO_MEMBERS),
                    after.get(part) or sides.new.node(_NO_MEMBERS),
                    (f".{part}",),
                )
        for change in walk.changes():
            # The deployment moved from the path into the body, or back: that is told once, of all operations.
            if not (moved_deployment(old, new) and change.location == (".body", ".model")):
                yield change


def _paired(old: Mapping[str, Media], new: Mapping[str, Media]) -> Iterator[tuple[str, str]]:
    """Yield the media types that are compared with each other."""
    both = [(name, name) for name in old if name in new]
    yield from both or zip(list(old)[:1], list(new)[:1], strict=False)


def _json(media: Mapping[str, Media] | None) -> Media | None:
    """The JSON form among the media types of an answer."""
    return next((one for name, one in (media or {}).items() if "json" in name), None)


def _answers(sides: _Sides, old: Operation, new: Operation) -> Iterator[Change]:
    """Yield the changes of successful answers."""
    if not set(old.success) & set(new.success) and old.success and new.success:
        was, now = str(old.success[0]), str(new.success[0])
        yield Change(new.id, Direction.ANSWER, Kind.RENAMED, Subject.STATUS, old=was, new=now, pointer=new.pointer)
    both = [status for status in old.success if status in new.success] or [0]
    for status in both:
        left = _json(old.answer(status or _first(old)))
        right = _json(new.answer(status or _first(new)))
        if left is None or right is None:
            continue
        walk = Walk(new.id, Direction.ANSWER)
        walk.compare(_node(sides.old, left), _node(sides.new, right), ())
        yield from walk.changes()


def _first(operation: Operation) -> int:
    return operation.success[0] if operation.success else 200


def _node(shapes: Shapes, media: Media) -> Node:
    return shapes.node(media.schema, media.pointer)


def _streams(sides: _Sides, old: Operation, new: Operation) -> Iterator[Change]:
    """Yield the changes of streamed events: which there are, and what their data hold."""
    if old.stream is None or new.stream is None:
        if (old.stream is None) != (new.stream is None):
            kind, one = (Kind.REMOVED, old) if new.stream is None else (Kind.ADDED, new)
            yield Change(new.id, Direction.STREAM, kind, Subject.OPERATION, pointer=one.pointer)
        return
    before, after = event_schemas(sides.old.spec, old.stream), event_schemas(sides.new.spec, new.stream)
    walk = Walk(new.id, Direction.STREAM)
    for name, pointer in after.items():
        at: Location = () if name is None else (f"?event={name}", ".data")
        if name not in before:
            yield Change(new.id, Direction.STREAM, Kind.ADDED, Subject.TAG, (at[:1],), new=name, pointer=pointer)
            continue
        left = sides.old.node(sides.old.spec.resolve(f"#{before[name]}"), before[name])
        walk.compare(left, sides.new.node(sides.new.spec.resolve(f"#{pointer}"), pointer), at)
    yield from walk.changes()
    for name, pointer in before.items():
        if name not in after:
            gone = (f"?event={name}",)
            yield Change(new.id, Direction.STREAM, Kind.REMOVED, Subject.TAG, (gone,), old=name, pointer=pointer)


def _rules(sides: _Sides, operation: str) -> Iterator[Change]:
    """Yield the rules between fields that only one version states."""

    def of(spec: Spec) -> dict[str, Clause]:
        return {c.id: c for c in spec.clauses if c.rule is not None and operation in c.operations}

    before, after = of(sides.old.spec), of(sides.new.spec)
    same = [c.rule for c in before.values() if any(c.rule == other.rule for other in after.values())]
    changed = Change(operation, Direction.REQUEST, Kind.RULE, Subject.RULE)
    for name, clause in after.items():
        if name not in before and clause.rule not in same:
            yield evolve(changed, new=clause.text, keyword=name, pointer=name)
    for name, clause in before.items():
        if name not in after and clause.rule not in same:
            yield evolve(changed, old=clause.text, keyword=name, pointer=name)


def _answer_rules(sides: _Sides, operation: str) -> Iterator[Change]:
    """Yield the rules of answers that only one version states.

    Versions may give one rule several names. It is the same rule if the same checks test it, so a rule is told only if
    the other version has none for one of its checks. Rules that nothing tests are advice.
    """

    def of(spec: Spec) -> list[Clause]:
        stated = (clause for clause in spec.clauses if clause.rule is None and clause.checks and not clause.excluded)
        return [clause for clause in stated if clause.concerns(operation)]

    before, after = of(sides.old.spec), of(sides.new.spec)
    changed = Change(operation, Direction.ANSWER, Kind.RULE, Subject.RULE)
    for clause in _unknown(after, before):
        yield evolve(changed, new=clause.text, keyword=clause.id, pointer=clause.id)
    for clause in _unknown(before, after):
        yield evolve(changed, old=clause.text, keyword=clause.id, pointer=clause.id)


def _unknown(mine: Iterable[Clause], others: Iterable[Clause]) -> Iterator[Clause]:
    """Yield the rules with a check, or under a name, that no other rule has."""
    known = {name for clause in others for name in (clause.id, *clause.checks)}
    yield from (clause for clause in mine if clause.id not in known and not known.issuperset(clause.checks))
