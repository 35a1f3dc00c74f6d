"""What goes to another process of a value that keeps what it computed."""

from __future__ import annotations

from typing import Any

from attrs import fields_dict

__all__ = ["fields_of"]


def fields_of(self: Any) -> dict[str, Any]:
    """The fields of an attrs instance with a ``__dict__``: its ``__getstate__``.

    What was computed from them is left out. It is computed again over there, and another thread may be adding to it
    while the value is pickled.
    """
    values = vars(self)
    return {name: values[name] for name in fields_dict(type(self))}
