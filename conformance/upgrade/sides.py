"""Two api-versions side by side: their operations, the requests that they derive, and requests in the other's form."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from attrs import evolve, field, frozen

from conformance._parts import late
from conformance.corpus.corpus import OperationCorpus, build_corpus
from conformance.corpus.request_values import RequestValues
from conformance.migration.change import Direction
from conformance.migration.comparison import DEPLOYMENT, moved_deployment
from conformance.requests.case import Auth, Case, JsonBody, Multipart, Part, RawBody, Version
from conformance.requests.field_rules import body_of, broken_rules
from conformance.spec.operations import Operation, operations_of
from conformance.spec.spec import Spec
from conformance.streams.event_schemas import event_schemas

if TYPE_CHECKING:
    from strategies import schema_tree
    from strategies.schema_tree import Node, Shapes
else:
    schema_tree = late("strategies.schema_tree")

__all__ = ["Side", "translated"]


@frozen(slots=False, eq=False)
class Side:
    """One api-version with what its requests need. ``profile`` is that of the derived requests, ``cached`` whether they
    are read from the user's cache.
    """

    spec: Spec
    profile: str
    cached: bool = True
    wanted: frozenset[str] | None = None
    _readers: dict[str, RequestValues] = field(factory=dict, init=False, repr=False)

    @cached_property
    def operations(self) -> Mapping[str, Operation]:
        """The operations by operationId."""
        return operations_of(self.spec)

    @cached_property
    def shapes(self) -> Shapes:
        """The schemas."""
        return schema_tree.Shapes(self.spec)

    @cached_property
    def corpora(self) -> Mapping[str, OperationCorpus]:
        """The derived requests by operationId."""
        return build_corpus(self.spec, self.profile, operations=self.wanted, cached=self.cached).operations

    def reader(self, name: str) -> RequestValues:
        """What reads the requests of an operation."""
        if name not in self._readers:
            self._readers[name] = RequestValues(self.operations[name], self.shapes)
        return self._readers[name]

    def has(self, case: Case) -> bool:
        """True if the version has the operation of a request."""
        return case.operation in self.operations

    def value(self, case: Case) -> tuple[Node, dict[str, Any]] | None:
        """(schema, value) of a request; None for one that can't be compared with a schema."""
        if not self.has(case):
            return None
        reader = self.reader(case.operation)
        read = reader.of(case)
        root = reader.root(read[0]) if read is not None else None
        return (root, read[1]) if read is not None and root is not None else None

    def fits(self, case: Case) -> bool:
        """True if the document takes a request: it fits the schema and keeps the rules between fields."""
        read = self.value(case)
        if read is None or not read[0].fits(read[1]):
            return False
        return not broken_rules(self.spec, case.operation, body_of(case))

    def answer_root(self, name: str, direction: Direction) -> Node | None:
        """The schema of the answer, or of the events, of an operation; None where there is none of one schema."""
        operation = self.operations.get(name)
        if operation is None or not operation.success:
            return None
        if direction is Direction.STREAM:
            pointer = event_schemas(self.spec, operation.stream).get(None) if operation.stream is not None else None
            return self.shapes.node(self.spec.resolve(f"#{pointer}"), pointer) if pointer is not None else None
        media = operation.answer(operation.success[0]) or {}
        found = next((one for kind, one in media.items() if "json" in kind), None)
        return self.shapes.node(found.schema, found.pointer) if found is not None else None

    def roots(self, name: str, part: str) -> list[Node]:
        """The schemas of an operation's ``request`` or ``answer``; empty where it is not known what an answer holds."""
        operation = self.operations.get(name)
        if operation is None:
            return []
        if part == "request":
            return [root for _, root in self.reader(name).roots()]
        streams = [self.answer_root(name, Direction.STREAM)] if operation.stream is not None else []
        found = [self.answer_root(name, Direction.ANSWER), *streams]
        known = [root for root in found if root is not None]
        return known if len(known) == len(found) else []

    def plain_cases(self, name: str) -> Iterable[Case]:
        """The derived requests of an operation that are about its fields, and not about keys, versions or framing."""
        for case in self.corpora[name].cases if name in self.corpora else ():
            asked = case.auth is Auth.VALID and case.api_version is Version.DEFAULT and case.cancel_after is None
            if asked and not case.role.startswith("probe.") and not isinstance(case.body, RawBody):
                yield case


def translated(case: Case, old: Operation, new: Operation) -> Case:
    """The same request in the form of another version: its route, and the deployment in the path or in the body."""
    names = dict(case.path_params)
    body = case.body
    if moved_deployment(old, new):
        if f"{{{DEPLOYMENT}}}" in old.path:
            body = _with_model(body, names.pop(DEPLOYMENT, "{deployment}"))
        else:
            model, body = _without_model(body)
            names[DEPLOYMENT] = model
    # Paths may name the same parameter in two ways; its place decides.
    for before, after in zip(_names(old.path), _names(new.path), strict=False):
        if before != after and before in names:
            names[after] = names.pop(before)
    return evolve(case, path=new.path, method=new.method, path_params=names, body=body)


def _names(path: str) -> list[str]:
    found = [part.partition("}")[0] for part in path.split("{")[1:]]
    return [name for name in found if name != DEPLOYMENT]


def _with_model(body: Any, name: str) -> Any:
    if isinstance(body, JsonBody) and isinstance(body.value, dict):
        return JsonBody({"model": name, **body.value})
    if isinstance(body, Multipart):
        return evolve(body, parts=(Part("model", name.encode()), *body.parts))
    return body


def _without_model(body: Any) -> tuple[str, Any]:
    """(the model that a body names, the body without it)."""
    if isinstance(body, JsonBody) and isinstance(body.value, dict):
        rest = copy.copy(body.value)
        return str(rest.pop("model", "{deployment}")), JsonBody(rest)
    if isinstance(body, Multipart):
        named = next((part.data.decode() for part in body.parts if part.name == "model"), "{deployment}")
        return named, evolve(body, parts=tuple(part for part in body.parts if part.name != "model"))
    return "{deployment}", body
