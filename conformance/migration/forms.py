"""The forms that a schema allows: null apart, unions flattened, scalars of one type folded into one.

A form is an object, an array, a text, a number, a boolean, or anything. What only the way of writing tells apart (a
component or the same schema in place, ``allOf`` or its members merged, ``const`` or an enum of one value) gives equal
forms.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from attrs import evolve, field, frozen

from conformance._parts import late
from conformance.spec.openapi import BOUNDS, LOWER, TAGS

if TYPE_CHECKING:
    from strategies import schema_tree
    from strategies.schema_tree import Node
else:
    schema_tree = late("strategies.schema_tree")

__all__ = ["Form", "Forms", "forms_of", "tag_of", "tags"]

#: Unions within unions are followed this deep; the published documents have three levels.
_DEEPEST = 8

_KINDS = {"integer": "number"}


@frozen
class Form:
    """One form: its kind, and what limits it.

    ``values`` are the enum values, None if any is allowed; ``whole`` is True for integers. ``bounds`` are sizes by
    keyword. ``closed`` is True for an object that takes no other members.
    """

    kind: str
    pointer: str = ""
    values: tuple[Any, ...] | None = None
    whole: bool = False
    bounds: Mapping[str, Any] = field(factory=dict)
    pattern: str = ""
    properties: Mapping[str, Node] = field(factory=dict, repr=False)
    required: frozenset[str] = frozenset()
    items: Node | None = field(default=None, repr=False)
    extra: Node | None = field(default=None, repr=False)
    closed: bool = False
    node: Node | None = field(default=None, repr=False)

    @property
    def says_nothing(self) -> bool:
        """True for an object of which the document names no member."""
        return not self.properties and self.extra is None and not self.closed


@frozen
class Forms:
    """What a schema allows: its forms, and whether null fits."""

    forms: tuple[Form, ...]
    nullable: bool
    default: Any = None

    def of(self, kind: str) -> tuple[Form, ...]:
        """The forms of one kind."""
        return tuple(form for form in self.forms if form.kind == kind)

    @property
    def anything(self) -> bool:
        """True if the schema limits nothing."""
        return not self.forms or any(form.kind == "any" for form in self.forms)


def forms_of(node: Node) -> Forms:
    """The forms of a schema."""
    found = list(_leaves(node, 0))
    scalars: dict[str, Form] = {}
    others = []
    for form in found:
        if form.kind in ("object", "array"):
            others.append(form)
        else:
            scalars[form.kind] = _folded(scalars[form.kind], form) if form.kind in scalars else form
    return Forms((*scalars.values(), *others), _nullable(node, 0), node.schema.get("default"))


def _nullable(node: Node, depth: int) -> bool:
    return node.only_null or node.nullable or (depth < _DEEPEST and any(_nullable(b, depth + 1) for b in node.branches))


def _leaves(node: Node, depth: int) -> Iterator[Form]:
    """Yield the forms of a union, those of unions inside it included."""
    if node.only_null:
        return
    if not node.branches or depth >= _DEEPEST:
        yield _form(node)
        return
    if not node.properties:
        yield from (_limited(node, form) for branch in node.branches for form in _leaves(branch, depth + 1))
        return
    # A schema with members of its own adds them to each of its branches. Branches without any only say which of the
    # members must be there together.
    own = [branch for branch in node.branches if _lists_members(branch, depth + 1)]
    yield from (_under(node, _limited(node, form)) for branch in own for form in _leaves(branch, depth + 1))
    if not own:
        yield evolve(_form(node), kind="object")


def _lists_members(branch: Node, depth: int) -> bool:
    """True for a branch that lists members beside those of the schema around its union."""
    listed = any("." + name not in branch.inherited for name in branch.properties)
    return listed or (depth < _DEEPEST and any(_lists_members(one, depth + 1) for one in branch.branches))


def _under(node: Node, form: Form) -> Form:
    return evolve(
        form, properties={**node.properties, **form.properties}, required=form.required | node.required, node=node
    )


#: The kind of value that a bound limits, by how its keyword ends.
_LIMITED = {"Length": "string", "imum": "number", "Items": "array", "Properties": "object"}


def _limited(node: Node, form: Form) -> Form:
    """A branch with what stands beside its union: bounds and values hold for each branch of their kind."""
    bounds = {
        key: node.schema[key]
        for key in BOUNDS
        if key in node.schema
        and any(key.endswith(end) and form.kind == kind for end, kind in _LIMITED.items())
        and _limits(key, node.schema[key])
    }
    values = tuple(v for v in node.enum if _kind_of([v]) == form.kind) if form.values is None else ()
    return evolve(form, bounds={**form.bounds, **bounds}, values=values or form.values)


def _form(node: Node) -> Form:
    """The form of a schema without a union."""
    schema = node.schema
    kind = node.types[0] if node.types else _kind_of(node.enum)
    whole = kind == "integer" or (bool(node.enum) and all(isinstance(value, int) for value in node.enum))
    return Form(
        kind=_KINDS.get(kind, kind),
        pointer=node.pointer,
        values=node.enum or None,
        whole=whole,
        bounds={key: schema[key] for key in BOUNDS if key in schema and _limits(key, schema[key])},
        pattern=str(schema.get("pattern", "")),
        properties=node.properties,
        required=node.required,
        items=node.items,
        extra=node.extra,
        closed=node.others is False,
        node=node,
    )


def _limits(keyword: str, bound: Any) -> bool:
    """False for a size of at least 0, which is no limit, and for the limits of a 64-bit integer."""
    if keyword in ("minLength", "minItems", "minProperties"):
        return bool(bound > 0)
    return bool(abs(bound) < 2**62)


def _kind_of(values: Iterable[Any]) -> str:
    """The kind that values without a type have."""
    first = next(iter(values), None)
    names = ((bool, "boolean"), (str, "string"), (int | float, "number"))
    return next((name for kind, name in names if isinstance(first, kind)), "any")


def _folded(left: Form, right: Form) -> Form:
    """Two scalars of one kind as one: what either allows is allowed."""
    values = None if left.values is None or right.values is None else (*left.values, *right.values)
    both = {key for key in left.bounds if key in right.bounds}
    bounds = {key: (min if key in LOWER else max)(left.bounds[key], right.bounds[key]) for key in both}
    pattern = left.pattern if left.pattern == right.pattern else ""
    return evolve(left, values=values, whole=left.whole and right.whole, bounds=bounds, pattern=pattern)


def tag_of(olds: Iterable[Form], news: Iterable[Form]) -> str:
    """The member whose value tells the objects of two unions apart, or "" if there is none."""
    sides = [tuple(olds), tuple(news)]
    several = [side for side in sides if len(side) > 1]
    for name in TAGS:
        if several and all(all(_named(form, name) for form in side) for side in several):
            return name
    return ""


def _named(form: Form, name: str) -> bool:
    """True if an object has one of few values for a member."""
    return bool(tags(form, name))


def tags(form: Form, name: str) -> tuple[str, ...]:
    """The values that an object may have for a member; empty if it may have any."""
    if name not in form.properties:
        return ()
    texts = forms_of(form.properties[name]).of("string")
    return tuple(str(value) for value in (texts[0].values or ())) if texts else ()
