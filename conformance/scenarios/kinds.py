"""The resources that scenarios create, as data: how a small one is made, what can be changed, where it lives.

A kind names operations by prefix (``assistants`` → ``assistants.create`` …). Bodies hold only what is listed in
``body``; a field that the version doesn't document is left out. ``{run}`` marks every object as this run's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from conformance.operations import operations_of
from conformance.spec import Spec

__all__ = ["KINDS", "MARKER", "Kind", "kind", "properties"]

#: The metadata key that carries the run's marker.
MARKER = "aoai-conformance"

_METADATA = {MARKER: "{run}"}


@frozen
class Kind:
    """One kind of object. ``parent`` is the kind that its path begins with; ``cursor`` names the walk parameters."""

    name: str
    prefix: str
    body: Mapping[str, Any]
    change: Mapping[str, Any] = field(factory=dict)
    parent: str = ""
    #: Fields of the request that come back in the object as they were sent.
    echoed: tuple[str, ...] = ("metadata",)
    creates: str = "/id"
    capability: str = ""
    expensive: str = ""
    tokens: int = 0

    def operation(self, verb: str) -> str:
        """An operationId of this kind."""
        return f"{self.prefix}.{verb}"

    def has(self, spec: Spec, *verbs: str) -> bool:
        """True when the version documents these operations, and those that make its parents."""
        known = operations_of(spec)
        if not all(self.operation(verb) in known for verb in verbs):
            return False
        return not self.parent or kind(self.parent).has(spec, "create")


KINDS: tuple[Kind, ...] = (
    Kind(
        name="assistant",
        prefix="assistants",
        body={
            "model": "{deployment}",
            "name": "Conformance probe",
            "description": "A short-lived object of a conformance run.",
            "instructions": "Answer with one short sentence.",
            "tools": [
                {
                    "type": "function",
                    "function": {
                        "name": "get_weather",
                        "description": "Current weather of a city.",
                        "parameters": {
                            "type": "object",
                            "properties": {"city": {"type": "string"}},
                            "required": ["city"],
                        },
                    },
                }
            ],
            "metadata": _METADATA,
        },
        change={"name": "Conformance probe, renamed", "metadata": {MARKER: "{run}", "step": "modified"}},
        echoed=("name", "description", "instructions", "tools", "metadata"),
        capability="assistants",
    ),
)


def kind(name: str) -> Kind:
    """A kind by name; raises :class:`KeyError`."""
    return {item.name: item for item in KINDS}[name]


def properties(spec: Spec, schema: Any, depth: int = 0) -> frozenset[str]:
    """The names of all properties that a schema documents, through references and combinations."""
    node = spec.deref(schema)
    found = set(node.get("properties", ()))
    if depth < 8:
        for key in ("allOf", "anyOf", "oneOf"):
            for part in node.get(key, ()):
                found |= properties(spec, part, depth + 1)
    return frozenset(found)
