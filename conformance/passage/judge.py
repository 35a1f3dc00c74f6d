"""Passages → what a gateway alters: differences by rule, gathered in rows, with the conclusion."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum

from attrs import evolve, field, frozen

from conformance.passage.natures import DECLARES, Judgement, nature_of
from conformance.passage.passage import Difference, Kind, Passage, Record, Side
from conformance.passage.rule import RecordRule, Rule, all_rules, record_rules
from conformance.passage.views import NotSeen
from conformance.settings.gateway import Gateway, Nature
from conformance.spec.spec import Spec
from conformance.verdict import Level

__all__ = ["Conclusion", "Judged", "Row", "judged"]

#: A gateway is called transparent only if one of these rules could judge an answer.
_PROOFS = ("via.answer.status", "via.shape.members")

#: So many header fields with one beginning are one row.
_MANY = 3


class Conclusion(StrEnum):
    """What is said of a gateway."""

    TRANSPARENT = "transparent"
    DECLARED = "transparent with declared alterations"
    NOT = "not transparent"
    NOTHING = "nothing could be compared"


@frozen
class Row:
    """Equal differences of many requests: field x direction x kind.

    ``requests`` is the number of requests that are concerned, ``example`` one of the differences. ``judgement`` says
    what it is, and why.
    """

    rule: str
    level: Level
    side: Side
    kind: Kind
    field: str
    requests: int
    operations: tuple[str, ...]
    example: Difference
    judgement: Judgement

    @property
    def declared(self) -> str:
        """The reason of the declaration that covers the row; "" if none does."""
        return self.judgement.why if self.judgement.declared else ""


@frozen
class Judged:
    """The result: rows, worst and widest first; for each rule how many passages it judged; and what was declared and
    never seen.
    """

    rows: tuple[Row, ...]
    judged: Mapping[str, int]
    unjudged: Mapping[str, Mapping[str, int]] = field(factory=dict)
    unseen: tuple[str, ...] = ()

    @property
    def conclusion(self) -> Conclusion:
        """What is said of the gateway. Nothing is said unless answers were compared."""
        counting = [row for row in self.rows if row.level is not Level.OBS]
        if any(not row.declared for row in counting):
            return Conclusion.NOT
        if not any(self.judged.get(rule) for rule in _PROOFS):
            return Conclusion.NOTHING
        return Conclusion.DECLARED if counting else Conclusion.TRANSPARENT

    @property
    def exit_code(self) -> int:
        """0 transparent, 1 not (a broken MUST), 3 nothing could be compared; a broken SHOULD alone warns."""
        if self.conclusion is Conclusion.NOTHING:
            return 3
        failing = any(row.level is Level.MUST and not row.declared for row in self.rows)
        return 1 if failing else 0

    @property
    def text(self) -> str:
        """The headline."""
        declared = sum(1 for row in self.rows if row.declared and row.level is not Level.OBS)
        if self.conclusion is Conclusion.DECLARED:
            return f"transparent with {declared} declared alteration{'s' if declared != 1 else ''}"
        if self.conclusion is Conclusion.NOT:
            open_ = [row for row in self.rows if row.level is not Level.OBS and not row.declared]
            worst = Counter(row.level for row in open_)
            told = ", ".join(f"{count} {level}" for level, count in sorted(worst.items()))
            many = "s" if len(open_) != 1 else ""
            return f"not transparent: {len(open_)} alteration{many} ({told})"
        return self.conclusion.value


def judged(record: Record, spec: Spec, declared: Gateway) -> Judged:
    """Judge what was seen by all rules. ``spec`` is the api-version of the requests."""
    counts: Counter[str] = Counter()
    unjudged: dict[str, Counter[str]] = {}
    found: list[_Found] = []
    for rule in all_rules().values():
        for passage in record.passages:
            # A probe tells whether the gateway still serves, and nothing that its case hasn't told before.
            if passage.probe:
                continue
            try:
                found.extend((one, passage) for one in rule.judge(passage, spec))
                counts[rule.id] += 1
            except NotSeen as missing:
                unjudged.setdefault(rule.id, Counter())[str(missing)] += 1
    for together in record_rules().values():
        try:
            found.extend((one, None) for one in together.judge(record))
            counts[together.id] += 1
        except NotSeen as missing:
            unjudged.setdefault(together.id, Counter())[str(missing)] += 1
    rows = tuple(_rows(found, declared))
    kinds = {(row.side, row.field, row.kind) for row in rows}
    unseen = tuple(
        f"gateway.{does} {one.field}: declared, and never seen ({one.reason})"
        for does, one in declared
        if not any(one.covers(side, place) and kind in DECLARES[does] for side, place, kind in kinds)
    )
    return Judged(rows, dict(counts), {name: dict(why) for name, why in unjudged.items()}, unseen)


#: A difference, and the passage that shows it; None if only several passages do.
_Found = tuple[Difference, Passage | None]


def _rows(found: Iterable[_Found], declared: Gateway) -> Iterator[Row]:
    """Yield the rows, worst and widest first."""
    groups: dict[tuple[str, Side, Kind, str, Judgement], list[Difference]] = {}
    laws: dict[str, Rule | RecordRule] = {**all_rules(), **record_rules()}
    for one, passage in _gathered(list(found)):
        law = laws[one.rule]
        judgement = nature_of(one, passage, declared, law.clause, law.source)
        level = Level.OBS if judgement.nature is Nature.LEGAL and not judgement.declared else one.level
        groups.setdefault((one.rule, one.side, one.kind, one.field, judgement), []).append(evolve(one, level=level))
    rows = [
        Row(
            rule=rule,
            level=many[0].level,
            side=side,
            kind=kind,
            field=place,
            requests=len({one.case for one in many}),
            operations=tuple(sorted({one.operation for one in many})),
            example=many[0],
            judgement=judgement,
        )
        for (rule, side, kind, place, judgement), many in groups.items()
    ]
    rank = list(Level)
    yield from sorted(rows, key=lambda row: (bool(row.declared), rank.index(row.level), -row.requests, row.field))


def _gathered(found: Sequence[_Found]) -> Iterator[_Found]:
    """Yield the differences, header fields of one family (``x-gateway-…``) under one name if they are many."""
    names: dict[tuple[str, Side, Kind, str], set[str]] = {}
    for one, _ in found:
        if _family(one):
            names.setdefault((one.rule, one.side, one.kind, _family(one)), set()).add(one.where)
    for one, passage in found:
        family = _family(one)
        if family and len(names[one.rule, one.side, one.kind, family]) >= _MANY:
            told = one.told or one.where.removeprefix("header:")
            yield evolve(one, where=f"header:{family}-*", told=told), passage
        else:
            yield one, passage


def _family(one: Difference) -> str:
    """The beginning that the names of related header fields share: ``x-gateway`` of ``x-gateway-cost``; "" for others.

    Only fields that no rule of their own names are gathered.
    """
    name = one.where.removeprefix("header:")
    parts = name.split("-")
    if one.level is not Level.OBS or name == one.where or len(parts) < 2:
        return ""
    return "-".join(parts[: 2 if parts[0] == "x" else 1])
