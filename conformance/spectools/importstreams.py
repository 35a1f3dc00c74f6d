"""Event streams of imported operations: separated from plain answers, wrapped as events, or taken from a known
version.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from attrs import define, field

from conformance.spec.operations import Operation
from conformance.spec.spec import Spec
from conformance.spectools.importschema import Schemas

if TYPE_CHECKING:
    from conformance.spectools.importdoc import Importer

__all__ = ["add_stream", "graft"]

_STREAM = "text/event-stream"
_PREFIX = "#/components/schemas/"


def add_stream(
    operation: dict[str, Any], schemas: Schemas, alike: tuple[Spec, Operation] | None, importer: Importer
) -> None:
    """Give an operation ``text/event-stream`` in the form of this suite, if it can stream.

    ``alike`` is the same operation of the most similar version that has it. It tells the protocol and the sentinel, and
    its event schemas are used if the document has none.
    """
    name = operation["operationId"]
    for answer in operation["responses"].values():
        content = answer.get("content", {})
        _split(content, schemas)
        if _STREAM in content:
            nameless = _whole(content[_STREAM])
            if nameless:
                importer.notes.add(f"{name}: {nameless} events have neither a name nor a form; they are left out")
            _wrap(content[_STREAM], schemas)
    version, known = (alike[0].version, alike[1].stream) if alike is not None else ("", None)
    success = operation["responses"].get("200", {})
    content = success.get("content", {})
    # Some documents name the media type and leave its schema empty.
    bare = _STREAM in content and content[_STREAM]["schema"] == {}
    asks = "stream" in _request_properties(operation, schemas)
    if known is not None and (bare or (_STREAM not in content and asks)):
        success.setdefault("content", {})[_STREAM] = {"schema": {"$known": known.media.pointer, "$in": version}}
        importer.grafted.add(name)
        importer.notes.add(f"{name}: the document doesn't give the form of its events; that of {version} is taken")
        content = success["content"]
    if _STREAM not in content:
        return
    if known is not None:
        _named(content[_STREAM], known.media.schema, schemas)
    # OpenAPI can't express a protocol, so it is taken from the same operation of a known version.
    mark = {"protocol": known.protocol if known else "unknown"}
    if known is not None and known.done is not None:
        mark["done"] = known.done
    if known is None:
        importer.notes.add(f"{name}: its event stream follows no known protocol")
    content[_STREAM]["x-stream"] = mark
    if asks or known is not None or len(content) > 1:
        pointer, value = (known.pointer, known.value) if known else ("/stream", True)
        operation["x-stream-when"] = {"pointer": pointer, "value": value}


def _split(content: dict[str, Any], schemas: Schemas) -> None:
    """Separate a union of a plain answer and a chunk into two media types."""
    plain = content.get("application/json")
    if plain is None or _STREAM in content:
        return
    schema = plain["schema"]
    union = next((key for key in ("oneOf", "anyOf") if key in schema), None)
    if union is None:
        return
    chunks = [branch for branch in schema[union] if _is_chunk(branch, schemas)]
    rest = [branch for branch in schema[union] if branch not in chunks]
    # Without both kinds there is nothing to separate: the union describes plain answers only, or events only.
    if chunks and rest:
        plain["schema"] = rest[0] if len(rest) == 1 else {union: rest}
        content[_STREAM] = {"schema": chunks[0] if len(chunks) == 1 else {"anyOf": chunks}}


def _is_chunk(branch: Any, schemas: Schemas) -> bool:
    """Return True if a branch describes a chunk of a stream, by its name or by its ``object``."""
    if not isinstance(branch, Mapping):
        return False
    if "stream" in str(branch.get("$ref", "")).rpartition("/")[2].lower():
        return True
    target = _target(branch, schemas)
    kind = target.get("properties", {}).get("object", {})
    values = _target(kind, schemas).get("enum", [_target(kind, schemas).get("const")])
    return any(str(value).endswith(".chunk") for value in values)


def _whole(media: dict[str, Any]) -> int:
    """Make whole events of a union that adds to properties beside it, as documents generated from TypeSpec have it.

    Returns how many of its branches name no event and have no form. They say nothing that a target could be held to.
    """
    schema = media["schema"]
    union = next((key for key in ("oneOf", "anyOf") if key in schema), None)
    if union is None or "properties" not in schema:
        return 0
    events = []
    for branch in schema[union]:
        shared, own = schema["properties"], branch.get("properties", {})
        fields = {name: {**shared.get(name, {}), **own.get(name, {})} for name in (*shared, *own)}
        if "const" in fields.get("event", {}) or "contentSchema" in fields.get("data", {}):
            required = sorted({*schema.get("required", ()), "data"})
            events.append({"type": "object", "required": required, "properties": fields})
    if not events:
        return 0
    media["schema"] = {union: events}
    return len(schema[union]) - len(events)


def _named(media: dict[str, Any], known: Any, schemas: Schemas) -> None:
    """Give a union of events the name that it has in a known version: errata name their places by it."""
    name = str(known.get("$ref", "")).removeprefix(_PREFIX) if isinstance(known, Mapping) else ""
    schema = media["schema"]
    if name and name not in schemas.made and ("oneOf" in schema or "anyOf" in schema):
        schemas.made[name] = schema
        media["schema"] = {"$ref": _PREFIX + name}


def _wrap(media: dict[str, Any], schemas: Schemas) -> None:
    """Turn the schema of an event's data into the schema of an event, unless it is one already."""
    schema = media["schema"]
    # A schema with a property ``data`` already describes a whole event, and so does a union of such.
    union = next((schema[key] for key in ("oneOf", "anyOf") if key in schema), [schema])
    if schema == {} or all("data" in _target(branch, schemas).get("properties", {}) for branch in union):
        return
    data = {"type": "string", "contentMediaType": "application/json", "contentSchema": schema}
    media["schema"] = {"type": "object", "required": ["data"], "properties": {"data": data}}


def _target(node: Any, schemas: Schemas) -> Mapping[str, Any]:
    """The schema that a chain of references (at most 16) ends at."""
    for _ in range(16):
        if not (isinstance(node, Mapping) and "$ref" in node):
            break
        node = schemas.made.get(node["$ref"].removeprefix(_PREFIX), {})
    return node if isinstance(node, Mapping) else {}


def _request_properties(operation: Mapping[str, Any], schemas: Schemas) -> set[str]:
    """The names of all properties of an operation's request bodies."""
    names: set[str] = set()
    for media in operation.get("requestBody", {}).get("content", {}).values():
        names.update(_properties(media["schema"], schemas, 0))
    return names


def _properties(node: Any, schemas: Schemas, depth: int) -> Iterator[str]:
    """Yield the names of the properties of a schema, through combinations."""
    target = _target(node, schemas)
    yield from target.get("properties", {})
    if depth < 4:
        for keyword in ("allOf", "oneOf", "anyOf"):
            for part in target.get(keyword, ()):
                yield from _properties(part, schemas, depth + 1)


def graft(document: dict[str, Any], known: Mapping[str, Mapping[str, Any]]) -> None:
    """Replace each ``{"$known": pointer, "$in": version}`` by that schema of a known document, with the components it
    uses.

    A component whose name is already used for something else gets a new name.
    """
    from conformance.pointer import follow

    grafts: dict[str, _Graft] = {}
    for item in document["paths"].values():
        for operation in item.values():
            for answer in operation["responses"].values():
                media = answer.get("content", {}).get(_STREAM)
                if media is not None and "$known" in media["schema"]:
                    version = media["schema"]["$in"]
                    work = grafts.setdefault(version, _Graft(known[version], document["components"]["schemas"]))
                    media["schema"] = work.take(follow(known[version], media["schema"]["$known"]))


@define
class _Graft:
    """Copies schemas of one known document, and the components that they use, each once."""

    known: Mapping[str, Any]
    own: dict[str, Any]
    names: dict[str, str] = field(factory=dict)

    def take(self, node: Any) -> Any:
        """A copy of a schema with its references rewritten."""
        if isinstance(node, list):
            return [self.take(item) for item in node]
        if not isinstance(node, Mapping):
            return node
        made: dict[str, Any] = {}
        for key, value in node.items():
            if key == "$ref":
                made[key] = self._ref(value)
            elif key == "mapping" and isinstance(value, Mapping):
                made[key] = {k: self._ref(v) for k, v in value.items()}
            else:
                made[key] = self.take(value)
        return made

    def _ref(self, ref: str) -> str:
        """The new reference of a component, which is copied on first use."""
        name = ref.removeprefix(_PREFIX)
        if name not in self.names:
            free = name
            # The imported document may use the name for another schema, which must stay as it is.
            while free in self.own:
                free += ".known"
            self.names[name] = free
            # Entered before it is copied: the component may refer to itself.
            self.own[free] = {}
            self.own[free] = self.take(self.known["components"]["schemas"][name])
        return _PREFIX + self.names[name]
