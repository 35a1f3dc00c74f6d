"""What changed between two versions: operations, parameters, bodies, answers, and all schemas they reach."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import define, field

from conformance.pointer import escape
from conformance.spec.openapi import METHODS
from conformance.spec.spec import Spec
from conformance.spectools.changes import REQUEST, RESPONSE, Change, Class, Local, judge, worst
from conformance.spectools.normal_form import Node, resolve
from conformance.spectools.schemadiff import Pairs

__all__ = ["compare"]


@define
class _Found:
    """One change and everybody who reaches it."""

    local: Local
    operations: dict[str, None] = field(factory=dict)
    kinds: dict[str, Class] = field(factory=dict)


@define
class _Comparison:
    old: Mapping[str, Any]
    new: Mapping[str, Any]
    pairs: Pairs
    found: dict[tuple[str, str, str, str], _Found] = field(factory=dict)

    def add(self, operation: str, side: str, local: Local) -> None:
        key = (local.pointer, local.what, repr(local.old), repr(local.new))
        entry = self.found.setdefault(key, _Found(local))
        entry.operations[operation] = None
        entry.kinds[side] = judge(local.effect, side)

    def schema(self, operation: str, side: str, old: Node, new: Node) -> None:
        for local in self.pairs.reach(resolve(self.old, old), resolve(self.new, new)):
            self.add(operation, side, local)


def compare(old: Spec, new: Spec, *, faithful: bool = False) -> tuple[Change, ...]:
    """Every change from one version to another, each once, in the order of the newer document.

    Compares what targets are judged by, or with ``faithful`` what the sources say. Equal versions give nothing.
    """
    left, right = (old.faithful, new.faithful) if faithful else (old.document, new.document)
    work = _Comparison(left, right, Pairs(left, right))
    before, after = dict(_operations(left)), dict(_operations(right))
    for local in _facts(old, new):
        work.add("*", REQUEST, local)
    for id, (pointer, _, _, _) in after.items():
        if id not in before:
            work.add(id, REQUEST, Local(pointer, "operation added", None, _title(after[id]), "more"))
    for id, entry in before.items():
        if id not in after:
            work.add(id, REQUEST, Local(entry[0], "operation removed", _title(entry), None, "less"))
    for id, entry in after.items():
        if id in before:
            _operation(work, id, before[id], entry)
    return tuple(_change(entry) for entry in work.found.values())


def _change(entry: _Found) -> Change:
    local = entry.local
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


def _facts(old: Spec, new: Spec) -> Iterator[Local]:
    if old.base_path != new.base_path:
        yield Local("/servers/0/url", "base path", old.base_path, new.base_path, "other")
    before, after = old.api_version, new.api_version
    if (before.location, before.name) != (after.location, after.name):
        old_way, new_way = (f"in {a.location}" if a.location != "none" else "not sent" for a in (before, after))
        yield Local("/info/version", "api-version", old_way, new_way, "other")


Entry = tuple[str, str, str, Mapping[str, Any]]


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[str, Entry]]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                node = item[method]
                shared = item.get("parameters", ())
                if shared:
                    node = {**node, "parameters": [*shared, *node.get("parameters", ())]}
                yield node["operationId"], (f"/paths/{escape(path)}/{method}", path, method, node)


def _title(entry: Entry) -> str:
    return f"{entry[2].upper()} {entry[1]}"


def _operation(work: _Comparison, id: str, old: Entry, new: Entry) -> None:
    if (old[1], old[2]) != (new[1], new[2]):
        work.add(id, REQUEST, Local(new[0], "path", _title(old), _title(new), "other", old[0]))
    if old[3].get("deprecated", False) != new[3].get("deprecated", False):
        was, now = old[3].get("deprecated", False), new[3].get("deprecated", False)
        work.add(id, REQUEST, Local(f"{new[0]}/deprecated", "deprecated", was, now, "none"))
    _parameters(work, id, old, new)
    _body(work, id, old, new)
    _responses(work, id, old, new)


def _parameters(work: _Comparison, id: str, old: Entry, new: Entry) -> None:
    def of(document: Any, entry: Entry) -> dict[tuple[str, str], Node]:
        nodes = (Node(f"{entry[0]}/parameters/{i}", p) for i, p in enumerate(entry[3].get("parameters", ())))
        found = (resolve(document, node) for node in nodes)
        # names of path parameters are ours to choose; what is in the path is compared by the path itself
        return {(n.schema["in"], n.schema["name"]): n for n in found if n.schema["in"] != "path"}

    before, after = of(work.old, old), of(work.new, new)
    for key, node in before.items():
        if key not in after:
            work.add(
                id, REQUEST, Local(node.pointer, f"{key[0]} parameter {key[1]} removed", _told(node), None, "less")
            )
    for key, node in after.items():
        must = node.schema.get("required", False)
        if key not in before:
            what = f"{'required ' if must else ''}{key[0]} parameter {key[1]} added"
            work.add(id, REQUEST, Local(node.pointer, what, None, _told(node), "narrower" if must else "more"))
            continue
        past = before[key]
        was = past.schema.get("required", False)
        if was != must:
            local = Local(f"{node.pointer}/required", f"required {key[1]}", was, must, "narrower" if must else "wider")
            work.add(id, REQUEST, local)
        work.schema(id, REQUEST, _schema(past), _schema(node))


def _told(node: Node) -> Any:
    return node.schema.get("schema")


def _schema(node: Node) -> Node:
    return Node(f"{node.pointer}/schema", node.schema.get("schema", {}))


def _body(work: _Comparison, id: str, old: Entry, new: Entry) -> None:
    was, now = old[3].get("requestBody"), new[3].get("requestBody")
    if was is None and now is None:
        return
    pointer = f"{new[0]}/requestBody"
    if was is None or now is None:
        effect = "less" if now is None else "narrower" if now.get("required") else "more"
        left_types, right_types = (list(side["content"]) if side else None for side in (was, now))
        work.add(id, REQUEST, Local(pointer, "request body", left_types, right_types, effect))
        return
    left = resolve(work.old, Node(f"{old[0]}/requestBody", was))
    right = resolve(work.new, Node(pointer, now))
    was_needed, needed = (side.schema.get("required", False) for side in (left, right))
    if was_needed != needed:
        work.add(
            id,
            REQUEST,
            Local(f"{pointer}/required", "required body", was_needed, needed, "narrower" if needed else "wider"),
        )
    _content(work, (id, REQUEST), left, right)


def _responses(work: _Comparison, id: str, old: Entry, new: Entry) -> None:
    before, after = old[3]["responses"], new[3]["responses"]
    for status in before:
        if status not in after:
            at = f"{old[0]}/responses/{status}"
            work.add(id, RESPONSE, Local(at, f"status {status} removed", status, None, _status_effect(status, "less")))
    for status in after:
        at = f"{new[0]}/responses/{status}"
        if status not in before:
            work.add(id, RESPONSE, Local(at, f"status {status} added", None, status, _status_effect(status, "wider")))
            continue
        left = resolve(work.old, Node(f"{old[0]}/responses/{status}", before[status]))
        right = resolve(work.new, Node(at, after[status]))
        _content(work, (id, RESPONSE), left, right)
        _headers(work, id, left, right)


def _status_effect(status: str, effect: str) -> str:
    # that errors are written down, or no longer, changes nothing on the wire
    return "none" if status == "default" or status[0] in "45" else effect


def _content(work: _Comparison, who: tuple[str, str], left: Node, right: Node) -> None:
    before, after = left.schema.get("content", {}), right.schema.get("content", {})
    for kind in before:
        if kind not in after:
            at = f"{left.pointer}/content/{escape(kind)}"
            work.add(*who, Local(at, f"media type {kind} removed", kind, None, "less"))
    for kind, media in after.items():
        at = f"{right.pointer}/content/{escape(kind)}"
        if kind not in before:
            work.add(*who, Local(at, f"media type {kind} added", None, kind, "more"))
            continue
        past = Node(f"{left.pointer}/content/{escape(kind)}/schema", before[kind].get("schema", {}))
        work.schema(*who, past, Node(f"{at}/schema", media.get("schema", {})))


def _headers(work: _Comparison, id: str, left: Node, right: Node) -> None:
    before, after = left.schema.get("headers", {}), right.schema.get("headers", {})
    for name in sorted(set(before) ^ set(after)):
        gone = name in before
        at = f"{(left if gone else right).pointer}/headers/{escape(name)}"
        what = f"header {name} {'removed' if gone else 'added'}"
        old, new = (name, None) if gone else (None, name)
        work.add(id, RESPONSE, Local(at, what, old, new, "less" if gone else "more"))
