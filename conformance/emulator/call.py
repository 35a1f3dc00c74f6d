"""What a handler receives: the parsed and validated request, the state, and the ways to answer.

A handler is a function ``(call: Call) -> Response``. When it runs, key, api-version, route, media type and schema of
the request have been checked. It raises :class:`~conformance.emulator.error_answers.Refused` for faults that only it
can know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from attrs import define, field, frozen

from conformance.emulator import error_answers as errors
from conformance.emulator.behaviour import Deployment, Settings
from conformance.emulator.documented_fields import Shape
from conformance.emulator.events import Event, dumps, render
from conformance.emulator.store import Clock, Collection, Store, UnknownCursor
from conformance.evidence.exchange import Chunk, Response
from conformance.requests.headers import Headers
from conformance.requests.request import Request
from conformance.schema.completion import Completion
from conformance.spec.operations import Operation
from conformance.spec.spec import Spec

__all__ = ["Call", "Documented", "Form", "Part"]

_JSON: Headers = (("content-type", "application/json"),)


@frozen
class Part:
    """One file in a multipart body."""

    name: str
    filename: str
    media_type: str
    data: bytes = field(repr=False)


#: The fields of a multipart body; each has all its values, texts or files.
Form = Mapping[str, tuple["Part | str", ...]]


@define(eq=False)
class Documented:
    """What an operation's Spec documents: the shape of the request body, of the answer and of the data of each
    event.
    """

    spec: Spec
    operation: Operation
    #: Completes answers by the document; None where handlers are proven to answer as it says.
    completion: Completion | None = None
    #: Shapes that operations share (:attr:`Shape.family`).
    family: dict[tuple[int, ...], Shape] = field(factory=dict, repr=False)
    body: Shape = field(init=False)
    answer: Shape = field(init=False)
    event: Shape = field(init=False)
    _events: dict[str | None, Shape] = field(factory=dict, init=False)
    _event_schemas: dict[str | None, Any] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        operation = self.operation
        self.body = self._shape(tuple(media.schema for media in operation.body.values()))
        status = operation.success[0] if operation.success else 200
        answer = operation.answer(status) or {}
        self.answer = self._shape(tuple(m.schema for n, m in answer.items() if n == "application/json"))
        self.event = self._shape((operation.stream.media.schema,) if operation.stream else ())

    def _shape(self, schemas: tuple[Any, ...]) -> Shape:
        return Shape(self.spec, schemas, self.family)

    def completed(self, value: Any, status: int | None = None) -> Any:
        """The value as the document wants the JSON of an answer with this status (default: of the success)."""
        if status is None:
            status = self.operation.success[0] if self.operation.success else 200
        media = (self.operation.answer(status) or {}).get("application/json")
        return value if self.completion is None or media is None else self.completion.complete(media.schema, value)

    def completed_event(self, event: Event) -> Event:
        """The event with data as the document wants it for events of this name."""
        schemas = self.event_data(event.event).schemas
        # A text is sent as it is: it is a sentinel.
        if self.completion is None or not schemas or isinstance(event.data, str):
            return event
        if event.event not in self._event_schemas:
            self._event_schemas[event.event] = schemas[0] if len(schemas) == 1 else {"anyOf": list(schemas)}
        made = self.completion.complete(self._event_schemas[event.event], event.data)
        # An event that the document doesn't list stays what it is: one of another type would be out of place.
        same = not isinstance(made, dict) or made.get("type") == event.data.get("type", made.get("type"))
        return Event(made if same else event.data, event.event)

    def event_data(self, name: str | None) -> Shape:
        """The shape of the data of events with this name; None stands for events without a name."""
        found = self._events.get(name)
        if found is None:
            schemas: dict[int, Any] = {}
            for index, one in enumerate(self.event.alternatives):
                names = self.event.child("event", (index,))
                # An alternative without names describes events of any name.
                if name is not None and names is not None and name not in names.values():
                    continue
                for schema in one.properties.get("data", ()):
                    content = self.spec.deref(schema).get("contentSchema")
                    if content is not None:
                        # By identity: several names may share one schema, and schemas have no hash.
                        schemas[id(content)] = content
            found = self._events[name] = self._shape(tuple(schemas.values()))
        return found

    def event_name(self, *names: str) -> str:
        """The first of these names that the document gives to an event; the first one if it gives none of them."""
        known = {
            name
            for index in range(len(self.event.alternatives))
            if (named := self.event.child("event", (index,))) is not None
            for name in named.values()
        }
        return next((name for name in names if name in known), names[0])

    @property
    def done(self) -> Event | None:
        """The event that closes the stream, named as documented; None if the stream has no such sentinel."""
        stream = self.operation.stream
        if stream is None or stream.done is None:
            return None
        for index in range(len(self.event.alternatives)):
            data = self.event.child("data", (index,))
            names = self.event.child("event", (index,))
            if data is not None and stream.done in data.values() and names is not None and names.values():
                return Event(stream.done, str(names.values()[0]))
        return Event(stream.done)


@define(eq=False)
class Call:
    """One call of an operation.

    ``path`` and ``query`` hold the parameters that were sent, by their documented names and converted to the types of
    their schemas. ``body`` is the parsed JSON; for multipart a dict of the fields, converted in the same way, with
    files as :class:`Part`; None without a body.
    """

    documented: Documented
    request: Request
    path: Mapping[str, str]
    query: Mapping[str, Any]
    body: Any
    store: Store
    clock: Clock
    settings: Settings
    #: (path below the base path, JSON body) → the answer of the same version to this POST; refusals are answers too.
    post: Callable[[str, Any], Response]

    @property
    def spec(self) -> Spec:
        """The Spec of the requested api-version."""
        return self.documented.spec

    @property
    def operation(self) -> Operation:
        """The requested operation."""
        return self.documented.operation

    # -- what was asked ------------------------------------------------------------------------------------------

    def get(self, name: str, default: Any = None) -> Any:
        """A field of the body; ``default`` if it is absent, null, or not documented in this version."""
        value = self.body.get(name) if isinstance(self.body, dict) else None
        return default if value is None or not self.documented.body.has(name) else value

    def choice(self, name: str, default: Any = None) -> Any:
        """A field of the body, else its documented default, else ``default``."""
        value = self.get(name)
        if value is None:
            value = self.documented.body.default(name)
        return default if value is None else value

    def accepts(self, *path: str) -> bool:
        """Return True if this version documents the field in the request body. ``"*"`` stands for array items."""
        return self.documented.body.has(*path)

    def answers(self, *path: str) -> bool:
        """Return True if this version documents the field in the successful answer."""
        return self.documented.answer.has(*path)

    def wants_stream(self) -> bool:
        """Return True if the operation can stream and the request asks for it."""
        stream = self.operation.stream
        return stream is not None and bool(self.get(stream.pointer.strip("/")) == stream.value)

    def deployment(self, ability: str) -> Deployment:
        """The deployment that the path names, else the one that ``model`` names; it must have the ability.

        Raises DeploymentNotFound (404) or OperationNotSupported (400).
        """
        name = self.path.get("deployment-id", self.get("model"))
        if name is None:  # the version lets the model be left out
            named = [one for one in self.settings.deployments if ability in one.abilities]
            name = named[0].name if named else ""
        found = self.settings.by_name.get(name) if isinstance(name, str) else None
        if found is None:
            raise errors.deployment_not_found()
        if ability not in found.abilities:
            raise errors.operation_not_supported(self.operation.resource, found.model)
        return found

    # -- the state -----------------------------------------------------------------------------------------------

    def found(self, collection: Collection, id: str, what: str) -> Any:
        """The value with this id. Raises 404 ``No <what> found with id '…'.``"""
        value = collection.get(id)
        if value is None:
            raise errors.missing(what, id)
        return value

    def page(
        self, collection: Collection, *, where: Callable[[Any], bool] | None = None, order: str = "desc"
    ) -> dict[str, Any]:
        """The list object for the query's ``after``, ``before``, ``limit`` and ``order``.

        ``limit`` defaults to the documented value, else 20. Raises 400 for an unknown cursor.
        """
        limit = self.operation.parameter("query", "limit")
        default = limit.schema.get("default", 20) if limit is not None else 20
        ordered = self.query.get("order", order)
        try:
            page = collection.page(
                # Clients send an empty cursor for the first page.
                after=self.query.get("after") or None,
                before=self.query.get("before") or None,
                limit=int(self.query.get("limit", default)),
                order=ordered if ordered in ("asc", "desc") else order,
                where=where,
            )
        except UnknownCursor as error:
            param = "after" if error.args[0] == self.query.get("after") else "before"
            raise errors.invalid(f"No object found with id '{error.args[0]}'.", param=param) from None
        return {
            "object": "list",
            "data": list(page.items),
            "first_id": page.items[0]["id"] if page.items else None,
            "last_id": page.items[-1]["id"] if page.items else None,
            "has_more": page.has_more,
        }

    # -- the answer ----------------------------------------------------------------------------------------------

    def json(self, value: Any, status: int | None = None, headers: Headers = (), *, complete: bool = True) -> Response:
        """A JSON answer, by default with the documented status. Fields that the version doesn't document are left
        out. Without ``complete`` the value is not completed by an imported document: it holds something to be replaced.
        """
        if status is None:
            # The first documented success; most operations have only one.
            status = self.operation.success[0] if self.operation.success else 200
        if status < 300:
            # Errors have the same form in every version, so only successes are reduced.
            value = self.documented.answer.fit(value)
            value = self.documented.completed(value, status) if complete else value
        if status == 204:
            # RFC 9110 section 15.3.5: no content, whatever is known of the object.
            return self.empty(status)
        return self.bytes(dumps(value).encode(), "application/json", status, headers)

    def bytes(self, data: bytes, media_type: str, status: int = 200, headers: Headers = ()) -> Response:
        """An answer with other content than JSON, in an imported version under a media type of its document."""
        documented = (self.operation.answer(status) or {}) if self.spec.imported else {}
        kinds = [*documented] or [media_type]
        known = any(fnmatchcase(media_type, kind) for kind in kinds)
        if status < 300 and not known and not {"application/json", "text/event-stream"} & set(kinds):
            media_type = kinds[0]
        at = self.settings.latency
        return Response(
            status=status,
            headers=(("content-type", media_type), ("content-length", str(len(data))), *headers),
            chunks=(Chunk(at, data),) if data else (),
            elapsed=at,
            headers_at=at,
        )

    def empty(self, status: int = 204) -> Response:
        """An answer without content."""
        return Response(status=status, headers=(), elapsed=self.settings.latency, headers_at=self.settings.latency)

    def event(self, data: Any, name: str | None = None) -> Event:
        """An event of this operation's stream. Fields that the version doesn't document are left out."""
        return Event(self.documented.event_data(name).fit(data), name)

    def stream(self, events: Iterable[Event], *, done: bool = True) -> Response:
        """An event stream, closed by the documented sentinel unless ``done`` is False."""
        sentinel = self.documented.done if done else None
        events = map(self.documented.completed_event, events)
        # The sentinel is rendered with the events, so that faults of the settings apply to it too.
        chunks, complete = render((*events, *((sentinel,) if sentinel else ())), self.settings)
        at = chunks[0].at if chunks else self.settings.latency
        return Response(
            status=200,
            headers=(("content-type", "text/event-stream; charset=utf-8"), ("x-accel-buffering", "no")),
            chunks=chunks,
            complete=complete,
            elapsed=chunks[-1].at if chunks else at,
            headers_at=at,
        )
