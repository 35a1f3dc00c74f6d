"""Evals: the passing labels of a label grader are among its labels."""

from __future__ import annotations

import copy
from typing import Any

from . import NamedRule
from .json_objects import objects_in


def _labels(grader: dict[str, Any], name: str) -> list[Any]:
    """The labels in one of the two arrays of a grader; none where there is no array."""
    found = grader.get(name)
    return found if isinstance(found, list) else []


def _strange(grader: dict[str, Any]) -> list[Any]:
    """The passing labels that a grader can't give."""
    labels = _labels(grader, "labels")
    return [label for label in _labels(grader, "passing_labels") if label not in labels]


def _holds(body: Any) -> bool:
    """Return True if every grader passes only its own labels."""
    return not any(_strange(each) for each in objects_in(body, "label_model"))


def _broken(body: Any) -> Any:
    """The body with a passing label that isn't among the labels, or None without a label grader."""
    made = copy.deepcopy(body)
    for each in objects_in(made, "label_model"):
        each["passing_labels"] = ["not-among-the-labels"]
        return made
    return None


def _mended(body: Any) -> Any:
    """The body with the missing passing labels added to the labels."""
    made = copy.deepcopy(body)
    for each in objects_in(made, "label_model"):
        missing = _strange(each)
        if missing:
            each["labels"] = [*_labels(each, "labels"), *missing]
    return made


RULE = NamedRule(_holds, _broken, "/testing_criteria", (), _mended)
