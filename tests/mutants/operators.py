"""Which small changes of a source text make a mutant: operators of cosmic-ray, and three of our own in its form.

Left out of cosmic-ray's set is what tells nothing about the tests: a decorator removed (nothing can be imported any
more), ``==`` turned into ``<=`` where only words are compared, arithmetic that no type allows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import parso
from cosmic_ray.operators.operator import Example, Operator
from cosmic_ray.operators.provider import OperatorProvider
from parso.python.tree import Keyword

#: The names of cosmic-ray's operators that are used. A boundary moves by one step or turns round.
_CHOSEN = (
    "AddNot",
    "ExceptionReplacer",
    "NumberReplacer",
    "ReplaceAndWithOr",
    "ReplaceBinaryOperator_Add_Sub",
    "ReplaceBinaryOperator_BitAnd_BitOr",
    "ReplaceBinaryOperator_BitOr_BitAnd",
    "ReplaceBinaryOperator_Mul_FloorDiv",
    "ReplaceBinaryOperator_Sub_Add",
    "ReplaceBreakWithContinue",
    "ReplaceComparisonOperator_Eq_NotEq",
    "ReplaceComparisonOperator_GtE_Gt",
    "ReplaceComparisonOperator_GtE_Lt",
    "ReplaceComparisonOperator_Gt_GtE",
    "ReplaceComparisonOperator_Gt_LtE",
    "ReplaceComparisonOperator_IsNot_Is",
    "ReplaceComparisonOperator_Is_IsNot",
    "ReplaceComparisonOperator_LtE_Gt",
    "ReplaceComparisonOperator_LtE_Lt",
    "ReplaceComparisonOperator_Lt_GtE",
    "ReplaceComparisonOperator_Lt_LtE",
    "ReplaceComparisonOperator_NotEq_Eq",
    "ReplaceContinueWithBreak",
    "ReplaceFalseWithTrue",
    "ReplaceOrWithAnd",
    "ReplaceTrueWithFalse",
    "ReplaceUnaryOperator_Delete_Not",
    "ReplaceUnaryOperator_Delete_USub",
    "ZeroIterationForLoop",
)

#: Methods of text that return the text changed; a call of one can be left out.
_TEXT_METHODS = frozenset({"casefold", "lower", "lstrip", "replace", "rstrip", "strip", "title", "upper"})

#: Statements that can be left out without leaving a name undefined.
_JUMPS = frozenset({"return_stmt", "raise_stmt"})


class ReplaceIn(Operator):
    """``in`` → ``not in``, and back."""

    def mutation_positions(self, node: Any) -> Iterator[tuple[Any, Any]]:
        if node.type == "comparison":
            yield from ((sign.start_pos, sign.end_pos) for sign in self._signs(node))

    def mutate(self, node: Any, index: int) -> Any:
        sign = self._signs(node)[index]
        turned = " in" if sign.type == "comp_op" else " not in"
        node.children[node.children.index(sign)] = parso.parse(turned)
        return node

    @staticmethod
    def _signs(node: Any) -> list[Any]:
        return [sign for sign in node.children[1::2] if sign.get_code().split() in (["in"], ["not", "in"])]

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        return (Example("a in b", "a not in b"),)


class RemoveTextMethod(Operator):
    """``text.lower()`` → ``text``, and the like for other methods that return a changed text."""

    def mutation_positions(self, node: Any) -> Iterator[tuple[Any, Any]]:
        yield from ((node.start_pos, node.end_pos) for _ in self._calls(node))

    def mutate(self, node: Any, index: int) -> Any:
        first = self._calls(node)[index]
        del node.children[first : first + 2]
        return node

    @staticmethod
    def _calls(node: Any) -> list[int]:
        """Where among the children of ``a.b().c()`` the pairs ``.b`` and ``()`` begin that can be left out."""
        if node.type not in ("atom_expr", "power"):
            return []
        texts = [child.get_code() for child in node.children]
        return [
            place
            for place in range(1, len(texts) - 1)
            if texts[place].startswith(".") and texts[place][1:] in _TEXT_METHODS and texts[place + 1].startswith("(")
        ]

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        return (Example("a.lower().split()", "a.split()"),)


class RemoveStatement(Operator):
    """A call, a ``yield``, a change of an attribute or an item, or an early return → ``pass``."""

    def mutation_positions(self, node: Any) -> Iterator[tuple[Any, Any]]:
        if node.type == "simple_stmt" and self._removable(node.children[0]) and not self._idle(node):
            yield node.start_pos, node.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        first = node.get_first_leaf()
        node.children[0] = Keyword("pass", first.start_pos, first.prefix)
        return node

    @staticmethod
    def _idle(node: Any) -> bool:
        """True for ``return None`` where a function ends anyway: without it the function means the same."""
        last = node.parent.type == "suite" and node.parent.parent.type == "funcdef" and node is node.parent.children[-1]
        return last and node.get_code().split() in (["return"], ["return", "None"])

    @staticmethod
    def _removable(statement: Any) -> bool:
        if statement.type in _JUMPS or statement.type in ("atom_expr", "yield_expr"):
            return True
        if statement.type == "keyword":
            return statement.value in ("return", "raise", "break", "continue")
        if statement.type != "expr_stmt":
            return False
        named, sign = statement.children[:2]
        return sign.type == "operator" and (named.type == "atom_expr" or sign.value != "=")

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        return (Example("f(a)\n", "pass\n"),)


_CORE = OperatorProvider()

#: All operators by name.
OPERATORS: Mapping[str, Operator] = {name: _CORE[name]() for name in _CHOSEN} | {
    made.__name__: made() for made in (ReplaceIn, RemoveTextMethod, RemoveStatement)
}
