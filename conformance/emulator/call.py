"""What a handler receives: the request as parsed and validated, the state, and the ways to answer.

A handler is a function ``(call: Call) -> Response``. When it runs, key, api-version, route, media type and schema of
the request have been checked; it raises :class:`~conformance.emulator.error_answers.Refused` for what only it can know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
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
from conformance.spec.operations import Operation
from conformance.spec.spec import Spec

__all__ = ["Call", "Form", "Part", "Surface"]

_JSON: Headers = (("content-type", "application/json"),)


@frozen
class Part:
    """One file of a multipart body."""

    name: str
    filename: str
    media_type: str
    data: bytes = field(repr=False)


Form = Mapping[str, tuple["Part | str", ...]]


@define(eq=False)
class Surface:
    """What an operation's Spec documents, as shapes built once: the request body, the answer, each event's data."""

    spec: Spec
    operation: Operation
    body: Shape = field(init=False)
    answer: Shape = field(init=False)
    event: Shape = field(init=False)
    _events: dict[str | None, Shape] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        operation = self.operation
        self.body = Shape(self.spec, tuple(media.schema for media in operation.body.values()))
        status = operation.success[0] if operation.success else 200
        answer = operation.answer(status) or {}
        self.answer = Shape(self.spec, tuple(m.schema for n, m in answer.items() if n == "application/json"))
        self.event = Shape(self.spec, (operation.stream.media.schema,) if operation.stream else ())

    def event_data(self, name: str | None) -> Shape:
        """The shape of the data of the events with this name (None: of events without a name)."""
        found = self._events.get(name)
        if found is None:
            schemas: dict[int, Any] = {}
            for index, one in enumerate(self.event.alternatives):
                names = self.event.child("event", (index,))
                if name is not None and names is not None and name not in names.values():
                    continue
                for schema in one.properties.get("data", ()):
                    content = self.spec.deref(schema).get("contentSchema")
                    if content is not None:
                        schemas[id(content)] = content
            found = self._events[name] = Shape(self.spec, tuple(schemas.values()))
        return found

    @property
    def done(self) -> Event | None:
        """The closing event of the stream, with its name where the document gives one; None without a sentinel."""
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

    ``path`` and ``query`` hold parameters by their documented names, converted to the type their schema gives (only
    those that were sent). ``body`` is the parsed JSON, or for multipart a dict of the form's fields, converted the same
    way, with files as :class:`Part`; None without a body.
    """

    surface: Surface
    request: Request
    path: Mapping[str, str]
    query: Mapping[str, Any]
    body: Any
    store: Store
    clock: Clock
    settings: Settings

    @property
    def spec(self) -> Spec:
        """The api-version that was asked for."""
        return self.surface.spec

    @property
    def operation(self) -> Operation:
        """The operation that was routed to."""
        return self.surface.operation

    # -- what was asked ------------------------------------------------------------------------------------------

    def get(self, name: str, default: Any = None) -> Any:
        """A field of the body; ``default`` where it is absent or null, or where the version doesn't document it."""
        value = self.body.get(name) if isinstance(self.body, dict) else None
        return default if value is None or not self.surface.body.has(name) else value

    def choice(self, name: str, default: Any = None) -> Any:
        """A field of the body, else its documented default, else ``default``."""
        value = self.get(name)
        if value is None:
            value = self.surface.body.default(name)
        return default if value is None else value

    def accepts(self, *path: str) -> bool:
        """True when this version documents the field in the request body (``"*"`` goes into arrays)."""
        return self.surface.body.has(*path)

    def answers(self, *path: str) -> bool:
        """True when this version documents the field in the successful answer."""
        return self.surface.answer.has(*path)

    def wants_stream(self) -> bool:
        """True when the operation streams and the request asks for it."""
        stream = self.operation.stream
        return stream is not None and bool(self.get(stream.pointer.strip("/")) == stream.value)

    def deployment(self, ability: str) -> Deployment:
        """The deployment named by the path, else by the body's ``model``; it must have the ability.

        Raises DeploymentNotFound (404) and OperationNotSupported (400).
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
        """The value with this id, else 404 ``No <what> found with id '…'.``"""
        value = collection.get(id)
        if value is None:
            raise errors.missing(what, id)
        return value

    def page(
        self, collection: Collection, *, where: Callable[[Any], bool] | None = None, order: str = "desc"
    ) -> dict[str, Any]:
        """The list envelope for the query's ``after``, ``before``, ``limit`` and ``order``.

        ``limit`` falls back to the documented default, then 20. An unknown cursor is a 400 on that parameter.
        """
        limit = self.operation.parameter("query", "limit")
        default = limit.schema.get("default", 20) if limit is not None else 20
        ordered = self.query.get("order", order)
        try:
            page = collection.page(
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

    def json(self, value: Any, status: int | None = None, headers: Headers = ()) -> Response:
        """A JSON answer, by default with the documented status; fields the version doesn't know are left out."""
        if status is None:
            status = self.operation.success[0] if self.operation.success else 200
        if status < 300:
            value = self.surface.answer.fit(value)
        return self.bytes(dumps(value).encode(), "application/json", status, headers)

    def bytes(self, data: bytes, media_type: str, status: int = 200, headers: Headers = ()) -> Response:
        """An answer with any other content."""
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
        """An event of this operation's stream; fields that the version doesn't document there are left out."""
        return Event(self.surface.event_data(name).fit(data), name)

    def stream(self, events: Iterable[Event], *, done: bool = True) -> Response:
        """A stream of events, closed by the documented sentinel unless ``done`` is False."""
        sentinel = self.surface.done if done else None
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
