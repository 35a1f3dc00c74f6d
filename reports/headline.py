"""The headline of every report: the conclusion of a run, its scope, and how much of it was judged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from attrs import frozen

from conformance.settings.scope import RunScope
from conformance.verdict import Conclusion, Outcome

from .jsonl import Report

__all__ = ["TRUNCATED", "Headline", "headline"]

#: Stands in place of a conclusion if a report has no footer.
TRUNCATED = "truncated: the run did not end"

#: Reasons that the line on coverage names. The verdicts have all of them.
MOST_REASONS = 3

#: For each conclusion the colour of the badge, and the outcome whose colour the page uses.
_LOOKS = {
    Conclusion.CONFORMANT: ("brightgreen", "pass"),
    Conclusion.NOT_CONFORMANT: ("red", "fail"),
    Conclusion.PARTIAL: ("yellow", "warn"),
    Conclusion.ERROR: ("lightgrey", "error"),
}


@frozen
class Headline:
    """The headline of one report.

    ``text`` is the conclusion with its scope: ``conformant in its scope (profile smoke; operations chat.*)``. A run
    that says nothing about a part of the api-version, or that has waived failures, is never called ``conformant``
    alone. ``coverage`` has a line on the items that were judged in part and one on those that were not judged at all,
    with reasons; it is empty if all were judged. ``unstable`` is a line on the verdicts that repetitions contradict, or
    "". ``outdated`` names waivers and entries of the baseline that should be removed. ``colour`` is a name that badge
    services know, ``tone`` the outcome whose colour on the page fits.
    """

    text: str
    scope: RunScope
    coverage: tuple[str, ...] = ()
    unstable: str = ""
    outdated: tuple[str, ...] = ()
    colour: str = "lightgrey"
    tone: str = "warn"

    def named(self) -> Iterator[tuple[str, str]]:
        """Yield its parts by name, without empty ones, for reports that hold names and values."""
        yield "conclusion", self.text
        yield "scope", self.scope.text
        if self.coverage:
            yield "coverage", ". ".join(self.coverage)
        if self.unstable:
            yield "unstable", self.unstable
        if self.outdated:
            yield "outdated", ". ".join(self.outdated)


def headline(report: Report) -> Headline:
    """The headline of a report."""
    scope, coverage, shaky = RunScope.from_json(report.header["scope"]), _coverage(report), _unstable(report)
    if report.footer is None:
        return Headline(f"{TRUNCATED} ({scope.text})", scope, coverage, shaky)
    conclusion = Conclusion(report.footer["conclusion"])
    outdated = tuple(report.footer["outdated"])
    words, look = conclusion.value, _LOOKS.get(conclusion, ("lightgrey", "warn"))
    waived = _waived(report)
    if conclusion is Conclusion.CONFORMANT:
        words += (" in its scope" if scope.narrowed else "") + (f" but for {waived}" if waived else "")
        if outdated or waived:
            look = ("orange" if outdated else "yellow"), "warn"
        elif scope.narrowed:
            look = "blue", "scoped"
        elif coverage or shaky:
            look = "yellowgreen", "pass"
    elif waived:
        words += f", besides {waived}"
    stale = _many(len(outdated), "waiver or baseline entry is", "waivers or baseline entries are")
    gone = f"; {len(outdated)} {stale} out of date" if outdated else ""
    return Headline(f"{words} ({scope.text}){gone}", scope, coverage, shaky, outdated, *look)


def _waived(report: Report) -> str:
    """``3 waived failures and 2 known failures``; "" if nothing is waived."""
    counts: Counter[tuple[str, str]] = Counter()
    for verdict in report.verdicts:
        if verdict.waived is not None:
            kinds = {Outcome.FAIL: ("failure", "failures"), Outcome.WARN: ("warning", "warnings")}
            unjudged = ("item that was not judged", "items that were not judged")
            how = "known" if verdict.waived.since else "waived"
            one, several = kinds.get(verdict.waived.outcome, unjudged)
            counts[f"{how} {one}", f"{how} {several}"] += 1
    return " and ".join(f"{count} {_many(count, *names)}" for names, count in sorted(counts.items(), reverse=True))


def _unstable(report: Report) -> str:
    """``unstable: 3 verdicts were not the same each time: 2 fail, 1 warn``; "" if none is unstable."""
    found = Counter(verdict.unwaived.value for verdict in report.verdicts if verdict.stable is False)
    count = sum(found.values())
    told = ", ".join(f"{many} {outcome}" for outcome, many in found.most_common())
    names = ("verdict was not the same each time", "verdicts were not the same each time")
    return f"unstable: {count} {_many(count, *names)}: {told}" if count else ""


def _many(count: int, one: str, several: str) -> str:
    return one if count == 1 else several


def _coverage(report: Report) -> tuple[str, ...]:
    partly = [verdict for verdict in report.verdicts if verdict.unjudged]
    # Where an operation refuses all valid requests, that is why nothing of its scenarios could be judged.
    named = {f"{verdict.check} in {verdict.scenario}" for verdict in report.verdicts}
    causes = {one.scenario: one.cause for one in report.verdicts if one.cause and one.cause not in named}
    reasons = Counter(
        reason
        for verdict in partly
        for reason in dict.fromkeys(causes.get(verdict.scenario) or part.reason for part in verdict.unjudged)
    )
    blank = (Outcome.UNAVAILABLE, Outcome.INCONCLUSIVE, Outcome.NOT_TESTABLE)
    nothing = [verdict for verdict in report.verdicts if verdict.outcome in blank]
    told = (
        _coverage_line("judged in part", len(partly), reasons),
        _coverage_line("not judged", len(nothing), Counter(causes.get(one.scenario) or one.reason for one in nothing)),
    )
    return tuple(filter(None, told))


def _coverage_line(what: str, items: int, reasons: Counter[str]) -> str:
    """``judged in part: 14 items; reasons: the target answered 500 (in 11 items), 429 (in 3 items)``."""
    if not items:
        return ""
    # What to do stands with the cause; the reason is enough here.
    plain: Counter[str] = Counter()
    for reason, count in reasons.items():
        plain[reason.partition("; if that is meant: ")[0]] += count
    known = [(reason, _items(count)) for reason, count in plain.most_common() if reason]
    words = [reason if len(known) == 1 else f"{reason} (in {count})" for reason, count in known[:MOST_REASONS]]
    if len(known) > MOST_REASONS:
        words.append(f"and {len(known) - MOST_REASONS} more")
    named = f"; {'reason' if len(known) == 1 else 'reasons'}: {', '.join(words)}" if words else ""
    return f"{what}: {_items(items)}{named}"


def _items(count: int) -> str:
    """A count of items in words."""
    return f"{count} {_many(count, 'item', 'items')}"
