"""Reads the baseline: the failures of an earlier run, from its folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from conformance._parts import late
from conformance.errors import UsageError
from conformance.run.known_failures import Baseline
from conformance.settings.scope import RunScope
from conformance.verdict import Outcome

if TYPE_CHECKING:
    from reports import jsonl
else:
    jsonl = late("reports.jsonl")

__all__ = ["baseline_of"]


def baseline_of(folder: Path, version: str) -> Baseline:
    """The failures of an earlier run of an api-version. ``folder`` is the run folder, or that of the api-version in it.

    A failure that the earlier run knew from its own baseline keeps its date. A waived failure isn't included: the
    configuration has its owner and expiry date. Raises :class:`UsageError` if there is no complete report.
    """
    where = f"--baseline {folder}"
    place = folder / version if (folder / version).is_dir() else folder
    others = [one.name for one in jsonl.reports_in(folder) if one != folder]
    if place == folder and others:
        hint = f"it has those of {', '.join(others)}, which --api-version judges"
        raise UsageError(f"holds no report of {version}", where=where, hint=hint)
    report = jsonl.read(place)
    told = report.header["api_version"]
    if told != version:
        raise UsageError(f"holds no report of {version}", where=where, hint=f"it is one of {told}")
    if report.footer is None or report.footer["ended"]:
        raise UsageError("the run of the baseline did not judge all of its items", where=where, hint="take a whole run")
    day = str(report.header["started"])[:10]
    since = {}
    for verdict in report.verdicts:
        if verdict.scenario.startswith("shrunk."):  # a smaller request of a failure that is counted already
            continue
        if verdict.outcome is Outcome.FAIL:
            since[verdict.scenario, verdict.check] = day
        elif verdict.waived is not None and verdict.waived.since:
            since[verdict.scenario, verdict.check] = verdict.waived.since
    profile = RunScope.from_json(report.header["scope"]).profile
    return Baseline(day, profile, report.header["seed"], since)
