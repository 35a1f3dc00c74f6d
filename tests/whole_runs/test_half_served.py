"""A server that lacks half of the resources: a few causes explain all that fails, on the console and in the summary."""

from __future__ import annotations

from pathlib import Path

import pytest
from whole_run import Act, Reply, report_of, serving

from conformance._parts import part
from conformance.requests.request import Request
from conformance.verdict import Outcome

VERSION = "2024-05-01-preview"

#: The beginning of the paths of half of the resources, below the base path.
LACKING = ("/files", "/fine_tuning", "/batches", "/assistants", "/threads", "/vector_stores")

MISSING = Reply(404, b'{"error":{"code":"404","message":"Resource not found"}}')


def absent(request: Request, number: int) -> Reply | None:
    """They are not there at all."""
    return MISSING if request.url.partition("/openai")[2].startswith(LACKING) else None


def lists_alone(request: Request, number: int) -> Reply | None:
    """Their lists are there, so that the preflight takes them for served."""
    path = request.url.partition("/openai")[2].partition("?")[0]
    return None if request.method == "GET" and path in LACKING else absent(request, number)


@pytest.mark.parametrize("act", [absent, lists_alone])
def test_ten_causes_explain_all_failures(act: Act, tmp_path: Path) -> None:
    with serving(VERSION, act) as (url, _):
        report = report_of(tmp_path, url, VERSION, profile="smoke")
    failed = {(v.scenario, v.check) for v in report.verdicts if v.outcome in (Outcome.ERROR, Outcome.FAIL)}
    assert len(failed) >= 3
    causes = [one for one in part("reports.root_causes").root_causes(report) if one.outcome is Outcome.FAIL]
    assert 10 >= len(causes)
    assert failed <= {(verdict.scenario, verdict.check) for cause in causes for verdict in cause.verdicts}
    lines = [*part("reports.console").render(report, "out")]
    assert lines[0].startswith(f"{VERSION}: not conformant (")
    assert 39 >= len(lines)
    told = [line for line in lines if line.startswith("FAIL ")]
    assert min(5, len(causes)) == len(told)
    summary = part("reports.markdown").render(report, "out")
    assert all(f"FAIL {cause.checks[0]}" in summary for cause in causes)
    assert 60_000 >= len(summary.encode())
