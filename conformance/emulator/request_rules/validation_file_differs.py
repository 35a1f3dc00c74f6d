"""The validation file is not the training file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def fault(body: Any) -> str | None:
    """The dotted path of the field that breaks the rule; None if the body keeps it."""
    if not isinstance(body, Mapping) or body.get("validation_file") is None:
        return None
    return "validation_file" if body["validation_file"] == body.get("training_file") else None
