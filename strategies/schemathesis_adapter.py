"""The only module that uses schemathesis: its coverage iterator, an internal that changes between minor versions.

The iterator yields requests that are valid (or invalid) by schema, without regard to meaning: the real service would
accept none of its valid chat requests. So only single *values* are taken from them: each is put into a template as one
top-level field, repaired by the cross-field rules, and checked again by our own validators.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any, get_type_hints

from attrs import frozen
from hypothesis.internal import charmap
from hypothesis.internal.intervalsets import IntervalSet

from conformance.pointer import escape, look_up
from conformance.requests.case import Break, Expect, Family
from conformance.spec.operations import Operation
from conformance.spec.spec import Spec
from conformance.verdict import Level

from .derivation import OperationDerivation
from .drafts import Draft

__all__ = ["Row", "drafts", "rows"]

#: At most this many requests of one kind (the same field, or the same constraint broken) are kept.
ALIKE = 2

#: In the standard profile, at most this many requests of one operation expect either outcome.
OPEN_VALUES = 3

_OPEN = "a generated value: valid by its schema, what it means is open"


@contextmanager
def _utf8_known() -> Iterator[None]:
    """While it lasts, hypothesis is told which characters UTF-8 can encode: all but the surrogates (RFC 3629).

    Otherwise it encodes each code point to find out, which takes 170 MB where no file of an earlier run has the result.
    A version of hypothesis whose function answers in another form keeps its own.
    """
    found = charmap.intervals_from_codec
    if get_type_hints(found)["return"] != tuple[IntervalSet, IntervalSet]:
        yield
        return

    @cache
    def known(codec: str) -> tuple[IntervalSet, IntervalSet]:
        return utf8 if codec == "utf-8" else found(codec)

    # The characters that can be encoded, and those of them that are decoded to others.
    utf8 = IntervalSet(((0, 0xD7FF), (0xE000, 0x10FFFF))), IntervalSet(())
    charmap.intervals_from_codec = known
    try:
        yield
    finally:
        charmap.intervals_from_codec = found


@frozen
class Row:
    """One generated request: whether it is meant to be valid, its body and its query."""

    positive: bool
    body: Any
    query: Mapping[str, Any]


def rows(document: Mapping[str, Any], operation: Operation, *, valid_only: bool = False) -> Iterator[Row]:
    """Yield the coverage requests of one operation; with ``valid_only`` those that are meant to be valid."""
    import schemathesis
    from schemathesis import GenerationMode
    from schemathesis.core import NOT_SET
    from schemathesis.generation.coverage import GenerationSession

    # A copy, so that the library can't change the document of the Spec.
    schema = schemathesis.openapi.from_dict(json.loads(json.dumps(document)))
    schema.config.generation.with_security_parameters = False
    found = schema[operation.path][operation.method]
    with _utf8_known():
        for case in schema.iter_coverage_cases(
            found,
            generation_modes=[GenerationMode.POSITIVE] if valid_only else list(GenerationMode),
            generation_config=schema.config.generation_for(operation=found),
            # A fresh session keeps the values independent of the operations that were generated before.
            session=GenerationSession(),
        ):
            # It also yields requests with undocumented methods, for which we have probes.
            if case.method.upper() != operation.method:
                continue
            positive = case.meta is not None and case.meta.generation.mode == GenerationMode.POSITIVE
            body = None if case.body is NOT_SET else case.body
            yield Row(positive, body, dict(case.query or {}))


def drafts(derivation: OperationDerivation) -> Iterator[Draft]:
    """Requests made from the generated values of an operation's top-level JSON fields."""
    base = derivation.templates[0] if derivation.templates else None
    if base is None or not isinstance(base.request.get("body"), dict) or derivation.context.media != "application/json":
        return
    seen: set[str] = set()
    kinds: Counter[tuple[str, str]] = Counter()
    for row in rows(
        _only(derivation.spec, derivation.operation), derivation.operation, valid_only=not derivation.shared.everything
    ):
        for name, value in row.body.items() if isinstance(row.body, dict) else ():
            key = name + json.dumps(value, sort_keys=True, default=repr)
            if (name in base.request["body"] and value == base.request["body"][name]) or key in seen:
                continue
            seen.add(key)
            made = _draft(derivation, base, name, value)
            if made is not None:
                # The same constraint in another item of an array is no new knowledge.
                kind = (re.sub(r"/\d+", "/*", made.breaks.pointer), made.breaks.keyword) if made.breaks else (name, "")
                kinds[kind] += 1
                kinds["", made.expect] += 1
                few = (
                    made.expect is Expect.ACCEPT
                    or kinds["", made.expect] <= OPEN_VALUES
                    or derivation.shared.everything
                )
                if few and kinds[kind] <= ALIKE:
                    yield made


def _only(spec: Spec, operation: Operation) -> Mapping[str, Any]:
    """The document reduced to one operation and the components that it names, directly or through others: schemathesis
    copies all of it, and indexes it, for each operation.
    """
    item = spec.document["paths"][operation.path]
    kept = {key: item[key] for key in item if key in (operation.method.lower(), "parameters")}
    known = spec.document.get("components", {})
    # No reference names these, but a word in ``security``.
    named = {f"#/components/securitySchemes/{name}" for name in known.get("securitySchemes", ())}
    left = [kept]
    while left:
        for ref in _references(left.pop()):
            if ref not in named:
                named.add(ref)
                left.append(look_up(spec.document, ref[1:]))
    components = {
        kind: {name: value for name, value in entries.items() if f"#/components/{kind}/{escape(name)}" in named}
        for kind, entries in known.items()
        if isinstance(entries, Mapping)
    }
    return {**spec.document, "paths": {operation.path: kept}, "components": components}


def _references(value: Any) -> Iterator[str]:
    """Yield every reference to a component in a part of a document, those that select a branch of a union too."""
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _references(item)
    elif isinstance(value, list):
        for item in value:
            yield from _references(item)
    elif isinstance(value, str) and value.startswith("#/components/"):
        # It may name a place inside of one.
        yield "/".join(value.split("/")[:4])


def _draft(derivation: OperationDerivation, base: Draft, name: str, value: Any) -> Draft | None:
    """A draft with a generated value in a top-level field, or None if it isn't a plain or valid request."""
    body = derivation.context.body
    node = body.properties.get(name) if body is not None else None
    # A generated model name is a deployment that doesn't exist.
    if node is None or name == "model" or not _plain(value):
        return None
    request = {**base.request, "body": {**base.request["body"], name: value}}
    if not node.fits(value):
        return _wrong(derivation, base, request, name)
    mended = derivation.mended(request, ("body", name))
    if mended is None or not derivation.context.strict.is_valid(mended):
        return None
    # Within documented bounds, or from an enum, the value is certainly meant; a generated text may mean anything.
    bounded = {"minimum", "maximum"} <= set(node.schema) and isinstance(value, int | float)
    sure = isinstance(value, bool) or bounded or (node.enum and value in node.enum)
    gate = (
        derivation.operation.facts.field_gate("/" + name)
        or base.reason
        or derivation.operation.facts.content_gate(mended.get("body"))
    )
    reason = gate or ("" if sure else _OPEN)
    return base.evolve(
        request=mended,
        role="generated",
        family=Family.BOUNDARY,
        expect=Expect.EITHER if reason else Expect.ACCEPT,
        level=Level.SHOULD if reason else Level.MUST,
        reason=reason or f"a generated value of /{name}",
    )


def _wrong(derivation: OperationDerivation, base: Draft, request: Mapping[str, Any], name: str) -> Draft | None:
    """A draft that must be refused, labelled by our validator, or None unless exactly one thing is wrong."""
    errors = derivation.context.root.validator.errors(request)
    if len(errors) != 1:
        return None
    error = errors[0]
    if derivation.rules.broken(request["body"]):
        return None
    pointer = error.instance_pointer.removeprefix("/body")
    judged = derivation.levels.judge("body", pointer, error.keyword)
    null = request["body"][name] is None
    either = null or judged.expect is Expect.EITHER
    return base.evolve(
        request=request,
        role="generated.break",
        family=Family.BOUNDARY if either else Family.VIOLATION,
        expect=Expect.EITHER if either else Expect.REJECT,
        level=judged.level,
        reason=judged.reason or ("null may be taken for absent" if null else f"{error.keyword} of {pointer} broken"),
        breaks=Break(pointer, error.keyword),
    )


def _plain(value: Any) -> bool:
    """Return True if a value can be written as JSON and JSON readers agree about it."""
    try:
        text = json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return False
    # Longer values make evidence large. Lone surrogates are refused by many JSON readers.
    return len(text) < 20_000 and "\\ud" not in text.lower() and not _odd(value)


def _odd(value: Any) -> bool:
    """Return True if a value contains a number such as 1.0, which some readers take for an integer."""
    if isinstance(value, dict):
        return any(_odd(item) for item in value.values())
    if isinstance(value, list):
        return any(_odd(item) for item in value)
    return isinstance(value, float) and value.is_integer()
