"""One api-version as data.

A :class:`Spec` holds two views of its OpenAPI document: ``faithful`` says what the sources say, ``document`` (the
corrected view) is that plus the errata. Targets are judged by the corrected view.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from attrs import field, frozen

from conformance.errors import SpecError
from conformance.pointer import follow
from conformance.spec.operation_facts import Ability, FactTable, names_operation

__all__ = [
    "ApiVersion",
    "Clause",
    "Drop",
    "Erratum",
    "Refusal",
    "Rule",
    "Source",
    "Spec",
    "Widest",
]


@frozen
class ApiVersion:
    """How the api-version is sent (in the query or not at all), and which values are accepted.

    ``unknown`` is the status with which the service refuses any other value, and a missing one if it is required.
    """

    location: str = "query"
    name: str = "api-version"
    required: bool = True
    accepted: tuple[str, ...] = ()
    unknown: int = 404


@frozen
class Source:
    """A source of facts."""

    title: str
    document: str
    section: str = ""


@frozen
class Erratum:
    """A mistake of the document: what it says, what is true instead, and why."""

    id: str
    where: str
    says: str
    holds: str
    why: str
    source: str
    provenance: str
    patch: tuple[Mapping[str, Any], ...] = ()
    version: str = ""

    @property
    def pointers(self) -> tuple[str, ...]:
        """The JSON Pointers that the patch changes; ``where`` of an erratum without a patch."""
        return tuple(str(op["path"]) for op in self.patch if op["op"] != "test") or (self.where,)


@frozen
class Rule:
    """A cross-field rule of a request body: a JSON Schema (or a named rule) and a merge patch that breaks it.

    ``fault`` is the JSON Pointer of the field that the patch makes wrong; "" stands for ``pointer`` itself.
    """

    pointer: str = ""
    schema: Any = None
    breaks: Any = None
    fault: str = ""
    named: str = ""


@frozen
class Clause:
    """A rule about requests and answers that a schema can't express, in our own words."""

    id: str
    text: str
    source: str
    provenance: str
    keyword: str
    operations: tuple[str, ...] = ("*",)
    checks: tuple[str, ...] = ()
    state: str = ""
    excluded: str = ""
    rule: Rule | None = None
    version: str = ""

    def concerns(self, operation: str) -> bool:
        """True if the rule is about an operation, by its operationId."""
        return names_operation(self.operations, operation)


@frozen
class Refusal:
    """How hard a target is judged if it doesn't refuse a broken constraint."""

    id: str
    operations: tuple[str, ...]
    pointer: str
    keyword: str
    expect: str = "reject"
    level: str = "SHOULD"
    source: str = ""


@frozen
class Widest:
    """The widest bound that any source states. Between it and the document's bound both outcomes are right."""

    id: str
    operations: tuple[str, ...]
    pointer: str
    keyword: str
    value: Any
    source: str = ""


@frozen
class Drop:
    """An inherited erratum, clause, refusal or widest bound that doesn't hold in this version."""

    id: str
    reason: str


@frozen(slots=False)
class Spec:
    """One api-version. ``document`` is the corrected OpenAPI 3.1 document, ``faithful`` the uncorrected one.

    ``default`` marks the version that is judged if none is named; ``path`` is its folder. ``imported`` is True for a
    version that ``spec import`` made, until somebody proves it: the emulator completes its answers by the document.
    """

    version: str
    status: str
    surface: str
    base_path: str
    api_version: ApiVersion
    faithful: Mapping[str, Any] = field(repr=False)
    document: Mapping[str, Any] = field(repr=False)
    live: str = "unknown"
    complete: bool = True
    default: bool = False
    imported: bool = False
    gaps: tuple[str, ...] = ()
    features: frozenset[str] = frozenset()
    facts: FactTable = field(default=FactTable(), repr=False)
    sources: tuple[Source, ...] = ()
    errata: tuple[Erratum, ...] = field(default=(), repr=False)
    wrong_examples: tuple[Mapping[str, str], ...] = field(default=(), repr=False)
    clauses: tuple[Clause, ...] = field(default=(), repr=False)
    refusals: tuple[Refusal, ...] = field(default=(), repr=False)
    widest: tuple[Widest, ...] = field(default=(), repr=False)
    extends: str = ""
    profiles: Mapping[str, Any] = field(factory=dict, repr=False, eq=False)
    digest: str = ""
    drops: tuple[Drop, ...] = field(default=(), repr=False)
    path: Path | None = field(default=None, repr=False, eq=False)

    def has(self, feature: str) -> bool:
        """Return True if the version lists a feature: an optional ability such as ``chat.logprobs``.

        A version that lists none has none, whatever its document describes.
        """
        return feature in self.features

    def unclaimed(self, operation: str) -> tuple[Ability, ...]:
        """The abilities of an operation that the version doesn't list: no request may show one of them."""
        return self._unclaimed(operation)

    @cached_property
    def _unclaimed(self) -> Callable[[str], tuple[Ability, ...]]:
        facts, has = self.facts, self.has
        return cache(lambda name: tuple(each for each in facts.of(name).abilities if not has(each.feature)))

    @cached_property
    def clause_by_id(self) -> Mapping[str, Clause]:
        """Clauses by id."""
        return {clause.id: clause for clause in self.clauses}

    def resolve(self, ref: str) -> Any:
        """The target of an internal reference (``#/components/…``) in the corrected document.

        Raises :class:`SpecError` if there is none.
        """
        try:
            return follow(self.document, ref)
        except KeyError:
            raise SpecError(f"$ref {ref} points nowhere", where=self.version) from None

    def deref(self, node: Any) -> Any:
        """The node itself, or the target of its chain of references."""
        for _ in range(32):
            if not (isinstance(node, Mapping) and "$ref" in node):
                return node
            node = self.resolve(node["$ref"])
        raise SpecError("a chain of $ref never ends", where=self.version)
