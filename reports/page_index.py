"""What the page knows before evidence is opened: headline, rules, causes, verdicts and the steps of each scenario.

The value is plain JSON. ``frontend/src/model.ts`` has the same shape as types.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from attrs import asdict

from conformance.evidence.outline import Step
from conformance.verdict import Finding, Outcome, Verdict

from .failure import witness
from .headline import headline
from .jsonl import Report
from .matrix import Place, area_of, places
from .page_evidence import Parts
from .root_causes import RootCause, level_of, scoring
from .summary import summarise

__all__ = ["EXAMPLES", "LISTED", "examples_of", "index", "named_by", "quoted_by"]

#: The most findings of one verdict that the page lists, and the characters of all that are listed. All are counted; a
#: verdict for whose findings there is no room has the beginning of one.
LISTED, ROOM, BEGINNING = 200, 1_500_000, 100

#: The most causes whose example is opened with the page, so that it can be printed.
EXAMPLES = 60


def examples_of(report: Report, causes: Iterable[RootCause]) -> dict[str, tuple[str, str]]:
    """The exchange (trace, case) that shows each of the first causes, by the name ``check scenario`` of its verdict."""
    found: dict[str, tuple[str, str]] = {}
    for cause in [*causes][:EXAMPLES]:
        verdict = cause.verdicts[0]
        finding = example(report, verdict)
        if finding is not None:
            found[f"{verdict.check} {verdict.scenario}"] = (verdict.evidence, finding.case_id)
    return found


def example(report: Report, verdict: Verdict) -> Finding | None:
    """The finding that shows best what a verdict says: the one with the smallest request that scores."""
    if not any(True for _ in scoring(verdict)) or verdict.evidence not in report.traces:
        return None
    best = witness(verdict, report.traces[verdict.evidence])
    return best[0] if best else None


def quoted_by(verdicts: Iterable[Verdict]) -> int:
    """The characters of findings that the index will have, at most. They take room from the evidence."""
    return min(
        ROOM, sum(len(f.message + f.place + f.expected + f.actual) for v in verdicts for f in v.findings[:LISTED])
    )


def named_by(verdicts: Iterable[Verdict]) -> frozenset[tuple[str, str]]:
    """The exchanges (trace, case) that findings name, and the witnesses of verdicts that are no plain pass."""
    quiet = (Outcome.PASS, Outcome.NOT_APPLICABLE)
    return frozenset(
        (verdict.evidence, case)
        for verdict in verdicts
        if verdict.outcome not in quiet
        for case in (*(finding.case_id for finding in verdict.findings), verdict.witness)
        if case
    )


def index(
    report: Report,
    causes: Sequence[RootCause],
    shown: Mapping[str, tuple[str, str]],
    parts: Parts,
) -> dict[str, Any]:
    """The index of a report whose parts were made. ``shown`` are the examples of its causes."""
    header, footer, first, summary = report.header, report.footer or {}, headline(report), summarise(report)
    checks = header["checks"]
    where = [*places(report)]
    rules = [*dict.fromkeys([*checks, *(verdict.check for verdict in report.verdicts)])]
    scenarios = [*dict.fromkeys([*report.outlines, *(verdict.scenario for verdict in report.verdicts)])]
    called = {step.operation for one in report.outlines.values() for step in one}
    operations = sorted(called | {place.operation for _, place in where} | {""})
    numbers = {
        "rule": {name: place for place, name in enumerate(rules)},
        "scenario": {name: place for place, name in enumerate(scenarios)},
        "operation": {name: place for place, name in enumerate(operations)},
        "verdict": {(v.check, v.scenario): place for place, v in enumerate(report.verdicts)},
    }
    left = [ROOM]
    return {
        "version": header["api_version"],
        "headline": {
            "text": first.text,
            "tone": first.tone,
            "coverage": list(first.coverage),
            "unstable": first.unstable,
            "outdated": list(first.outdated),
        },
        "scope": {
            "narrowed": first.scope.narrowed,
            "text": first.scope.text,
            "selection": {what: list(names) for what, names in first.scope.selection.items()},
            "reasons": [list(pair) for pair in first.scope.reasons()],
        },
        "run": {
            "target": header["target"]["url"],
            "seed": header["seed"],
            "started": header["started"],
            "finished": footer.get("finished", ""),
            "truncated": report.footer is None,
            "interrupted": bool(footer.get("interrupted")),
            "suite": header["suite"],
            "spec": header["spec_digest"][:12],
            "notes": list(footer.get("notes", ())),
            "folder": parts.run_dir,
            "requests": summary.requests,
            "operations": len(summary.operations),
            "checks": summary.checks,
        },
        "drift": list(footer.get("drift", ())),
        # Sorted: a report in memory and one that was read have the keys of their header in different orders.
        "errata": dict(sorted(header.get("errata", {}).items())),
        "rules": [
            {"id": name, "area": area_of(name, checks), **dict(sorted(checks.get(name, {}).items()))} for name in rules
        ],
        "operations": operations,
        "scenarios": scenarios,
        "causes": [_cause(cause, shown, numbers["verdict"]) for cause in causes],
        "verdicts": [_verdict(verdict, place, checks, numbers, left) for verdict, place in where],
        "traces": _traces(report, numbers["operation"], parts.places),
        "examples": parts.examples,
    }


def _cause(
    cause: RootCause, shown: Mapping[str, tuple[str, str]], numbers: Mapping[tuple[str, str], int]
) -> dict[str, Any]:
    """A cause; ``example`` is the case that shows it, "" if none is at hand."""
    root = cause.verdicts[0]
    return {
        "title": cause.title,
        "remedy": cause.remedy,
        "outcome": cause.outcome.value,
        "level": cause.level,
        "verdicts": [numbers[verdict.check, verdict.scenario] for verdict in cause.verdicts],
        "rules": len(cause.checks),
        "operations": list(cause.operations),
        "requests": cause.requests,
        "example": shown.get(f"{root.check} {root.scenario}", ("", ""))[1],
    }


def _verdict(
    verdict: Verdict, place: Place, checks: Mapping[str, Any], numbers: Mapping[str, Mapping[Any, int]], left: list[int]
) -> dict[str, Any]:
    """A verdict without what is empty. ``left`` counts the characters of findings for which there is room."""
    made: dict[str, Any] = {
        "rule": numbers["rule"][verdict.check],
        "scenario": numbers["scenario"][verdict.scenario],
        "operation": numbers["operation"].get(place.operation, numbers["operation"][""]),
        "group": place.group,
        "outcome": verdict.outcome.value,
    }
    more: dict[str, Any] = {
        "judged": verdict.judged,
        "reason": verdict.reason,
        "witness": verdict.witness,
        "cause": verdict.cause,
        "coverage": verdict.coverage,
        "stability": verdict.stability,
        "unstable": verdict.stable is False,
        "errata": list(verdict.errata),
        "trace": verdict.repetition,
        "waived": {**asdict(verdict.waived), "text": verdict.waived.text} if verdict.waived else None,
        "findings": [*_findings(verdict, checks, left)],
        "found": len(verdict.findings),
    }
    return made | {name: value for name, value in more.items() if value}


def _findings(verdict: Verdict, checks: Mapping[str, Any], left: list[int]) -> Iterator[dict[str, Any]]:
    """Yield the findings of a verdict for which there is room, those that are no notes first."""
    for place, finding in enumerate(sorted(verdict.findings, key=lambda finding: finding.note)[:LISTED]):
        made = _finding(verdict, finding, checks)
        if left[0] <= 0:
            if place == 0:
                yield {name: text[:BEGINNING] if isinstance(text, str) else text for name, text in made.items()}
            return
        left[0] -= sum(len(text) for text in made.values() if isinstance(text, str))
        yield made


def _finding(verdict: Verdict, finding: Finding, checks: Mapping[str, Any]) -> dict[str, Any]:
    """A finding without what is empty, with its own level."""
    made = {
        "case": finding.case_id,
        "message": finding.message,
        "place": finding.place,
        "expected": finding.expected,
        "actual": finding.actual,
        "note": finding.note,
        "level": level_of(verdict, finding, checks),
    }
    return {name: value for name, value in made.items() if value}


def _traces(report: Report, operations: Mapping[str, int], parts: Mapping[str, Sequence[int]]) -> dict[str, Any]:
    """For each trace how it ended, and its steps as lists: case, operation, expectation, how it ended, part."""
    made = {}
    for name, outline in report.outlines.items():
        where = parts.get(name, [-1] * len(outline.steps))
        made[name] = {
            "ended": outline.ended,
            "steps": [
                [case, operations[step.operation], step.expect.value, _status(step), int(step.ok), part]
                for case, step, part in zip(outline.cases, outline.steps, where, strict=True)
            ],
        }
    return made


def _status(step: Step) -> str:
    """The status of an answer; "none" without one."""
    return str(step.status) if step.status is not None else "none"
