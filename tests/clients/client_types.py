"""Does an answer fit the type that the ``openai`` package makes of it? The package itself accepts any answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from openai import BaseModel
from pydantic import ValidationError

__all__ = ["mismatches"]


def mismatches(value: Any) -> set[str]:
    """``Type.field: kind`` for each field that doesn't fit the package's type. Of values within each other the
    innermost is named: the outer ones don't fit because of it.
    """
    if not isinstance(value, BaseModel):
        return {found for part in _parts(value) for found in mismatches(part)}
    # Not by iteration: a page of a list iterates over the items of all pages.
    inner = {found for part in vars(value).values() for found in mismatches(part)}
    if inner:
        return inner
    kind = type(value)
    try:
        kind.model_validate(value.to_dict(mode="json", warnings=False))
    except ValidationError as error:
        # Below the first field stand the branches of unions, each with a reason of its own.
        return {f"{kind.__name__.partition('[')[0]}.{one['loc'][0]}: {one['type']}" for one in error.errors()}
    return set()


def _parts(value: Any) -> Iterator[Any]:
    """Yield what a list or an object that has no type holds."""
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list | tuple):
        yield from value
