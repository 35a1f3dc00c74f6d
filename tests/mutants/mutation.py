"""All mutants of a source text. Each is told by the lines that it changes, so that a line number can move freely."""

from __future__ import annotations

import ast
import difflib
import pickle
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import MutationVisitor
from operators import OPERATORS

Position = tuple[int, int]


class Identity(NamedTuple):
    """What tells a mutant from others: the module, the function, the lines as they were and as they are."""

    module: str
    where: str
    was: str
    becomes: str


class Mutation(NamedTuple):
    """A mutant: its identity, the line at which it begins, the operator that made it, and its whole source text."""

    identity: Identity
    line: int
    operator: str
    source: str


def mutations(path: Path, module: str) -> list[Mutation]:
    """The mutants of a file, in the order of its lines. Those that don't compile are left out."""
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    notes = list(_annotations(tree))
    seen = {source}
    found = []
    parsed = get_ast(source)
    copies = pickle.dumps(parsed)  # an operator changes the tree in place; a copy is made faster than another parse
    for name, operator in OPERATORS.items():
        places = [where for node in ast_nodes(parsed) for where in operator.mutation_positions(node)]
        for number, (start, end) in enumerate(places):
            if any(first <= tuple(start) and tuple(end) <= last for first, last in notes):
                continue
            mutated = MutationVisitor(number, operator).walk(pickle.loads(copies)).get_code()
            if mutated in seen:
                continue
            seen.add(mutated)
            with suppress(SyntaxError):
                compile(mutated, str(path), "exec")
                line, was, becomes = _changed(source, mutated)
                found.append(Mutation(Identity(module, _function(tree, line), was, becomes), line, name, mutated))
    return sorted(found, key=lambda one: (one.line, one.identity))


def _annotations(tree: ast.AST) -> Iterator[tuple[Position, Position]]:
    """Where annotations stand: they are never evaluated, so a change there changes nothing."""
    for node in ast.walk(tree):
        for value in (getattr(node, "annotation", None), getattr(node, "returns", None)):
            if isinstance(value, ast.expr):
                yield (value.lineno, value.col_offset), (value.end_lineno or 0, value.end_col_offset or 0)


def _changed(source: str, mutated: str) -> tuple[int, str, str]:
    """The first line that differs, and the lines before and after the change, without indentation."""
    old, new = source.splitlines(), mutated.splitlines()
    edits = [
        edit for edit in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes() if edit[0] != "equal"
    ]
    first, last = edits[0], edits[-1]
    was, becomes = old[first[1] : last[2]], new[first[3] : last[4]]
    return first[1] + 1, "\n".join(map(str.strip, was)), "\n".join(map(str.strip, becomes))


def _function(tree: ast.AST, line: int) -> str:
    """The dotted name of the function or class around a line; "" at the top of a module."""
    names: list[str] = []
    body: list[ast.AST] = [tree]
    while body:
        node = body.pop(0)
        for child in ast.iter_child_nodes(node):
            first = min([getattr(child, "lineno", 0), *(d.lineno for d in getattr(child, "decorator_list", []))])
            if first <= line <= (getattr(child, "end_lineno", 0) or 0):
                if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                    names.append(child.name)
                body.append(child)
    return ".".join(names)
