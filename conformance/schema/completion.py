"""Values completed by a schema: what fits stays, what does not is replaced, what is missing is added.

The emulator and the scenarios are written for the versions of the suite. The document of an imported version may
require other fields and types; what they send is completed, so that it is valid there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from itertools import islice
from typing import Any

from attrs import define, evolve, field, frozen

from conformance.schema.validators import Validator, validator_for
from conformance.spec.openapi import of_other_names
from conformance.spec.spec import Spec

__all__ = ["NOTHING", "Completion", "completion_of"]

#: Stands for a value that was not given; None is the JSON value null.
NOTHING: Any = object()

#: Values are built at most this deep. Deeper than ``_SHALLOW`` null is preferred, so that recursive schemas end.
_DEEPEST, _SHALLOW = 16, 4
#: How many candidates for one value are tried. Unions within unions have too many combinations to try all.
_MOST = 64

#: Texts for common formats and patterns, tried in this order.
_TEXTS = (
    "text",
    "https://example.com/",
    "2030-01-01T00:00:00Z",
    "2030-01-01",
    "1",
    "00000000-0000-4000-8000-000000000000",
    "user@example.com",
    "dGV4dA==",
    "PT1H",
    "en",
)

_KINDS = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "number"}


@frozen(eq=False)
class _Flat:
    """A schema with references followed and ``allOf`` joined. ``unions`` are the lists of branches that all apply."""

    keywords: Mapping[str, Any] = field(factory=dict)
    types: tuple[str, ...] | None = None
    properties: Mapping[str, Any] = field(factory=dict)
    required: tuple[str, ...] = ()
    unions: tuple[Sequence[Any], ...] = ()
    values: tuple[Any, ...] | None = None

    def joined(self, other: _Flat) -> _Flat:
        """The schema of what fits both."""
        properties = dict(self.properties)
        for name, schema in other.properties.items():
            mine = properties.get(name, schema)
            properties[name] = schema if mine is schema else {"allOf": [mine, schema]}
        types = self.types if other.types is None else other.types
        if self.types is not None and other.types is not None:
            # An integer is a number too.
            types = tuple(one for one in self.types if {one, "number" if one == "integer" else one} & {*other.types})
        values = self.values if other.values is None else other.values
        if self.values is not None and other.values is not None:
            values = tuple(value for value in self.values if value in other.values)
        return _Flat(
            keywords={**self.keywords, **other.keywords},
            types=types,
            properties=properties,
            required=tuple(dict.fromkeys((*self.required, *other.required))),
            unions=self.unions + other.unions,
            values=values,
        )


@define(eq=False)
class Completion:
    """Completes values by the schemas of one version."""

    spec: Spec
    _flats: dict[int, _Flat] = field(factory=dict, init=False)
    _validators: dict[int, Validator] = field(factory=dict, init=False)
    # Keys are identities; the schemas are kept, so that Python doesn't give an identity to another one.
    _kept: list[Any] = field(factory=list, init=False)

    def complete(self, schema: Any, value: Any = NOTHING, depth: int = 0) -> Any:
        """A value that fits the schema and has as much of the given one as fits.

        If none is found, the nearest one that was tried.
        """
        if value is not NOTHING and self.fits(schema, value):
            return value
        first = NOTHING
        for candidate in islice(self._candidates(self._flat(schema), value, depth), _MOST):
            if self.fits(schema, candidate):
                return candidate
            first = candidate if first is NOTHING else first
        return None if first is NOTHING else first

    def fits(self, schema: Any, value: Any) -> bool:
        """Return True if the value is valid against the schema."""
        found = self._validators.get(id(schema))
        if found is None:
            self._kept.append(schema)
            found = self._validators[id(schema)] = validator_for(self.spec, schema)
        return found.is_valid(value)

    def _flat(self, schema: Any, entered: tuple[int, ...] = ()) -> _Flat:
        """The flat form of a schema."""
        found = self._flats.get(id(schema))
        if found is None:
            # A schema that consists of itself says nothing.
            inside = {} if id(schema) in entered or not isinstance(schema, Mapping) else schema
            types, parts = inside.get("type"), list(inside.get("allOf", ()))
            if "$ref" in inside:
                parts.append(self.spec.resolve(inside["$ref"]))
            values = (inside["const"],) if "const" in inside else inside.get("enum")
            found = _Flat(
                keywords=inside,
                types=None if types is None else (types,) if isinstance(types, str) else tuple(types),
                properties=inside.get("properties", {}),
                required=tuple(inside.get("required", ())),
                unions=tuple(inside[key] for key in ("oneOf", "anyOf") if key in inside),
                values=None if values is None else tuple(values),
            )
            for part in parts:
                found = found.joined(self._flat(part, (*entered, id(schema))))
            self._kept.append(schema)
            self._flats[id(schema)] = found
        return found

    def _candidates(self, flat: _Flat, value: Any, depth: int) -> Iterator[Any]:
        """Yield values that may fit, the most likely first."""
        if flat.unions:
            rest = evolve(flat, unions=flat.unions[1:])
            for branch in sorted(flat.unions[0], key=lambda one: -self._likeness(self._flat(one), value)):
                yield from self._candidates(rest.joined(self._flat(branch)), value, depth)
            return
        if flat.values is not None:
            yield from sorted(flat.values, key=lambda one: (one is None, -_resemblance(one, value)))
            return
        types = flat.types or (("object",) if flat.properties else ("array",) if "items" in flat.keywords else ())
        if "null" in types and (depth > _SHALLOW or value is None):
            yield None
        if value is NOTHING and "default" in flat.keywords:
            yield flat.keywords["default"]
        if depth > _DEEPEST:
            return
        kind = _KINDS.get(type(value), "")
        # A value of another type is of no use, so the type of the given one comes first.
        for one in sorted(types or ("string", "object"), key=lambda name: (name == "null", name != kind)):
            if one == "object":
                yield self._object(flat, value, depth)
            elif one == "array":
                yield self._array(flat, value, depth)
            elif one == "string":
                yield from _texts(flat.keywords, value)
            elif one in ("integer", "number"):
                yield from _numbers(flat.keywords, value, whole=one == "integer")
            else:
                yield from (False, True) if one == "boolean" else (None,)

    def _likeness(self, flat: _Flat, value: Any) -> int:
        """How likely a branch of a union is meant by a value: by its constants, its names, its type."""
        kind = "null" if value is None else _KINDS.get(type(value), "")
        if value is NOTHING:
            return 0 if flat.types != ("null",) else -1
        score = 10 if flat.types is not None and kind in flat.types else 0
        for name, item in value.items() if isinstance(value, Mapping) else ():
            values = self._flat(flat.properties[name]).values if name in flat.properties else None
            score += int(name in flat.properties) if values is None else 100 if item in values else -100
        return score

    def _object(self, flat: _Flat, value: Any, depth: int) -> dict[str, Any]:
        """An object with the given properties that are allowed and the required ones."""
        given = value if isinstance(value, Mapping) else {}
        extra = of_other_names(flat.keywords)
        made: dict[str, Any] = {}
        for name in dict.fromkeys((*given, *flat.required)):
            schema = flat.properties.get(name, extra)
            # Undocumented names are allowed unless the schema forbids them.
            if schema is False and name not in flat.required:
                continue
            made_here = self.complete(schema, given.get(name, NOTHING), depth + 1)
            if name in flat.required or self.fits(schema, made_here):
                made[name] = made_here
        return made

    def _array(self, flat: _Flat, value: Any, depth: int) -> list[Any]:
        """An array of the given items that can be made to fit, and of as many more as are required."""
        keywords = flat.keywords
        items, first = keywords.get("items", True), keywords.get("prefixItems", ())
        given = list(value[: keywords.get("maxItems")]) if isinstance(value, list) else []
        given += [NOTHING] * (max(keywords.get("minItems", 0), 0) - len(given))
        schemas = [first[index] if index < len(first) else items for index in range(len(given))]
        made = [self.complete(schema, item, depth + 1) for schema, item in zip(schemas, given, strict=True)]
        least = keywords.get("minItems", 0)
        return [item for at, item in enumerate(made) if at < least or self.fits(schemas[at], item)]


#: From this ratio on two texts are the same word in another form: ``canceled`` and ``cancelled``, ``incomplete`` and
#: ``completed``. Below it the resemblance of two states says nothing about what they mean.
_ALIKE = 0.8


def _resemblance(one: Any, other: Any) -> float:
    """How much two texts resemble each other, from 0 to 1; 0 for other values and for texts that are hardly alike.

    A state that a document lacks is nearest to one of its kind: ``incomplete`` to ``completed``, not to ``queued``.
    """
    if not (isinstance(one, str) and isinstance(other, str)):
        return 0.0
    ratio = SequenceMatcher(None, one, other, autojunk=False).ratio()
    return ratio if ratio >= _ALIKE else 0.0


_made: dict[int, Completion] = {}


def completion_of(spec: Spec) -> Completion:
    """The completion of a version, built once."""
    # It holds its Spec, so the identity of the document is not given to another one.
    return _made.setdefault(id(spec.document), Completion(spec))


def _texts(keywords: Mapping[str, Any], value: Any) -> Iterator[str]:
    """Yield texts within the bounds on length, and texts of common formats."""
    if isinstance(value, str):
        yield value[: keywords.get("maxLength")]
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)
    elif value is None:
        # Where null is meant and refused, an empty text says the same.
        yield ""
    yield from _TEXTS
    yield "x" * keywords.get("minLength", 0)


def _numbers(keywords: Mapping[str, Any], value: Any, *, whole: bool) -> Iterator[int | float]:
    """Yield numbers within the bounds."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        yield int(value) if whole else value
    low = keywords.get("minimum", keywords.get("exclusiveMinimum", 0))
    high = keywords.get("maximum", keywords.get("exclusiveMaximum", low))
    for one in (0, 1, low, high, low + 1, high - 1, (low + high) / 2, keywords.get("multipleOf", 1)):
        yield int(one) if whole else one
