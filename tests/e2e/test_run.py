"""``run`` as a user types it: equal results every time and with any number of processes, and all promised files."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from narrow_runs import CHOICE, NARROW, VERSION, report_of, run
from report_pages import contents
from served import CANARY, Done, command, serving

from conformance._parts import part
from conformance.run import recording
from conformance.verdict import Outcome

#: What pytest shows for an outcome.
SHOWN = {
    Outcome.PASS: "passed",
    Outcome.WARN: "passed",
    Outcome.NOT_APPLICABLE: "skipped",
    Outcome.FAIL: "failure",
}


def cases_of(out: Path) -> list[tuple[str, str]]:
    return [(trace.scenario, seen.case.id) for trace in report_of(out).traces.values() for seen in trace]


def verdicts_of(out: Path) -> list[tuple[str, str, str]]:
    return [(verdict.scenario, verdict.check, verdict.outcome.value) for verdict in report_of(out).verdicts]


def junit_of(file: Path) -> dict[str, str]:
    """Item → what JUnit says of it."""
    shown = {}
    for case in ET.parse(file).getroot().iter("testcase"):
        kinds = [child.tag for child in case if child.tag in ("failure", "error", "skipped")]
        shown[case.attrib["name"]] = kinds[0] if kinds else "passed"
    return shown


def test_derived_reports_are_those_of_the_report_file(broken: tuple[str, Done, Path]) -> None:
    """A run renders what it holds in memory; whoever renders its report file gets the same bytes."""
    _, _, out = broken
    report = report_of(out)
    for module in recording.formats():
        again = module.render(report, str(out / VERSION)).encode("utf-8", "backslashreplace")
        assert again == (out / VERSION / module.NAME).read_bytes(), module.NAME


def test_good_target_is_conformant(first: tuple[Done, Path]) -> None:
    """Exit 0, and the last lines say so and where the report is."""
    done, out = first
    assert 0 == done.code, done.out + done.err
    assert f"{VERSION}: conformant" in done.out
    assert f"report: {out / VERSION / 'index.html'}" in done.out
    assert {"badge.json", "index.html", "junit.xml", "report.jsonl", "summary.md"} <= {
        file.name for file in (out / VERSION).iterdir()
    }


@pytest.mark.parametrize("processes", [pytest.param("0", marks=pytest.mark.prove), "2"])
def test_same_seed_gives_the_same_cases_and_verdicts(state: Path, first: tuple[Done, Path], processes: str) -> None:
    """Case ids in the same order, the same verdicts: in a second run, and in one with two processes. Each has its own
    hash seed, which forks of one process don't have.
    """
    done, out = run(state, f"again-{processes}", *CHOICE, "--seed", "7", "-n", processes, PYTHONHASHSEED="1")
    assert 0 == done.code, done.out + done.err
    assert cases_of(first[1]) == cases_of(out)
    assert verdicts_of(first[1]) == verdicts_of(out)
    assert junit_of(first[1] / VERSION / "junit.xml") == junit_of(out / VERSION / "junit.xml")


@cache
def _schema() -> Any:
    module = part("reports.jsonl").__file__
    return json.loads((Path(str(module)).parent / "schema.json").read_text())


@pytest.mark.parametrize("which", ["first", "broken"])
def test_report_keeps_its_published_schema(which: str, request: pytest.FixtureRequest) -> None:
    """Every line of ``report.jsonl`` is valid, and the last one is the footer."""
    out = request.getfixturevalue(which)[-1]
    validator = jsonschema.validators.validator_for(_schema())(_schema())
    lines = (out / VERSION / "report.jsonl").read_text("utf-8").splitlines()
    assert [] == [
        f"{n}: {e.message[:200]}" for n, line in enumerate(lines) for e in validator.iter_errors(json.loads(line))
    ]
    assert "footer" == json.loads(lines[-1])["type"]


def test_verify_gives_the_same_verdicts(state: Path, broken: tuple[str, Done, Path]) -> None:
    """The recorded evidence alone leads to every verdict again."""
    _, _, out = broken
    done = command(state, "verify", str(out))
    judged = len(report_of(out).verdicts)
    assert (0, f"{VERSION}: {judged} of {judged} verdicts are the same") == (done.code, done.lines[-1])


def test_broken_target_is_not_conformant_and_junit_says_which(broken: tuple[str, Done, Path]) -> None:
    """Exit 1, the failure in readable lines, and each item in JUnit as its outcome demands."""
    _, done, out = broken
    assert 1 == done.code
    assert "FAIL embeddings.count" in done.out
    assert f"{VERSION}: not conformant" in done.out
    expected = {
        f"{verdict.scenario}:{verdict.check}": SHOWN.get(verdict.outcome, "error")
        for verdict in report_of(out).verdicts
    }
    shown = junit_of(out / VERSION / "junit.xml")
    assert expected == shown
    assert {"passed", "skipped", "failure"} <= set(shown.values())


def test_allure_results_are_written_where_asked(broken: tuple[str, Done, Path]) -> None:
    """One result for each item that applies: the others would look like successes."""
    _, _, out = broken
    results = [json.loads(file.read_text()) for file in (out / "allure").glob("*-result.json")]
    applied = [verdict for verdict in report_of(out).verdicts if verdict.outcome is not Outcome.NOT_APPLICABLE]
    assert len(applied) == len(results)
    assert {"passed", "failed"} <= {result["status"] for result in results}


def test_junit_and_allure_tell_both_parts_of_a_verdict(broken: tuple[str, Done, Path]) -> None:
    """How many exchanges an item rests on and which one proves it stand beside its outcome, the headline above all."""
    _, _, out = broken
    report = report_of(out)
    suite = ET.parse(out / VERSION / "junit.xml").getroot().find("testsuite")
    assert suite is not None
    first = dict(part("reports.headline").headline(report).named())
    whole = suite.find("properties")
    assert whole is not None
    assert {f"{VERSION}.{k}": v for k, v in first.items()} == {p.attrib["name"]: p.attrib["value"] for p in whole}
    assert f"{VERSION}.conclusion={first['conclusion']}" in (out / "allure" / "environment.properties").read_text()
    told = {}
    for case in suite.iter("testcase"):
        named = dict(line.partition(": ")[::2] for line in str(case.findtext("system-out")).splitlines())
        told[case.attrib["name"]] = (named["outcome"], int(named["judged"]), named.get("witness", ""))
    expected = {f"{v.scenario}:{v.check}": (v.outcome.value, v.judged, v.witness) for v in report.verdicts}
    assert expected == told
    results = [json.loads(file.read_text()) for file in (out / "allure").glob("*-result.json")]
    assert all("outcome: " in result["description"] and "coverage: " in result["description"] for result in results)


def test_no_artefact_holds_the_key(state: Path, broken: tuple[str, Done, Path]) -> None:
    """Reports, JUnit, Allure, HTML, journals and output: nowhere the key, whole or in part."""
    _, done, _ = broken
    files = [file for file in state.rglob("*") if file.is_file()]
    names = {file.name for file in files}
    assert {"report.jsonl", "junit.xml", "index.html"} <= names
    assert any(name.startswith("journal-") for name in names) or (state / "state").is_dir()
    secret = CANARY.removeprefix("canary-")
    assert [] == [str(file) for file in files if secret.encode() in contents(file)]
    assert secret not in done.out + done.err


def failure_of(out: Path, check: str) -> tuple[Any, Any]:
    """A failed verdict and the finding that is shown of it."""
    report = report_of(out)
    verdict = next(one for one in report.verdicts if one.check == check and one.outcome is Outcome.FAIL)
    return verdict, part("reports.failure").witness(verdict, report.traces[verdict.scenario])[0]


def test_replay_of_a_failed_case_fails_again(state: Path, broken: tuple[str, Done, Path]) -> None:
    """The server is still broken: the case alone shows the same verdict."""
    url, _, out = broken
    verdict, finding = failure_of(out, "embeddings.count")
    done = command(state, "replay", finding.case_id, "--run", str(out), "--target", url)
    assert 1 == done.code, done.out + done.err
    line = next(line for line in done.lines if re.match(r"\w+ +embeddings\.count ", line))
    assert verdict.outcome.value == line.split()[0]
    assert finding.message in done.out


def test_printed_curl_line_runs_as_it_stands(state: Path) -> None:
    """Pasted into a shell, it gets the status that the report blames."""
    with serving(state, "--api-version", VERSION, "--break", "http.accepted") as url:
        done, out = run(state, "curl", "--scenario=corpus.embeddings.create", "--target", url)
        assert 1 == done.code, done.out + done.err
        _, finding = failure_of(out, "http.accepted")
        text = (out / VERSION / "junit.xml").read_text("utf-8")
        failure = next(
            case.find("failure")
            for case in ET.fromstring(text).iter("testcase")
            if case.attrib["name"].endswith(":http.accepted")
        )
        assert failure is not None
        assert failure.text is not None
        line = next(line for line in failure.text.splitlines() if line.strip().startswith("again"))
        shell = line.strip().removeprefix("again").strip()
        assert shell.startswith("curl ")
        answer = command(state, "sh", "-c", shell, ours=False, env={"AOAI_TARGET": url})
    assert 0 == answer.code, answer.err
    assert finding.actual == answer.out.split()[1]


def bad(name: str, *arguments: str, code: int, says: tuple[str, ...]) -> Any:
    return pytest.param(arguments, code, says, id=name)


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        bad("unknown version", "--api-version", "2024-13-01", code=2, says=("2024-13-01", VERSION)),
        bad("unreachable", "--target", "http://127.0.0.1:1", code=3, says=("http://127.0.0.1:1", "refused")),
        bad("unknown name", "--target", "https://nowhere.invalid", code=3, says=("https://nowhere.invalid",)),
        bad("plain http", "--target", "http://example.invalid", code=2, says=("http://example.invalid",)),
        bad("shard", "--shard", "4/3", code=2, says=("4/3", "k/n")),
        bad("profile", "--profile", "fast", code=2, says=("fast", "standard")),
        bad("family", "--family", "odd", code=2, says=("odd", "template")),
        bad("check", "--check", "no.such", code=2, says=("no.such", "list checks")),
        bad("seed", "--seed", "x", code=2, says=("--seed", "x")),
        bad("configuration", "--config", "typo.toml", code=2, says=("typo.toml", "api_vresion", "api_version")),
    ],
)
def test_bad_input_ends_in_one_line(
    tmp_path: Path, arguments: tuple[str, ...], code: int, says: tuple[str, ...]
) -> None:
    """The exit code says whose fault it is, one line says what and what to do, and nothing is a traceback."""
    (tmp_path / "typo.toml").write_text('[target]\napi_vresion = "x"\n')
    done = command(tmp_path, "run", "--out", str(tmp_path / "out"), *arguments)
    assert code == done.code, done.out + done.err
    assert 1 == len(done.lines), done.lines
    assert [] == [word for word in says if word not in done.lines[0]], done.lines[0]


@pytest.mark.parametrize("processes", ["0", pytest.param("2", marks=pytest.mark.prove)])
def test_plain_pytest_judges_a_target(state: Path, suite: Callable[..., Done], processes: str) -> None:
    """People who live in pytest get the same items and verdicts, each exchange sent once, and the same report."""
    out = state / f"plain-{processes}"
    with serving(state, "--api-version", VERSION) as url:
        done = suite(
            f"--aoai-target={url}", f"--aoai-api-version={VERSION}", f"--aoai-out={out}", "-n", processes, "-q"
        )
    assert 0 == done.code, done.out + done.err
    assert f"{VERSION}: conformant" in done.out
    ids = cases_of(out)
    assert len(set(ids)) == len(ids)
    assert set(NARROW) == {scenario for scenario, _ in ids}


def test_run_ignores_options_of_other_tests(state: Path) -> None:
    """``PYTEST_ADDOPTS`` of somebody's shell does not change what a run does."""
    done = command(
        state,
        *("run", "--scenario=corpus.assistants.list", "--api-version", VERSION, "--out", str(state / "addopts")),
        env={"PYTEST_ADDOPTS": "--collect-only -k nothing"},
    )
    assert 0 == done.code, done.out + done.err
    assert (state / "addopts" / VERSION / "index.html").is_file()


@pytest.mark.parametrize("workers", [pytest.param("0", marks=pytest.mark.prove), "2"])
def test_an_older_report_in_the_folder_tells_nothing(
    broken: tuple[str, Done, Path], state: Path, tmp_path: Path, workers: str
) -> None:
    """A second run into the same folder is judged by what it saw itself, whatever lies there."""
    url, _, _ = broken
    chosen = ("--scenario", "corpus.embeddings.create")
    assert 1 == run(tmp_path, "out", *CHOICE, "--target", url)[0].code
    left = tmp_path / "out" / VERSION / "report.gw7.jsonl"
    left.write_bytes((tmp_path / "out" / VERSION / "report.jsonl").read_bytes())
    done, out = run(tmp_path, "out", *chosen, "-n", workers)
    assert 0 == done.code, done.out + done.err
    assert {"corpus.embeddings.create"} == {scenario for scenario, _ in cases_of(out)}
    assert not left.exists()


def test_streamed_creations_leave_nothing_behind(tmp_path: Path) -> None:
    """What a stream created is found by the id in its events, and removed."""
    out = tmp_path / "out"
    done = command(tmp_path, "run", "--api-version", "v1-preview", "--scenario", "responses.*", "--out", str(out))
    assert 0 == done.code, done.out + done.err
    assert "may be left" not in done.out
    seen = part("reports.jsonl").read(out / "v1-preview").traces.values()
    streamed = [
        one for trace in seen for one in trace if isinstance(one.case.json, dict) and one.case.json.get("stream")
    ]
    assert streamed
