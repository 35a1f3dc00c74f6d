"""Building blocks of scripts: a case for an operation, an id out of an answer, patient polling."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Mapping
from typing import Any

from conformance.cases import Case, Expect, Family, JsonBody
from conformance.exchange import Exchange
from conformance.operations import Operation, operations_of
from conformance.scenario import Settings, Step, Wait
from conformance.scenarios.kinds import Kind, kind, properties
from conformance.spec import Spec

__all__ = ["Ids", "call", "create", "created_id", "create_parents", "poll", "request_body"]

_NAME = re.compile(r"\{([^}]+)\}")

#: Placeholder → real id, as far as known.
Ids = Mapping[str, str]


def path_names(operation: Operation) -> list[str]:
    """The names of an operation's path parameters, in the order of the path."""
    return _NAME.findall(operation.path)


def call(
    spec: Spec,
    operation_id: str,
    *ids: str,
    role: str,
    query: Mapping[str, object] | None = None,
    body: Any = None,
    known: Ids | None = None,
    expect: Expect = Expect.ACCEPT,
    **more: Any,
) -> Case:
    """A case of an operation. ``ids`` are placeholders (``{assistant.1}``) for its path parameters, in path order."""
    operation = operations_of(spec)[operation_id]
    headers = tuple(
        (p.name, str(spec.deref(p.schema).get("default") or spec.deref(p.schema).get("const") or "preview"))
        for p in operation.parameters
        if p.location == "header" and p.required
    )
    return Case(
        operation=operation_id,
        method=operation.method,
        path=operation.path,
        path_params=dict(zip(path_names(operation), ids, strict=True)),
        query=tuple((name, str(value)) for name, value in (query or {}).items()),
        headers=headers,
        body=None if body is None else JsonBody(body),
        family=Family.SCENARIO,
        expect=expect,
        role=role,
        step=role,
        bindings=dict(known or {}),
        **more,
    )


def request_body(spec: Spec, operation_id: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the wanted fields that the version documents for the request."""
    media = operations_of(spec)[operation_id].body.get("application/json")
    known = properties(spec, media.schema) if media else frozenset()
    return {name: value for name, value in wanted.items() if name in known}


def create(
    spec: Spec, item: Kind, name: str, parents: tuple[str, ...] = (), known: Ids | None = None, **more: Any
) -> Case:
    """A case that creates one object, journaled under the placeholder ``name`` (``assistant.1``), with its undo."""
    operation_id = item.operation("create")
    undo = None
    if item.has(spec, "delete"):
        undo = call(spec, item.operation("delete"), *parents, f"{{{name}}}", role="undo", known=known)
    body = request_body(spec, operation_id, item.body)
    return call(
        spec,
        operation_id,
        *parents,
        role=more.pop("role", "create"),
        body=body,
        known=known,
        creates={name: item.creates},
        undo=undo,
        capability=item.capability,
        expensive=item.expensive,
        **more,
    )


def created_id(exchange: Exchange, pointer: str = "/id") -> str | None:
    """The id in the answer to a create, or None where it has none."""
    node: Any = exchange.response.json if exchange.ok and exchange.response else None
    for token in pointer.split("/")[1:]:
        node = node.get(token) if isinstance(node, dict) else None
    return node if isinstance(node, str) and node else None


def create_parents(
    spec: Spec, item: Kind, scenario: str
) -> Generator[Step, tuple[Exchange, ...], dict[str, str] | None]:
    """Create the chain of parents of a kind; gives their ids by placeholder, or None when one could not be made."""
    known: dict[str, str] = {}
    chain: list[Kind] = []
    while item.parent:
        item = kind(item.parent)
        chain.insert(0, item)
    for index, parent in enumerate(chain):
        above = tuple(f"{{{made.name}}}" for made in chain[:index])
        case = create(spec, parent, parent.name, above, known, role="parent").at(scenario, f"parent.{parent.name}")
        (exchange,) = yield (case,)
        made_id = created_id(exchange, parent.creates)
        if made_id is None:
            return None
        known[parent.name] = made_id
    return known


def poll(
    make: Callable[[int], Case], done: Callable[[Exchange], bool], settings: Settings, deadline: float
) -> Generator[Step, tuple[Exchange, ...], Exchange]:
    """Send ``make(n)`` until ``done`` or the deadline (seconds of waiting); gives the last exchange."""
    waited, number = 0.0, 0
    while True:
        (exchange,) = yield (make(number),)
        if done(exchange) or waited >= deadline:
            return exchange
        yield Wait(settings.poll_interval)
        waited += max(settings.poll_interval, 0.001)
        number += 1
