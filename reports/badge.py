"""A badge in the form that badge services read (shields.io endpoint schema version 1)."""

from __future__ import annotations

import json

from .jsonl import Report
from .summary import summarise

__all__ = ["NAME", "render"]

NAME = "badge.json"

_COLOURS = {"conformant": "brightgreen", "not conformant": "red", "partial": "yellow", "inconclusive": "lightgrey"}


def render(report: Report, run_dir: str) -> str:  # noqa: ARG001 - every format has this signature
    """JSON text: label, message and colour."""
    summary = summarise(report)
    conclusion = str(report.footer["conclusion"]) if report.footer else "truncated"
    message = f"{conclusion} ({summary.passed_checks}/{summary.checks} checks)"
    return json.dumps(
        {
            "schemaVersion": 1,
            "label": f"Azure OpenAI {report.header['api_version']}",
            "message": message,
            "color": _COLOURS.get(conclusion, "lightgrey"),
        },
        indent=2,
    )
