"""Events that a document forgets: what an event begins, another one ends, and some documents have only the first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from conformance.pointer import follow
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec
from conformance.spectools.normal_form import Node, branches, resolve, shape

__all__ = ["event_names", "forgotten_ends"]

#: The last part of the name of an event that begins or continues something, and of one that ends it.
_OPEN = ("delta", "added", "in_progress")
_ENDS = ("done", "completed")


def event_names(document: Any, pointer: str) -> frozenset[str]:
    """The names of the events of a stream, whose schema is at ``pointer``: of the events, or of the ``type`` of their
    data.
    """
    found: set[str] = set()
    for branch in branches(document, Node(pointer, follow(document, pointer)))[1]:
        properties = shape(document, branch).properties
        found.update(_values(document, properties.get("event")))
        data = shape(document, properties["data"]).inner.get("contentSchema") if "data" in properties else None
        for kind in branches(document, data)[1] if data is not None else ():
            found.update(_values(document, shape(document, kind).properties.get("type")))
    return frozenset(found)


def _values(document: Any, node: Node | None) -> Iterator[str]:
    """Yield the texts that a property may have."""
    if node is not None:
        schema = resolve(document, node).schema
        yield from (str(value) for value in ([schema["const"]] if "const" in schema else schema.get("enum", ())))


def forgotten_ends(spec: Spec, known: Iterable[Spec]) -> Iterator[str]:
    """Yield a line for each operation whose document lacks events that end what its other events begin.

    An event ``x.delta``, ``x.added`` or ``x.in_progress`` is ended by ``x.done`` or ``x.completed``. Which of them is
    missed, the streams of known versions say; where they don't know the event, a delta is ended by ``x.done``.
    """
    others = tuple(known)
    for id, operation in operations_of(spec).items():
        if operation.stream is None:
            continue
        pointer = operation.stream.media.pointer
        heard = frozenset(name for other in others for name in _heard(other, id))
        lost = sorted(_lost(event_names(spec.faithful, pointer), heard))
        left = sorted({*lost} - event_names(spec.document, pointer))
        if lost:
            told = "errata add them" if not left else f"no erratum adds {', '.join(left)}" if left != lost else ""
            text = f"{id}: the document forgets events that end what others begin: {', '.join(lost)}"
            yield f"{text}; {told}" if told else text


def _heard(spec: Spec, id: str) -> frozenset[str]:
    """The names of the events of an operation in a known version, if it has the operation."""
    operation = operations_of(spec).get(id)
    stream = operation.stream if operation is not None else None
    return event_names(spec.document, stream.media.pointer) if stream is not None else frozenset()


def _lost(names: frozenset[str], heard: frozenset[str]) -> Iterator[str]:
    """Yield the names of events that are missed."""
    for name in names:
        stem, _, last = name.rpartition(".")
        ends = [f"{stem}.{end}" for end in _ENDS]
        if last not in _OPEN or not stem or not names.isdisjoint(ends):
            continue
        wanted = [end for end in ends if end in heard]
        yield from wanted or ([f"{stem}.done"] if last == "delta" else [])
