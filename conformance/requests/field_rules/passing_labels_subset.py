"""Evals: a grader passes only labels that it can give."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from conformance.requests.field_rules.reading import every_object


def broken(body: Mapping[str, Any]) -> Iterator[str]:
    """Yield the passing labels of a grader that are none of its labels."""
    for each in every_object(body):
        passing, labels = each.get("passing_labels"), each.get("labels", [])
        if isinstance(passing, list) and isinstance(labels, list):
            strange = [label for label in passing if label not in labels]
            if strange:
                yield f"{strange} are not among the labels"
