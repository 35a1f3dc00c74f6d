"""The changes between two schemas and all below them. Each pair of places is compared once, however it is reached."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any

from attrs import define, evolve, field

from conformance.migration.change import Change, Direction, Kind, Subject
from conformance.migration.forms import Form, Forms, forms_of, tag_of, tags
from conformance.migration.location import Location
from conformance.migration.pairing import Pairing, paired
from conformance.spec.openapi import LOWER

if TYPE_CHECKING:
    from strategies.schema_tree import Node

__all__ = ["Walk"]

#: A pair of places, by their pointers.
_Pair = tuple[str, str]

#: A component is shown at so many places at most; further ones repeat what these say.
_MOST_PLACES = 24

#: A field that has gone and one that came are the same under another name if their names are so alike.
_ALIKE = 0.75


@define
class Walk:
    """The comparison of one request, answer or event of an operation in two versions."""

    operation: str
    direction: Direction
    _found: list[tuple[_Pair, Change]] = field(factory=list, init=False)
    _ways: dict[_Pair, list[tuple[_Pair | None, Location]]] = field(factory=dict, init=False)
    _queue: list[tuple[_Pair, Node, Node]] = field(factory=list, init=False)

    def compare(self, old: Node, new: Node, at: Location) -> None:
        """Compare two schemas, which stand at a location of the whole."""
        self._reach(None, at, old, new)
        for pair, left, right in self._queue:  # the queue grows while it is read
            self._places(pair, forms_of(left), forms_of(right), right)

    def changes(self) -> Iterator[Change]:
        """Yield what was found, each once with the places where it shows."""
        merged: dict[tuple[str, ...], tuple[Change, list[Location]]] = {}
        known = self._known_places()
        for pair, change in self._found:
            ways = [(*before, *change.location) for before in known[pair]]
            # Unions that hold the same component pair it in several ways.
            merged.setdefault(change.group, (change, []))[1].extend(ways)
        for change, ways in merged.values():
            yield evolve(change, locations=tuple(sorted(dict.fromkeys(ways), key=len)[:_MOST_PLACES]))

    def _known_places(self) -> dict[_Pair, list[Location]]:
        """The places of each pair, the shortest ways first. A way through itself leads nowhere new."""
        made: dict[_Pair, list[Location]] = {}
        for pair, _, _ in self._queue:
            ways = [
                (*before, *step)
                for parent, step in self._ways[pair]
                for before in (((),) if parent is None else made.get(parent, ()))
            ]
            made[pair] = sorted(dict.fromkeys(ways), key=len)[:_MOST_PLACES]
        return made

    def _reach(self, parent: _Pair | None, step: Location, old: Node, new: Node) -> None:
        """Note a way to a pair; compare it if it is new."""
        pair = (old.pointer or f"@{id(old)}", new.pointer or f"@{id(new)}")
        if pair not in self._ways:
            self._queue.append((pair, old, new))
        self._ways.setdefault(pair, []).append((parent, step))

    def _add(self, pair: _Pair, kind: Kind, subject: Subject, at: Location = (), **more: Any) -> None:
        self._found.append((pair, Change(self.operation, self.direction, kind, subject, (at,), **more)))

    # -- one place ----------------------------------------------------------------------------------------------------

    def _places(self, pair: _Pair, old: Forms, new: Forms, node: Node) -> None:
        """Compare what two places allow."""
        pointer = node.pointer
        if old.nullable != new.nullable and not (old.anything or new.anything):
            kind = Kind.WIDENED if new.nullable else Kind.NARROWED
            self._add(pair, kind, Subject.NULL, old=old.nullable, new=new.nullable, pointer=pointer)
        if old.default != new.default and self.direction is Direction.REQUEST and new.default is not None:
            self._add(pair, Kind.DEFAULT, Subject.DEFAULT, old=old.default, new=new.default, pointer=pointer)
        if old.anything or new.anything:
            return  # a document that says nothing of a place can't differ from one that does
        for name in ("string", "number", "boolean"):
            self._scalars(pair, old.of(name), new.of(name), name, pointer)
        self._arrays(pair, old.of("array"), new.of("array"))
        self._objects(pair, old.of("object"), new.of("object"))

    def _forms(self, pair: _Pair, gone: list[tuple[str, Form]], come: list[tuple[str, Form]]) -> None:
        """Note forms that only one side has, each with its name."""
        for name, form in gone:
            self._add(pair, Kind.NARROWED, Subject.FORM, old=name, pointer=form.pointer)
        for name, form in come:
            self._add(pair, Kind.WIDENED, Subject.FORM, new=name, pointer=form.pointer)

    def _scalars(self, pair: _Pair, olds: tuple[Form, ...], news: tuple[Form, ...], name: str, pointer: str) -> None:
        """Compare texts, numbers or booleans, of which each side has one form at most."""
        if not olds or not news:
            self._forms(pair, [(name, form) for form in olds], [(name, form) for form in news])
            return
        old, new = olds[0], news[0]
        self._values(pair, old, new, pointer)
        if old.whole != new.whole:
            kind = Kind.NARROWED if new.whole else Kind.WIDENED
            self._add(pair, kind, Subject.WHOLE, old=old.whole, new=new.whole, pointer=pointer)
        if old.pattern != new.pattern:
            kind = Kind.NARROWED if new.pattern else Kind.WIDENED
            self._add(pair, kind, Subject.PATTERN, old=old.pattern or None, new=new.pattern or None, pointer=pointer)
        self._sizes(pair, old, new, pointer)

    def _values(self, pair: _Pair, old: Form, new: Form, pointer: str) -> None:
        if old.values is None or new.values is None:
            if old.values is not new.values:
                kind = Kind.WIDENED if new.values is None else Kind.NARROWED
                self._add(pair, kind, Subject.VALUES, old=old.values, new=new.values, pointer=pointer)
            return
        for value in dict.fromkeys(old.values):
            if value not in new.values:
                self._add(pair, Kind.REMOVED, Subject.VALUE, old=value, pointer=pointer)
        for value in dict.fromkeys(new.values):
            if value not in old.values:
                self._add(pair, Kind.ADDED, Subject.VALUE, new=value, pointer=pointer)

    def _sizes(self, pair: _Pair, old: Form, new: Form, pointer: str, at: Location = ()) -> None:
        for keyword in sorted({*old.bounds, *new.bounds}):
            was, now = old.bounds.get(keyword), new.bounds.get(keyword)
            if was == now:
                continue
            # A greater minimum allows less, a greater maximum more; no bound allows most.
            less = was is None or (now is not None and (now > was) == (keyword in LOWER))
            kind = Kind.NARROWED if less else Kind.WIDENED
            self._add(pair, kind, Subject.SIZE, at, old=was, new=now, keyword=keyword, pointer=pointer)

    def _arrays(self, pair: _Pair, olds: tuple[Form, ...], news: tuple[Form, ...]) -> None:
        """Compare arrays: those whose items are of the same kinds belong together."""
        found = paired(olds, news, lambda old, new: _items(old) == _items(new))
        if len(found.gone) == len(found.come) == 1:
            # What is left on both sides is one array with other items.
            found = Pairing((*found.pairs, (found.gone[0], found.come[0])), (), ())
        gone, come = ([(f"array of {_items(form)}", form) for form in side] for side in (found.gone, found.come))
        self._forms(pair, gone, come)
        for old, new in found.pairs:
            self._sizes(pair, old, new, new.pointer)
            if old.items is not None and new.items is not None:
                self._reach(pair, ("*",), old.items, new.items)

    # -- objects ------------------------------------------------------------------------------------------------------

    def _objects(self, pair: _Pair, olds: tuple[Form, ...], news: tuple[Form, ...]) -> None:
        """Compare the objects of two unions: by the value of their tag, or else the most similar ones."""
        tag = tag_of(olds, news)
        if tag:
            self._tagged(pair, olds, news, tag)
            return
        found = paired(olds, news, _alike)
        for old, new in found.pairs:
            self._members(pair, old, new)
        self._forms(pair, [("object", form) for form in found.gone], [("object", form) for form in found.come])

    def _tagged(self, pair: _Pair, olds: tuple[Form, ...], news: tuple[Form, ...], tag: str) -> None:
        left, right = _by_tag(olds, tag), _by_tag(news, tag)
        # A side whose objects may have any value of the tag has all of them.
        for side, other in ((left, right), (right, left)):
            if "" in side:
                for value in other:
                    side.setdefault(value, side[""])
                del side[""]
        for value in left:
            if value not in right:
                at = (f"?{tag}={value}",)
                self._add(pair, Kind.REMOVED, Subject.TAG, at, old=value, pointer=left[value][0].pointer)
        for value, forms in right.items():
            at = (f"?{tag}={value}",)
            if value not in left:
                self._add(pair, Kind.ADDED, Subject.TAG, at, new=value, pointer=forms[0].pointer)
                continue
            # Further objects with the same tag are variants of the first.
            for old, new in paired(left[value], forms, _alike).pairs:
                self._members(pair, old, new, at, tag)

    def _members(self, pair: _Pair, old: Form, new: Form, at: Location = (), tag: str = "") -> None:
        """Compare the members of two objects. ``tag`` is the member that was compared already."""
        if old.says_nothing or new.says_nothing:
            return
        self._sizes(pair, old, new, new.pointer, at)
        gone = [name for name in old.properties if name not in new.properties]
        come = [name for name in new.properties if name not in old.properties]
        for name in tuple(gone):
            other = _renamed(name, old, come, new)
            if other:
                gone.remove(name)
                come.remove(other)
                spot, node = (*at, f".{name}"), new.properties[other]
                self._add(pair, Kind.RENAMED, Subject.FIELD, spot, old=name, new=other, pointer=node.pointer)
        for name in gone:
            spot, must = (*at, f".{name}"), name in old.required
            pointer = f"{old.pointer}/properties/{name}"
            self._add(pair, Kind.REMOVED, Subject.FIELD, spot, old=name, needed=must, pointer=pointer)
        for name in come:
            spot, must = (*at, f".{name}"), name in new.required
            pointer = f"{new.pointer}/properties/{name}"
            self._add(pair, Kind.ADDED, Subject.FIELD, spot, new=name, needed=must, pointer=pointer)
        for name, node in new.properties.items():
            if name in old.properties and name != tag:
                spot = (*at, f".{name}")
                was, now = name in old.required, name in new.required
                if was != now:
                    kind = Kind.NARROWED if now else Kind.WIDENED
                    pointer = f"{new.pointer}/required/{name}"
                    # An object of which nothing is required says nothing of what must be there.
                    said = was if old.required else None
                    self._add(pair, kind, Subject.REQUIRED, spot, old=said, new=now, pointer=pointer)
                self._reach(pair, spot, old.properties[name], node)
        if old.extra is not None and new.extra is not None:
            self._reach(pair, (*at, "%"), old.extra, new.extra)


def _items(form: Form) -> str:
    """The kinds of an array's items, as text."""
    if form.items is None:
        return "anything"
    found = forms_of(form.items).forms
    return " or ".join(sorted({"integers" if f.whole else f"{f.kind}s" for f in found})) or "anything"


def _by_tag(forms: tuple[Form, ...], tag: str) -> dict[str, list[Form]]:
    """The objects of a union by the value of their tag; "" for those that may have any."""
    found: dict[str, list[Form]] = {}
    for form in forms:
        for value in tags(form, tag) or ("",):
            found.setdefault(value, []).append(form)
    return found


def _alike(old: Form, new: Form) -> float:
    """How much two objects have in common: 1 for no member, 2 for all of them. Objects may always belong together."""
    both = {*old.properties, *new.properties}
    return 1 + (len(both & set(old.properties) & set(new.properties)) / len(both) if both else 1.0)


def _renamed(name: str, old: Form, come: list[str], new: Form) -> str:
    """The new name of a field that has gone, or "": a similar name for the same forms."""
    mine = forms_of(old.properties[name])
    for other in come:
        alike = SequenceMatcher(None, name, other).ratio() >= _ALIKE
        if alike and (name in old.required) == (other in new.required) and _same(mine, forms_of(new.properties[other])):
            return other
    return ""


def _same(left: Forms, right: Forms) -> bool:
    def essence(forms: Forms) -> list[Any]:
        return [(f.kind, f.values, f.whole, dict(f.bounds), f.pattern, sorted(f.properties)) for f in forms.forms]

    return left.nullable == right.nullable and essence(left) == essence(right)
