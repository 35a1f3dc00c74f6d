"""The objects that must exist before a case can be sent, and the cases that create them.

Which operation creates an object is read from the paths: ``POST /threads/{thread_id}/runs`` creates the ``run_id`` of
``/threads/{thread_id}/runs/{run_id}``. Nothing here depends on the api-version.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from attrs import evolve, field, frozen

from conformance.requests.capabilities import with_capabilities
from conformance.requests.case import ENDS, LOCATION, Case, JsonBody, Multipart, RawBody, body_to_json
from conformance.requests.wire import PLACEHOLDER
from conformance.spec.operations import Media, Operation, operations_of
from conformance.spec.spec import Spec

from .capabilities import capability_of
from .costs import cost_of, expensive_kind
from .drafts import to_case
from .ids import impossible_id

__all__ = ["Makers", "placeholders_of"]

#: The status of an answer whose Location names what was created.
_CREATED = 201

#: Placeholders that the run itself fills in.
_GIVEN = frozenset({"deployment", "run"})
#: A placeholder in a query or a body that stands for an object, such as ``file_id`` or ``file_id.batch``; other braces
#: there are ordinary text. In a path each placeholder stands for an object, whatever its name.
_OBJECT = re.compile(r"[a-z_-]+[_-]id(\.[a-z0-9-]+)?")


def _texts(value: Any) -> Iterable[str]:
    """Yield every text in a JSON-like value, keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield str(key)
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)


def placeholders_of(case: Case) -> tuple[str, ...]:
    """The placeholders of the objects that a case needs, in order of appearance."""
    body = None if isinstance(case.body, Multipart) else body_to_json(case.body)
    return _objects(list(case.path_params.values()), [[v for _, v in case.query], body])


def _objects(path: Any, rest: Any) -> tuple[str, ...]:
    """The placeholders that stand for objects in the values of a path, and in the rest of a request."""
    found: dict[str, None] = {}
    for texts, named in ((path, True), (rest, False)):
        for text in _texts(texts):
            if "{" in text:
                for name in PLACEHOLDER.findall(text):
                    # Text in braces may be part of a prompt or of a template language.
                    if name not in _GIVEN and (named or _OBJECT.fullmatch(name)):
                        found[name] = None
    return tuple(found)


def _success(operation: Operation) -> Mapping[str, Media]:
    """The media types of an operation's success; none if it documents no success."""
    return (operation.answer(operation.success[0]) or {}) if operation.success else {}


@frozen(slots=False, eq=False)
class Makers:
    """Which operation creates which object, in one Spec. ``bases`` is a function: operation → its plainest draft."""

    spec: Spec = field(repr=False)
    bases: Any = field(repr=False)
    _made: dict[str, Case | None] = field(factory=dict, repr=False, init=False)
    _lacking: dict[str, bool] = field(factory=dict, repr=False, init=False)

    def operations(self, name: str, near: str = "") -> tuple[Operation, ...]:
        """The operations that create what a placeholder stands for; the one nearest to the path ``near`` comes
        first.
        """
        parameter = name.split(".", maxsplit=1)[0]
        known = operations_of(self.spec)
        cut = "/{" + parameter + "}"
        collections = {op.path.split(cut)[0] for op in known.values() if cut in op.path}
        # Objects below another parent only look alike: a container's file is none of the account's files.
        collections = {path for path in collections if "{" not in path or (near + "/").startswith(path + "/")}
        # Nearest first: below ``/vector_stores/…`` a ``batch_id`` is a file batch, elsewhere a batch.
        ranked = sorted(collections, key=lambda path: (not (near + "/").startswith(path + "/"), len(path), path))
        makers = [op for path in ranked for op in known.values() if op.method == "POST" and op.path == path]
        return tuple(op for op in makers if self._names_itself(op))

    def _names_itself(self, operation: Operation) -> bool:
        """Return True unless the success can't tell the id of what was created: it has another form than JSON, and is
        no 201, whose Location names it (RFC 9110 section 15.3.2).
        """
        content = _success(operation)
        return not content or "application/json" in content or operation.success[0] == _CREATED

    def given(self, operation: Operation) -> bool:
        """Return True if something in this version creates what the last path parameter names."""
        names = [p.name for p in operation.parameters if p.location == "path"]
        if not names or names[-1].startswith("deployment"):
            return True
        collection = operation.path.split("/{" + names[-1] + "}")[0]
        return any(op.method == "POST" and op.path == collection for op in operations_of(self.spec).values())

    def lacks(self, request: Any, near: str) -> bool:
        """Return True if a request to the path ``near`` names an object that nothing in this version creates."""
        for name in _objects((), request):
            key = f"{name} near {near}"
            if key not in self._lacking:
                self._lacking[key] = bool(self.chain([name], near)[1])
            if self._lacking[key]:
                return True
        return False

    def listed(self, operation: Operation) -> str:
        """The path parameter that addresses the objects of a list, if this version can create one; else ""."""
        for other in operations_of(self.spec).values():
            if other.method == "POST" and other.path == operation.path:
                return self.created(other)
        return ""

    def undo(self, operation: Operation, parameter: str) -> Case | None:
        """The DELETE of what an operation creates, with the created id as a placeholder, or None.

        Where nothing deletes the object or its parent (a fine-tuning job, a batch, a call), it is stopped instead.
        """
        path = f"{operation.path}/{{{parameter}}}"
        known = operations_of(self.spec).values()
        found = next((other for other in known if (other.method, other.path) == ("DELETE", path)), None)
        # Objects below a parent vanish with the parent's own undo.
        if found is None and "{" not in operation.path:
            stops = {path + end for end in ENDS}
            found = next((other for other in known if other.method == "POST" and other.path in stops), None)
        base = self.bases(found) if found is not None else None
        if found is None or base is None:
            return None
        # An undo is sent at the end of the run; it must not be undone itself.
        return evolve(to_case(found, base), creates={}, undo=None, role="undo")

    def created(self, operation: Operation) -> str:
        """The path parameter that addresses what an operation creates, or "" if it creates nothing."""
        if operation.method != "POST" or not self._names_itself(operation):
            return ""
        prefix = operation.path + "/{"
        for other in operations_of(self.spec).values():
            if other.path.startswith(prefix):
                return other.path[len(prefix) :].split("}")[0]
        return ""

    def declare(self, case: Case, operation: Operation, name: str = "") -> Case:
        """The case with ``creates`` and ``undo`` filled in, if the operation creates something."""
        parameter = self.created(operation)
        if case.method != "POST":
            return case
        if not parameter:
            return self._beside(case, operation)
        undo = self.undo(operation, parameter)
        key = name or parameter
        if undo is not None and key != parameter:
            params = {**undo.path_params, parameter: "{" + key + "}"}
            undo = evolve(undo, path_params=params)
        return evolve(case, creates={key: self._id_of(operation)}, undo=undo)

    def _id_of(self, operation: Operation) -> str:
        """Where the answer has the id of what was created: in itself, in the first item of its list, or in Location."""
        content = _success(operation)
        media = content.get("application/json")
        if media is None:
            return LOCATION if content else "/id"
        if self._documents(media.schema, "id") or not self._documents(media.schema, "data"):
            return "/id"
        return "/data/0/id"

    def _documents(self, schema: Any, name: str, depth: int = 0) -> bool:
        """Return True if a schema has a property, through references and combinations."""
        node = self.spec.deref(schema)
        # Bounds schemas that contain themselves.
        if not isinstance(node, Mapping) or depth > 8:
            return False
        parts = [part for keyword in ("allOf", "anyOf", "oneOf") for part in node.get(keyword, ())]
        return name in node.get("properties", {}) or any(self._documents(part, name, depth + 1) for part in parts)

    def _beside(self, case: Case, operation: Operation) -> Case:
        """The case with ``creates`` for an object that comes besides the operation's own.

        Its id stands in the answer under the name of a path parameter that the request doesn't contain: creating a
        thread and a run in one request answers with a ``thread_id``. Only such a name may tell of a new object: answers
        also name what they used, such as a ``model``.
        """
        media = _success(operation).get("application/json")
        asked = operation.body.get("application/json")
        if media is None or asked is None or "{" in operation.path.replace("{deployment-id}", ""):
            return case
        named = self.spec.deref(asked.schema).get("properties", {})
        for name in self.spec.deref(media.schema).get("properties", {}):
            if not name.endswith("id"):
                continue
            for other in operations_of(self.spec).values():
                ours = other.method == "DELETE" and other.path.endswith("/{" + name + "}") and name not in named
                # Only objects at the top level: a child would need its parent's id, which the answer doesn't name in
                # this way.
                base = self.bases(other) if ours and other.path.count("{") == 1 else None
                if base is not None:
                    undo = evolve(to_case(other, base), creates={}, undo=None, role="undo")
                    return evolve(case, creates={name: f"/{name}"}, undo=undo)
        return case

    def chain(self, names: Iterable[str], near: str = "", asked: str = "") -> tuple[tuple[Case, ...], tuple[str, ...]]:
        """The setup cases for some placeholders, in the order in which to send them, and the names that nothing
        creates. They are for requests of the operation ``asked`` to the path ``near``; what this operation itself does
        need not be done before.
        """
        made: dict[str, Case] = {}
        missing: dict[str, None] = {}

        def need(name: str, seen: tuple[str, ...]) -> None:
            if name in made or name in missing or name in seen:
                return
            makers = [case for op in self.operations(name, near) if (case := self._maker(name, op)) is not None]
            # An operation that needs the object doesn't create it; it links the object to a parent (a file to a vector
            # store).

            source = next((case for case in makers if name not in placeholders_of(case)), None)
            if source is None or not all_there(source, (*seen, name)):
                missing[name] = None
                return
            # After the objects that it needs, which ``all_there`` has entered: the order of sending.
            made[name] = source
            # A file must be uploaded and then attached to the store before the store's file can be read.
            link = makers[0]
            below = (near + "/").startswith(link.path + "/") and link.operation != asked
            if link is not source and below and all_there(link, (*seen, name)):
                made[f"{name} in {link.operation}"] = link

        def all_there(case: Case, seen: tuple[str, ...]) -> bool:
            for inner in placeholders_of(case):
                need(inner, seen)
            return not any(inner in missing for inner in placeholders_of(case))

        for name in names:
            need(name, ())
        return tuple(made.values()), tuple(missing)

    def _maker(self, name: str, operation: Operation) -> Case | None:
        """The setup case that creates an object by one operation, or None without a template."""
        key = f"{name}@{operation.id}"
        if key not in self._made:
            # Entered first: a template may need the object that is being made.
            self._made[key] = None
            base = self.bases(operation, name)
            if base is not None:
                case = with_capabilities(self.spec, to_case(operation, base, capability_of(operation, base.needs)))
                case = evolve(
                    case, cost=cost_of(case, operation), expensive=expensive_kind(case, operation), role="setup"
                )
                self._made[key] = self.declare(case, operation, name)
        return self._made[key]

    def impossible(self, case: Case, names: Iterable[str], operation: Operation) -> Case:
        """The case with impossible ids in place of some placeholders."""
        swap = {name: impossible_id(name.split(".")[0], operation) for name in names}
        text = {k: _swapped(v, swap) for k, v in case.path_params.items()}
        body = case.body
        if isinstance(body, JsonBody):
            body = evolve(body, value=_swapped(body.value, swap))
        elif isinstance(body, RawBody):
            body = RawBody(_bytes_swapped(body.data, swap), body.content_type)
        return evolve(case, path_params=text, body=body, query=tuple((k, _swapped(v, swap)) for k, v in case.query))


def _swapped(value: Any, swap: Mapping[str, str]) -> Any:
    """A JSON value with placeholders replaced in all its texts."""
    if isinstance(value, str):
        for name, text in swap.items():
            value = value.replace("{" + name + "}", text)
        return value
    if isinstance(value, dict):
        return {key: _swapped(item, swap) for key, item in value.items()}
    if isinstance(value, list):
        return [_swapped(item, swap) for item in value]
    return value


def _bytes_swapped(data: bytes, swap: Mapping[str, str]) -> bytes:
    """Bytes with placeholders replaced."""
    for name, text in swap.items():
        data = data.replace(b"{" + name.encode() + b"}", text.encode())
    return data
