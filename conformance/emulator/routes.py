"""Which operation a path and a method belong to: a tree of path segments per version; literals come before
parameters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import define, field, frozen

from conformance.spec.operations import Operation

__all__ = ["Match", "Routes"]


@frozen
class Match:
    """An operation with the values of its path parameters, not converted."""

    operation: Operation
    values: Mapping[str, str]


@define(eq=False)
class _Node:
    """One segment of the tree: what may follow, and the operations that end here, by method."""

    literals: dict[str, _Node] = field(factory=dict)
    parameter: _Node | None = None
    leaves: dict[str, tuple[Operation, tuple[str, ...]]] = field(factory=dict)


@define(eq=False)
class Routes:
    """The paths of one version. Segments are given percent-decoded."""

    _root: _Node = field(factory=_Node, init=False)

    def add(self, operation: Operation) -> None:
        """Add an operation under its path template and method."""
        node = self._root
        names: list[str] = []
        for segment in operation.path.strip("/").split("/"):
            if segment.startswith("{") and segment.endswith("}"):
                names.append(segment[1:-1])
                node.parameter = node.parameter or _Node()
                node = node.parameter
            else:
                node = node.literals.setdefault(segment, _Node())
        node.leaves[operation.method] = (operation, tuple(names))

    def find(self, method: str, segments: Sequence[str]) -> Match | tuple[str, ...]:
        """The match, or the methods that the path documents (empty if there is no such path)."""
        allowed: set[str] = set()
        found = self._find(self._root, method, segments, (), allowed)
        return found if found is not None else tuple(sorted(allowed))

    def _find(
        self, node: _Node, method: str, segments: Sequence[str], values: tuple[str, ...], allowed: set[str]
    ) -> Match | None:
        """Search below a node. The methods of a path that fits are collected in ``allowed``."""
        if not segments:
            # Collected also where the method is missing: a 405 must name the methods of the path.
            allowed.update(node.leaves)
            leaf = node.leaves.get(method)
            return None if leaf is None else Match(leaf[0], dict(zip(leaf[1], values, strict=True)))
        head, rest = segments[0], segments[1:]
        literal = node.literals.get(head)
        found = self._find(literal, method, rest, values, allowed) if literal is not None else None
        # A literal that leads nowhere must not hide a parameter, and an empty segment is no parameter value.
        if found is None and node.parameter is not None and head:
            found = self._find(node.parameter, method, rest, (*values, head), allowed)
        return found
