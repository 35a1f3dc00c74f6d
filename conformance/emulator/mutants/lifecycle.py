"""Mutants of all kinds of objects: fields that are not kept, deletions without effect, objects in the wrong place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from conformance.emulator.call import Call
from conformance.emulator.edits import (
    Value,
    answer_unless_refused,
    each_object,
    edited,
    memory,
    path_ids,
    with_fields,
    with_items,
)
from conformance.emulator.error_answers import Problem, Refused
from conformance.emulator.handlers import Handler
from conformance.emulator.mutants import mutant
from conformance.evidence.exchange import Response

#: The operations that create an object which can be read afterwards.
CREATES = (
    "assistants.*create",
    "threads.*create",
    "threads.create_and_run",
    "vector_stores.*create",
    "files.upload",
    "responses.create",
    "evals.*create",
    "fine_tuning.jobs.create",
    "video.generations.jobs.create",
    "videos.create",
)
#: The operations that delete an object, and those that read one.
DELETES = ("*.delete",)
GETS = ("*.get",)


@mutant("life.delete-keeps", "A deleted object no longer exists.", *DELETES)
def delete_keeps(call: Call, answer: Handler) -> Response:
    # Deleting a parent also drops collections, so all of them are remembered.
    saved = {key: list(one) for key, one in call.store.everything().items()}
    response = answer(call)
    for key, values in saved.items():
        # what was dropped or removed comes back; the order of a list may then differ, the object is there
        collection = call.store.collection(*key)
        for value in values:
            if isinstance(value, dict) and "id" in value and value["id"] not in collection:
                collection.put(value["id"], value)
    return response


@mutant("life.deleted-still-listed", "A deleted object appears in no list.", *DELETES, "*.list")
def deleted_still_listed(call: Call, answer: Handler) -> Response:
    kind, _, verb = call.operation.id.rpartition(".")
    gone = memory(call, f"listed {kind}")
    if verb == "list":
        # Only the first page, so that the bug is not also an endless walk.
        first = not {"after", "before"} & set(call.query)
        return with_items(answer(call), lambda data: [*data, *gone] if first and data else data)
    id_ = path_ids(call)[-1]
    known = [value for one in call.store.everything().values() if isinstance(value := one.get(id_), dict)]
    response = answer(call)
    gone.put(id_, known[0] if known else {"id": id_})
    return response


@mutant("life.deleted-still-readable", "Reading a deleted object is answered with 404.", *DELETES, *GETS, *CREATES)
def deleted_still_readable(call: Call, answer: Handler) -> Response:
    kind, _, verb = call.operation.id.rpartition(".")
    seen = memory(call, f"seen {kind}")
    if verb == "get":
        response = answer_unless_refused(call, answer)
        known = seen.get(path_ids(call)[-1])
        if response is None and known is not None and path_ids(call)[-1] in memory(call, f"gone {kind}"):
            return call.json(known)
        return answer(call) if response is None else response
    response = answer(call)
    if verb == "delete":
        memory(call, f"gone {kind}").put(path_ids(call)[-1], True)
    elif isinstance(response.json, dict) and "id" in response.json:
        seen.put(response.json["id"], response.json)
    return response


@mutant("life.deletion-says-false", "A deletion is confirmed with deleted true.", *DELETES)
def deletion_says_false(call: Call, answer: Handler) -> Response:
    return with_fields(answer(call), deleted=False)


@mutant("life.deletion-wrong-id", "The answer to a deletion contains the id of the deleted object.", *DELETES)
def deletion_wrong_id(call: Call, answer: Handler) -> Response:
    # The form of the id stays right; only its end differs.
    other = f"{path_ids(call)[-1][:-3]}xyz"
    return with_fields(answer(call), id=other, eval_id=other, eval_run_id=other, run_id=other)


@mutant("life.delete-again-crashes", "Deleting an object again is not answered with a 5xx.", *DELETES)
def delete_again_crashes(call: Call, answer: Handler) -> Response:
    response = answer_unless_refused(call, answer)
    if response is None:
        raise Refused(Problem(500, "InternalServerError", "Object reference not set to an instance of an object."))
    return response


@mutant("life.modify-not-kept", "A confirmed modification is stored.", "*.modify")
def modify_not_kept(call: Call, answer: Handler) -> Response:
    saved = [
        (collection, id_, dict(value))
        for collection in call.store.everything().values()
        for id_ in path_ids(call)[-1:]
        if isinstance(value := collection.get(id_), dict)
    ]
    response = answer(call)
    for collection, id_, value in saved:
        collection.put(id_, value)
    return response


@mutant("life.modify-answers-old", "A modification is answered with the modified object.", "*.modify")
def modify_answers_old(call: Call, answer: Handler) -> Response:
    response = answer(call)
    sent = call.body if isinstance(call.body, dict) else {}
    return edited(response, lambda one: {**one, **{k: _blank(one[k]) for k in sent if k in one and k != "model"}})


@mutant("life.modify-drops-others", "A modification does not change fields that it does not contain.", "*.modify")
def modify_drops_others(call: Call, answer: Handler) -> Response:
    response = answer(call)
    sent = call.body if isinstance(call.body, dict) else {}
    kept = [name for name in ("metadata", "name", "instructions", "description") if name not in sent]
    return _forgotten(call, response, *kept)


@mutant("life.modify-changes-created-at", "A modification does not change created_at.", "*.modify")
def modify_changes_created_at(call: Call, answer: Handler) -> Response:
    return each_object(answer(call), _late(1, 3600))


@mutant("life.modify-changes-id", "A modification does not change the id.", "*.modify")
def modify_changes_id(call: Call, answer: Handler) -> Response:
    return each_object(answer(call), lambda one: one.update(id=f"{one['id']}2"))


def _blank(value: Any) -> Any:
    """An empty value of the same type."""
    return type(value)() if isinstance(value, (str, list, dict)) else value


def _forgotten(call: Call, response: Response, *names: str) -> Response:
    """The answer with some fields emptied, in the store as well."""

    def forget(one: Value) -> None:
        for name in names:
            if name in one:
                one[name] = _blank(one[name])
        for collection in call.store.everything().values():
            kept = collection.get(one.get("id", ""))
            if isinstance(kept, dict):
                collection.put(one["id"], {**kept, **{name: _blank(kept[name]) for name in names if name in kept}})

    return each_object(response, forget)


@mutant("life.create-drops-name", "An object keeps the name from its creation.", *CREATES, about="name")
def create_drops_name(call: Call, answer: Handler) -> Response:
    return _forgotten(call, answer(call), "name")


@mutant(
    "life.create-drops-instructions",
    "An object keeps the instructions from its creation.",
    *CREATES,
    about="instructions",
)
def create_drops_instructions(call: Call, answer: Handler) -> Response:
    return _forgotten(call, answer(call), "instructions")


@mutant("life.create-drops-tools", "An object keeps the tools from its creation.", *CREATES, about="tools")
def create_drops_tools(call: Call, answer: Handler) -> Response:
    return _forgotten(call, answer(call), "tools")


@mutant("life.create-drops-metadata", "An object keeps the metadata from its creation.", *CREATES, about="metadata")
def create_drops_metadata(call: Call, answer: Handler) -> Response:
    return _forgotten(call, answer(call), "metadata")


@mutant("life.create-drops-content", "A message keeps the content from its creation.", "threads.messages.create")
def create_drops_content(call: Call, answer: Handler) -> Response:
    return _forgotten(call, answer(call), "content")


@mutant(
    "life.metadata-cut",
    "Metadata values come back in full length.",
    *CREATES,
    "*.modify",
    *GETS,
    "*.list",
    about="metadata",
)
def metadata_cut(call: Call, answer: Handler) -> Response:
    def cut(one: Value) -> None:
        if isinstance(one.get("metadata"), dict):
            one["metadata"] = {name: value[:1] for name, value in one["metadata"].items()}

    return each_object(answer(call), cut)


@mutant("life.ids-change", "An object has the same id in every answer.", *GETS)
def ids_change(call: Call, answer: Handler) -> Response:
    number = call.store.count("mutant ids")

    def change(one: Value) -> None:
        if isinstance(one.get("id"), str):
            one["id"] = f"{one['id'][:-2]}{number:02d}"

    return each_object(answer(call), change)


@mutant("life.created-at-changes", "An object has the same created_at in every answer.", *GETS)
def created_at_changes(call: Call, answer: Handler) -> Response:
    late = 60 * call.store.count("mutant created_at")
    return each_object(answer(call), _late(1, late))


@mutant("life.created-at-in-milliseconds", "The field created_at is in seconds.", *CREATES, *GETS, "*.list", "*.modify")
def created_at_in_milliseconds(call: Call, answer: Handler) -> Response:
    return each_object(answer(call), _late(1000))


def _late(factor: int, seconds: int = 0) -> Callable[[Value], None]:
    """A change that moves ``created_at``."""

    def move(one: Value) -> None:
        if "created_at" in one:
            one["created_at"] = one["created_at"] * factor + seconds

    return move


@mutant("life.get-answers-another", "Reading an id gives the object with this id.", *GETS, *CREATES)
def get_answers_another(call: Call, answer: Handler) -> Response:
    kind, _, verb = call.operation.id.rpartition(".")
    seen = memory(call, f"another {kind}")
    response = answer(call)
    if not isinstance(response.json, dict) or "id" not in response.json:
        return response
    if verb != "get":
        seen.put(response.json["id"], response.json)
        return response
    others = [one for one in seen.page(limit=2).items if one["id"] != response.json["id"]]
    return response.with_json(others[0]) if others else response


@mutant("life.create-answers-earlier", "Every creation makes a new object.", *CREATES)
def create_answers_earlier(call: Call, answer: Handler) -> Response:
    earlier = memory(call, f"earlier {call.operation.id}").page(limit=1).items
    if earlier and not call.wants_stream():
        return call.json(earlier[0])
    response = answer(call)
    if isinstance(response.json, dict) and "id" in response.json:
        memory(call, f"earlier {call.operation.id}").put(response.json["id"], response.json)
    return response


@mutant("life.list-differs-from-get", "An object in a list has the same fields as when it is read alone.", "*.list")
def list_differs_from_get(call: Call, answer: Handler) -> Response:
    def differ(one: Value) -> None:
        one.update({name: _blank(one[name]) for name in ("metadata", "name", "prompt") if name in one})

    return each_object(answer(call), differ)


@mutant("life.unknown-id-found", "Reading an unknown id is answered with 404.", *GETS)
def unknown_id_found(call: Call, answer: Handler) -> Response:
    response = answer_unless_refused(call, answer)
    if response is not None:
        memory(call, f"found {call.operation.id}").put("last", response.json)
        return response
    known = memory(call, f"found {call.operation.id}").get("last")
    return answer(call) if not isinstance(known, dict) else call.json({**known, "id": path_ids(call)[-1]})


@mutant("life.unknown-id-crashes", "Reading an unknown id is not answered with a 5xx.", *GETS)
def unknown_id_crashes(call: Call, answer: Handler) -> Response:
    response = answer_unless_refused(call, answer)
    if response is None:
        raise Refused(Problem(500, "InternalServerError", "Object reference not set to an instance of an object."))
    return response


@mutant("life.foreign-child-visible", "An object can be read only under its own parent.", *GETS, *CREATES)
def foreign_child_visible(call: Call, answer: Handler) -> Response:
    kind, _, verb = call.operation.id.rpartition(".")
    seen = memory(call, f"children {kind}")
    response = answer_unless_refused(call, answer)
    if response is None:
        known = seen.get(path_ids(call)[-1]) if verb == "get" and len(path_ids(call)) > 1 else None
        return answer(call) if known is None else call.json(known)
    if isinstance(response.json, dict) and "id" in response.json:
        seen.put(response.json["id"], response.json)
    return response


@mutant(
    "life.foreign-children-listed", "A list below a parent contains only objects of this parent.", "*.list", *CREATES
)
def foreign_children_listed(call: Call, answer: Handler) -> Response:
    kind, _, verb = call.operation.id.rpartition(".")
    seen = memory(call, f"foreign {kind}")
    response = answer(call)
    if not path_ids(call) or not isinstance(response.json, dict):
        return response
    if verb != "list":
        seen.put(response.json["id"], (path_ids(call), response.json))
        return response
    if {"after", "before"} & set(call.query):
        return response
    others = [one for parent, one in seen if parent != path_ids(call)]
    return with_items(response, lambda data: [*data, *others[:1]])


@mutant(
    "life.defaults-differ",
    "A field that was not sent has its documented default.",
    *CREATES,
    *GETS,
    about="temperature",
)
def defaults_differ(call: Call, answer: Handler) -> Response:
    def differ(one: Value) -> None:
        for name in ("temperature", "top_p"):
            if one.get(name) == 1 and isinstance(one.get(name), (int, float)):
                one[name] = 0.3
        if one.get("truncation") == "disabled":
            one["truncation"] = "auto"
        if isinstance(one.get("chunking_strategy"), dict):
            one["chunking_strategy"] = {"type": "other"}

    return each_object(answer(call), differ)
