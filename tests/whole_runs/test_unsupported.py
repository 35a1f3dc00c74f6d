"""What a configuration says is not served is neither asked for nor held against the target, nor used by a set-up."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from whole_run import Reply, report_of, serving

from conformance.requests.request import Request
from conformance.verdict import Outcome

VERSION = "v1-preview"

#: Resources whose objects need files.
SCENARIOS = ("*.vector_stores.files*", "corpus.files.*", "corpus.vector_stores.get")

ANSWERS = {
    404: b'{"error":{"code":"404","message":"Resource not found"}}',
    405: b"{}",
    501: b"{}",
    400: b'{"error":{"code":"BadRequest","message":"Files are not supported in this region"}}',
}


@pytest.mark.parametrize("status", ANSWERS)
@pytest.mark.parametrize("name", ["files", "files.*"])
def test_an_unclaimed_resource_is_not_touched(tmp_path: Path, name: str, status: int) -> None:
    def files(request: Request, number: int) -> Reply | None:
        return Reply(status, ANSWERS[status]) if "/v1/files" in urlsplit(request.url).path else None

    with serving(VERSION, files) as (url, server):
        more = f'live = false\n[target.unsupported]\n"{name}" = "no files here"'
        report = report_of(tmp_path, url, VERSION, *SCENARIOS, more=more)
    outcomes = {verdict.outcome for verdict in report.verdicts}
    assert {Outcome.PASS, Outcome.NOT_APPLICABLE} == outcomes
    shown = [seen for trace in report.traces.values() for seen in trace]
    assert [] == [seen.case.operation for seen in shown if seen.case.operation.startswith("files.")]
    assert [] == [request.url for request in server.requests if request.method == "POST" and files(request, 0)]
    assert {name: "no files here"} == report.header["scope"]["unsupported"]
