"""Which JSON numbers are integers."""

from __future__ import annotations

from typing import TypeGuard

__all__ = ["is_integer"]


def is_integer(value: object) -> TypeGuard[int]:
    """True for a number whose fraction is zero, however it was written: ``7``, ``7.0``, ``7e0``; not for ``true``.

    Source: JSON Schema Validation 2020-12, section 6.1.1. Such a float compares, adds and hashes like the integer that
    it equals; where Python asks for an index or a byte, convert it with ``int``.
    """
    if isinstance(value, float):
        return value.is_integer()
    return isinstance(value, int) and not isinstance(value, bool)
