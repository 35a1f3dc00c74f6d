"""A move to another api-version as JSON: every change for each operation, with its probes."""

from __future__ import annotations

import json

from conformance.migration.conclusion import Conclusion, Upgrade
from conformance.migration.sentences import sentence

from .upgrade_words import headline

__all__ = ["json_text"]


def json_text(move: Upgrade) -> str:
    """The move as JSON: every change for each operation, with its probes."""
    value = {
        "old": move.old,
        "new": move.new,
        "headline": headline(move),
        "target": move.target,
        "requests": list(move.sent),
        "answered": list(move.answered),
        "used": move.used,
        "refused": [{"request": place, "reason": why} for place, why in move.refused],
        "changes": [
            {
                "operation": result.change.operation,
                "direction": result.change.direction.value,
                "location": result.change.where,
                "places": len(result.change.locations),
                "kind": result.change.kind.value,
                "subject": result.change.subject.value,
                "keyword": result.change.keyword,
                "old": result.change.old,
                "new": result.change.new,
                "pointer": result.change.pointer,
                "class": result.change.basis.value,
                "why": result.change.why,
                "rules": list(result.change.rules),
                "breaks": result.change.breaks,
                "means": sentence(result.change),
                "conclusion": result.conclusion.value,
                "told": result.told,
                "probes": [
                    {"case": each.case, "request": each.what, "old": each.old, "new": each.new}
                    for each in result.probes
                ],
            }
            for result in move.results
        ],
        "drift": [
            {
                "operation": drift.operation,
                "direction": drift.direction,
                "location": drift.where,
                "what": drift.what,
                "breaks": drift.breaks,
                "cases": list(drift.cases),
                "conclusion": Conclusion.DRIFT.value,
            }
            for drift in move.drifts
        ],
        "corrections": [
            {
                "operation": change.operation,
                "direction": change.direction.value,
                "location": change.where,
                "kind": change.kind.value,
                "subject": change.subject.value,
            }
            for change in move.corrections
        ],
        "notes": list(move.notes),
    }
    return json.dumps(value, indent=1, ensure_ascii=False, default=str) + "\n"
