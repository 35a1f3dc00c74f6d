"""Members that are null on one side and absent on the other, judged by the document of the api-version.

Whether null and absent are the same there is asked of the validator: the value is judged with the null and without the
member, and what only one of the two breaks depends on the difference.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from enum import StrEnum
from typing import Any

from attrs import frozen

from conformance.evidence.event_stream import Event
from conformance.passage.passage import Kind
from conformance.passage.values import changes, is_null
from conformance.pointer import escape, follow, pointer_to, tokens
from conformance.requests.case import Case
from conformance.schema.validators import Validator, validator_for
from conformance.spec.operations import Media, operations_of
from conformance.spec.spec import Spec
from conformance.streams.event_schemas import event_schemas

__all__ = ["Null", "Standing", "in_answer", "in_events", "in_request"]

#: Values of which a member that the document describes hardly takes both.
_ODD: tuple[Any, ...] = ({"\u0000": [0.5]}, 0.5)


class Standing(StrEnum):
    """What the document says of a member that is null on one side and absent on the other."""

    REQUIRED = "the document requires the member"
    REFUSED = "the document allows no null here"
    NULLABLE = "the document allows null, and its absence"
    FREE = "the document doesn't describe the member"

    @property
    def breaks(self) -> bool:
        """True if the document allows only one of the two."""
        return self in (Standing.REQUIRED, Standing.REFUSED)


@frozen
class Null:
    """A member that is null on one side alone: before the gateway (``dropped``), or after it (``added``)."""

    where: str
    kind: Kind
    standing: Standing


def in_request(spec: Spec, case: Case, before: Any, after: Any) -> Iterator[Null]:
    """The nulls that a JSON body lost or got on its way to the upstream."""
    operation = operations_of(spec).get(case.operation)
    yield from _in_values(spec, operation.body if operation is not None else None, before, after)


def in_answer(spec: Spec, case: Case, status: int, before: Any, after: Any) -> Iterator[Null]:
    """The nulls that a JSON answer lost or got on its way to the client."""
    operation = operations_of(spec).get(case.operation)
    yield from _in_values(spec, operation.answer(status) if operation is not None else None, before, after)


def _in_values(spec: Spec, content: Mapping[str, Media] | None, before: Any, after: Any) -> Iterator[Null]:
    """The nulls that one side alone has, of values that the document describes by ``content`` (None: not at all)."""
    media = (content or {}).get("application/json")
    validator = validator_for(spec, media.pointer) if media is not None else None
    for one in changes(before, after):
        if is_null(one, before, after):
            where, kind = one[0], one[1]
            yield Null(where, kind, _standing(validator, before if kind is Kind.DROPPED else after, where, kind))


def in_events(spec: Spec, case: Case, before: Sequence[Event], after: Sequence[Event]) -> Iterator[Null]:
    """The nulls in the events of a stream that are absent in events of the other side.

    A place is a pointer with ``*`` for each index. A member counts as absent on the other side if it is never null
    there, and an object lacks it; on the side that has the null no such object lacks it.
    """
    operation = operations_of(spec).get(case.operation)
    shape = operation.stream if operation is not None else None
    schemas: Mapping[str | None, str] = event_schemas(spec, shape) if shape is not None else {}
    sent, received = (_Members.of(one.json for one in side if one.is_json) for side in (before, after))
    for kind, holding, other, events in (
        (Kind.DROPPED, sent, received, before),
        (Kind.ADDED, received, sent, after),
    ):
        told: dict[str, Standing] = {}
        places = {one for one in holding.null - other.null if other.lacks(one) and not holding.lacks(one)}
        for event in events if places else ():
            for place, pointer, value in _places(event.json if event.is_json else None):
                # An event in which the document allows only one of the two decides.
                if value is not None or place not in places or (place in told and told[place].breaks):
                    continue
                schema = schemas.get(event.name, schemas.get(None))
                told[place] = _standing(validator_for(spec, schema) if schema else None, event.json, pointer, kind)
        for place, standing in told.items():
            yield Null(place, kind, standing)


@frozen
class _Members:
    """What the values of a stream have: the places that are null somewhere, and the names of the members of each
    object, by its place.
    """

    null: frozenset[str]
    objects: Mapping[str, frozenset[frozenset[str]]]

    @classmethod
    def of(cls, values: Iterable[Any]) -> _Members:
        """Those of some values."""
        null, objects = set(), defaultdict[str, set[frozenset[str]]](set)
        for value in values:
            for place, _, member in _places(value):
                if member is None:
                    null.add(place)
                elif isinstance(member, dict):
                    objects[place].add(frozenset(map(escape, member)))
        return cls(frozenset(null), {place: frozenset(names) for place, names in objects.items()})

    def lacks(self, place: str) -> bool:
        """True if an object could have the member at a place, and has it not."""
        parent, _, name = place.rpartition("/")
        return any(name not in names for names in self.objects.get(parent, ()))


def _places(value: Any, place: str = "", pointer: str = "") -> Iterator[tuple[str, str, Any]]:
    """Yield (place without indexes, pointer, value) of a value and all that it holds."""
    yield place, pointer, value
    if isinstance(value, dict):
        for key, member in value.items():
            name = escape(key)
            yield from _places(member, f"{place}/{name}", f"{pointer}/{name}")
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from _places(member, f"{place}/*", f"{pointer}/{index}")


def _standing(validator: Validator | None, holding: Any, where: str, kind: Kind) -> Standing:
    """What the document says of a null in a value that holds it."""
    if validator is None:
        return Standing.FREE
    without = deepcopy(holding)
    *path, name = tokens(where)
    parent = follow(without, pointer_to(path))
    del parent[name]
    with_null, bare = _wrong(validator, holding), _wrong(validator, without)
    if kind is Kind.DROPPED and bare - with_null:
        return Standing.REQUIRED
    if kind is Kind.ADDED and with_null - bare:
        return Standing.REFUSED
    for odd in _ODD:
        parent[name] = odd
        if _wrong(validator, without) - bare:
            return Standing.NULLABLE
    return Standing.FREE


def _wrong(validator: Validator, value: Any) -> frozenset[str]:
    """What is wrong with a value, in a form that can be compared."""
    errors = (one for error in validator.errors(value) for one in error.walk())
    return frozenset(json.dumps([one.instance_pointer, one.schema_pointer, one.keyword]) for one in errors)
