"""Compares two schemas: the changes in one place, and the pairs of places below it.

A pair is compared once, however many ways lead to it. Which operations a change concerns is found by walking the pairs
from each operation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import define, field, frozen

from conformance.migration.pairing import Pairing, paired
from conformance.spec.openapi import BOUNDS, CONTAINED, LOWER
from conformance.spectools.changes import LocalChange
from conformance.spectools.normal_form import Node, Shape, branches, key_values, shape

__all__ = ["Pairs"]

#: Keywords without effect on validation.
_SILENT = ("title", "description", "deprecated", "$comment", "examples")


@frozen
class _Step:
    """The changes of one pair, and the pairs below it."""

    changes: tuple[LocalChange, ...]
    below: tuple[tuple[Node, Node], ...]


@define(eq=False)
class Pairs:
    """The pairs of places in two documents that were compared so far."""

    old: Any
    new: Any
    _done: dict[tuple[str, str], _Step] = field(factory=dict, init=False)

    def reach(self, old: Node, new: Node) -> Iterator[LocalChange]:
        """Yield all changes at or below a pair, each once."""
        stack, seen = [(old, new)], set()
        while stack:
            pair = stack.pop()
            step = self._step(*pair)
            key = (pair[0].pointer, pair[1].pointer)
            if key in seen:
                continue
            seen.add(key)
            yield from step.changes
            # Reversed, because the stack gives the last pair first: changes come in the order of the document.
            stack.extend(reversed(step.below))

    def _step(self, old: Node, new: Node) -> _Step:
        """The comparison of one pair, made on first use."""
        key = (old.pointer, new.pointer)
        if key not in self._done:
            changes: list[LocalChange] = []
            below: list[tuple[Node, Node]] = []
            self._compare(old, new, changes, below)
            self._done[key] = _Step(tuple(changes), tuple(below))
        return self._done[key]

    def _compare(self, old: Node, new: Node, changes: list[LocalChange], below: list[tuple[Node, Node]]) -> None:
        """Compare two schemas and collect changes and pairs below."""
        # Equal text is equal meaning only without references: what they name may have changed.
        if old.schema == new.schema and old.pointer == new.pointer and not _refers(old.schema):
            return
        was_null, olds = branches(self.old, old)
        is_null, news = branches(self.new, new)
        if was_null != is_null:
            effect = "wider" if is_null else "narrower"
            changes.append(LocalChange(new.pointer, "null", was_null, is_null, effect, old.pointer))
        # A union with one branch means the same as that branch, so both forms are compared as plain schemas.
        if len(olds) == len(news) == 1:
            self._plain(shape(self.old, olds[0]), shape(self.new, news[0]), changes, below)
            return
        found = self._matched(olds, news)
        for left, right in found.pairs:
            # A branch that is the place itself is compared here; as a pair below, it would wait for its own result.
            if (left.pointer, right.pointer) != (old.pointer, new.pointer):
                below.append((left, right))
            else:
                self._plain(shape(self.old, left), shape(self.new, right), changes, below)
        changes.extend(
            LocalChange(node.pointer, "branch removed", _brief(node.schema), None, "narrower") for node in found.gone
        )
        changes.extend(
            LocalChange(node.pointer, "branch added", None, _brief(node.schema), "wider") for node in found.come
        )

    def _matched(self, olds: tuple[Node, ...], news: tuple[Node, ...]) -> Pairing[Node]:
        """Pair up branches that belong together: by name, by fixed values, by type."""
        fixed = {
            id(node): key_values(side, node) for side, nodes in ((self.old, olds), (self.new, news)) for node in nodes
        }

        def values(node: Node) -> Any:
            return fixed[id(node)]

        return paired(
            olds,
            news,
            lambda a, b: _is_component(a) and _is_component(b) and _name(a) == _name(b),
            lambda a, b: bool(values(a)) and values(a) == values(b),
            lambda a, b: bool(values(a) & values(b)),
            lambda a, b: not values(a) and not values(b) and _type(a) == _type(b),
        )

    def _plain(self, old: Shape, new: Shape, changes: list[LocalChange], below: list[tuple[Node, Node]]) -> None:
        """Compare two branches without unions."""
        changes.extend(_keywords(old, new))
        for name, node in old.properties.items():
            if name not in new.properties:
                effect = "less"
                changes.append(LocalChange(node.pointer, "property removed", _brief(node.schema), None, effect))
            else:
                below.append((node, new.properties[name]))
                if (name in old.required) != (name in new.required):
                    now = name in new.required
                    what, effect = f"required {name}", "narrower" if now else "wider"
                    changes.append(
                        LocalChange(f"{new.pointer}/required", what, not now, now, effect, f"{old.pointer}/required")
                    )
        for name, node in new.properties.items():
            if name not in old.properties:
                must = name in new.required
                what = "required property added" if must else "property added"
                changes.append(
                    LocalChange(node.pointer, what, None, _brief(node.schema), "narrower" if must else "more")
                )
        for key in sorted(set(old.inner) | set(new.inner)):
            if key in old.inner and key in new.inner:
                below.append((old.inner[key], new.inner[key]))
            else:
                gone, come = old.inner.get(key), new.inner.get(key)
                before = _brief(gone.schema) if gone else None
                after = _brief(come.schema) if come else None
                where = come.pointer if come else f"{new.pointer}/{key}"
                changes.append(
                    LocalChange(where, key, before, after, _opened(before, after), gone.pointer if gone else "")
                )


def _opened(old: Any, new: Any) -> str:
    """The effect of a changed sub-schema where True or a missing schema allows everything and False nothing."""
    if new is False or (old in (None, True) and new is not True):
        return "narrower"
    return "wider" if old is False or new in (None, True) else "other"


def _keywords(old: Shape, new: Shape) -> Iterator[LocalChange]:
    """Yield the changes of keywords that hold no schema."""
    for key in sorted(set(old.keywords) | set(new.keywords)):
        was, now = old.keywords.get(key), new.keywords.get(key)
        # The order of enum values has no meaning in JSON Schema.
        if was == now or (key == "enum" and was and now and set(map(str, was)) == set(map(str, now))):
            continue
        pointer, before = (side.places.get(key, f"{side.pointer}/{key}") for side in (new, old))
        if key == "enum" and was and now:
            gone = [value for value in was if value not in now]
            come = [value for value in now if value not in was]
            if gone:
                yield LocalChange(pointer, "values removed", gone, None, "narrower", before)
            if come:
                yield LocalChange(pointer, "values added", None, come, "wider", before)
        else:
            yield LocalChange(pointer, key, was, now, _effect(key, was, now), before)


def _effect(key: str, was: Any, now: Any) -> str:
    """What a changed keyword does to the set of allowed values."""
    if key in _SILENT or key == "default":
        # The server uses the default if nothing is sent, so another default changes the meaning of requests.
        return "other" if key == "default" and was is not None and now is not None else "none"
    if was is None:
        return "narrower"
    if now is None:
        return "wider"
    # A greater lower bound allows fewer values, a greater upper bound allows more.
    if key in BOUNDS or key in CONTAINED:
        return "narrower" if (now > was) == (key in LOWER) else "wider"
    # Every integer is a number, so this pair is ordered; no other two types are.
    if key == "type":
        return (
            "wider"
            if (was, now) == ("integer", "number")
            else "narrower"
            if (now, was) == ("integer", "number")
            else "other"
        )
    return "other"


def _refers(node: Any) -> bool:
    """Return True if a schema contains a reference: what it refers to may have changed."""
    if isinstance(node, Mapping):
        return "$ref" in node or any(_refers(value) for value in node.values())
    return isinstance(node, list) and any(_refers(item) for item in node)


def _is_component(node: Node) -> bool:
    """Return True if a branch is a component itself. A branch that stands in one has a number, which names nothing."""
    return node.pointer.startswith("/components/schemas/") and node.pointer.count("/") == 3


def _name(node: Node) -> str:
    """The name of a component without prefixes for its origin."""
    return node.pointer.removeprefix("/components/schemas/").removeprefix("OpenAI.").removeprefix("Azure").lower()


def _type(node: Node) -> tuple[str, ...]:
    """The types of a schema, without null."""
    if not isinstance(node.schema, Mapping):
        return ()
    kind = node.schema.get("type", ())
    return tuple(item for item in ([kind] if isinstance(kind, str) else kind) if item != "null")


def _brief(schema: Any) -> Any:
    """A schema as a value that fits on one line: its own keywords, properties only by name."""
    if not isinstance(schema, Mapping):
        return schema
    found = {}
    for key, value in schema.items():
        if key == "properties":
            found[key] = list(value)
        elif key in ("oneOf", "anyOf", "allOf"):
            found[key] = [_brief(item) for item in value]
        elif isinstance(value, Mapping):
            found[key] = _brief(value)
        elif key != "description":
            found[key] = value
    return found
