"""Ids that belong to the account's owner: those of models are no secret, and no hash of an id is ever requested."""

from __future__ import annotations

from pathlib import Path

from whole_run import KEY, report_of, serving

from conformance.requests.request import Request
from conformance.verdict import Outcome

VERSION = "v1-preview"


def test_a_model_of_a_live_account_is_read_by_its_own_id(tmp_path: Path) -> None:
    with serving(VERSION) as (url, server):
        report = report_of(tmp_path, url, VERSION, "models.listed", "corpus.models.*", more="live = true")
    good = (Outcome.PASS, Outcome.NOT_APPLICABLE)
    assert [] == [(v.check, v.scenario, v.reason) for v in report.verdicts if v.outcome not in good]
    assert 0 == report.footer["exit_code"]
    whole = server.app.handle(Request("GET", f"{url}/openai/v1/models?api-version=preview", (("api-key", KEY),), b""))
    assert whole is not None
    ids = {one["id"] for one in whole.json["data"]}
    read = [seen for seen in report.traces["models.listed"] if seen.case.operation == "models.get" and seen.exchange.ok]
    assert read
    assert ids & {request.url.partition("?")[0].rsplit("/", 1)[-1] for request in server.requests}
