"""Validators of one Spec: does a value fit the corrected document, and if not, where and why.

The authority is ``jsonschema`` with ``referencing``; ``jsonschema-rs`` answers the plain yes or no, because it is many
times faster. Both work on one *narrowed* document: where a union names a discriminator, the branch that it selects
decides alone (OpenAPI 3.1, Discriminator Object). Formats are asserted by the same functions in both.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cached_property, lru_cache
from typing import Any
from urllib.parse import quote, unquote

import jsonschema_rs
from attrs import evolve, field, frozen
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from conformance.errors import SpecError
from conformance.pointer import follow, look_up, pointer_to, tokens
from conformance.schema.branches import closed, narrowed
from conformance.schema.formats import FORMATS
from conformance.spec.spec import Spec

__all__ = ["SchemaError", "Validator", "Validators", "forget_validators", "validator_for", "validators_of"]

#: The base URI of the document within the validators.
_URI = "urn:conformance:document"

#: Characters that stay as they are when a pointer becomes a URI fragment (RFC 6901 section 6).
_PLAIN = "/~!$&'()*+,;=:@"


@frozen
class SchemaError:
    """One thing that is wrong with a value.

    ``instance_pointer`` and ``schema_pointer`` are JSON Pointers (RFC 6901) into the value and into the corrected
    document; ``keyword`` is the JSON Schema keyword that failed (``discriminator`` for a union that can't be entered,
    with the property that names its branches as ``tag``). ``causes`` are the errors of the branches, where the keyword
    is a union; each has the number of its ``branch``.
    """

    instance_pointer: str
    schema_pointer: str
    keyword: str
    message: str
    causes: tuple[SchemaError, ...] = field(default=(), repr=False)
    tag: str = ""
    branch: int = 0

    def walk(self) -> Iterator[SchemaError]:
        """This error and all causes below it."""
        yield self
        for cause in self.causes:
            yield from cause.walk()


@frozen(slots=False)
class Validator:
    """A validator for a place in the document (``pointer``), or for a schema that refers to the document."""

    pointer: str
    schema: Any = field(repr=False)
    document: Mapping[str, Any] = field(repr=False)
    registry: Registry[Any] = field(repr=False)
    rs_registry: Any = field(repr=False)

    @cached_property
    def fast(self) -> Any:
        """The jsonschema-rs validator."""
        try:
            return jsonschema_rs.Draft202012Validator(
                self.schema, registry=self.rs_registry, formats=dict(FORMATS), validate_formats=True
            )
        except ValueError as error:
            raise SpecError(f"not a usable schema: {error}", where=self.pointer) from None

    @cached_property
    def authority(self) -> Draft202012Validator:
        """The jsonschema validator, whose judgement counts."""
        return Draft202012Validator(self.schema, registry=self.registry, format_checker=_CHECKER)

    def is_valid(self, value: Any) -> bool:
        """Return True if the value fits. Numbers that jsonschema-rs can't represent are judged by jsonschema."""
        try:
            # The slower validator is asked only if something is wrong, or if a number is beyond what the faster one can
            # hold.
            return bool(self.fast.is_valid(value))
        except (ValueError, OverflowError):
            return self.authority.is_valid(value)

    def errors(self, value: Any) -> tuple[SchemaError, ...]:
        """Everything that is wrong with the value, sorted by place. Empty if it fits."""
        if self.is_valid(value):
            return ()
        found = [self._error(error) for error in self.authority.iter_errors(value)]
        return tuple(sorted(found, key=lambda e: (e.instance_pointer, e.schema_pointer, e.keyword)))

    def _error(self, error: ValidationError) -> SchemaError:
        """One error of jsonschema as ours, with the pointer in the document."""
        causes = tuple(evolve(self._error(cause), branch=_branch(cause)) for cause in error.context or ())
        pointer, union = self._locate(error)
        keyword, tag = str(error.validator), ""
        message = _short(error.message)
        if union is not None and isinstance(error.instance, dict):
            name = union["propertyName"]
            keyword = "discriminator" if name in error.instance else "required"
            tag = name if name in error.instance else ""
            known = sorted(union["mapping"])
            message = f"{name} names none of {known}" if name in error.instance else f"{name!r} is missing"
        elif causes:
            # The branch that went furthest into the value is most likely the one that was meant.
            deepest = max((c for cause in causes for c in cause.walk()), key=lambda c: c.instance_pointer.count("/"))
            message = f"fits no branch; nearest: {deepest.message}"
        return SchemaError(pointer_to(error.absolute_path), pointer, keyword, message, causes, tag)

    def _locate(self, error: ValidationError) -> tuple[str, Mapping[str, Any] | None]:
        """The place in the corrected document, and the discriminator when its union itself failed."""
        node: Any = self.schema
        where: list[str | int] = []
        union = None
        path = list(error.absolute_schema_path)
        while path:
            # References do not appear in the path of the error.
            while isinstance(node, Mapping) and "$ref" in node and path[0] not in node:
                target = unquote(str(node["$ref"]).removeprefix(_URI).removeprefix("#"))
                where = list(tokens(target))
                node = look_up(self.document, target, {})
            mark = node.get("x-narrowed") if isinstance(node, Mapping) else None
            if mark is not None and path[0] == "then" and len(path) > 3:
                # then/allOf/k/then is branch k; else/oneOf is the union as it stands
                branch = int(path[2])
                node = node["then"]["allOf"][branch]["then"]
                where += [mark["keyword"], mark["branches"][branch]]
                path = path[4:]
            elif mark is not None and path[0] == "else":
                node = node["else"]
                union = mark if len(path) == 2 else None
                path = path[1:]
            else:
                token = path.pop(0)
                where.append(token)
                node = _child(node, token)
        return pointer_to(where), union


def _branch(cause: ValidationError) -> int:
    """The number of the branch in which an error of a union lies."""
    first = cause.schema_path[0] if cause.schema_path else 0
    return first if isinstance(first, int) else 0


def _child(node: Any, token: Any) -> Any:
    """A member of a schema; an empty schema if there is none."""
    try:
        return node[token]
    except (KeyError, IndexError, TypeError):
        return {}


def _short(message: str) -> str:
    """The message, shortened in the middle: it may contain a whole value."""
    return message if len(message) <= 200 else message[:160] + " … " + message[-30:]


def _checker() -> FormatChecker:
    """The format checker of jsonschema with our formats. Only texts have a format."""
    # Without the formats that jsonschema brings: the two validators would disagree about them.
    checker = FormatChecker(formats=())
    for name, judge in FORMATS.items():
        # The default argument binds the function of this round; a plain closure would see only the last one.
        checker.checks(name)(lambda value, judge=judge: not isinstance(value, str) or judge(value))
    return checker


_CHECKER = _checker()


@frozen(slots=False)
class Validators:
    """All validators of one document, each built once."""

    document: Mapping[str, Any] = field(repr=False)
    made: dict[str, Validator] = field(factory=dict, repr=False, init=False)

    @cached_property
    def registry(self) -> Registry[Any]:
        """The document as a resource of ``referencing``."""
        empty: Registry[Any] = Registry()
        made: Registry[Any] = empty.with_resource(_URI, DRAFT202012.create_resource(self.document))
        return made

    @cached_property
    def rs_registry(self) -> Any:
        """The same for jsonschema-rs."""
        return jsonschema_rs.Registry([(_URI, dict(self.document))])

    def get(self, pointer_or_schema: str | Mapping[str, Any] | bool) -> Validator:
        """The validator of a JSON Pointer into the document, or of a schema whose refs (``#/…``) lead into it."""
        if isinstance(pointer_or_schema, str):
            key, pointer = pointer_or_schema, pointer_or_schema
            schema: Any = {"$ref": f"{_URI}#{quote(pointer_or_schema, safe=_PLAIN)}"}
        else:
            # Schemas have no hash; equal text means the same validator.
            key = json.dumps(pointer_or_schema, sort_keys=True)
            pointer = ""
            schema = _absolute(narrowed(pointer_or_schema))
        if key not in self.made:
            try:
                # A validator with a dangling reference would fail only when a value reaches it.
                follow(self.document, pointer)
            except KeyError:
                raise SpecError(f"no such place: {pointer}", where="schema") from None
            self.made[key] = Validator(pointer, schema, self.document, self.registry, self.rs_registry)
        return self.made[key]


def _absolute(node: Any) -> Any:
    """The schema with its references made absolute."""
    if isinstance(node, Mapping):
        ref = node.get("$ref")
        made = {key: _absolute(value) for key, value in node.items()}
        return (
            {**made, "$ref": f"{_URI}#{quote(ref[1:], safe=_PLAIN)}"}
            if isinstance(ref, str) and ref.startswith("#/")
            else made
        )
    if isinstance(node, list):
        return [_absolute(item) for item in node]
    return node


@frozen(eq=False)
class _Key:
    """The key of a Spec in the cache: version, digest and document, which is cheaper than comparing the content."""

    spec: Spec
    strict: bool

    @property
    def essence(self) -> tuple[Any, ...]:
        return (self.spec.version, self.spec.digest, id(self.spec.document), self.strict)

    def __hash__(self) -> int:
        return hash(self.essence)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self.essence == other.essence


@lru_cache(maxsize=32)
def _validators(key: _Key) -> Validators:
    document = closed(key.spec.document) if key.strict else key.spec.document
    return Validators(narrowed(document))


def forget_validators() -> None:
    """Drop all that were built. Call it when requests were derived: that takes hundreds of validators which no answer
    needs, and those that one needs are built again (57 MB of v1 were held).
    """
    _validators.cache_clear()


def validators_of(spec: Spec, *, strict: bool = False) -> Validators:
    """The validators of a Spec's corrected document. They are built once."""
    return _validators(_Key(spec, strict))


def validator_for(spec: Spec, pointer_or_schema: str | Mapping[str, Any] | bool, *, strict: bool = False) -> Validator:
    """The validator for a place in the corrected document, or for a schema that refers to it.

    With ``strict`` undocumented properties are errors, as our own requests must not have any. Raises :class:`SpecError`
    for a pointer that leads nowhere.
    """
    return validators_of(spec, strict=strict).get(pointer_or_schema)
