"""Grading: a sample and an item give a score between 0 and 1.

Comparisons are computed. There is no model and no interpreter, so model and Python graders score 1 for any sample that
is not empty.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Mapping
from difflib import SequenceMatcher
from typing import Any

__all__ = ["FormulaError", "grade", "passes"]

#: A placeholder in a template, such as ``{{ item.answer }}``.
_FIELD = re.compile(r"\{\{\s*([\w.]+)\s*\}\}")
_OPERATORS: dict[type[ast.operator], Any] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


class FormulaError(ValueError):
    """A formula that can't be computed. ``flag`` is the documented name of the error."""

    def __init__(self, flag: str) -> None:
        super().__init__(flag)
        self.flag = flag


def grade(grader: Mapping[str, Any], known: Mapping[str, Any]) -> float:
    """The score. ``known`` has the keys ``item`` and ``sample``. Raises :class:`FormulaError`."""
    kind = grader["type"]
    if kind == "string_check":
        return float(_compare(grader["operation"], *_both(grader, known)))
    if kind == "text_similarity":
        given, wanted = _both(grader, known)
        return round(SequenceMatcher(None, given, wanted).ratio(), 4)
    if kind == "multi":
        scores = {name: grade(one, known) for name, one in grader["graders"].items() if isinstance(one, dict)}
        return _formula(grader["calculate_output"], scores)
    return 1.0 if _field("sample.output_text", known) else 0.0


def passes(grader: Mapping[str, Any], score: float) -> bool:
    """Return True if the score reaches the grader's threshold, by default one half."""
    return score >= float(grader.get("pass_threshold", 0.5))


def _both(grader: Mapping[str, Any], known: Mapping[str, Any]) -> tuple[str, str]:
    """The text to grade and the reference."""
    return _filled(grader["input"], known), _filled(grader["reference"], known)


def _compare(operation: str, given: str, wanted: str) -> bool:
    """The result of a string check."""
    if operation == "like":
        return wanted in given
    if operation == "ilike":
        return wanted.lower() in given.lower()
    # The remaining operations are ``eq`` and ``ne``.
    return (given == wanted) is (operation == "eq")


def _filled(template: str, known: Mapping[str, Any]) -> str:
    """The template with its placeholders replaced."""
    return _FIELD.sub(lambda found: _field(found.group(1), known), template)


def _field(path: str, known: Mapping[str, Any]) -> str:
    """The text at a dotted path, or ""."""
    here: Any = known
    for name in path.split("."):
        here = here.get(name) if isinstance(here, Mapping) else None
    return "" if here is None else str(here)


def _formula(text: str, scores: Mapping[str, float]) -> float:
    """The value of a formula of scores, numbers, sums and products. Anything else is an error, never executed."""
    try:
        # Parsed and computed node by node; ``eval`` would run whatever a caller sends.
        return float(_computed(ast.parse(text, mode="eval").body, scores))
    except KeyError:
        raise FormulaError("invalid_variable_error") from None
    except (SyntaxError, ValueError, ArithmeticError):
        raise FormulaError("formula_parse_error") from None


def _computed(node: ast.expr, scores: Mapping[str, float]) -> float:
    """The value of one node of a formula."""
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        result: float = _OPERATORS[type(node.op)](_computed(node.left, scores), _computed(node.right, scores))
        return result
    if isinstance(node, ast.Name):
        return scores[node.id]
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        return float(node.value)
    raise ValueError(ast.dump(node))
