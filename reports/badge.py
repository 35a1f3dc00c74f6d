"""A badge in the format that badge services read (endpoint schema version 1 of shields.io)."""

from __future__ import annotations

import json

from .headline import headline
from .jsonl import Report
from .summary import summarise

__all__ = ["NAME", "render"]

NAME = "badge.json"


def render(report: Report, run_dir: str) -> str:  # noqa: ARG001 - every format has this signature
    """JSON text: label, message and colour."""
    summary, first = summarise(report), headline(report)
    message = f"{first.text}, {summary.passed_checks}/{summary.checks} checks"
    if summary.in_part:
        message += f", {len(summary.in_part)} items judged in part"
    unstable = sum(verdict.stable is False for verdict in report.verdicts)
    if unstable:
        message += f", {unstable} unstable"
    return json.dumps(
        {
            "schemaVersion": 1,
            "label": f"Azure OpenAI {report.header['api_version']}",
            "message": message,
            "color": first.colour,
        },
        indent=2,
    )
