"""Facts: the single things that a document says a request may contain.

They are the targets of boundary cases and the units of coverage. Kinds: ``field`` (a property is present), ``null``,
``value`` (an enum value, true or false), ``branch`` (of a union), and a bound by its keyword (``minimum``,
``maxLength``, ``maxItems`` …), shown by a value that lies exactly on it.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from attrs import frozen

from .sampler import NOTHING, Sampler, text_of
from .schema_tree import DEEPEST, Node, Slot

__all__ = ["Fact", "Key", "edge", "facts_of", "kinds_of", "observe"]

#: Arrays with more items and texts with more characters than this are not built.
LONGEST = 300_000

#: In an array with more items than this, texts are as short as possible: on a live target each one costs tokens.
MANY = 100


#: (path, kind, label): equal for the same fact in two requests.
Key = tuple[str, str, str]


@frozen
class Fact:
    """One thing that a request may contain: its slot, kind, label (such as the enum value) and a value that shows
    it.
    """

    slot: Slot
    kind: str
    label: str
    value: Any

    @property
    def key(self) -> Key:
        """(path, kind, label) of the fact."""
        return ("".join(self.slot.path), self.kind, self.label)


def kinds_of(slot: Slot) -> Iterator[tuple[str, str]]:
    """Yield (kind, label) of every fact at a slot, without values."""
    node = slot.node
    last = slot.path[-1]
    # The last step of the path decides which facts the slot itself has.
    if last[0] == "|":
        yield "branch", last[1:]
    elif last[0] in ".%":
        yield "field", ""
        if node.nullable:
            yield "null", ""
    if node.branches:
        return
    for label in node.labels:
        yield "value", label
    for keyword in node.bounds:
        yield keyword, str(node.schema[keyword])


def facts_of(slot: Slot, sampler: Sampler) -> Iterator[Fact]:
    """Yield every fact at a slot with a value that shows it. Facts for which no value is found are left out."""
    names = [step[1:] for step in slot.path if step[0] == "."]
    parent = names[-2] if len(names) > 1 else ""
    for kind, label in kinds_of(slot):
        value = _value(slot.node, kind, label, (slot.name, parent), sampler)
        if value is not NOTHING:
            yield Fact(slot, kind, label, value)


def _value(node: Node, kind: str, label: str, place: tuple[str, str], sampler: Sampler) -> Any:
    """A value that shows one fact, or NOTHING. ``place`` is (name of the field, name of its parent)."""
    name, parent = place
    if kind in ("field", "branch"):
        return sampler.value(node, name, parent)
    if kind == "null":
        return None
    if kind == "value":
        # A label is text, so that it can stand in reports; the value is found again by it.
        return next((v for v in (*node.enum, True, False) if str(v) == label), NOTHING)
    return edge(node, kind, node.schema[kind], place, sampler)


def edge(node: Node, keyword: str, bound: Any, place: tuple[str, str], sampler: Sampler, *, beyond: int = 0) -> Any:
    """The value exactly at a bound, or ``beyond`` steps outside of it; NOTHING where it would be too large.

    A step is 1 for integers, sizes and lengths, 0.5 for other numbers. ``place`` is (name of the field, its parent).
    """
    if keyword in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"):
        # The step beyond a bound: 1 for integers, 0.5 otherwise.
        whole = "integer" in node.types
        step: Any = 1 if whole else 0.5
        sign = -1 if "inimum" in keyword else 1
        # An exclusive bound is not allowed itself, so the edge lies one step inside.
        inside = 0 if keyword in ("minimum", "maximum") else -1
        made = bound + sign * step * (beyond + inside) if beyond or inside else bound
        return int(made) if whole and made == int(made) else made
    # Beyond a maximum is more, beyond a minimum is less.
    outside = beyond if keyword.startswith("max") else -beyond
    size = bound + outside
    if size < 0 or size > LONGEST:
        return NOTHING
    if keyword.endswith("Length"):
        return _text(node, size)
    if keyword.endswith("Items"):
        return _list(node, size, place, sampler)
    return {f"key{number}": _member(node, sampler) for number in range(size)}


def _member(node: Node, sampler: Sampler) -> Any:
    """A value for a property that has no documented name."""
    return sampler.value(node.extra, "", "") if node.extra is not None else "text"


def _text(node: Node, size: int) -> Any:
    """A text of exactly ``size`` characters that fits everything but the length bounds, or NOTHING."""
    # Prose first; the others suit patterns of letters, digits or URLs.
    for alphabet in ("The quick brown fox jumps over the lazy dog. ", "a", "1", "https://example.com/aaaa"):
        made = text_of(size, alphabet)
        if _fits_but_length(node, made):
            return made
    return NOTHING


def _fits_but_length(node: Node, text: str) -> bool:
    """Return True if a text fits the node when its length bounds are ignored."""
    rest = {key: value for key, value in node.schema.items() if key not in ("minLength", "maxLength")}
    return Node(node.shapes, rest).fits(text) if len(rest) > 1 else True


def _list(node: Node, size: int, place: tuple[str, str], sampler: Sampler) -> Any:
    """An array of exactly ``size`` items, distinct where the item schema allows it, or NOTHING."""
    if size == 0:
        return []
    # Without a schema for items anything is valid.
    if node.items is None:
        return ["text"] * size
    item = sampler.value(node.items, *place)
    if item is NOTHING:
        return NOTHING
    # 3 MB is more than the service takes in one request.
    if size * len(str(item)) > 3_000_000:
        return NOTHING
    return [_distinct(node.items, item, number, short=size > MANY) for number in range(size)]


def _distinct(node: Node, item: Any, number: int, *, short: bool) -> Any:
    """The item with a number in its name or text, so that the array has no two equal items."""
    if number == 0:
        return item
    if isinstance(item, str):
        if node.enum:
            return node.enum[number % len(node.enum)]
        if short and " " in item and node.fits(str(number)):  # an id, or what stands for one, is no free text
            return str(number)
        # A placeholder with a number behind it would name another object, which nobody created.
        made = f"{item} {number}" if "{" not in item else item
        return made if node.fits(made) else item
    if isinstance(item, dict):
        made_item = copy.deepcopy(item)
        # A tool has its name in the object ``function``.
        holder = made_item.get("function", made_item)
        if isinstance(holder, dict) and isinstance(holder.get("name"), str):
            holder["name"] = f"{holder['name']}_{number}"
        return made_item if node.fits(made_item) else item
    return item


def observe(root: Node, request: Any) -> set[Key]:
    """The keys of all facts that a request shows, found by walking it along the schema."""
    found: set[Key] = set()
    _observe(root, request, ("", ""), (), found)
    return found


def _observe(node: Node, value: Any, place: tuple[str, str], entered: tuple[str, ...], found: set[Key]) -> None:
    """Collect the facts of one value and of everything inside it. ``place`` is the path as a text and its last step,
    ``entered`` are the components on the way down.
    """
    path, last = place
    # The request itself, its body and its query are no facts.
    if path != last:
        for kind, label in _shown_by(node, value, last):
            found.add((path, kind, label))
    # A recursive component is followed once; deeper levels repeat the same facts.
    if node.pointer and node.pointer in entered:
        return
    inside = (*entered, node.pointer) if node.pointer else entered
    # Requests are derived only down to ``DEEPEST`` levels. Anything deeper can't be a documented slot.
    if len(inside) > 3 * DEEPEST:
        return
    for step, child, item in _inner(node, value):
        _observe(child, item, (path + step, step), inside, found)
    for index, branch in enumerate(node.branches):
        if branch.fits(value):
            _observe(branch, value, (f"{path}|{index}", f"|{index}"), inside, found)


def _inner(node: Node, value: Any) -> Iterator[tuple[str, Node, Any]]:
    """Yield (step, node, value) for everything directly inside a value. Only 40 items of an array are read."""
    if isinstance(value, dict):
        for name, item in value.items():
            if name in node.properties:
                yield "." + name, node.properties[name], item
            elif node.extra is not None:
                yield "%", node.extra, item
    elif isinstance(value, list) and node.items is not None:
        # Longer arrays repeat the same facts; a bound of thousands of items would take long.
        for item in value[:40]:
            yield "*", node.items, item


def _shown_by(node: Node, value: Any, last: str) -> Iterator[tuple[str, str]]:
    """Yield (kind, label) of the facts at one node that a value shows. ``last`` is the last step of the path."""
    if last[0] == "|":
        yield "branch", last[1:]
    elif last[0] in ".%":
        yield "field", ""
        if value is None and node.nullable:
            yield "null", ""
    if value is None or node.branches:
        return
    if node.labels and (label := str(value)) in node.labels:
        yield "value", label
    for keyword in node.bounds:
        if _is_at(keyword, node.schema[keyword], value):
            yield keyword, str(node.schema[keyword])


def _is_at(keyword: str, bound: Any, value: Any) -> bool:
    """Return True if a value lies on a bound."""
    if keyword in ("minimum", "maximum"):
        # In Python ``True == 1``.
        return not isinstance(value, bool) and bool(value == bound)
    if keyword in ("exclusiveMinimum", "exclusiveMaximum"):
        return isinstance(value, int | float) and abs(value - (bound or 0)) <= 1
    return _suits(keyword, value) and len(value) == bound


def _suits(keyword: str, value: Any) -> bool:
    """Return True if a value has the JSON type that a size keyword limits."""
    wanted = str if keyword.endswith("Length") else list if keyword.endswith("Items") else dict
    return isinstance(value, wanted)
