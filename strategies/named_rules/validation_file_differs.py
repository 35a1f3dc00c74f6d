"""Fine-tuning: the validation file differs from the training file."""

from __future__ import annotations

from typing import Any

from . import NamedRule


def _holds(body: Any) -> bool:
    """Return True if there is no validation file, or another one."""
    if not isinstance(body, dict) or body.get("validation_file") is None:
        return True
    return bool(body["validation_file"] != body.get("training_file"))


def _broken(body: Any) -> Any:
    """The body with the training file as its validation file, or None without a training file."""
    if not isinstance(body, dict) or body.get("training_file") is None:
        return None
    return {**body, "validation_file": body["training_file"]}


RULE = NamedRule(_holds, _broken, "/validation_file", ("validation_file",))
