"""Validation by a schema that a request brought along, such as the parameters of a function."""

from __future__ import annotations

from typing import Any

import jsonschema_rs

__all__ = ["misfits"]


def misfits(schema: Any, value: Any) -> list[str]:
    """The first reason why a value doesn't fit a JSON Schema, or nothing; several errors often have one cause.

    A schema that can't be read says nothing of any value: recorded requests hold what their senders wrote.
    """
    try:
        validator = jsonschema_rs.validator_for(schema)
        return [error.message for error in list(validator.iter_errors(value))[:1]]
    except ValueError:  # the schema is none, names what can't be found, or can't be applied
        return []
