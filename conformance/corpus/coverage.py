"""Measured coverage: which documented facts the accepted cases show, and which constraints the refused cases break.

Everything is computed from Spec and cases. What a request shows is found by walking it along the schema; a broken
constraint counts only if the validator (or, for a rule, ``requests/field_rules/``) confirms it. The labels that the
strategies attach are checked, not trusted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from conformance._parts import late
from conformance.corpus.corpus import Corpus
from conformance.corpus.request_values import RequestValues
from conformance.pointer import tokens
from conformance.requests.case import Case, Expect
from conformance.requests.field_rules import broken_rules
from conformance.requests.profile import Profile
from conformance.spec.openapi import BOUNDS
from conformance.spec.operations import Operation, operations_of
from conformance.spec.spec import Spec

if TYPE_CHECKING:
    from strategies import constraint_breaches, drafts, facts, schema_tree
    from strategies.schema_tree import Node, Shapes
else:
    constraint_breaches = late("strategies.constraint_breaches")
    drafts = late("strategies.drafts")
    facts = late("strategies.facts")
    schema_tree = late("strategies.schema_tree")

__all__ = ["CATEGORIES", "Gap", "OperationCoverage", "Share", "coverage_of", "totals"]

#: Name of a category → the kinds of facts that belong to it.
CATEGORIES: Mapping[str, tuple[str, ...]] = {
    "fields": ("field",),
    "values": ("value",),
    "nulls": ("null",),
    "bounds": BOUNDS,
    "branches": ("branch",),
    "required": ("required",),
    "rules": ("rule",),
    "constraints": ("constraint",),
}


@frozen
class Share:
    """How much of what is documented the corpus covers."""

    covered: int = 0
    total: int = 0

    @property
    def percent(self) -> float:
        """0 to 100. If nothing is documented, 100."""
        return 100.0 * self.covered / self.total if self.total else 100.0

    def __add__(self, other: Share) -> Share:
        return Share(self.covered + other.covered, self.total + other.total)


@frozen
class Gap:
    """Something documented that no case covers, and why. ``explained`` is False if no reason is known."""

    operation: str
    category: str
    what: str
    reason: str
    explained: bool = True


@frozen
class OperationCoverage:
    """The coverage of one operation: its shares by category and its gaps."""

    operation: str
    cases: int
    shares: Mapping[str, Share] = field(factory=dict)
    gaps: tuple[Gap, ...] = ()


def totals(rows: Iterable[OperationCoverage]) -> Mapping[str, Share]:
    """The shares of several operations added up, by category."""
    found = {category: Share() for category in CATEGORIES}
    for row in rows:
        for category, share in row.shares.items():
            found[category] = found[category] + share
    return found


def coverage_of(corpus: Corpus) -> tuple[OperationCoverage, ...]:
    """The coverage of every operation of a corpus, in document order."""
    shapes = schema_tree.Shapes(corpus.spec)
    known = operations_of(corpus.spec)
    return tuple(
        _Measure(corpus.spec, known[name], shapes, made.left_out, corpus.profile).of(made.cases)
        for name, made in corpus.operations.items()
    )


#: (media type, path, kind, label) of a documented fact.
_Key = tuple[str, str, str, str]


@frozen(slots=False, eq=False)
class _Measure:
    """Measures one operation."""

    spec: Spec
    operation: Operation
    shapes: Shapes
    left_out: Mapping[str, str]
    profile: str

    @cached_property
    def _requests(self) -> RequestValues:
        return RequestValues(self.operation, self.shapes)

    def of(self, cases: tuple[Case, ...]) -> OperationCoverage:
        """Count one operation."""
        documented, constraints = self._documented()
        accept: set[_Key] = set()
        either: dict[_Key, str] = {}
        broken: set[_Key] = set()
        loose: dict[_Key, str] = {}
        for case in cases:
            if case.expect is Expect.ACCEPT:
                accept |= self._shown(case)
            elif case.expect is Expect.EITHER:
                for key in self._shown(case):
                    # The first reason is kept: it explains the gap if no case with a sure outcome shows the fact.
                    either.setdefault(key, case.reason)
            if case.expect is not Expect.ACCEPT and case.breaks is not None:
                for key in self._broken(case):
                    if case.expect is Expect.REJECT:
                        broken.add(key)
                    else:
                        loose.setdefault(key, case.reason)
        shares: dict[str, Share] = {}
        gaps: list[Gap] = []
        self._count(documented, accept, either, shares, gaps)
        self._count(constraints, broken, loose, shares, gaps)
        return OperationCoverage(self.operation.id, len(cases), shares, tuple(gaps))

    def _count(
        self,
        documented: Mapping[_Key, str],
        shown: set[_Key],
        either: Mapping[_Key, str],
        shares: dict[str, Share],
        gaps: list[Gap],
    ) -> None:
        """Add the covered and the missing facts to shares and gaps."""
        for key, category in documented.items():
            hit = key in shown
            shares[category] = shares.get(category, Share()) + Share(int(hit), 1)
            if not hit:
                what = f"{key[2]} {key[3]}".strip() + f" of {_plain(key[1])}"
                reason = either.get(key) or self._why(key)
                gaps.append(Gap(self.operation.id, category, what, reason or "no case shows it", bool(reason)))

    def _documented(self) -> tuple[dict[_Key, str], dict[_Key, str]]:
        """Every fact and every constraint of the request, each with its category."""
        documented: dict[_Key, str] = {}
        constraints: dict[_Key, str] = {}
        by_kind = {kind: category for category, kinds in CATEGORIES.items() for kind in kinds}
        for media, root in self._requests.roots():
            for slot in self.shapes.slots(root):
                # The first step is the location (body, query or header), which is no fact.
                if len(slot.path) < 2:
                    continue
                path = "".join(slot.path)
                for kind, label in facts.kinds_of(slot):
                    documented[(media, path, kind, label)] = by_kind[kind]
                for keyword in constraint_breaches.constraints_of(slot, media):
                    category = "required" if keyword == "required" else "constraints"
                    constraints[(media, path, keyword, "")] = category
        for clause in self.spec.clauses:
            if clause.rule is not None and self.operation.id in clause.operations:
                constraints[("", clause.id, "rule", "")] = "rules"
        return documented, constraints

    def _shown(self, case: Case) -> set[_Key]:
        """The facts that a case shows."""
        found = self._requests.of(case)
        if found is None:
            return set()
        media, request = found
        root = self._requests.root(media)
        if root is None:
            return set()
        return {(media, *key) for key in facts.observe(root, request)}

    def _broken(self, case: Case) -> Iterator[_Key]:
        """Yield the constraint with which a case is labelled, if the case really breaks it."""
        breaks = case.breaks
        # A probe breaks a rule of HTTP or of access, not a constraint of the schema.
        if breaks is None or case.role.startswith("probe."):
            return
        found = self._requests.of(case)
        if found is None:
            return
        if breaks.clause:
            rules = broken_rules(self.spec, case.operation, found[1].get("body"))
            if any(rule.clause == breaks.clause for rule in rules):
                yield ("", breaks.clause, "rule", "")
            return
        media, request = found
        root = self._requests.root(media)
        # A label alone doesn't count: if the request is valid, nothing was broken.
        if root is None or root.fits(request):
            return
        pointer = breaks.pointer if breaks.pointer.startswith("/") or not breaks.pointer else "/" + breaks.pointer
        for path in _paths(root, request, f"/{breaks.location}{pointer}"):
            yield (media, path, breaks.keyword, "")

    def _why(self, key: _Key) -> str:
        """Why something is not covered, or ""."""
        known = self.left_out.get(" ".join(key), "")
        return known or ("left to the exhaustive profile" if self.profile != Profile.EXHAUSTIVE else "")


def _paths(root: Node, request: Any, pointer: str) -> Iterator[str]:
    """Yield the schema paths that a pointer into a request can mean."""

    def walk(node: Node, path: tuple[str, ...], rest: tuple[str, ...], value: Any) -> Iterator[str]:
        if not rest:
            yield "".join(path)
            # A parameter name may mean the list or its only item: both are written in the same way in a query.
            if node.items is not None and pointer.startswith("/query/"):
                yield "".join((*path, "*"))
        for index, branch in enumerate(node.branches):
            yield from walk(branch, (*path, f"|{index}"), rest, value)
        if not rest:
            return
        head = rest[0]
        inner = value.get(head) if isinstance(value, dict) else None
        if head in node.properties:
            yield from walk(node.properties[head], (*path, "." + head), rest[1:], inner)
        elif node.items is not None and head.isdigit():
            item = value[int(head)] if isinstance(value, list) and int(head) < len(value) else None
            yield from walk(node.items, (*path, "*"), rest[1:], item)
        elif node.extra is not None:
            yield from walk(node.extra, (*path, "%"), rest[1:], inner)

    yield from walk(root, (), tokens(pointer), request)


def _plain(path: str) -> str:
    """A path for people."""
    return path.removeprefix(".body").removeprefix(".query").replace(".", "/")
