"""The conjunction of schemas: one that a value fits if and only if it fits all of them.

Where two keywords can be joined into one that says the same, they are (``minimum`` 1 and 3 is 3), so that whoever reads
the schema finds them. What can't be said in one keyword stays in ``allOf``, where it is validated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

from conformance.spec.openapi import OTHER_NAMES, of_other_names

__all__ = ["ANNOTATIONS", "UNEVALUATED", "UNIONS", "constraints", "joined", "of_unlisted", "only_union"]

#: What describes a value and limits none.
ANNOTATIONS = frozenset(
    {"$comment", "default", "deprecated", "description", "example", "examples", "readOnly", "title", "writeOnly"}
)

#: The keywords of unions, in the order in which they are read.
UNIONS = ("oneOf", "anyOf")

#: Keywords about what nothing that stands beside them in the same schema has evaluated.
UNEVALUATED = ("unevaluatedProperties", "unevaluatedItems")

#: Keywords that mean something only together; those of unions are first.
_GROUPS = tuple(
    map(frozenset, ((*UNIONS, "discriminator"), ("if", "then", "else"), ("contains", "minContains", "maxContains")))
)

#: Lower and upper bounds: the narrower one holds.
_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")

#: Keywords by which it isn't the list of properties alone that decides what is said of a name or an item.
_OTHERS = frozenset({"patternProperties", "prefixItems", "unevaluatedProperties"})

#: Keywords by which it depends on the value which names are evaluated.
_CONDITIONAL = frozenset({*UNIONS, "if", "dependentSchemas", "$ref"})


def constraints(schema: Mapping[str, Any]) -> dict[str, Any]:
    """What a schema says about values: without annotations and extensions."""
    return {key: value for key, value in schema.items() if key not in ANNOTATIONS and not key.startswith("x-")}


def only_union(schema: Mapping[str, Any]) -> bool:
    """True for a schema that is a union and says nothing beside it."""
    return not _GROUPS[0].isdisjoint(schema) and _GROUPS[0].issuperset(schema)


def of_unlisted(schema: Mapping[str, Any]) -> Any:
    """What holds for the properties that a conjunction (:func:`joined`) doesn't list: a schema, or a boolean.

    True also where that depends on the value: then each branch of the union says it.
    """
    additional, unevaluated = OTHER_NAMES
    if unevaluated not in schema:
        return of_other_names(schema)
    # Each part of a conjunction says it of all names that it doesn't list itself, which leaves none unevaluated.
    parts = [of_unlisted(part) for part in schema.get("allOf", ()) if not part.keys().isdisjoint(OTHER_NAMES)]
    if additional in schema or parts:
        return reduce(_schemas, ([schema[additional]] if additional in schema else []) + parts)
    return schema[unevaluated] if _CONDITIONAL.isdisjoint(schema) else True


def joined(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """The conjunction of two schemas without ``$ref`` and with no ``allOf`` but that of an earlier conjunction.

    Of annotations the second one's stand. The order of keywords is that of the first, then that of the second.
    """
    rest: list[Any] = [*first.get("allOf", ()), *second.get("allOf", ())]
    # Which names and items the others are depends on all that stands beside these.
    if constraints(first) and constraints(second) and not _OTHERS.isdisjoint({*first, *second}):
        rest += [constraints(first), constraints(second)]
    first, second = _open_to(first, second), _open_to(second, first)
    made: dict[str, Any] = {**first}
    tuples = [frozenset({"prefixItems", "items"})] if "prefixItems" in {*first, *second} else []
    for group in (*_GROUPS, *tuples):
        # A group is kept whole, or set beside the other one as a whole.
        ours, theirs = ({key: one[key] for key in group if key in one} for one in (first, second))
        if ours and theirs:
            if not _same(ours, theirs):
                rest.append(theirs)
            second = {key: value for key, value in second.items() if key not in group}
    for key, value in second.items():
        if key == "allOf":
            continue
        if key not in made or _same(made[key], value) or key in ANNOTATIONS or key.startswith("x-"):
            made[key] = value
            continue
        both = _JOINS[key](made[key], value) if key in _JOINS else None
        if both is None:
            rest.append({key: value})
        else:
            made[key] = both
    if rest:
        made["allOf"] = rest
    return made


def _open_to(schema: Mapping[str, Any], other: Mapping[str, Any]) -> Mapping[str, Any]:
    """A schema whose properties are those that another one leaves room for.

    What a schema says of names that it doesn't list holds for those that only the other one lists.
    """
    rest = of_other_names(other)
    listed = schema.get("properties") or {}
    if rest is True or rest == {} or not listed or "patternProperties" in other:
        return schema
    known = other.get("properties") or {}
    if rest is False:
        return {**schema, "properties": {name: value for name, value in listed.items() if name in known}}
    kept = {name: value if name in known else _schemas(rest, value) for name, value in listed.items()}
    return {**schema, "properties": kept}


def _types(first: Any, second: Any) -> Any:
    """The JSON types that both allow, or None if there is none. A whole number is a number."""
    ours, theirs = ([one] if isinstance(one, str) else list(one) for one in (first, second))
    found = [kind for kind in theirs if kind in ours or (kind == "integer" and "number" in ours)]
    found += [kind for kind in ours if kind == "integer" and kind not in found and "number" in theirs]
    return (found[0] if len(found) == 1 else found) or None


def _values(first: list[Any], second: list[Any]) -> list[Any] | None:
    """The values that both list, in the order of the second, or None if there is none."""
    return [value for value in second if any(_same(value, one) for one in first)] or None


def _same(first: Any, second: Any) -> bool:
    """True for equal JSON values. In Python ``1 == True``, which it is not in JSON, however deep it stands."""
    if first != second:
        return False
    if isinstance(first, Mapping):
        return all(_same(value, second[name]) for name, value in first.items())
    if isinstance(first, list):
        return all(map(_same, first, second))
    return isinstance(first, bool) == isinstance(second, bool)


def _schemas(first: Any, second: Any) -> Any:
    """The conjunction of two schemas as they stand in the document. They are joined when somebody reads them."""
    if first is False or second is False:
        return False
    plain = [one for one in (first, second) if not isinstance(one, bool)]
    if len(plain) == 2 and _same(constraints(plain[0]), constraints(plain[1])):
        return plain[1]
    return {"allOf": plain} if len(plain) == 2 else (plain or [True])[0]


def _named_schemas(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Schemas by name: those that both have are joined."""
    return {
        **first,
        **{name: _schemas(first[name], value) if name in first else value for name, value in second.items()},
    }


def _names(first: list[str], second: list[str]) -> list[str]:
    """The names of both, each once."""
    return list(dict.fromkeys([*first, *second]))


def _lists(first: Mapping[str, list[str]], second: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Lists of names by name."""
    return {name: _names(first.get(name, []), second.get(name, [])) for name in _names([*first], [*second])}


_JOINS: Mapping[str, Callable[[Any, Any], Any]] = {
    "type": _types,
    "enum": _values,
    "required": _names,
    "properties": _named_schemas,
    "patternProperties": _named_schemas,
    "dependentSchemas": _named_schemas,
    "dependentRequired": _lists,
    "items": _schemas,
    "propertyNames": _schemas,
    "additionalProperties": _schemas,
    "unevaluatedProperties": _schemas,
    "uniqueItems": lambda first, second: first or second,
    **dict.fromkeys(_LOWER, max),
    **dict.fromkeys(_UPPER, min),
}
