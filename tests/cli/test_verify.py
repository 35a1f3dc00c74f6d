"""``verify`` judges evidence again, and leaves verdicts that rest on no evidence as they are."""

from __future__ import annotations

from pathlib import Path

import pytest
from written import report, verdict

from conformance._parts import part
from conformance.cli import main
from conformance.verdict import Outcome, Verdict


@pytest.mark.parametrize(
    ("code", "says", "verdicts"),
    [
        (0, "1 of 1 verdicts are the same", [verdict("http.accepted", Outcome.PASS)]),
        (1, "was fail, is pass", [verdict("http.accepted", Outcome.FAIL)]),
        (
            0,
            "1 of 1 verdicts are the same, 1 rest on no evidence",
            [verdict("http.accepted", Outcome.PASS), verdict("claims.served", Outcome.FAIL, "resource.threads")],
        ),
        (0, "0 of 0 verdicts are the same, 1 rest", [verdict("http.accepted", Outcome.ERROR, "a.crashed.scenario")]),
        (2, "no check 'no.such'", [verdict("no.such", Outcome.PASS)]),
    ],
)
def test_recorded_verdicts_are_held_against_new_ones(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], code: int, says: str, verdicts: list[Verdict]
) -> None:
    assert code == main(["verify", str(report(tmp_path, *verdicts))])
    assert says in "".join(capfd.readouterr())


def test_a_target_without_keys_is_not_asked_for_them_again(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    reason = "target.auth is none: the target asks for no key"
    unasked = Verdict("auth.missing.refused", "corpus.embeddings.create", Outcome.NOT_APPLICABLE, reason=reason)
    assert 0 == main(["verify", str(report(tmp_path, unasked, auth="none"))])
    assert "1 of 1" in capfd.readouterr().out


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"\xff\xfe\x00\n", b"", b"{}\n", b'{"type":"header"}\n'])
def test_bytes_that_are_no_report_are_not_verified(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "report.jsonl").write_bytes(content)
    assert 1 == main(["verify", str(tmp_path)])


def test_a_folder_without_a_report_is_a_wrong_argument(tmp_path: Path) -> None:
    assert 2 == main(["verify", str(tmp_path)])


def test_replay_sends_no_key_to_a_target_that_only_the_report_names(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "a-key-that-must-stay-here")
    monkeypatch.delenv("AOAI_TARGET_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    folder = report(tmp_path, verdict("http.accepted", Outcome.PASS), url="https://somebody.example")
    case = part("reports.jsonl").read(folder).traces["corpus.embeddings.create"].observations[0].case
    assert 2 == main(["replay", case.id, "--run", str(folder)])
    assert "--target https://somebody.example" in capfd.readouterr().err
