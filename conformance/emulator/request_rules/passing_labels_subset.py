"""The passing labels of a label grader are among its labels."""

from __future__ import annotations

from typing import Any

from conformance.emulator.request_rules.reading import objects_of


def fault(body: Any) -> str | None:
    """The dotted path of the field that breaks the rule; None if the body keeps it."""
    for index, grader in enumerate(objects_of(body, "testing_criteria")):
        labels, passing = grader.get("labels"), grader.get("passing_labels")
        if isinstance(labels, list) and isinstance(passing, list) and any(one not in labels for one in passing):
            return f"testing_criteria[{index}].passing_labels"
    return None
