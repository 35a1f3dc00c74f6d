"""``compare`` distinguishes what a later run no longer judges from what it judges in addition."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from written import VERSION, report, verdict

from conformance.cli import main
from conformance.settings.scope import RunScope
from conformance.spec.shipped import specs_dir
from conformance.verdict import Outcome, Verdict, Waived

PASS, FAIL, WARN, ABSENT = Outcome.PASS, Outcome.FAIL, Outcome.WARN, Outcome.NOT_APPLICABLE
KNOWN = Waived(FAIL, "ann", "known", expires="2999-01-01")
WAIVED = Verdict("http.accepted", "corpus.embeddings.create", Outcome.WAIVED, waived=KNOWN)
UNSTABLE = Verdict(
    "http.accepted", "corpus.embeddings.create", FAIL, repeats={"fail": 1, "pass": 2}, stable=False, reason="at times"
)


def one(outcome: Outcome) -> Verdict:
    return verdict("http.accepted", outcome)


@pytest.mark.parametrize(
    ("code", "says", "before", "after"),
    [
        (0, "no difference; 1 items are the same", [one(PASS)], [one(PASS)]),
        (0, "no difference; 1 items are the same", [one(FAIL)], [one(FAIL)]),
        (0, "no difference; 0 items", [one(ABSENT)], []),
        (1, "1 worse", [one(PASS)], [one(FAIL)]),
        (1, "1 could not be judged", [one(WARN)], [one(Outcome.NOT_TESTABLE)]),
        (1, "1 could not be judged", [one(FAIL)], [one(Outcome.UNAVAILABLE)]),
        (0, "no difference", [one(Outcome.INCONCLUSIVE)], [one(Outcome.NOT_TESTABLE)]),
        (0, "1 better", [one(Outcome.NOT_TESTABLE)], [one(PASS)]),
        (1, "1 worse", [one(Outcome.NOT_TESTABLE)], [one(FAIL)]),
        (0, "1 better", [one(FAIL)], [one(WARN)]),
        (1, "1 no longer judged", [one(PASS)], []),
        (1, "1 no longer judged", [one(FAIL)], [one(ABSENT)]),
        (0, "1 newly judged", [one(ABSENT)], [one(PASS)]),
        (1, "1 worse", [], [one(FAIL)]),
        (0, "1 now waived", [one(FAIL)], [WAIVED]),
        (1, "1 worse", [one(WARN)], [WAIVED]),
        (1, "1 worse", [one(PASS)], [WAIVED]),
        (0, "1 unstable, not compared; 0 items", [one(PASS)], [UNSTABLE]),
        (0, "1 unstable, not compared; 0 items", [UNSTABLE], [one(PASS)]),
        (0, "1 unstable, not compared; 0 items", [UNSTABLE], []),
        (0, "no difference; 1 items are the same", [one(FAIL)], [UNSTABLE]),
        (1, "1 worse", [WAIVED], [one(FAIL)]),
    ],
)
def test_the_first_run_is_the_measure(  # noqa: PLR0917 - pytest's fixtures and the four columns of a table
    tmp_path: Path, capfd: pytest.CaptureFixture[str], code: int, says: str, before: list[Verdict], after: list[Verdict]
) -> None:
    folders = [str(report(tmp_path / "a", *before)), str(report(tmp_path / "b", *after))]
    assert code == main(["compare", *folders])
    assert says in capfd.readouterr().out


def test_worst_of_several_runs_counts(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folders = [str(report(tmp_path / name, one(outcome))) for name, outcome in (("a", WARN), ("b", PASS), ("c", FAIL))]
    assert 1 == main(["compare", *folders])
    assert "http.accepted  A warn  B pass  C fail  in corpus.embeddings.create" in capfd.readouterr().out


def test_another_version_may_lack_a_rule(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A rule that the other document doesn't have is told and is no alarm; a broken one is."""
    old = report(tmp_path / VERSION, one(PASS), verdict("http.json", PASS))
    new = report(tmp_path / "2024-06-01", one(PASS), version="2024-06-01")
    assert 0 == main(["compare", str(old), str(new)])
    assert "1 no longer judged" in capfd.readouterr().out
    assert 1 == main(["compare", str(new), str(report(tmp_path / "x", one(FAIL)))])


def test_what_another_version_does_not_have_is_told_apart(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A version without embeddings can't judge them. One that has them and doesn't judge them has lost something."""
    old = report(tmp_path / "a", one(PASS))
    new = report(tmp_path / "b", version="v1-preview")
    gone = report(tmp_path / "c", version="2023-11-06-beta")
    assert 0 == main(["compare", str(old), str(new)])
    out = capfd.readouterr().out
    assert "1 no longer judged" in out
    assert f"aoai-conformance upgrade {VERSION} v1-preview" in out
    assert 0 == main(["compare", str(old), str(gone)])
    assert "1 not in this version" in capfd.readouterr().out


def test_a_version_of_a_folder_is_known_if_the_folder_is_named(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Without the folder nobody knows whether the version lacks the operation, so it counts as lost."""
    folder = tmp_path / "specs"
    shutil.copytree(specs_dir() / "2023-11-06-beta", folder / "mine")
    old = report(tmp_path / "a", one(PASS))
    new = report(tmp_path / "b", version="mine", specs=folder)
    assert 0 == main(["compare", str(old), str(new)])
    assert "1 no longer judged" in capfd.readouterr().out
    assert 0 == main(["compare", str(old), str(new), "--specs", str(folder)])
    assert "1 not in this version" in capfd.readouterr().out


@pytest.mark.parametrize("version", [VERSION, "2024-06-01"])
def test_a_folder_of_versions_that_is_not_there_is_a_mistake(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], version: str
) -> None:
    runs = [report(tmp_path / "a", one(PASS)), report(tmp_path / "b", version=version)]
    assert 2 == main(["compare", *map(str, runs), "--specs", str(tmp_path / "nowhere")])
    assert "no such folder" in capfd.readouterr().err


def test_a_rule_that_another_version_does_not_state_is_told_apart(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """One clause stands in the older version alone, the other one in every version."""
    clauses = {"http.accepted": "assistant-defaults", "http.json": "usage-total"}
    rules = [verdict(name, PASS) for name in clauses]
    old = report(tmp_path / "a", *rules, clauses=clauses)
    new = report(tmp_path / "b", version="2024-06-01")
    assert 0 == main(["compare", str(old), str(new)])
    out = capfd.readouterr().out
    assert "1 no longer judged, 1 not in this version" in out
    assert out.index("http.json") < out.index("http.accepted")


def test_other_settings_of_the_runs_are_told_first(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    standard = report(tmp_path / "a", one(PASS))
    smoke = report(tmp_path / "b", one(PASS), scope=RunScope(profile="smoke", operations=("chat.*",)))
    assert 0 == main(["compare", str(standard), str(smoke)])
    out = capfd.readouterr().out
    assert "the runs differ in their profile: A standard  B smoke" in out
    assert "the runs differ in their selection: A everything  B operations chat.*" in out
    assert out.index("differ in their") < out.index("no difference")
    assert "differ in their suite" not in out
    assert 0 == main(["compare", str(standard), str(smoke), "--json"])
    (found,) = json.loads(capfd.readouterr().out)
    assert {"name": "profile", "values": ["standard", "smoke"]} in found["settings"]


def test_another_suite_is_told_before_what_it_judges_otherwise(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folders = [
        str(report(tmp_path / name, one(outcome), suite=name)) for name, outcome in (("1.0", PASS), ("1.1", FAIL))
    ]
    assert 1 == main(["compare", *folders])
    out = capfd.readouterr().out
    assert "the runs differ in their suite: A 1.0  B 1.1" in out
    assert out.index("differ in their suite") < out.index("worse")


def test_a_claim_that_is_kept_now_is_better(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A claim has a verdict only while it is broken, a shrunk request only beside a failure."""
    before = [verdict("claims.served", FAIL, "resource.threads"), verdict("http.accepted", FAIL, "shrunk.a")]
    folders = [str(report(tmp_path / "a", *before)), str(report(tmp_path / "b"))]
    assert 0 == main(["compare", *folders])
    assert "1 better; 0 items" in capfd.readouterr().out
    assert 1 == main(["compare", *reversed(folders)])


def test_what_a_run_lost_is_an_alarm_whatever_stands_beside_it(tmp_path: Path) -> None:
    folders = [str(report(tmp_path / "a", one(PASS))), str(report(tmp_path / "b"))]
    other = str(report(tmp_path / "c", one(PASS), version="2024-06-01"))
    assert 1 == main(["compare", *folders, other])
    assert 0 == main(["compare", folders[0], other])


def test_runs_of_several_versions_are_compared_version_by_version(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for run, outcome in (("a", PASS), ("b", FAIL)):
        report(tmp_path / run / VERSION, one(outcome))
        report(tmp_path / run / "2024-06-01", one(PASS), version="2024-06-01")
    assert 1 == main(["compare", str(tmp_path / "a"), str(tmp_path / "b"), "--json"])
    found = json.loads(capfd.readouterr().out)
    assert [("2024-05-01-preview", 1), ("2024-06-01", 0)] == [
        (comparison["runs"][0]["header"]["api_version"], len(comparison["differences"])) for comparison in found
    ]


@pytest.mark.parametrize(
    ("folders", "says"), [(["a"], "reports to compare: 1 (give 2"), (["a", "b"], "name the folder of one")]
)
def test_what_is_no_clear_question_is_refused(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], folders: list[str], says: str
) -> None:
    report(tmp_path / "b" / VERSION)
    report(tmp_path / "b" / "2024-06-01", version="2024-06-01")
    report(tmp_path / "a")
    assert 2 == main(["compare", *(str(tmp_path / name) for name in folders)])
    assert says in capfd.readouterr().err
