"""Answers to operations that no handler knows, by their document alone.

What a POST to a collection creates is kept: it can be read, listed, changed and deleted by the operations below it.
Which path is a collection is read from the paths of the document. Everything else is answered with a value that the
document allows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from conformance.emulator import error_answers as errors
from conformance.emulator.call import Call
from conformance.emulator.events import Event
from conformance.emulator.store import Collection
from conformance.evidence.exchange import Response
from conformance.spec.operations import operations_of

__all__ = ["answer"]

_PARAMETER = re.compile(r"\{([^}]*)\}")

#: The content of files that are read.
_BYTES = b"An answer of the emulator, made from the document alone.\n"


def answer(call: Call) -> Response:
    """The answer to a valid request. Raises 404 for an id in the path that no object has."""
    path, method = call.operation.path, call.operation.method
    _known_model(call)
    above = [_object(call, prefix, name) for prefix, name in _ids(path)]
    collection = call.store.collection(*_place(call, path))
    if path.endswith("}") and above:
        return _one(call, above[-1])
    children = any(op.path.startswith(path + "/{") for op in operations_of(call.spec).values())
    if children and method == "POST" and call.answers("data") and not call.answers("id"):
        return _several(call, collection)
    if children and method == "POST":
        made = _made(call)
        collection.put(made["id"], made)
        return _answered(call, made)
    if children and method == "GET" and call.answers("data"):
        return call.json(call.page(collection))
    return _answered(call, above[-1][1] if above else {**_results(call), **_given(call)})


def _known_model(call: Call) -> None:
    """Raise 404 for a model that no deployment has, unless the document lists the models itself."""
    model = call.get("model")
    if isinstance(model, str) and model not in call.settings.by_name and not call.documented.body.values("model"):
        raise errors.deployment_not_found()


def _results(call: Call) -> dict[str, Any]:
    """As many results as the request asks for with ``n``, where the answer lists results; completed later."""
    number = call.get("n", 1)
    asked = call.operation.method == "POST" and call.answers("data", "*")
    return {"data": [{} for _ in range(number if isinstance(number, int) else 1)]} if asked else {}


def _ids(path: str) -> Iterator[tuple[str, str]]:
    """Yield (path of the collection, name of the parameter) of each object that a path names."""
    for found in _PARAMETER.finditer(path):
        prefix = path[: found.start()].rstrip("/")
        if not prefix.endswith("/deployments"):
            yield prefix, found[1]


def _place(call: Call, path: str) -> tuple[str, str]:
    """The kind of objects of a collection, and the ids above it."""
    return f"document:{path}", "/".join(call.path[name] for _, name in _ids(path))


def _object(call: Call, prefix: str, name: str) -> tuple[Collection, Any]:
    """The object that a path parameter names, with its collection; also one that a handler created."""
    id = call.path[name]
    own = call.store.collection(*_place(call, prefix))
    # Ids of different kinds may be equal: a store's file has the id of the file. So the parents must be equal too.
    parents = {call.path[parent] for _, parent in _ids(prefix)} or {""}
    others = [kept for (_, parent), kept in call.store.everything().items() if parent in parents]
    for collection in (own, *others):
        found = collection.get(id)
        if isinstance(found, dict):
            return collection, found
    raise errors.missing(re.sub(r"[_-]?id$", "", name).replace("_", " ") or "object", id)


def _one(call: Call, found: tuple[Collection, Any]) -> Response:
    """Read, change or delete one object."""
    collection, value = found
    id = value["id"] if "id" in value else next(iter(call.path.values()))
    if call.operation.method == "DELETE":
        collection.remove(id)
        return _answered(call, {**value, "deleted": True})
    if call.operation.method != "GET":
        value |= {name: item for name, item in _given(call).items() if name != "id"}
    return _answered(call, value)


def _made(call: Call) -> dict[str, Any]:
    """A new object with the fields of the request."""
    word = call.operation.path.rstrip("/").rpartition("/")[2].removesuffix("s")
    now = call.clock.now()
    above = {name: value for name, value in call.path.items() if call.answers(name)}
    made = {**_given(call), **above, "id": call.store.new_id(f"{word}_"), "created_at": now, "created": now}
    whole = call.documented.completed(made)
    # The stored id must be the one that callers are told; a document may demand another form.
    return {**made, **whole} if isinstance(whole, dict) and isinstance(whole.get("id"), str) else made


def _several(call: Call, collection: Collection) -> Response:
    """Create an object for each item of the request's first list, and answer with the list of them."""
    body = call.body if isinstance(call.body, Mapping) else {}
    given: list[Any] = next((value for value in body.values() if isinstance(value, list)), [{}])
    items = [{**(one if isinstance(one, dict) else {}), "id": call.store.new_id("item_")} for one in given]
    whole = call.documented.completed({"object": "list", "data": items, "has_more": False})
    for item in whole["data"] if isinstance(whole, dict) else ():
        if isinstance(item, dict) and isinstance(item.get("id"), str):
            collection.put(item["id"], item)
    return call.json(whole)


def _given(call: Call) -> dict[str, Any]:
    """The fields of the request that the answer documents too."""
    body = call.body if isinstance(call.body, Mapping) else {}
    return {name: value for name, value in body.items() if call.answers(name) and _is_json(value)}


def _is_json(value: Any) -> bool:
    """Return True unless a form's file is in it."""
    if isinstance(value, list):
        return all(map(_is_json, value))
    return value is None or isinstance(value, str | bool | int | float | dict)


def _answered(call: Call, value: Any) -> Response:
    """The answer in the first media type that the document names for a success, or in that of a stream."""
    status = call.operation.success[0] if call.operation.success else 200
    content = call.operation.answer(status) or {}
    kinds = [kind for kind in content if kind != "text/event-stream"]
    if call.operation.stream is not None and (call.wants_stream() or not kinds):
        return call.stream(_events(call))
    if not kinds:
        return call.empty(status)
    if "application/json" in kinds:
        return call.json(value, status)
    return call.bytes(_BYTES, kinds[0], status)


def _events(call: Call) -> Iterator[Event]:
    """Yield one event of each documented name; one without a name if there are none."""
    shape = call.documented.event.child("event")
    for name in (shape.values() if shape is not None else ()) or (None,):
        yield Event({}, name)
