"""Prediction and observation joined: for every predicted change, whether the target shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from attrs import frozen

from conformance.evidence.exchange import Exchange
from conformance.migration.change import EVERY, Change, Direction, Kind, Subject
from conformance.migration.conclusion import Conclusion, Result, Shown
from conformance.migration.descent import nodes_at
from conformance.spec.operations import Media
from conformance.upgrade.answer_rules import judged_rule
from conformance.upgrade.evidence import Evidence, Seen, Tested
from conformance.upgrade.judgement import Judgement
from conformance.upgrade.outcomes import Outcome
from conformance.upgrade.probing import Probe, Use
from conformance.upgrade.shapes import received
from conformance.upgrade.sides import Side

__all__ = ["concluded"]

_OBSERVED, _MISSED, _OPEN = Conclusion.OBSERVED, Conclusion.MISSED, Conclusion.OPEN

#: Probes that a result shows.
_MOST = 3

_REFUSED = (Outcome.REFUSED, Outcome.EXCUSED)


def concluded(probe: Probe, evidence: Evidence, old: Side, new: Side) -> Result:
    """The result for one predicted change."""
    tested = [(use, evidence.of(pair)) for use, pair in probe.uses]
    if evidence.silent:
        judged = Judgement(_OPEN, "under one of the versions no request was accepted, so no answer says anything")
    elif probe.change.subject is Subject.DEFAULT:
        judged = _default(probe.change, evidence)
    elif probe.change.direction is not Direction.REQUEST and probe.change.subject is Subject.RULE:
        judged = judged_rule(probe.change, evidence, old, new)
    elif probe.change.direction is not Direction.REQUEST:
        judged = _Answers(probe.change, evidence, old, new).judged()
    elif not tested:
        judged = Judgement(_OPEN, probe.reason or "no request shows it")
    else:
        judged = _request(probe.change, tested, evidence)
    return Result(probe.change, judged.conclusion, judged.told, _shown(tested))


def _shown(tested: Iterable[tuple[Use, Tested]]) -> tuple[Shown, ...]:
    found = [one.shown(use.value) for use, one in tested if one.old is not None or one.new is not None]
    return tuple(found[:_MOST])


# -- requests ---------------------------------------------------------------------------------------------------------


def _request(change: Change, tested: Sequence[tuple[Use, Tested]], evidence: Evidence) -> Judgement:
    """The judgement on a change of requests."""
    if all(one.old is None and one.new is None for _, one in tested):
        ended = evidence.ended(tested[0][1].pair.case.operation)
        return Judgement(_OPEN, f"not sent: {ended or 'no deployment of the target has what the request needs'}")
    if change.operation == EVERY or change.subject is Subject.ROUTE:
        if not any(one.new_outcome is Outcome.TAKEN for _, one in tested):
            return Judgement(_MISSED, "no request was accepted at the new address")
        # Who accepts everything has no addresses.
        if not evidence.refuses(new=True):
            return Judgement(_OPEN, "everything is accepted, so nothing shows that the address counts")
        return Judgement(_OBSERVED, "requests are accepted at the new address")
    if change.subject in (Subject.OPERATION, Subject.MEDIA):
        return _whole(change, tested[0][1], evidence)
    if any(use is Use.GOOD for use, _ in tested):
        return _field(change, dict(tested))
    return _differing(tested)


def _whole(change: Change, one: Tested, evidence: Evidence) -> Judgement:
    """The judgement on an operation, or a media type, that only one version has."""
    gone = change.kind is Kind.REMOVED
    here, other = ("older", "newer") if gone else ("newer", "older")
    there, absent = (one.old_outcome, one.new_outcome) if gone else (one.new_outcome, one.old_outcome)
    answer, elsewhere = (one.old, one.new) if gone else (one.new, one.old)
    if there in (Outcome.UNCLEAR, Outcome.EXCUSED):
        return Judgement(_OPEN, f"no clear answer under the {here} version")
    if there is Outcome.REFUSED and one.pair.sure:
        return Judgement(_MISSED, f"a valid request was refused under the {here} version")
    unknown = elsewhere is not None and elsewhere.status in (404, 405)
    if there is Outcome.REFUSED:
        # Where a route had no such method (405), even a 404 for an object that nobody made says that it has it now.
        unused = elsewhere is not None and elsewhere.status == 405
        known = answer is not None and answer.status not in ((405,) if unused else (404, 405))
        if known and unknown:
            return Judgement(_OBSERVED, f"known under the {here} version, no route under the {other} one")
        return Judgement(_OPEN, "refused, which a request may be that names an object or depends on a model")
    if absent is Outcome.TAKEN:
        return Judgement(_MISSED, f"served under the {other} version too")
    if absent in _REFUSED:
        return Judgement(_OBSERVED, f"served under the {here} version, refused under the {other} one")
    # Nobody asked the other version, because what it may have made could not be removed.
    side = one.pair.old_side if gone else one.pair.new_side
    if answer is None or not _documented(change, answer, side):
        return Judgement(_OPEN, f"answered under the {here} version, but not as it is documented")
    if _formless(change, answer, side) and not evidence.refuses(new=not gone):
        return Judgement(_OPEN, f"answered under the {here} version, as everything is that was asked under it")
    return Judgement(_OBSERVED, f"served under the {here} version, not asked under the {other} one")


def _media(change: Change, answer: Exchange, side: Side) -> Mapping[str, Media]:
    """The media types that are documented for an answer."""
    return side.operations[change.operation].answer(answer.status or 0) or {}


def _formless(change: Change, answer: Exchange, side: Side) -> bool:
    """True if an answer is documented to have no body, or bytes: nothing in it tells it from one to any request."""
    return not any("json" in name or "event-stream" in name for name in _media(change, answer, side))


def _documented(change: Change, answer: Exchange, side: Side) -> bool:
    """True if an answer has the form that the document describes."""
    response = answer.response
    if response is not None and _formless(change, answer, side):
        media = _media(change, answer, side)
        fits = response.media_type in media if media else not response.body
        return fits and response.status in side.operations[change.operation].success
    direction, values = received(answer)
    root = side.answer_root(change.operation, direction)
    return bool(values) and root is not None and all(root.fits(value) for value in values)


def _field(change: Change, by_use: dict[Use, Tested]) -> Judgement:
    """The judgement on an optional field that only one version has."""
    good, wrong = by_use[Use.GOOD], by_use.get(Use.WRONG)
    added = change.kind is not Kind.REMOVED
    here, other = ("newer", "older") if added else ("older", "newer")

    def sides(one: Tested) -> tuple[Outcome, Outcome]:
        """(under the version that has the field, under the other one)."""
        return (one.new_outcome, one.old_outcome) if added else (one.old_outcome, one.new_outcome)

    has, lacks = sides(good)
    if has in (Outcome.UNCLEAR, Outcome.EXCUSED):
        return Judgement(_OPEN, f"no clear answer to a request with it under the {here} version: {has}")
    if has is Outcome.REFUSED and lacks in _REFUSED and not good.pair.sure:
        return Judgement(_OPEN, "a request with it is refused under both versions, for a reason of its own")
    if has is Outcome.REFUSED:
        return Judgement(_MISSED, f"a request with it is refused under the {here} version")
    if lacks in _REFUSED:
        return Judgement(_OBSERVED, f"accepted under the {here} version, refused under the {other} one")
    if wrong is None:
        return Judgement(_OPEN, "accepted under both, and no wrong value shows whether it is read")
    wrong_has, wrong_lacks = sides(wrong)
    if Outcome.UNCLEAR in (wrong_has, wrong_lacks):
        return Judgement(_OPEN, "accepted, and no clear answer to a wrong value of it")
    if wrong_has in _REFUSED and wrong_lacks is Outcome.TAKEN:
        return Judgement(_OBSERVED, f"a wrong value is refused under the {here} version, and ignored under the {other}")
    if wrong_has in _REFUSED:
        return Judgement(_MISSED, "read under both versions: a wrong value is refused")
    return Judgement(_MISSED, f"accepted, but not read under the {here} version: a wrong value is accepted too")


def _differing(tested: Sequence[tuple[Use, Tested]]) -> Judgement:
    """The judgement by requests that just one document takes."""
    clear = []
    for _, one in tested:
        old, new = one.old_outcome, one.new_outcome
        good, bad = (new, old) if one.pair.fits_new else (old, new)
        if good in (Outcome.TAKEN, Outcome.REFUSED) and bad is not Outcome.UNCLEAR:
            clear.append((one, good, bad))
    if not clear:
        unasked = any(one.old is None or one.new is None for _, one in tested)
        why = "it names an object that one of the versions can't make" if unasked else "no clear answers"
        return Judgement(_OPEN, why)
    for one, good, bad in clear:
        if good is Outcome.TAKEN and bad in _REFUSED:
            here, other = ("newer", "older") if one.pair.fits_new else ("older", "newer")
            return Judgement(_OBSERVED, f"accepted under the {here} version, refused under the {other} one")
    if all(good is Outcome.TAKEN for _, good, _ in clear):
        return Judgement(_MISSED, "accepted under both versions")
    if all(good is Outcome.REFUSED and bad in _REFUSED for _, good, bad in clear):
        sure = any(one.pair.sure for one, _, _ in clear)
        return Judgement(_MISSED if sure else _OPEN, "refused under both versions")
    return Judgement(_MISSED, "accepted under the version that should refuse it")


def _default(change: Change, evidence: Evidence) -> Judgement:
    """The judgement on a default, by answers that name the value which was taken."""
    name = change.location[-1][1:] if change.location else ""
    place = (f".{name}",)
    silent = [one for one in evidence.tested.get(change.operation, ()) if not one.pair.holds(change)]
    seen = []
    for one in silent:
        if one.old_outcome is Outcome.TAKEN is one.new_outcome and one.old is not None and one.new is not None:
            for exchange in (one.old, one.new):
                response = exchange.response
                seen.append(response.json if response is not None else None)
    old, new = (Seen.at(seen[side::2], [place]).values for side in (0, 1))
    if not (old and new) or len(change.location) != 2:
        return Judgement(_OPEN, "no answer tells which value is taken")
    if change.new in new and change.new not in old:
        return Judgement(_OBSERVED, "answers name the new default")
    return Judgement(_MISSED, f"answers name {new[0]!r} under the newer version and {old[0]!r} under the older one")


# -- answers ----------------------------------------------------------------------------------------------------------


@frozen
class _Answers:
    """Judges a change of answers."""

    change: Change
    evidence: Evidence
    old_side: Side
    new_side: Side

    def judged(self) -> Judgement:
        """The judgement."""
        change = self.change
        old_values = self.evidence.values(change.operation, change.direction, new=False)
        new_values = self.evidence.values(change.operation, change.direction, new=True)
        if change.subject is Subject.OPERATION:
            return self._form_of_answers(bool(old_values), bool(new_values))
        if change.subject is Subject.STATUS:
            return self._status()
        if not new_values or not old_values:
            ended = self.evidence.ended(change.operation)
            return Judgement(_OPEN, f"no successful answer to look at{': ' if ended else ''}{ended}")
        old, new = Seen.at(old_values, change.locations), Seen.at(new_values, change.locations)
        if change.subject is Subject.FIELD:
            return self._member(old, new, new_values)
        if change.subject in (Subject.TAG, Subject.VALUE):
            return self._value(old, new)
        if change.subject is Subject.REQUIRED:
            return self._promise(old, new)
        return self._values(old, new)

    def _form_of_answers(self, old: bool, new: bool) -> Judgement:
        if old != new:
            return Judgement(_OBSERVED, f"streamed under the {'newer' if new else 'older'} version only")
        return Judgement(_MISSED if new else _OPEN, "streamed under both" if new else "no stream was answered")

    def _status(self) -> Judgement:
        some = self.evidence.tested.get(self.change.operation, ())
        found = [(one.old.status, one.new.status) for one in some if one.old is not None and one.new is not None]
        if (int(self.change.old), int(self.change.new)) in found:
            return Judgement(_OBSERVED, "answered so")
        return Judgement(_MISSED if found else _OPEN, "not answered so" if found else "no answers to compare")

    def _member(self, old: Seen, new: Seen, answers: Sequence[Any]) -> Judgement:
        """The judgement on a member that came or has gone."""
        change = self.change
        if change.kind is Kind.RENAMED:
            locations = [(*place[:-1], f".{change.new}") for place in change.locations]
            come = Seen.at(answers, locations)
            if come.values and not new.values:
                return Judgement(_OBSERVED, f"{change.new} comes, {change.old} does not")
            return Judgement(_MISSED if new.around else _OPEN, f"{change.new} does not come in its place")
        if change.kind is Kind.REMOVED:
            if not old.values:
                return Judgement(_OPEN, "it did not come under the older version either")
            if new.values:
                return Judgement(_MISSED, f"it still comes ({len(new.values)} times)")
            return Judgement(_OBSERVED, f"it came {len(old.values)} times, and comes no more")
        if new.values and old.values:
            return Judgement(_MISSED, "it comes under the older version too")
        if new.values:
            return Judgement(_OBSERVED, f"it comes ({len(new.values)} times), and did not before")
        if not new.around:
            return Judgement(_OPEN, "no answer had the object that may hold it")
        return Judgement(_MISSED, f"it came in none of {new.around} objects that may hold it")

    def _value(self, old: Seen, new: Seen) -> Judgement:
        """The judgement on a value, or a member of a union, that came or has gone."""
        change = self.change
        mine = change.old if change.new is None else change.new
        whole = change.subject is Subject.TAG
        before, after = (s.values if whole else tuple(v for v in s.values if v == mine) for s in (old, new))
        if change.kind is Kind.REMOVED:
            before, after = after, before
        if after and not before:
            return Judgement(_OBSERVED, f"seen {len(after)} times under one version only")
        if after:
            return Judgement(_MISSED, "seen under both versions")
        return Judgement(_OPEN, "no request makes a target answer with it")

    def _promise(self, old: Seen, new: Seen) -> Judgement:
        """The judgement on a member that must now be there, or need not."""
        missing_old, missing_new = old.around - len(old.values), new.around - len(new.values)
        if not new.around:
            return Judgement(_OPEN, "no answer had the object that may hold it")
        if self.change.kind is Kind.NARROWED:
            if missing_new > 0:
                return Judgement(_MISSED, f"absent in {missing_new} of {new.around} objects")
            if missing_old > 0:
                return Judgement(_OBSERVED, f"always there, and before absent in {missing_old} of {old.around} objects")
            return Judgement(_MISSED, "always there under both versions")
        if missing_new > 0:
            conclusion = _OBSERVED if missing_old <= 0 else _MISSED
            return Judgement(conclusion, f"absent in {missing_new} of {new.around} objects")
        return Judgement(_OPEN, f"always there, in {new.around} objects")

    def _values(self, old: Seen, new: Seen) -> Judgement:
        """The judgement on what a value may be: does one come that only one of the documents allows?"""
        allowed_old, allowed_new = self._allows(self.old_side), self._allows(self.new_side)
        if self.change.kind is Kind.WIDENED:
            beyond = [value for value in new.values if not allowed_old(value)]
            if beyond and all(allowed_old(value) for value in old.values):
                return Judgement(_OBSERVED, f"{len(beyond)} values that the older document does not allow")
            if beyond:
                return Judgement(_MISSED, "such values come under the older version too")
            return Judgement(_OPEN, f"none of {len(new.values)} values shows it")
        gone = [value for value in old.values if not allowed_new(value)]
        if gone and all(allowed_new(value) for value in new.values):
            return Judgement(_OBSERVED, f"{len(gone)} values of the older version come no more")
        if any(not allowed_new(value) for value in new.values):
            return Judgement(_MISSED, "values come that the newer document does not allow")
        return Judgement(_OPEN, f"none of {len(old.values)} values of the older version is among those that went")

    def _allows(self, side: Side) -> Callable[[Any], bool]:
        """Whether a value at the place of the change fits one of the documents."""
        root = side.answer_root(self.change.operation, self.change.direction)
        nodes = nodes_at(root, self.change.location) if root is not None else []
        return lambda value: not nodes or any(node.fits(value) for node in nodes)
