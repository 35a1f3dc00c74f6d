"""A gateway that answers 500 to one value of one parameter, and accepts every bad value: both are told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from whole_run import Reply, report_of, serving

from conformance._parts import part
from conformance.requests.request import Request
from conformance.verdict import Outcome

VERSION = "2024-05-01-preview"
SCENARIO = "corpus.embeddings.create"


def good(text: str) -> Mapping[str, Any]:
    """What the gateway answers to everything that it doesn't break on."""
    vector = {"object": "embedding", "index": 0, "embedding": [0.5, 0.5]}
    return {"object": "list", "model": text, "data": [vector], "usage": {"prompt_tokens": 2, "total_tokens": 2}}


def gateway(request: Request, number: int) -> Reply | None:
    if "/embeddings" not in request.url or request.method != "POST":
        return None
    if b'"encoding_format":"base64"' in request.body.replace(b" ", b""):
        return Reply(500)
    return Reply(200, json.dumps(good("text-embedding-3-small")).encode())


def test_the_other_answers_are_told_beside_the_500(tmp_path: Path) -> None:
    with serving(VERSION, gateway) as (url, _):
        report = report_of(tmp_path, url, VERSION, SCENARIO, more="live = false\nretries = 0")
    found = {verdict.check: verdict for verdict in report.verdicts}
    broken, accepted = found["http.no-server-error"], found["errors.rejected"]
    assert (Outcome.FAIL, {"the target answered 500"}) == (broken.outcome, {one.message for one in broken.findings})
    # Bad values were accepted with 200: a finding for each, whatever the 500 hides.
    assert accepted.outcome in (Outcome.FAIL, Outcome.WARN)
    assert {"200"} == {one.actual for one in accepted.findings}
    assert len(accepted.findings) > 5
    # Rules about all answers say how many of them they could judge.
    whole = found["http.media-type"]
    assert (Outcome.PASS, "the target answered 500") == (whole.outcome, whole.unjudged[0].reason)
    assert f"judged {whole.judged} of {whole.judged + whole.unjudged[0].count}; " in whole.coverage
    for name in ("summary.md", "index.html"):
        assert whole.coverage in (tmp_path / "out" / VERSION / name).read_text("utf-8")
    assert any("judged in part" in line for line in part("reports.console").render(report, "out"))
