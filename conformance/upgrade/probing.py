"""Which requests show whether a target does what two documents say differently.

A change of requests shows in a request that just one document takes: it is accepted under one version and refused under
the other. A new optional field is taken by both (unknown members are ignored), so two requests show it: one with a
right value, which the newer version must accept, and one with a wrong value, which it must refuse and the older not.
Changes of answers show in answers to requests that both versions take, and in those of the requests above.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum

from attrs import field, frozen

from conformance.migration.change import EVERY, Change, Direction, Kind, Subject
from conformance.requests.case import Expect, Family
from conformance.upgrade.made import made_for, wrong_values
from conformance.upgrade.pairs import Pair, paired
from conformance.upgrade.rule_checks import checks_of
from conformance.upgrade.sides import Side

__all__ = ["Plan", "Probe", "Use", "plan_for"]

#: Requests that show one change by their difference.
_MOST = 2

#: Requests of one operation that both versions take and whose answers are compared.
_SHARED = 24


class Use(StrEnum):
    """What a request is for."""

    GOOD = "has it"
    WRONG = "has a wrong value"
    DIFFERS = "fits one version only"
    PLAIN = "plain request"


@frozen
class Probe:
    """One change, and the requests that show it. ``reason`` says why there are none."""

    change: Change
    uses: tuple[tuple[Use, Pair], ...] = ()
    reason: str = ""


@frozen
class Plan:
    """All that is sent: the requests by operation, each once, and what they are for."""

    probes: tuple[Probe, ...]
    shared: dict[str, tuple[Pair, ...]] = field(repr=False)

    @property
    def pairs(self) -> dict[str, tuple[Pair, ...]]:
        """Every request by operation, each once."""
        found: dict[str, dict[str, Pair]] = {name: {p.id: p for p in pairs} for name, pairs in self.shared.items()}
        for probe in self.probes:
            for _, pair in probe.uses:
                found.setdefault(pair.case.operation, {}).setdefault(pair.id, pair)
        return {name: tuple(pairs.values()) for name, pairs in found.items()}


def plan_for(old: Side, new: Side, changes: Sequence[Change], operations: Iterable[str]) -> Plan:
    """What to send for some changes, and for the operations in general."""
    names = [name for name in dict.fromkeys((*new.operations, *old.operations)) if name in set(operations)]
    pairs = {name: tuple(paired(old, new, name)) for name in names}
    probes = tuple(_probe(change, pairs) for change in changes)
    return Plan(probes, {name: tuple(_shared(found)) for name, found in pairs.items()})


def _shared(pairs: Sequence[Pair]) -> Iterator[Pair]:
    """Yield requests that both documents take, the templates first: they ask for everything that an answer may hold.

    Then come some that neither takes, one for each field: a target that suddenly accepts these has changed too.
    """
    both = [
        p for p in pairs if p.fits_old and p.fits_new and p.case.expect is not Expect.REJECT and not p.case.expensive
    ]
    templates = sorted((p for p in both if p.case.family is Family.TEMPLATE), key=lambda pair: pair.size[3])
    others = sorted((p for p in both if p.case.family is not Family.TEMPLATE), key=lambda pair: pair.size)
    yield from (*templates, *others)[:_SHARED]
    neither = [p for p in pairs if p.case.expect is Expect.REJECT and not p.fits_old and not p.fits_new]
    by_field: dict[str, Pair] = {}
    for pair in sorted(neither, key=lambda pair: pair.size):
        if pair.case.breaks is not None:
            by_field.setdefault(pair.case.breaks.pointer, pair)
    yield from list(by_field.values())[:_SHARED]


def _probe(change: Change, pairs: dict[str, tuple[Pair, ...]]) -> Probe:
    """The requests for one change."""
    found = pairs.get(change.operation, ())
    if change.operation == EVERY:
        uses = [(Use.PLAIN, pair) for some in pairs.values() for pair in some if pair.sure and pair.fits_old]
        return Probe(change, tuple(uses[:_MOST]))
    if change.direction is not Direction.REQUEST and change.subject is Subject.RULE:
        return Probe(change, tuple((Use.PLAIN, pair) for pair in _ruled(change, found)))
    if change.direction is not Direction.REQUEST:
        return Probe(change, tuple((Use.GOOD, pair) for pair in _asking(change, found)))
    uses = list(_uses(change, found))
    reason = "" if uses else _why_not(change, found)
    return Probe(change, tuple(uses), reason)


def _ruled(change: Change, pairs: Sequence[Pair]) -> Iterator[Pair]:
    """Yield requests whose answers a rule is about: the checks of the rule say so."""
    taken = [p for p in pairs if p.case.expect is not Expect.REJECT and p.fits_old and p.fits_new]
    if taken:
        spec, checks = checks_of(change, taken[0].old_side.spec, taken[0].new_side.spec)
        mine = [p for p in taken if any(check.about(spec, p.case) for check in checks)]
        yield from sorted(mine, key=lambda pair: pair.size)[: 2 * _MOST]
    yield from _counting(pairs)


def _asking(change: Change, pairs: Sequence[Pair]) -> Iterator[Pair]:
    """Yield requests that only the newer (or older) document takes and that ask for what a change of answers is about:
    a field of the same name in the request.
    """
    names = {step[1:] for step in change.location if step[0] == "."}
    own = [p for p in pairs if (p.sure and p.fits_new != p.fits_old) or (p.sure and p.case.family is Family.TEMPLATE)]
    wanted = [p for p in own if isinstance(p.case.json, dict) and names & set(p.case.json)]
    yield from sorted(wanted, key=lambda pair: pair.size)[: 2 * _MOST]
    if change.direction is Direction.STREAM and change.location[:1] == (".usage",):
        yield from _counting(pairs)


def _counting(pairs: Sequence[Pair]) -> Iterator[Pair]:
    """Yield a streaming request that asks for usage. Where ``stream_options`` is not documented, a target may refuse it
    or send usage all the same.
    """
    for pair in sorted(pairs, key=lambda pair: pair.size):
        body = pair.case.json
        if pair.fits_old and pair.fits_new and isinstance(body, dict) and body.get("stream") is True:
            yield pair.with_body({**body, "stream_options": {"include_usage": True}})
            return


def _uses(change: Change, pairs: Sequence[Pair]) -> Iterator[tuple[Use, Pair]]:
    """Yield requests for a change of requests."""
    match change.subject, change.kind:
        case Subject.OPERATION | Subject.ROUTE | Subject.MEDIA, _:
            good = [p for p in pairs if p.case.expect is not Expect.REJECT and (p.fits_old or p.fits_new)]
            yield from ((Use.PLAIN, pair) for pair in sorted(good, key=lambda pair: pair.size)[:1])
        case Subject.RULE, _:
            broken = [p for p in pairs if p.case.breaks is not None and p.case.breaks.clause == change.keyword]
            yield from ((Use.DIFFERS, pair) for pair in broken[:_MOST] if pair.fits_old != pair.fits_new)
        case Subject.FIELD, Kind.ADDED | Kind.REMOVED if not (change.needed and change.kind is Kind.ADDED):
            yield from _field(change, pairs)
        case Subject.DEFAULT, _:
            return
        case _:
            yield from _differing(change, pairs)


def _field(change: Change, pairs: Sequence[Pair]) -> Iterator[tuple[Use, Pair]]:
    """Yield a right value of a field, and a wrong one, which only the version with the field must refuse."""
    added = change.kind is Kind.ADDED
    holding = [p for p in pairs if p.holds(change)]
    good = [p for p in holding if (p.fits_new if added else p.fits_old) and p.case.expect is not Expect.REJECT]
    # A request that the other version refuses for another reason would show nothing of this field.
    alone = [p for p in good if p.fits_old == p.fits_new or p.differs_by(change)]
    chosen = min(alone, key=lambda pair: pair.size, default=None)
    if chosen is None:
        chosen = made_for(change, pairs, old=True, new=True)
    if chosen is None:
        return
    yield Use.GOOD, chosen
    if chosen.fits_old and chosen.fits_new:
        wrong = [p for p in holding if p.differs_by(change) and p.fits_old == added]
        worst = min(wrong, key=lambda pair: pair.size, default=None)
        if worst is None:
            worst = next((pair for pair in wrong_values(change, chosen) if pair.fits_old == added), None)
        if worst is not None:
            yield Use.WRONG, worst


def _differing(change: Change, pairs: Sequence[Pair]) -> Iterator[tuple[Use, Pair]]:
    """Yield requests that just one document takes, because of a change."""
    more = change.kind in (Kind.ADDED, Kind.WIDENED) and not change.needed
    found = [p for p in pairs if p.fits_new == more and p.differs_by(change)]
    chosen = sorted(found, key=lambda pair: pair.size)[:_MOST]
    if not chosen:
        made = made_for(change, pairs, old=not more, new=more)
        chosen = [made] if made is not None else []
    yield from ((Use.DIFFERS, pair) for pair in chosen)


def _why_not(change: Change, pairs: Sequence[Pair]) -> str:
    if change.subject is Subject.DEFAULT:
        return "no request shows a default; an answer that names the field does"
    if not pairs:
        return "no request of the operation is derived"
    if change.subject is Subject.RULE:
        return "no request breaks the rule and nothing else"
    return "no request could be made that just one of the documents takes"
