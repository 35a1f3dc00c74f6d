"""How an object that a request creates is read and removed, and which objects an answer names. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from attrs import evolve, frozen

from conformance.evidence.created_ids import values_of
from conformance.evidence.exchange import Exchange
from conformance.requests.case import LOCATION, Case, JsonBody, Multipart
from conformance.requests.ordering import order_words
from conformance.requests.wire import bind_text
from conformance.spec.operations import Operation, operations_of
from conformance.spec.spec import Spec
from conformance.target.guards import is_impossible
from conformance.target.ledger import object_path

__all__ = [
    "SHOWN",
    "Kinds",
    "Named",
    "carries",
    "kinds_of",
    "listing_of",
    "look_for",
    "made_at",
    "marks_of",
    "named_objects",
    "removal",
]

#: The placeholder of the id of an object that an answer named.
NAMED = "created"

#: The placeholder of the mark: the run's id and, in a request that creates something, a part of its own.
MARK = "{run}"

#: Where the id of a created object stands if the answer is about this object and no other.
SHOWN = ("/id", LOCATION)

#: Fields that name an object of a kind without saying so by their end: a job names the model that it tuned.
_NAMES = {"fine_tuned_model": "model"}

#: From here on a time is in milliseconds or a smaller unit: so many seconds are the year 5138, as milliseconds 1973.
_OTHER_UNIT = 1e11

#: From here on a number is no time: so many nanoseconds are the year 5138.
_NO_TIME = 1e20

#: How many objects a page of a list should hold.
_PAGE = 100

#: ``file`` → how a file is deleted and how it is read, for each kind of object.
Kinds = Mapping[str, tuple[Case, Case | None]]


@frozen
class Named:
    """An object that an answer names: the ``id`` stands in ``field``; ``undo`` removes it, ``look`` reads it. ``sent``
    is True if the request named it too.
    """

    field: str
    id: str
    undo: Case
    look: Case | None
    sent: bool


def _case(spec: Spec, operation: Operation, params: dict[str, str], role: str) -> Case:
    """A request without a body. Required headers have their documented value, as in every scenario."""
    headers = tuple(
        (p.name, str(spec.deref(p.schema).get("default") or spec.deref(p.schema).get("const") or "preview"))
        for p in operation.parameters
        if p.location == "header" and p.required
    )
    return Case(
        operation=operation.id,
        method=operation.method,
        path=operation.path,
        path_params=params,
        headers=headers,
        role=role,
    )


def look_for(spec: Spec, case: Case) -> Case | None:
    """The request that reads what ``case`` creates, with placeholders for the ids; None if no operation reads it."""
    known = operations_of(spec).values()
    if case.undo is not None:
        path = object_path(case.undo.path)
        found = next((one for one in known if (one.method, one.path) == ("GET", path)), None)
        return _case(spec, found, dict(case.undo.path_params), "look") if found is not None else None
    name = next((name for name, pointer in case.creates.items() if pointer == "/id"), None)
    for one in known if name is not None else ():
        head, _, tail = one.path.rpartition("/")
        if one.method == "GET" and head == case.path and tail.startswith("{"):
            return _case(spec, one, {**case.path_params, tail[1:-1]: f"{{{name}}}"}, "look")
    return None


def listing_of(spec: Spec, case: Case) -> Case | None:
    """The request that lists the objects of the account which ``case`` adds one to, the newest first where that can be
    asked for; None if no operation does. What lies inside another object is removed with it and needs no list.
    """
    if "{" in case.path or "/id" not in case.creates.values():
        return None
    known = operations_of(spec).values()
    found = next((one for one in known if (one.method, one.path) == ("GET", case.path)), None)
    if found is None:
        return None
    query = []
    limit = found.parameter("query", "limit")
    if limit is not None:
        most = spec.deref(limit.schema).get("maximum")
        query.append(("limit", str(min(_PAGE, most) if isinstance(most, int) else _PAGE)))
    if found.parameter("query", "order") is not None:
        query.append(("order", order_words(spec, found)[1]))
    return evolve(_case(spec, found, {}, "search"), query=tuple(query))


def marks_of(case: Case, values: Mapping[str, str]) -> dict[str, str]:
    """The fields of a request that hold the mark ``{run}`` and that the created object repeats, with their values: the
    name, keys of the metadata (``metadata.run``), the name of a file.
    """
    match case.body:
        case JsonBody(dict() as body):
            metadata = body.get("metadata")
            fields = {"name": body.get("name")}
            if isinstance(metadata, dict):
                fields |= {f"metadata.{key}": value for key, value in metadata.items()}
        case Multipart(parts):
            fields = {"filename": next((part.filename for part in parts if part.filename), None)}
        case _:
            return {}
    marked = {name: text for name, text in fields.items() if isinstance(text, str) and MARK in text}
    return {name: bind_text(text, {**values, **case.bindings}) for name, text in marked.items()}


def carries(value: Any, marks: Mapping[str, str]) -> bool:
    """True if a JSON value is an object with every marked field exactly as it was sent. ``metadata.x`` is a key of the
    metadata.
    """
    if not isinstance(value, dict):
        return False
    for name, sent in marks.items():
        outer, _, inner = name.partition(".")
        found = value.get(outer)
        if (found.get(inner) if inner and isinstance(found, dict) else found) != sent:
            return False
    return bool(marks)


def removal(spec: Spec, case: Case) -> int:
    """How many requests the removal of what a case creates takes: a deletion, and a look whether it is gone.

    An object whose answer to the creation was another object is read before. What is created inside another object goes
    with that one. ``case`` has the ``undo`` with which it is sent.
    """
    if case.undo is None and not case.creates:
        return 0
    path = object_path(case.undo.path) if case.undo is not None else f"{case.path}/"
    if "{" in path.rpartition("/")[0]:
        return 0
    shown = all(pointer in SHOWN for pointer in case.creates.values())
    looks = 0 if look_for(spec, case) is None else 1 if shown else 2
    return looks + (case.undo is not None)


def named_objects(kinds: Kinds, exchange: Exchange) -> Iterator[Named]:
    """Yield the objects whose ids an answer holds in fields that are named like ids of their kind.

    ``kinds`` are those of the api-version. A kind is known by the operation that deletes it: ``DELETE
    /files/{file_id}`` makes ``file_id``, ``file_ids``, ``output_file_id`` and ``result_files`` fields of files.
    ``DELETE /models/{model}`` makes ``fine_tuned_model`` one of models.
    """
    response = exchange.response
    if response is None or not 200 <= response.status < 300:
        return
    seen: set[str] = set()
    for value in values_of(response):
        for field, id in _fields(value, kinds):
            if id in seen or is_impossible(id):
                continue
            seen.add(id)
            undo, look = kinds[_kind(field)]
            text = json.dumps(id, ensure_ascii=False)[1:-1].encode("utf-8", "surrogatepass")
            yield Named(field, id, undo, look, text in exchange.request.body)


def kinds_of(spec: Spec) -> Kinds:
    """The kinds of objects that have an id of their own in the account and can be deleted."""
    found: dict[str, tuple[Case, Case | None]] = {}
    for one in operations_of(spec).values():
        head, _, tail = one.path.rpartition("/")
        if one.method != "DELETE" or "{" in head or not tail.startswith("{"):
            continue
        name = tail[1:-1]
        undo = _case(spec, one, {name: f"{{{NAMED}}}"}, "undo")
        look = look_for(spec, Case(one.id, "POST", head, undo=undo))
        found[_kind(name) or name] = (undo, look)
    return found


def made_at(value: Any) -> float:
    """The time at which an object was created, in seconds since the Unix epoch; 0 if it tells none.

    Some services tell milliseconds or less. Taken for seconds they would make every object younger than the run.
    """
    told = (
        next((value[name] for name in ("created_at", "created") if name in value), 0) if isinstance(value, dict) else 0
    )
    if isinstance(told, bool) or not isinstance(told, int | float) or not 0 < told < _NO_TIME:
        return 0
    while told >= _OTHER_UNIT:
        told /= 1000
    return told


def _kind(field: str) -> str:
    """``vector_store_ids`` → ``vector_store``; ``result_files`` and ``output_file_id`` → ``file``; "" for other
    fields.
    """
    if field in _NAMES:
        return _NAMES[field]
    name = field.replace("-", "_")
    if name.endswith("_files"):
        return "file"
    for end in ("_ids", "_id"):
        if name.endswith(end):
            kind = name.removesuffix(end)
            return "file" if kind.endswith("_file") else kind
    return ""


def _fields(value: Any, kinds: Kinds) -> Iterator[tuple[str, str]]:
    """Yield (field, id) of all ids of known kinds in a JSON value."""
    left = [value]
    while left:
        node = left.pop()
        if isinstance(node, list):
            left.extend(node)
        elif isinstance(node, dict):
            for field, inner in node.items():
                if _kind(field) in kinds:
                    ids = inner if isinstance(inner, list) else [inner]
                    yield from ((field, id) for id in ids if isinstance(id, str) and id)
                left.append(inner)
