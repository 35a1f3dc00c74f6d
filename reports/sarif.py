"""SARIF 2.1.0 (OASIS), for code scanning: the rules of the suite, and a result for each failure and warning.

A result stands at its operation in the file of the api-version. A waived failure is a suppressed result. What could not
be judged is a notification, because it is no finding about the target.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from conformance.errors import HarnessError, UsageError
from conformance.evidence.timeline import visible
from conformance.spec.loading import load
from conformance.spec.source_lines import operation_lines
from conformance.verdict import Level, Outcome, Verdict

from .failure import again, witness
from .headline import headline
from .jsonl import Report
from .matrix import Place, area_of, places
from .root_causes import level_of

__all__ = ["NAME", "render"]

NAME = "report.sarif"

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

#: SARIF's level for each of ours (section 3.27.10 of the standard).
_LEVELS = {Level.MUST.value: "error", Level.SHOULD.value: "warning", Level.OBS.value: "note"}


def render(report: Report, run_dir: str) -> str:
    """JSON text."""
    header, first = report.header, headline(report)
    version = header["api_version"]
    wrong = [(verdict, place) for verdict, place in places(report) if verdict.unwaived in (Outcome.FAIL, Outcome.WARN)]
    lines = _lines(version) if wrong else {}
    rules = [_rule(name, header["checks"]) for name in sorted(header["checks"])]
    number = {rule["id"]: place for place, rule in enumerate(rules)}
    results = [_result(report, verdict, place, lines=lines, rules=number, run_dir=run_dir) for verdict, place in wrong]
    driver = {"name": "aoai-conformance", "version": header["suite"], "rules": rules}
    run = {
        "tool": {"driver": driver},
        # Runs of the same id follow one another, so code scanning closes what is mended.
        "automationDetails": {"id": f"aoai-conformance/{version}/"},
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": report.footer is not None and report.footer["exit_code"] != 70,
                "startTimeUtc": header["started"],
                **({"endTimeUtc": report.footer["finished"]} if report.footer is not None else {}),
                "toolExecutionNotifications": [
                    {"level": "warning", "message": {"text": text}} for text in (*first.coverage, *first.outdated)
                ],
            }
        ],
        "results": results,
        "properties": dict(first.named()),
    }
    text = json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, ensure_ascii=False, indent=1)
    return visible(text) + "\n"


def _lines(version: str) -> Mapping[str, tuple[str, int]]:
    """The file and line of each operation; nothing if the documents of the version are not at hand."""
    try:
        return operation_lines(load(version))
    except (UsageError, HarnessError):
        return {}


def _rule(name: str, checks: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """A check as a rule."""
    info = checks[name]
    told = {"shortDescription": info.get("title", ""), "fullDescription": info.get("clause_text", "")}
    area = area_of(name, checks)
    return {
        "id": name,
        **{key: {"text": text} for key, text in told.items() if text},
        "help": {"text": f"aoai-conformance explain {name}"},
        "defaultConfiguration": {"level": _LEVELS.get(info.get("level", ""), "warning")},
        "properties": {"tags": [area], "clause": info.get("clause", ""), "source": info.get("source", "")},
    }


def _result(
    report: Report,
    verdict: Verdict,
    place: Place,
    *,
    lines: Mapping[str, tuple[str, int]],
    rules: Mapping[str, int],
    run_dir: str,
) -> dict[str, Any]:
    """A failure or warning as a result."""
    version, checks = report.header["api_version"], report.header["checks"]
    best = witness(verdict, report.traces[verdict.evidence])
    finding = best[0] if best else None
    file, line = lines.get(place.operation, (f"specs/{version}/openapi.yaml", 1))
    physical = {"artifactLocation": {"uri": file}, "region": {"startLine": line}}
    logical = [{"fullyQualifiedName": place.operation, "kind": "resource"}] if place.operation else []
    key = hashlib.sha256(f"{version} {verdict.scenario} {verdict.check}".encode()).hexdigest()
    more = {
        "scenario": verdict.scenario,
        "coverage": verdict.coverage,
        "cause": verdict.cause,
        "case": finding.case_id if finding else "",
        "place": finding.place if finding else "",
        "again": again(verdict, best[1], run_dir, report.header["target"]["auth"]) if best and best[1] else "",
    }
    return {
        "ruleId": verdict.check,
        **({"ruleIndex": rules[verdict.check]} if verdict.check in rules else {}),
        "level": _LEVELS.get(level_of(verdict, finding, checks), "warning"),
        "message": {"text": "\n".join(_message(verdict, best))},
        "locations": [{"physicalLocation": physical, **({"logicalLocations": logical} if logical else {})}],
        "partialFingerprints": {"aoaiItem/v1": key},
        **_suppressed(verdict),
        "properties": {name: value for name, value in more.items() if value},
    }


def _message(verdict: Verdict, best: tuple[Any, Any, int] | None) -> Iterator[str]:
    """Yield the lines that say what is wrong."""
    if best is None:
        yield verdict.reason or f"{verdict.check} in {verdict.scenario}"
        return
    finding, _, more = best
    yield finding.message + (f" at {finding.place}" if finding.place else "")
    for name in ("expected", "actual"):
        if getattr(finding, name):
            yield f"{name}: {getattr(finding, name)[:300]}"
    if more:
        yield f"and in {more} more cases"


def _suppressed(verdict: Verdict) -> dict[str, Any]:
    """The suppression of a waived verdict (section 3.35 of the standard)."""
    if verdict.waived is None:
        return {}
    return {"suppressions": [{"kind": "external", "status": "accepted", "justification": verdict.waived.text}]}
