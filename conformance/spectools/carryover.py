"""What an imported version takes over from the most similar known one: clauses, refusals, wider bounds, errata,
features.

Each is taken over only if the operation and the place that it names exist in the imported document too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import attrs

from conformance.pointer import follow
from conformance.spec.openapi import METHODS
from conformance.spec.overlay import PatchError, apply_patches
from conformance.spec.spec import Clause, Spec
from conformance.spectools.document_rules import route
from conformance.spectools.request_pointers import named_operations, request_schemas

__all__ = ["carried_clauses", "carried_errata", "carried_features", "documented_features", "nearest"]


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


def carried_clauses(imported: Spec, near: Spec) -> dict[str, list[dict[str, Any]]]:
    """The content of ``clauses.toml``. ``imported`` is the version without clauses of its own."""
    clauses = []
    for clause in near.clauses:
        # Clauses without a version are shared by all and need not be carried over.
        if clause.version:
            made = _clause(imported, clause)
            if made is not None:
                clauses.append(made)
    found: dict[str, list[dict[str, Any]]] = {"clause": clauses}
    for table, items in (("refusal", near.refusals), ("widest", near.widest)):
        found[table] = []
        for item in items:
            names = [
                operation.id
                for operation in named_operations(imported, item.operations)
                if item.keyword == "*" or request_schemas(imported, operation, item.pointer)
            ]
            if names:
                found[table].append({**attrs.asdict(item), "operations": names})
    return found


def _clause(imported: Spec, clause: Clause) -> dict[str, Any] | None:
    """One clause as a TOML table, or None if none of its operations exists."""
    globs = [glob for glob in clause.operations if named_operations(imported, (glob,))]
    rule = None
    if clause.rule is not None:
        reached = [
            operation.id
            for operation in named_operations(imported, tuple(globs))
            if request_schemas(imported, operation, clause.rule.pointer)
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
        "source": f"{clause.source} (carried over from {clause.version})",
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


def carried_errata(document: Mapping[str, Any], near: Spec) -> list[dict[str, Any]]:
    """The errata whose place exists and whose patch applies, each after the ones before it."""
    kept: list[dict[str, Any]] = []
    current: Mapping[str, Any] = document
    for erratum in near.errata:
        try:
            follow(current, erratum.where)
            # Most patches that don't apply fail in their first test operation, which needs no copy of the document.
            if any(follow(current, step["path"]) != step["value"] for step in erratum.patch[:1]):
                continue
            # Later patches may rest on earlier ones, so each is tried on the document with all patches that were kept
            # before.
            current = apply_patches(current, [(erratum.id, erratum.patch)])
        except (KeyError, PatchError):
            continue
        item = {key: getattr(erratum, key) for key in ("id", "where", "says", "holds", "why", "source", "provenance")}
        kept.append({**item, "patch": json.dumps(list(erratum.patch), ensure_ascii=False)})
    return kept


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
