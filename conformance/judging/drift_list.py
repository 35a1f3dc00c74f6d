"""All drift of a run: each undocumented value once, with how often it came and where first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from conformance.evidence.outline import Outline
from conformance.verdict import Verdict

__all__ = ["drift_list"]


def drift_list(verdicts: Iterable[Verdict], traces: Iterable[Outline]) -> list[dict[str, Any]]:
    """``{"operation", "path", "value", "count", "case"}`` for each value, by operation and path; ``case`` is the first
    one in the order of the verdicts.
    """
    operations = {case: step.operation for trace in traces for case, step in zip(trace.cases, trace.steps, strict=True)}
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for verdict in verdicts:
        for finding in verdict.findings:
            if finding.drift:
                key = (operations.get(finding.case_id, ""), finding.drift, finding.actual)
                named = dict(zip(("operation", "path", "value"), key, strict=True))
                found.setdefault(key, {**named, "count": 0, "case": finding.case_id})["count"] += 1
    return [found[key] for key in sorted(found)]
