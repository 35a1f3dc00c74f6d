"""The changes between two versions: operations, parameters, bodies, answers, and all schemas that they use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import define, field

from conformance.pointer import escape
from conformance.spec.openapi import METHODS
from conformance.spec.spec import Spec
from conformance.spectools.changes import REQUEST, RESPONSE, Change, Class, LocalChange, judge, worst
from conformance.spectools.normal_form import Node, resolve
from conformance.spectools.schemadiff import Pairs

__all__ = ["compare"]


@define
class _Found:
    """One change, the operations that it concerns, and its class per side."""

    local: LocalChange
    operations: dict[str, None] = field(factory=dict)
    kinds: dict[str, Class] = field(factory=dict)


@define
class _Comparison:
    """Two documents and the changes found so far. A schema that several operations use is compared once."""

    old: Mapping[str, Any]
    new: Mapping[str, Any]
    pairs: Pairs
    found: dict[tuple[str, str, str, str], _Found] = field(factory=dict)

    def add(self, operation: str, side: str, local: LocalChange) -> None:
        """Note a change for one side of an operation."""
        # The same change is reached from several operations through shared components; it is told once, with all of
        # them.
        key = (local.pointer, local.what, repr(local.old), repr(local.new))
        entry = self.found.setdefault(key, _Found(local))
        entry.operations[operation] = None
        entry.kinds[side] = judge(local.effect, side)

    def schema(self, operation: str, side: str, old: Node, new: Node) -> None:
        """Note all changes of a schema and the schemas below it."""
        for local in self.pairs.reach(resolve(self.old, old), resolve(self.new, new)):
            self.add(operation, side, local)


def compare(old: Spec, new: Spec, *, faithful: bool = False) -> tuple[Change, ...]:
    """Every change from one version to another, each once, in the order of the newer document.

    By default the corrected documents are compared, by which targets are judged; with ``faithful`` those of the
    sources. Equal versions give no change.
    """
    left, right = (old.faithful, new.faithful) if faithful else (old.document, new.document)
    comparison = _Comparison(left, right, Pairs(left, right))
    before, after = dict(_operations(left)), dict(_operations(right))
    for local in _facts(old, new):
        # Changes of the base path and of the api-version concern every operation, so they are not repeated for each.
        comparison.add("*", REQUEST, local)
    for id, (pointer, _, _, _) in after.items():
        if id not in before:
            comparison.add(id, REQUEST, LocalChange(pointer, "operation added", None, _title(after[id]), "more"))
    for id, entry in before.items():
        if id not in after:
            comparison.add(id, REQUEST, LocalChange(entry[0], "operation removed", _title(entry), None, "less"))
    for id, entry in after.items():
        if id in before:
            _operation(comparison, id, before[id], entry)
    return tuple(_change(entry) for entry in comparison.found.values())


def _change(entry: _Found) -> Change:
    """The change with its worst class."""
    local = entry.local
    # Most places have the same pointer in both documents; only another one is worth telling.
    moved = local.old_pointer if local.old_pointer != local.pointer else ""
    return Change(
        kind=worst(list(entry.kinds.values())),
        operations=tuple(entry.operations),
        sides=tuple(entry.kinds),
        pointer=local.pointer,
        what=local.what,
        old=local.old,
        new=local.new,
        old_pointer=moved,
    )


def _facts(old: Spec, new: Spec) -> Iterator[LocalChange]:
    """Yield changes that concern every operation: the base path and the way in which the api-version is sent."""
    if old.base_path != new.base_path:
        yield LocalChange("/servers/0/url", "base path", old.base_path, new.base_path, "other")
    before, after = old.api_version, new.api_version
    if (before.location, before.name) != (after.location, after.name):
        old_way, new_way = (f"in {a.location}" if a.location != "none" else "not sent" for a in (before, after))
        yield LocalChange("/info/version", "api-version", old_way, new_way, "other")


#: (pointer, path, method, operation object) of an operation.
Entry = tuple[str, str, str, Mapping[str, Any]]


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[str, Entry]]:
    """Yield (operationId, entry) of each operation; parameters of the path are added to its own."""
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                node = item[method]
                shared = item.get("parameters", ())
                if shared:
                    node = {**node, "parameters": [*shared, *node.get("parameters", ())]}
                yield node["operationId"], (f"/paths/{escape(path)}/{method}", path, method, node)


def _title(entry: Entry) -> str:
    """Method and path as text."""
    return f"{entry[2].upper()} {entry[1]}"


def _operation(comparison: _Comparison, id: str, old: Entry, new: Entry) -> None:
    """Compare one operation that both versions have."""
    # Operations are matched by operationId; a moved path is one change, not a removal and an addition.
    if (old[1], old[2]) != (new[1], new[2]):
        comparison.add(id, REQUEST, LocalChange(new[0], "path", _title(old), _title(new), "other", old[0]))
    if old[3].get("deprecated", False) != new[3].get("deprecated", False):
        was, now = old[3].get("deprecated", False), new[3].get("deprecated", False)
        comparison.add(id, REQUEST, LocalChange(f"{new[0]}/deprecated", "deprecated", was, now, "none"))
    _parameters(comparison, id, old, new)
    _body(comparison, id, old, new)
    _responses(comparison, id, old, new)


def _parameters(comparison: _Comparison, id: str, old: Entry, new: Entry) -> None:
    """Compare query and header parameters."""

    def of(document: Any, entry: Entry) -> dict[tuple[str, str], Node]:
        nodes = (Node(f"{entry[0]}/parameters/{i}", p) for i, p in enumerate(entry[3].get("parameters", ())))
        found = (resolve(document, node) for node in nodes)
        # The names of path parameters don't matter to callers; a path is compared as a whole.
        return {(n.schema["in"], n.schema["name"]): n for n in found if n.schema["in"] != "path"}

    before, after = of(comparison.old, old), of(comparison.new, new)
    for key, node in before.items():
        if key not in after:
            comparison.add(
                id,
                REQUEST,
                LocalChange(node.pointer, f"{key[0]} parameter {key[1]} removed", _summary(node), None, "less"),
            )
    for key, node in after.items():
        must = node.schema.get("required", False)
        if key not in before:
            what = f"{'required ' if must else ''}{key[0]} parameter {key[1]} added"
            comparison.add(
                id, REQUEST, LocalChange(node.pointer, what, None, _summary(node), "narrower" if must else "more")
            )
            continue
        past = before[key]
        was = past.schema.get("required", False)
        if was != must:
            local = LocalChange(
                f"{node.pointer}/required", f"required {key[1]}", was, must, "narrower" if must else "wider"
            )
            comparison.add(id, REQUEST, local)
        comparison.schema(id, REQUEST, _schema(past), _schema(node))


def _summary(node: Node) -> Any:
    """The parameter's schema, as the value that a change shows."""
    return node.schema.get("schema")


def _schema(node: Node) -> Node:
    """The node of a parameter's schema."""
    return Node(f"{node.pointer}/schema", node.schema.get("schema", {}))


def _body(comparison: _Comparison, id: str, old: Entry, new: Entry) -> None:
    """Compare the request bodies."""
    was, now = old[3].get("requestBody"), new[3].get("requestBody")
    if was is None and now is None:
        return
    pointer = f"{new[0]}/requestBody"
    if was is None or now is None:
        # A body that is newly required breaks requests that were valid without one; an optional one only adds.
        effect = "less" if now is None else "narrower" if now.get("required") else "more"
        left_types, right_types = (list(side["content"]) if side else None for side in (was, now))
        comparison.add(id, REQUEST, LocalChange(pointer, "request body", left_types, right_types, effect))
        return
    left = resolve(comparison.old, Node(f"{old[0]}/requestBody", was))
    right = resolve(comparison.new, Node(pointer, now))
    was_needed, needed = (side.schema.get("required", False) for side in (left, right))
    if was_needed != needed:
        comparison.add(
            id,
            REQUEST,
            LocalChange(f"{pointer}/required", "required body", was_needed, needed, "narrower" if needed else "wider"),
        )
    _content(comparison, (id, REQUEST), left, right)


def _responses(comparison: _Comparison, id: str, old: Entry, new: Entry) -> None:
    """Compare the responses status by status."""
    before, after = old[3]["responses"], new[3]["responses"]
    for status in before:
        # A status that is no longer documented may still be sent; callers must not expect it any more.
        if status not in after:
            at = f"{old[0]}/responses/{status}"
            comparison.add(
                id, RESPONSE, LocalChange(at, f"status {status} removed", status, None, _status_effect(status, "less"))
            )
    for status in after:
        at = f"{new[0]}/responses/{status}"
        if status not in before:
            comparison.add(
                id, RESPONSE, LocalChange(at, f"status {status} added", None, status, _status_effect(status, "wider"))
            )
            continue
        left = resolve(comparison.old, Node(f"{old[0]}/responses/{status}", before[status]))
        right = resolve(comparison.new, Node(at, after[status]))
        _content(comparison, (id, RESPONSE), left, right)
        _headers(comparison, id, left, right)


def _status_effect(status: str, effect: str) -> str:
    """The effect of a status that was added or removed."""
    # Documenting an error status, or no longer documenting it, changes nothing on the wire.
    return "none" if status == "default" or status[0] in "45" else effect


def _content(comparison: _Comparison, who: tuple[str, str], left: Node, right: Node) -> None:
    """Compare the media types of a body and their schemas."""
    before, after = left.schema.get("content", {}), right.schema.get("content", {})
    for kind in before:
        if kind not in after:
            at = f"{left.pointer}/content/{escape(kind)}"
            comparison.add(*who, LocalChange(at, f"media type {kind} removed", kind, None, "less"))
    for kind, media in after.items():
        at = f"{right.pointer}/content/{escape(kind)}"
        if kind not in before:
            comparison.add(*who, LocalChange(at, f"media type {kind} added", None, kind, "more"))
            continue
        past = Node(f"{left.pointer}/content/{escape(kind)}/schema", before[kind].get("schema", {}))
        comparison.schema(*who, past, Node(f"{at}/schema", media.get("schema", {})))


def _headers(comparison: _Comparison, id: str, left: Node, right: Node) -> None:
    """Compare which response headers are documented."""
    before, after = left.schema.get("headers", {}), right.schema.get("headers", {})
    for name in sorted(set(before) ^ set(after)):
        gone = name in before
        at = f"{(left if gone else right).pointer}/headers/{escape(name)}"
        what = f"header {name} {'removed' if gone else 'added'}"
        old, new = (name, None) if gone else (None, name)
        comparison.add(id, RESPONSE, LocalChange(at, what, old, new, "less" if gone else "more"))
