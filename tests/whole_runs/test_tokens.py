"""A token that ends in the middle of a run says nothing about the target."""

from __future__ import annotations

from pathlib import Path

from whole_run import TOKENS, Reply, report_of, serving

from conformance.requests.request import Request
from conformance.verdict import Outcome

VERSION = "2024-05-01-preview"
SCENARIO = "corpus.chat.completions.create"
EXPIRED = Reply(401, b'{"error":{"code":"401","message":"The token has expired."}}')

#: The run has begun and has some good answers by then.
GOOD_ANSWERS = 60


def test_without_a_new_token_the_rest_is_not_judged_and_nothing_fails(tmp_path: Path) -> None:
    def act(request: Request, number: int) -> Reply | None:
        return EXPIRED if number > GOOD_ANSWERS else None

    with serving(VERSION, act) as (url, server):
        report = report_of(tmp_path, url, VERSION, SCENARIO)
    outcomes = {verdict.outcome for verdict in report.verdicts}
    assert (3, "inconclusive") == (report.footer["exit_code"], report.footer["conclusion"])
    assert outcomes <= {Outcome.PASS, Outcome.UNAVAILABLE, Outcome.NOT_APPLICABLE, Outcome.NOT_TESTABLE}
    assert {Outcome.PASS, Outcome.UNAVAILABLE} <= outcomes
    # It stops sending soon: nothing that comes now is of use.
    assert GOOD_ANSWERS + 60 > len(server.requests)


def test_a_token_that_is_written_anew_is_read_and_nothing_is_lost(tmp_path: Path) -> None:
    """What was refused is sent again with the new one."""
    file, (old, new) = tmp_path / "token", TOKENS
    file.write_text(old)

    def act(request: Request, number: int) -> Reply | None:
        if request.header("authorization") != f"Bearer {old}" or number <= GOOD_ANSWERS:
            return None
        if file.read_text() == old:  # once, and as a whole: somebody may read it at this moment
            (tmp_path / "new").write_text(new)
            (tmp_path / "new").replace(file)
        return EXPIRED

    with serving(VERSION, act) as (url, _):
        more = f'live = false\nauth = "bearer"\nkey_file = "{file}"'
        report = report_of(tmp_path, url, VERSION, SCENARIO, more=more)
    assert new == file.read_text()
    assert 0 == report.footer["exit_code"]
    assert [] == [v.check for v in report.verdicts if v.outcome not in (Outcome.PASS, Outcome.NOT_APPLICABLE)]
