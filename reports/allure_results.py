"""Allure's results of a run: what Allure's pytest plugin wrote, completed by what only the report knows.

Each result gets labels (epic: api-version, feature: group, story: area of the rule, severity: level), parameters and
ids that depend on api-version, scenario and check alone, so that its history goes on whoever ran it and whatever a
docstring says, and the evidence as attachments. Items that don't apply are left out: they would count as successes of a
target of which they say nothing.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from conformance.evidence.timeline import marks_of, timeline, visible
from conformance.evidence.timeline import render as drawn
from conformance.evidence.trace import Observation
from conformance.target.preflight import SERVED_CHECK
from conformance.verdict import Level, Outcome, Verdict

from .allure import description
from .failure import again, explain, witness
from .jsonl import Report
from .junit import ITEM
from .matrix import Place, area_of, places
from .root_causes import level_of

__all__ = ["complete"]

#: Allure's severity for each level.
_SEVERITIES = {Level.MUST.value: "critical", Level.SHOULD.value: "normal", Level.OBS.value: "minor"}

_STATUSES = {Outcome.FAIL: "failed", Outcome.WARN: "passed", Outcome.PASS: "passed", Outcome.WAIVED: "skipped"}

#: Labels that Allure's plugin writes and that stay. The others name our files, which say nothing about the target.
_KEPT = ("host", "thread", "framework", "language")

#: Characters of a body in an attachment. ``report.jsonl`` has the whole body.
_LONGEST = 20_000


def complete(folder: Path, reports: Mapping[str, Report], out: str) -> None:
    """Complete the results of these api-versions in a folder. Results of other tests and earlier runs stay as they are.

    ``out`` is the run folder, as a reader would name it. Raises :class:`OSError` for a file that can't be written.
    """
    known: dict[tuple[str, ...], tuple[Report, Verdict, Place]] = {
        (version, verdict.scenario, verdict.check): (report, verdict, place)
        for version, report in reports.items()
        for verdict, place in places(report)
    }
    gone: set[str] = set()
    for file in folder.glob("*-result.json"):
        result = _json(file)
        item = ITEM.fullmatch(str(result.get("name", "")))
        if item is None or item.groups() not in known:
            continue
        report, verdict, place = known[item.groups()]
        if verdict.outcome is Outcome.NOT_APPLICABLE:
            gone.add(result["uuid"])
            file.unlink()
        else:
            before = [label for label in result.get("labels", ()) if label["name"] in _KEPT]
            result |= _told(folder, report, verdict, place, out)
            result["labels"] += before
            file.write_text(json.dumps(result, ensure_ascii=False), "utf-8", "backslashreplace")
    _without(folder, gone)
    for report, verdict, place in known.values():
        if verdict.check == SERVED_CHECK:  # found by the preflight: no item of pytest
            _add(folder, report, verdict, place, out)


def _json(file: Path) -> dict[str, Any]:
    """The JSON object of a file; an empty one where a full disk cut it off or somebody else wrote it."""
    try:
        value = json.loads(file.read_text("utf-8"))
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _without(folder: Path, gone: set[str]) -> None:
    """Remove the containers of results that were removed."""
    for file in folder.glob("*-container.json"):
        children = _json(file).get("children", ())
        if children and gone.issuperset(children):
            file.unlink()


def _add(folder: Path, report: Report, verdict: Verdict, place: Place, out: str) -> None:
    """Write a result for a verdict that pytest knows nothing of."""
    name = str(uuid.uuid4())
    trace = report.traces[verdict.evidence]
    lines = explain(verdict, trace, report.header["checks"], run_dir=out, auth=report.header["target"]["auth"])
    result = {
        "uuid": name,
        "status": _STATUSES.get(verdict.outcome, "broken"),
        "statusDetails": {"message": visible("\n".join(lines))},
        "stage": "finished",
        "description": visible(description(verdict)),
        **_told(folder, report, verdict, place, out),
    }
    (folder / f"{name}-result.json").write_text(json.dumps(result, ensure_ascii=False), "utf-8", "backslashreplace")


def _told(folder: Path, report: Report, verdict: Verdict, place: Place, out: str) -> dict[str, Any]:
    """What a result says by the report: names, ids, labels, parameters, attachments."""
    version, checks = report.header["api_version"], report.header["checks"]
    best = witness(verdict, report.traces[verdict.evidence])
    named = f"{version}:{verdict.scenario}:{verdict.check}"
    key = hashlib.md5(named.encode(), usedforsecurity=False).hexdigest()
    area = area_of(verdict.check, checks)
    level = level_of(verdict, best[0] if best else None, checks)
    labels = {
        "epic": version,
        "feature": place.group,
        "story": area,
        "severity": _SEVERITIES.get(level, "normal"),
        "parentSuite": version,
        "suite": place.group,
        "subSuite": area,
    }
    return {
        "name": f"{verdict.check} in {verdict.scenario}",
        "fullName": named,
        "historyId": key,
        "testCaseId": key,
        "titlePath": [version, place.group, area],
        "labels": [{"name": name, "value": value} for name, value in labels.items()],
        "parameters": [
            {"name": name, "value": value}
            for name, value in (("api-version", version), ("scenario", verdict.scenario), ("check", verdict.check))
        ],
        "attachments": [*_attached(folder, key, report, verdict, seen=best[1], out=out)] if best and best[1] else [],
    }


def _attached(
    folder: Path, key: str, report: Report, verdict: Verdict, *, seen: Observation, out: str
) -> Iterator[dict[str, str]]:
    """Write and yield the attachments of a finding: the exchange, how to send it again, a stream over time."""
    run_dir = f"{out}/{report.header['api_version']}"
    texts = {
        "exchange": _exchange(seen),
        "again": again(verdict, seen, run_dir, report.header["target"]["auth"]),
    }
    response = seen.exchange.response
    if response is not None and response.media_type == "text/event-stream":
        texts["timeline"] = drawn(timeline(seen.exchange, marks_of([verdict], seen.case.id)))
    for name, text in texts.items():
        source = f"{key}-{name}-attachment.txt"
        (folder / source).write_text(visible(text) + "\n", "utf-8", "backslashreplace")
        yield {"name": name, "source": source, "type": "text/plain"}


def _exchange(seen: Observation) -> str:
    """Request and answer as text."""
    request, response, fault = seen.exchange.request, seen.exchange.response, seen.exchange.fault
    lines = [f"{request.method} {request.url}", *(f"{name}: {value}" for name, value in request.headers)]
    lines += ["", _text(request.body), ""]
    if response is not None:
        lines += [f"{response.status} {response.reason}", *(f"{name}: {value}" for name, value in response.headers)]
        lines += ["", _text(response.body)]
    lines += [f"{fault.kind}: {fault.message}"] if fault is not None else []
    return "\n".join(lines)


def _text(body: bytes) -> str:
    """A body as text, cut after some characters."""
    text = body.decode("utf-8", "backslashreplace")
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text)} characters)"
