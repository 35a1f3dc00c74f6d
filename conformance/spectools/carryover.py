"""What an imported version takes over from known ones: clauses, refusals, wider bounds, features.

Each is taken over only if the operation and the place that it names exist in the imported document too. An operation
that the most similar version has not is looked for in the others.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from conformance.spec.openapi import METHODS
from conformance.spec.operations import operations_of
from conformance.spec.spec import Clause, Spec
from conformance.spectools.document_rules import route
from conformance.spectools.request_pointers import named_operations, request_schemas

__all__ = ["carried_clauses", "carried_features", "documented_features", "nearest"]


#: How the source of a clause says that it came from another version.
_CARRIED = " (carried over from "


def nearest(document: Mapping[str, Any], paths: Mapping[str, Any], specs: tuple[Spec, ...]) -> Spec | None:
    """The most similar known version, or None if no operation is known.

    Similarity is measured by operations, then by identical paths, then by fields of components: the number of common
    ones divided by the number of all (Jaccard index).
    """
    here = {route(path, method) for path, item in paths.items() for method in item if method in METHODS}
    fields = _fields(document)

    def likeness(spec: Spec) -> tuple[float, int, float, str]:
        items = spec.document["paths"].items()
        there = {route(path, method) for path, item in items for method in item if method in METHODS}
        exact = sum(method in paths.get(path, {}) for path, item in items for method in item)
        known = _fields(spec.faithful)
        return (
            # Operations decide first, because clauses name operations. The label comes last, so that the choice between
            # equals doesn't depend on the order of the folders.
            len(here & there) / len(here | there),
            exact,
            len(fields & known) / max(1, len(fields | known)),
            spec.version,
        )

    # A version without a common operation would only contribute clauses about operations that don't exist here.
    best = max(specs, key=likeness, default=None)
    return best if best is not None and likeness(best)[0] > 0 else None


def _fields(document: Mapping[str, Any]) -> set[tuple[str, str]]:
    """(component, property) of every property of a component."""
    found: set[tuple[str, str]] = set()
    for name, schema in document.get("components", {}).get("schemas", {}).items():
        if isinstance(schema, Mapping) and isinstance(schema.get("properties"), Mapping):
            found.update((name, str(key)) for key in schema["properties"])
    return found


def carried_clauses(imported: Spec, specs: Sequence[Spec]) -> dict[str, list[dict[str, Any]]]:
    """The content of ``clauses.toml``. ``imported`` is the version without clauses of its own.

    ``specs`` are known versions, the most similar first. Each gives what it says about the operations that none of
    those before it has.
    """
    found: dict[str, list[dict[str, Any]]] = {"clause": [], "refusal": [], "widest": []}
    missing = set(operations_of(imported))
    names = {clause.id for clause in imported.clauses}
    for spec in specs:
        here = frozenset(missing & set(operations_of(spec)))
        missing -= here
        for clause in spec.clauses if here else ():
            # Clauses without a version are shared by all and need not be carried over.
            if clause.version and clause.id not in names and (made := _clause(imported, clause, here)) is not None:
                names.add(clause.id)
                found["clause"].append(made)
        for table, items in (("refusal", spec.refusals), ("widest", spec.widest)):
            for item in items:
                reached = [
                    operation.id
                    for operation in named_operations(imported, item.operations)
                    if operation.id in here
                    and (item.keyword == "*" or request_schemas(imported, operation, item.pointer))
                ]
                # Versions say the same about different operations under one id.
                same = next((row for row in found[table] if row["id"] == item.id), None)
                if same is not None:
                    same["operations"] += reached
                elif reached:
                    found[table].append({**attrs.asdict(item), "operations": reached})
    return found


def _clause(imported: Spec, clause: Clause, here: frozenset[str]) -> dict[str, Any] | None:
    """One clause as a TOML table, about the operations ``here``; None if it speaks of none of them."""
    globs: list[str] = []
    for glob in clause.operations:
        named = [operation.id for operation in named_operations(imported, (glob,))]
        # A glob that reaches further is replaced by the operations that are meant.
        globs += [glob] if set(named) <= here and named else [name for name in named if name in here]
    rule = None
    if clause.rule is not None:
        reached = [
            operation.id
            for operation in named_operations(imported, tuple(globs))
            if operation.id in here and request_schemas(imported, operation, clause.rule.pointer)
        ]
        # A clause with a rule is worth keeping only for operations whose request has the place that the rule is about.
        globs = reached
        rule = {"pointer": clause.rule.pointer}
        if clause.rule.schema is not None:
            rule["schema"] = json.dumps(clause.rule.schema)
        if clause.rule.breaks is not None:
            rule["break"] = json.dumps(clause.rule.breaks)
        if clause.rule.fault:
            rule["fault"] = clause.rule.fault
        if clause.rule.named:
            rule["named"] = clause.rule.named
    if not globs:
        return None
    made: dict[str, Any] = {
        "id": clause.id,
        "text": clause.text,
        "source": _source(imported, clause),
        "provenance": clause.provenance,
        "keyword": clause.keyword,
        "operations": globs,
    }
    if clause.checks:
        made["checks"] = list(clause.checks)
    if clause.excluded:
        made["excluded"] = clause.excluded
    elif clause.state:
        made["state"] = clause.state
    if rule is not None:
        made["rule"] = rule
    return made


def _source(imported: Spec, clause: Clause) -> str:
    """The source of a clause, with the version that had it first. Of itself a version takes over nothing."""
    if _CARRIED in clause.source or clause.version == imported.version:
        return clause.source
    return f"{clause.source}{_CARRIED}{clause.version})"


def documented_features(imported: Spec) -> list[str]:
    """The features whose request fields, and types of objects in them, the document describes."""
    return sorted(
        {
            ability.feature
            for ability in imported.facts.abilities
            for operation in named_operations(imported, ability.operations)
            for pointer in ability.fields
            for schema in request_schemas(imported, operation, pointer)
            if not ability.types or _words(imported, schema) & set(ability.types)
        }
    )


def _words(spec: Spec, schema: Any) -> set[str]:
    """The texts that a schema allows as constants anywhere in it, through references."""
    found: set[str] = set()
    seen: set[str] = set()
    waiting: list[Any] = [schema]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting += node
        if not isinstance(node, Mapping):
            continue
        ref = node.get("$ref")
        # Components may refer to themselves; each is entered once.
        if isinstance(ref, str) and ref not in seen:
            seen.add(ref)
            waiting.append(spec.resolve(ref))
        found |= {word for word in (node.get("const"), *node.get("enum", ())) if isinstance(word, str)}
        waiting += [value for key, value in node.items() if key not in ("const", "enum", "example", "examples")]
    return found


def carried_features(imported: Spec, near: Spec) -> list[str]:
    """The nearest version's features of operations that exist here, unless the request field that they need is
    missing.
    """
    found = []
    for feature in sorted(near.features):
        head, _, name = feature.rpartition(".")
        words = feature.split(".")
        there = [op for op in named_operations(near, (f"{words[0]}.*",)) if op.body]
        here = named_operations(imported, (f"{words[0]}.*",))
        if not here:
            continue
        named = [op for op in there if head and request_schemas(near, op, f"/{name}")]
        # The last word of a feature is the name of its request field in some features only. Where it is none, nothing
        # is concluded.
        if named and not any(request_schemas(imported, op, f"/{name}") for op in here):
            continue
        # Streaming is documented by the answer, not by a request field of that name alone.
        if words[-1] == "stream" and not any(op.stream for op in here):
            continue
        found.append(feature)
    return found
