"""Allure's results get labels, stable ids and the evidence, and hold nothing of what doesn't apply."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from attrs import evolve
from test_headline import report_of
from test_reports import observation

from conformance._parts import part
from conformance.verdict import Finding, Level, Outcome, Verdict

complete = part("reports.allure_results").complete


def found(scenario: str, message: str = "wrong", **more: Any) -> Finding:
    return Finding(message, observation({"n": scenario}).case.id, **more)


EVERY = (
    Verdict("a.check", "corpus.p", Outcome.PASS, judged=1),
    Verdict("a.check", "corpus.o", Outcome.FAIL, (found("corpus.o", "bad \x1b[31m"),), judged=1),
    Verdict("a.check", "corpus.w", Outcome.WARN, (found("corpus.w", level=Level.SHOULD),), judged=1),
    Verdict("a.check", "corpus.n", Outcome.NOT_APPLICABLE, reason="no such field"),
    Verdict("claims.served", "resource.files", Outcome.FAIL, (found("", "not served"),), judged=1),
)


def completed(folder: Path, docstring: str = "a rule") -> dict[str, Any]:
    """The results by name, as a run leaves them. ``docstring`` is what Allure's plugin put into the parameters."""
    folder.mkdir()
    for number, verdict in enumerate(EVERY[:-1]):
        value = {
            "uuid": str(number),
            "name": f"v:{verdict.scenario}:{verdict.check}",
            "status": "passed",
            "historyId": docstring,
            "parameters": [{"name": "rule", "value": f"Check(doc={docstring!r})"}],
            "labels": [{"name": "host", "value": "vm"}, {"name": "package", "value": "test_conformance"}],
        }
        (folder / f"{number}-result.json").write_text(json.dumps(value))
        (folder / f"{number}-container.json").write_text(json.dumps({"children": [str(number)]}))
    (folder / "x-result.json").write_text('{"uuid":"x","name":"test_of_somebody_else","labels":[]}')
    (folder / "cut-result.json").write_text('{"uuid":"cu')  # the disk was full
    complete(folder, {"v": report_of(EVERY)}, "out")
    (folder / "cut-result.json").unlink()
    results = [json.loads(file.read_text("utf-8")) for file in folder.glob("*-result.json")]
    return {result["name"]: result for result in results}


def labels(result: Any) -> dict[str, str]:
    return {label["name"]: label["value"] for label in result["labels"]}


def test_what_does_not_apply_is_left_out_and_the_preflight_is_told(tmp_path: Path) -> None:
    made = completed(tmp_path / "a")
    ours = {f"{verdict.check} in {verdict.scenario}" for verdict in EVERY} - {"a.check in corpus.n"}
    assert {*ours, "test_of_somebody_else"} == set(made)
    assert 3 == len([*(tmp_path / "a").glob("*-container.json")])
    assert "failed" == made["claims.served in resource.files"]["status"]
    assert {"uuid": "x", "name": "test_of_somebody_else", "labels": []} == made["test_of_somebody_else"]


def test_labels_say_where_a_rule_belongs_and_how_hard_it_is(tmp_path: Path) -> None:
    made = completed(tmp_path / "a")
    told = labels(made["a.check in corpus.o"])
    assert ("v", "o", "a", "critical") == tuple(told[name] for name in ("epic", "feature", "story", "severity"))
    assert "normal" == labels(made["a.check in corpus.w"])["severity"]
    assert "vm" == told["host"]
    assert "package" not in told


def test_a_history_goes_on_after_a_docstring_changed(tmp_path: Path) -> None:
    """Three runs: the ids of all items are the same, and no two items share one."""
    runs = [completed(tmp_path / str(n), docstring) for n, docstring in enumerate(("a rule", "a rule", "The rule."))]
    ids = [{name: result.get("historyId") for name, result in run.items()} for run in runs]
    assert ids[0] == ids[1] == ids[2]
    assert len(ids[0]) == len(set(ids[0].values()))
    assert "Check(doc=" not in json.dumps(runs[2])


def test_a_finding_has_its_exchange_and_how_to_send_it_again(tmp_path: Path) -> None:
    made = completed(tmp_path / "a")
    files = {one["name"]: tmp_path / "a" / one["source"] for one in made["a.check in corpus.o"]["attachments"]}
    assert {"exchange", "again"} == set(files)
    assert "POST https://t.example/p?api-version=v" in files["exchange"].read_text("utf-8")
    assert files["again"].read_text("utf-8").startswith("curl ")
    assert [] == made["a.check in corpus.p"]["attachments"]


def test_a_run_into_the_same_folder_leaves_the_results_before_it(tmp_path: Path) -> None:
    before = completed(tmp_path / "a")
    complete(tmp_path / "a", {"v": evolve(report_of(EVERY), verdicts=EVERY[:1])}, "out")
    after = {json.loads(file.read_text("utf-8"))["name"] for file in (tmp_path / "a").glob("*-result.json")}
    assert set(before) == after
