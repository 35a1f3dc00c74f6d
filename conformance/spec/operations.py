"""The operations of a Spec: what their requests may contain and what their answers look like."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property, lru_cache
from typing import Any

from attrs import field, frozen

from conformance.pointer import escape
from conformance.spec.operation_facts import OperationFacts
from conformance.spec.spec import Spec

__all__ = ["Media", "Operation", "Parameter", "StreamShape", "operations_of"]

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


@frozen
class Parameter:
    """A path, query or header parameter, dereferenced."""

    name: str
    location: str
    required: bool
    schema: Any = field(factory=dict, repr=False)
    pointer: str = ""


@frozen
class Media:
    """A media type of a body. ``pointer`` is the JSON Pointer of its schema in the document."""

    type: str
    schema: Any = field(repr=False)
    pointer: str
    extra: Mapping[str, Any] = field(factory=dict, repr=False)


@frozen
class StreamShape:
    """How an operation streams: protocol, end sentinel, and the request field with the value that asks for a stream.

    ``always``: every success is a stream, whatever the request says, because the document knows no other form.
    """

    protocol: str
    done: str | None
    pointer: str
    value: Any
    media: Media
    always: bool = False


@frozen(slots=False)
class Operation:
    """One method and path. ``responses`` maps a status (``"200"``, ``"4XX"``, ``"default"``) to media types by name.

    ``facts`` is what ``operations.toml`` says of it beyond the document.
    """

    id: str
    method: str
    path: str
    resource: str
    parameters: tuple[Parameter, ...]
    body: Mapping[str, Media]
    body_required: bool
    responses: Mapping[str, Mapping[str, Media]]
    pointer: str
    stream: StreamShape | None = None
    raw: Mapping[str, Any] = field(factory=dict, repr=False)
    facts: OperationFacts = field(default=OperationFacts(), repr=False)

    @property
    def mutates(self) -> bool:
        """True for methods that may change state (RFC 9110 section 9.2.1)."""
        return self.method not in ("GET", "HEAD", "OPTIONS", "TRACE")

    def parameter(self, location: str, name: str) -> Parameter | None:
        """A parameter by location and name, or None."""
        return next((p for p in self.parameters if (p.location, p.name) == (location, name)), None)

    @cached_property
    def success(self) -> tuple[int, ...]:
        """The documented 2xx statuses, sorted."""
        return tuple(sorted(int(status) for status in self.responses if status.isdigit() and status[0] == "2"))

    def answer(self, status: int) -> Mapping[str, Media] | None:
        """The media types documented for a status: the exact one, its class (``4XX``) or the default.

        An undocumented success has the form of the documented one, because ``default`` describes errors.
        """
        good = str(self.success[0]) if self.success and 200 <= status < 300 else ""
        for key in (str(status), f"{status // 100}XX", good, "default"):
            if key in self.responses:
                return self.responses[key]
        return None


@lru_cache(maxsize=32)
def _operations(spec_key: _Key) -> Mapping[str, Operation]:
    """The operations of a Spec, read once."""
    spec = spec_key.spec
    found: dict[str, Operation] = {}
    for path, item in spec.document.get("paths", {}).items():
        shared = item.get("parameters", ())
        for method in METHODS:
            if method in item:
                operation = _operation(spec, path, method, item[method], shared)
                found[operation.id] = operation
    return found


@frozen(eq=False)
class _Key:
    """The key of a Spec in the cache: version, digest and document, which is cheaper than hashing the content."""

    spec: Spec

    def __hash__(self) -> int:
        return hash((self.spec.version, self.spec.digest))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self._parts() == other._parts()

    def _parts(self) -> tuple[str, str, int, int]:
        return (self.spec.version, self.spec.digest, id(self.spec.document), id(self.spec.facts))


def operations_of(spec: Spec) -> Mapping[str, Operation]:
    """All operations of the corrected document by operationId, in document order."""
    global _last  # noqa: PLW0603 - one pair, replaced as a whole: a run asks a hundred thousand times for one spec
    spec_then, found = _last
    if spec_then is not spec:
        found = _operations(_Key(spec))
        _last = (spec, found)
    return found


_last: tuple[Spec | None, Mapping[str, Operation]] = (None, {})


def _operation(spec: Spec, path: str, method: str, node: Mapping[str, Any], shared: Any) -> Operation:
    """One operation of the document."""
    pointer = f"/paths/{escape(path)}/{method}"
    parameters = tuple(
        Parameter(
            name=parameter["name"],
            location=parameter["in"],
            required=parameter.get("required", False),
            schema=parameter.get("schema", {}),
            pointer=f"{pointer}/parameters/{index}",
        )
        for index, parameter in enumerate(spec.deref(p) for p in (*shared, *node.get("parameters", ())))
    )
    body = spec.deref(node.get("requestBody", {}))
    responses = {
        str(status): _media(
            spec.deref(answer).get("content", {}),
            answer["$ref"][1:] if "$ref" in answer else f"{pointer}/responses/{status}",
        )
        for status, answer in node.get("responses", {}).items()
    }
    return Operation(
        id=node["operationId"],
        method=method.upper(),
        path=path,
        resource=(node.get("tags") or [node["operationId"].split(".")[0]])[0],
        parameters=parameters,
        body=_media(body.get("content", {}), f"{pointer}/requestBody"),
        body_required=body.get("required", False),
        responses=responses,
        pointer=pointer,
        stream=_stream(node, responses),
        raw=node,
        facts=spec.facts.of(node["operationId"]),
    )


def _media(content: Mapping[str, Any], pointer: str) -> Mapping[str, Media]:
    """The media types of a body by name."""
    return {
        name: Media(
            type=name,
            schema=value.get("schema", {}),
            pointer=f"{pointer}/content/{escape(name)}/schema",
            extra={key: extra for key, extra in value.items() if key.startswith("x-")},
        )
        for name, value in content.items()
    }


def _stream(node: Mapping[str, Any], responses: Mapping[str, Mapping[str, Media]]) -> StreamShape | None:
    """How an operation streams, or None."""
    forms = next((forms for forms in responses.values() if "text/event-stream" in forms), None)
    if forms is None:
        return None
    media = forms["text/event-stream"]
    shape = media.extra.get("x-stream", {})
    when = node.get("x-stream-when", {})
    return StreamShape(
        protocol=shape.get("protocol", "unknown"),
        done=shape.get("done"),
        pointer=when.get("pointer", "/stream"),
        value=when.get("value", True),
        media=media,
        always=len(forms) == 1 and not when,
    )
