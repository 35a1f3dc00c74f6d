"""How a server treats its connections is no matter of the contract: what it answers is judged, and nothing else.

RFC 9112 sections 9.3.1, 9.5 and 9.6: a server may close a connection at any time, and should say so.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from whole_run import Reply, report_of, serving

from conformance.requests.request import Request
from conformance.verdict import Outcome

VERSION = "2024-05-01-preview"
SCENARIOS = ("corpus.embeddings.create", "lifecycle.assistants")
GOOD = (Outcome.PASS, Outcome.NOT_APPLICABLE)


@pytest.mark.parametrize("most", [1, 3])
def test_connections_that_die_without_a_word_change_no_verdict(tmp_path: Path, most: int) -> None:
    """Each connection takes a few requests; the next one on it would find it dead."""
    with serving(VERSION, most=most) as (url, _):
        report = report_of(tmp_path, url, VERSION, *SCENARIOS)
    assert [] == [(v.scenario, v.check, v.reason) for v in report.verdicts if v.outcome not in GOOD or v.unjudged]
    assert 0 == report.footer["exit_code"]


def test_a_500_after_which_the_server_hangs_up_is_the_only_finding(tmp_path: Path) -> None:
    """One value of one parameter is answered so. The requests after it are not blamed for a dead connection."""

    def broken(request: Request, number: int) -> Reply | None:
        return Reply(500, close=True) if b'"encoding_format":"base64"' in request.body.replace(b" ", b"") else None

    with serving(VERSION, broken) as (url, _):
        report = report_of(tmp_path, url, VERSION, *SCENARIOS)
    failed = {(v.check, v.scenario) for v in report.verdicts if v.outcome in (Outcome.FAIL, Outcome.WARN)}
    assert {("http.no-server-error", "corpus.embeddings.create")} == failed
    open_ones = [v for v in report.verdicts if v.outcome not in (*GOOD, Outcome.FAIL)]
    assert {Outcome.NOT_TESTABLE} == {verdict.outcome for verdict in open_ones}
    reasons = [part.reason for verdict in report.verdicts for part in verdict.unjudged] + [v.reason for v in open_ones]
    assert [] == [reason for reason in reasons if not reason.endswith("answered 500") and "with 500" not in reason]
