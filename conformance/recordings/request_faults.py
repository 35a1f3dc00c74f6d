"""What a recorded request breaks, by the document: its parameters, its body and the rules between fields."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from conformance.pointer import escape, tokens
from conformance.requests.case import Break, Case, JsonBody, Multipart
from conformance.requests.field_rules import body_of, broken_rules
from conformance.schema.validators import SchemaError, validator_for
from conformance.spec.operations import Media, Operation, Parameter
from conformance.spec.spec import Spec

__all__ = ["extra_fields", "faults", "media_of", "typed_body"]

#: The message of jsonschema about a missing property.
_MISSING = re.compile(r"'(.*)' is (?:a required property|missing)$")


def faults(spec: Spec, operation: Operation, case: Case) -> Iterator[Break]:
    """Yield each rule that a request breaks. Keys of files in a form can't be broken: recordings leave files out."""
    given: dict[str, list[str]] = {}
    for name, value in case.query:
        given.setdefault(name.removesuffix("[]"), []).append(value)
    for parameter in operation.parameters:
        if parameter.location == "query" and parameter.name != spec.api_version.name:
            yield from _parameter(spec, parameter, given.get(parameter.name.removesuffix("[]"), []))
        if parameter.location == "header":
            # One that is absent may have been left out by the recorder.
            sent = [value for name, value in case.headers if name == parameter.name]
            yield from _parameter(spec, parameter, sent) if sent else ()
    media, value = media_of(operation, case), typed_body(spec, operation, case)
    if media is None:
        return
    for error in validator_for(spec, media.pointer).errors(value):
        if not (isinstance(case.body, Multipart) and _about_file(spec, media, error)):
            yield Break(_place(error), error.keyword)
    # The rules between fields take any value, also one that breaks the schema.
    for rule in broken_rules(spec, operation.id, value):
        yield Break("", "rule", clause=rule.clause)


def extra_fields(spec: Spec, operation: Operation, case: Case) -> bool:
    """True if a valid body has fields that the document lacks."""
    media = media_of(operation, case)
    value = typed_body(spec, operation, case)
    return media is not None and not validator_for(spec, media.pointer, strict=True).is_valid(value)


def media_of(operation: Operation, case: Case) -> Media | None:
    """The media type of a body that is sent; None without a body, or if the document has no such type."""
    match case.body:
        case JsonBody():
            return operation.body.get("application/json")
        case Multipart():
            return operation.body.get("multipart/form-data")
        case _:
            return None


def typed_body(spec: Spec, operation: Operation, case: Case) -> Any:
    """The body as a JSON value. The texts of a form are converted to the types that the document gives."""
    value, media = body_of(case), media_of(operation, case)
    if not isinstance(case.body, Multipart) or media is None:
        return value
    fields = spec.deref(media.schema).get("properties", {})
    made: dict[str, Any] = {}
    for name, given in value.items():
        plain = name if name in fields else name.removesuffix("[]")
        texts = given if isinstance(given, list) else [given]
        typed = _converted(spec, fields.get(plain, fields.get(f"{plain}[]", {})), texts)
        made[name if name in fields else plain] = typed
    return made


def _parameter(spec: Spec, parameter: Parameter, texts: list[str]) -> Iterator[Break]:
    """Yield what is wrong with a parameter of the query."""
    if not texts:
        if parameter.required:
            yield Break(parameter.name, "required", location=parameter.location)
        return
    value = _converted(spec, parameter.schema, texts)
    for error in validator_for(spec, parameter.schema).errors(value):
        yield Break(parameter.name, error.keyword, location=parameter.location)


def _converted(spec: Spec, schema: Any, texts: list[str]) -> Any:
    """Texts as a value that fits the schema; the plain text if none does."""
    judge = validator_for(spec, schema) if schema else None
    pieces = [piece for text in texts for piece in text.split(",")]
    tries = [*(texts if len(texts) == 1 else ()), *map(_json, texts[:1]), texts, pieces, list(map(_json, texts))]
    return next((one for one in tries if judge is None or judge.is_valid(one)), texts[0])


def _json(text: str) -> Any:
    """The JSON value of a text, or the text itself."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _place(error: SchemaError) -> str:
    """The field that is wrong: of a missing one its own place, not that of the object around it."""
    missing = _MISSING.match(error.message) if error.keyword == "required" else None
    return error.instance_pointer + (f"/{escape(missing.group(1))}" if missing else "")


def _about_file(spec: Spec, media: Media, error: SchemaError) -> bool:
    """True if an error concerns a file, or a list of them, that the recording may leave out."""
    fields: Mapping[str, Any] = spec.deref(media.schema).get("properties", {})
    named = next(iter(tokens(_place(error))), "")
    return named in fields and _is_file(spec, fields[named])


def _is_file(spec: Spec, schema: Any) -> bool:
    """True for what a form holds as a file: binary text, a list of it, or a schema that says nothing (OpenAPI 3.1)."""
    node = spec.deref(schema)
    if node == {}:
        return True
    inner = spec.deref(node.get("items", {})) if isinstance(node, Mapping) else {}
    return any(isinstance(one, Mapping) and one.get("format") == "binary" for one in (node, inner))
