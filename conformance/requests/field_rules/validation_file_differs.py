"""Fine-tuning: the validation file is not the training file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def broken(body: Mapping[str, Any]) -> Iterator[str]:
    """Yield the one file that is named for both."""
    if body.get("validation_file") is not None and body["validation_file"] == body.get("training_file"):
        yield "the validation file is the training file"
