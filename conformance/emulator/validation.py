"""Validates requests against what their version documents. Validators are compiled once per operation, on first use.

A request that doesn't fit is refused with a 400 whose message names the place. Undocumented fields are accepted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jsonschema_rs
from attrs import define, field

from conformance.emulator import error_answers as errors
from conformance.emulator.call import Form, Part
from conformance.emulator.request_rules import NAMED, places
from conformance.schema.branches import narrowed
from conformance.spec.operations import Operation, Parameter
from conformance.spec.spec import Clause, Spec

__all__ = ["Validation"]

#: JSON Schema keyword → the service's error code.
_CODES = {
    "required": "missing_required_parameter",
    "type": "invalid_type",
    "maxLength": "string_above_max_length",
    "maximum": "integer_above_max_value",
    "minimum": "integer_below_min_value",
    "maxItems": "array_above_max_length",
    "minItems": "array_below_min_length",
}
#: Texts that are numbers. Longer ones stay texts: converting them could take long or overflow.
_INTEGER = re.compile(r"-?\d{1,18}\Z")
_NUMBER = re.compile(r"-?\d{1,18}(\.\d{1,18})?([eE][+-]?\d{1,2})?\Z")
#: A form field that is part of another: ``expires_after[seconds]``, ``image[]``.
_BRACKETS = re.compile(r"(\w+)\[(\w*)\]\Z")
_BOOLEANS = {"true": True, "false": False, "True": True, "False": False}

#: The text that replaces a file while a form is validated: its schema says string.
_FILE = "file"


@define(eq=False)
class Validation:
    """The validators of one version."""

    spec: Spec
    _uri: str = field(init=False)
    _registry: Any = field(default=None, init=False)
    _bodies: dict[tuple[str, str], Any] = field(factory=dict, init=False)
    _parameters: dict[str, list[tuple[Parameter, Any, Any]]] = field(factory=dict, init=False)
    _rules: dict[str, list[tuple[Clause, Callable[[Any], str | None]]]] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        self._uri = f"urn:emulator:{self.spec.version}"

    def _compile(self, schema: Any) -> Any:
        """A validator for a schema of the document."""
        if self._registry is None:
            self._registry = jsonschema_rs.Registry([(self._uri, dict(self._read(self.spec.document)))])
        return jsonschema_rs.Draft202012Validator(
            self._absolute(self._read(schema)), registry=self._registry, validate_formats=True
        )

    def _read(self, node: Any) -> Any:
        """The document or a schema of it. Where a discriminator selects the branch, it alone decides in imported ones:
        published branches often leave the value of the discriminator open, so that several would fit.
        """
        return narrowed(node) if self.spec.imported else node

    def _absolute(self, node: Any) -> Any:
        """The schema with references to the document made absolute, so that they resolve outside of it as well."""
        if isinstance(node, Mapping):
            return {
                key: f"{self._uri}{value}" if key == "$ref" and isinstance(value, str) else self._absolute(value)
                for key, value in node.items()
            }
        return [self._absolute(item) for item in node] if isinstance(node, list) else node

    # -- bodies --------------------------------------------------------------------------------------------------

    def body(self, operation: Operation, media_type: str, value: Any, *, form: Any = None) -> None:
        """Check a parsed body against schema and cross-field rules. Raises a 400 that names the first fault.

        ``form`` is the same body with its files, for the rules that need their names.
        """
        key = (operation.id, media_type)
        validator = self._bodies.get(key)
        if validator is None:
            validator = self._bodies[key] = self._compile(operation.body[media_type].schema)
        self._judge(validator, value)
        for clause, broken in self._rules_of(operation):
            named = clause.rule is not None and clause.rule.schema is None
            path = broken(form if named and form is not None else value)
            if path is not None:
                raise errors.invalid(f"Invalid request: {clause.text}", param=path or None, code="invalid_request")

    def _judge(self, validator: Any, value: Any, name: str = "") -> None:
        """Raise a 400 that names the first fault of a value. ``name`` is the parameter that holds it."""
        try:
            if validator.is_valid(value):
                return
            error = next(iter(validator.iter_errors(value)))
        except (ValueError, RecursionError):
            raise errors.invalid("The body is nested too deeply.", code="invalid_request") from None
        keyword = str(error.schema_path[-1]) if error.schema_path else ""
        path = _dotted([*([name] if name else []), *error.instance_path])
        if keyword == "required":
            # The validator reports a missing field at the object that lacks it; users look for the field's own path.
            field_name = str(getattr(error.kind, "property", "")) or re.sub(r'^"(.*)" is .*', r"\1", error.message)
            path = f"{path}.{field_name}" if path else field_name
            raise errors.invalid(f"Missing required parameter: '{path}'.", param=path, code=_CODES["required"])
        where = f"'{path}'" if path else "the request body"
        message = f"Invalid value for {where}: {_short(error.message)}"
        raise errors.invalid(message, param=path or None, code=_CODES.get(keyword, "invalid_value"))

    def _rules_of(self, operation: Operation) -> list[tuple[Clause, Callable[[Any], str | None]]]:
        """The cross-field rules of an operation with the functions that test them."""
        rules = self._rules.get(operation.id)
        if rules is None:
            rules = self._rules[operation.id] = [
                (clause, made)
                for clause in self.spec.clauses
                if clause.rule is not None
                and clause.keyword in ("MUST", "SHOULD")
                and clause.concerns(operation.id)
                and (made := self._rule(clause)) is not None
            ]
        return rules

    def _rule(self, clause: Clause) -> Callable[[Any], str | None] | None:
        """The function that tests a clause's rule: body → dotted path of the fault, or None if there is none."""
        rule = clause.rule
        if rule is None or (rule.schema is None and rule.named not in NAMED):
            return None
        judged = self._by_schema(rule.schema) if rule.schema is not None else NAMED[rule.named]
        pointer = rule.pointer

        def broken(body: Any) -> str | None:
            for path, value in places(body, pointer):
                found = judged(value)
                if found is not None:
                    return f"{path}.{found}".strip(".")
            return None

        return broken

    def _by_schema(self, schema: Any) -> Callable[[Any], str | None]:
        """The function that tests a rule that is a schema."""
        validator = self._compile(schema)

        def broken(value: Any) -> str | None:
            if validator.is_valid(value):
                return None
            return _dotted(next(iter(validator.iter_errors(value))).instance_path)

        return broken

    # -- parameters ----------------------------------------------------------------------------------------------

    def parameters(
        self, operation: Operation, query: Mapping[str, Sequence[str]], headers: Mapping[str, str]
    ) -> dict[str, Any]:
        """The query parameters that were sent, converted to their documented types. Raises 400.

        Documented header parameters are checked but not returned. The api-version was used for routing and is left out.
        """
        known = self._parameters.get(operation.id)
        if known is None:
            known = self._parameters[operation.id] = [
                (parameter, self.spec.deref(parameter.schema), self._compile(parameter.schema))
                for parameter in operation.parameters
                if parameter.location in ("query", "header") and parameter.name != self.spec.api_version.name
            ]
        values: dict[str, Any] = {}
        for parameter, schema, validator in known:
            if parameter.location == "header":
                value = headers.get(parameter.name.lower())
                texts: Sequence[str] = [] if value is None else [value]
            else:
                texts = query.get(parameter.name, ())
            if not texts:
                if parameter.required:
                    message = f"Missing required parameter: '{parameter.name}'."
                    raise errors.invalid(message, param=parameter.name, code=_CODES["required"])
                continue
            converted = self._converted(texts, schema)
            self._judge(validator, converted, parameter.name)
            if parameter.location == "query":
                values[parameter.name] = converted
        return values

    def form(self, operation: Operation, form: Form) -> dict[str, Any]:
        """The fields of a multipart body, converted and checked like a JSON body. Files stay :class:`Part`."""
        schema = self.spec.deref(operation.body["multipart/form-data"].schema)
        properties = schema.get("properties", {})
        values: dict[str, Any] = {}
        for name, parts in form.items():
            bracket = None if name in properties else _BRACKETS.match(name)
            if bracket is None or bracket[1] not in properties:
                values[name] = self._field(parts, self.spec.deref(properties.get(name, {})))
            elif bracket[2]:  # a field of an object: expires_after[seconds]
                inside = self.spec.deref(
                    self.spec.deref(properties[bracket[1]]).get("properties", {}).get(bracket[2], {})
                )
                values.setdefault(bracket[1], {})
                if isinstance(values[bracket[1]], dict):
                    values[bracket[1]][bracket[2]] = self._field(parts, inside)
            else:  # a list, spelled so by some clients: image[]
                found = self._field(parts, {"type": "array", **self.spec.deref(properties[bracket[1]])})
                values[bracket[1]] = found if isinstance(found, list) else [found]
        shown = {name: _shown(value) for name, value in values.items()}
        self.body(operation, "multipart/form-data", shown, form=values)
        return values

    def _field(self, parts: Sequence[Part | str], schema: Mapping[str, Any]) -> Any:
        """The value of one form field: its file or files, or its converted text."""
        files = [part for part in parts if isinstance(part, Part)]
        if files:
            return files if schema.get("type") == "array" or len(files) > 1 else files[0]
        return self._converted([part for part in parts if isinstance(part, str)], schema, commas=False)

    def _converted(self, texts: Sequence[str], schema: Mapping[str, Any], *, commas: bool = True) -> Any:
        """Texts as the type that the schema documents. Text that can't be converted stays text, and is refused later.

        With ``commas`` a single text may hold a list, as in query parameters.
        """
        types = _types(self.spec, schema)
        # Where a text is allowed too, a comma may be part of it.
        if "array" in types and "string" not in types:
            if len(texts) == 1 and texts[0].lstrip().startswith("["):
                return _json(texts[0])
            items = self.spec.deref(schema.get("items", {}))
            pieces = [piece for text in texts for piece in text.split(",")] if commas else texts
            return [self._converted([piece], items) for piece in pieces]
        text = texts[0]
        if "object" in types and text.lstrip().startswith("{"):
            return _json(text)
        if "string" in types:
            return text
        if "boolean" in types and text in _BOOLEANS:
            return _BOOLEANS[text]
        # ``_INTEGER`` bounds the digits: converting a very long number would take long.
        if ("integer" in types or "number" in types) and _INTEGER.match(text):
            return int(text)
        if "number" in types and _NUMBER.match(text):
            return float(text)
        return text


def _json(text: str) -> Any:
    """The JSON value of a text, or the text itself if it isn't JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _types(spec: Spec, schema: Any, depth: int = 0) -> set[str]:
    """The JSON types that a schema allows, through references and combinations."""
    node = spec.deref(schema)
    # Schemas may contain themselves; eight levels of unions are more than any document has.
    if not isinstance(node, Mapping) or depth > 8:
        return set()
    given = node.get("type", ())
    found = {given} if isinstance(given, str) else set(given)
    for key in ("anyOf", "oneOf", "allOf"):
        for sub in node.get(key, ()):
            found |= _types(spec, sub, depth + 1)
    return found


def _shown(value: Any) -> Any:
    """A form value with files replaced by a text, for validation."""
    if isinstance(value, list):
        return [_shown(item) for item in value]
    return _FILE if isinstance(value, Part) else value


def _dotted(path: Sequence[str | int]) -> str:
    """A path such as ``messages[0].role``."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else str(step)
    return text


def _short(message: str) -> str:
    """The message, cut to 240 characters: it may contain the caller's whole value."""
    return message if len(message) <= 240 else f"{message[:236]} ..."
