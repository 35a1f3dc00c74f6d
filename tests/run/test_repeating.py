"""``--repeat N``: what failed is sent again, and every report says whether it failed each time."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from report_pages import exchanges_of, index_of
from served import command

from conformance._parts import part
from conformance.cli import main
from conformance.emulator.app import App
from conformance.emulator.server import asgi, running
from conformance.evidence.exchange import Exchange
from conformance.run.choice import choose
from conformance.run.session import Session
from conformance.settings.options import Options
from conformance.verdict import Outcome, Verdict

VERSION = "2024-05-01-preview"
SCENARIO = "corpus.embeddings.create"
CHECK = "usage.adds-up"
ITEM = (SCENARIO, CHECK)

#: Few checks, so that a test judges no more than it looks at.
CHECKS = ("usage.*", "embeddings.count")


class Server:
    """Correct but for the sum of tokens in answers of embeddings, which is wrong each time that ``wrong`` says so.

    ``wrong`` gets how often the same request came before.
    """

    def __init__(self, wrong: Callable[[int], bool]) -> None:
        self._wrong = wrong
        self.times: Counter[bytes] = Counter()

    def __call__(self, exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange:
        request, response = exchange.request, exchange.response
        if "/embeddings" not in request.url or response is None or response.status != 200:
            return exchange
        before, self.times[request.body] = self.times[request.body], self.times[request.body] + 1
        value = json.loads(response.body)
        value["usage"]["total_tokens"] += int(self._wrong(before))
        return evolve(exchange, response=response.with_body(json.dumps(value).encode()))


@contextmanager
def serving(wrong: Callable[[int], bool]) -> Iterator[tuple[str, Server]]:
    server = Server(wrong)
    with running(asgi(App.of(VERSION), server)) as url:
        yield url, server


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "emulator-key")
    monkeypatch.chdir(tmp_path)


#: Runs into a folder against a server that is wrong at these times; gives the report and the server. Requests of the
#: preflight aren't counted.
Judged = Callable[..., tuple[Any, Server]]


@pytest.fixture(params=["smoke", pytest.param("standard", marks=pytest.mark.prove)])
def judged(request: pytest.FixtureRequest) -> Judged:
    """The embeddings corpus: two requests show what is repeated, and all of them take ten times as long."""

    def run(folder: Path, wrong: Callable[[int], bool], repeat: int = 3) -> tuple[Any, Server]:
        with serving(wrong) as (url, server):
            options = Options(
                target=url,
                api_versions=(VERSION,),
                profile=request.param,
                scenarios=(SCENARIO,),
                checks=CHECKS,
                out=folder,
                repeat=repeat,
                selection={"--scenario": [SCENARIO]},
            )
            (chosen,) = choose(options)
            session = Session.open([chosen])
            server.times.clear()
            session.start()
            for item in chosen.items:
                session.verdict(item)
            session.close()
        return session.reports[VERSION], server

    return run


def of(report: Any, scenario: str = SCENARIO, check: str = CHECK) -> Verdict:
    (found,) = [verdict for verdict in report.verdicts if (verdict.scenario, verdict.check) == (scenario, check)]
    return found


def test_a_rule_that_is_broken_every_second_time_is_unstable(judged: Judged, tmp_path: Path) -> None:
    """It fails at the first and third time: a failure that comes and goes is a failure, and says so."""
    report, _ = judged(tmp_path / "out", lambda before: before % 2 == 0)
    verdict = of(report)
    assert (Outcome.FAIL, {"fail": 2, "pass": 1}, False) == (verdict.outcome, dict(verdict.repeats), verdict.stable)
    assert {SCENARIO, f"repeat.2.{SCENARIO}", f"repeat.3.{SCENARIO}"} == set(report.traces)


# Among few requests, the page shows no link.
@pytest.mark.parametrize("judged", ["standard"], indirect=True)
def test_a_rule_that_breaks_only_later_is_told_with_the_evidence_of_that_time(judged: Judged, tmp_path: Path) -> None:
    """One vector too many comes each time, so all is sent again; the sum is wrong in the second repetition alone."""

    def wrong(before: int) -> bool:
        return before == 2

    class Other(Server):
        def __call__(self, exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange:
            made = super().__call__(exchange, earlier)
            if made.response is not None and made.response.status == 200 and "/embeddings" in made.request.url:
                value = json.loads(made.response.body)
                value["data"].append(value["data"][-1])
                return evolve(made, response=made.response.with_body(json.dumps(value).encode()))
            return made

    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(globals(), "Server", Other)
        report, _ = judged(tmp_path / "out", wrong)
    verdict = of(report)
    assert (Outcome.FAIL, f"repeat.3.{SCENARIO}") == (verdict.outcome, verdict.evidence)
    assert "unstable: failed 1 of 3, passed 2" == verdict.stability
    shown = {seen.case.id for seen in report.traces[verdict.evidence]}
    assert {finding.case_id for finding in verdict.findings} <= shown
    page = (tmp_path / "out" / VERSION / "index.html").read_text("utf-8")
    assert f"repeat.3.{SCENARIO}" in {shown.get("trace") for shown in index_of(page)["verdicts"]}
    assert shown <= {one["id"] for one in exchanges_of(page) if one["trace"] == f"repeat.3.{SCENARIO}"}
    assert 0 == main(["verify", str(tmp_path / "out")])


def test_a_rule_that_is_always_broken_is_stable(
    judged: Judged, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report, _ = judged(tmp_path / "out", lambda before: True)
    verdict = of(report)
    assert ({"fail": 3}, True) == (dict(verdict.repeats), verdict.stable)
    assert "stable: failed 3 of 3" in (tmp_path / "out" / VERSION / "summary.md").read_text("utf-8")
    assert not [one for one in report.verdicts if one.stable is False]
    assert 0 == main(["verify", str(tmp_path / "out")]), capsys.readouterr().out


def test_what_is_fine_is_sent_once(judged: Judged, tmp_path: Path) -> None:
    report, server = judged(tmp_path / "out", lambda before: False)
    once, _ = judged(tmp_path / "once", lambda before: False, repeat=1)
    assert {SCENARIO} == set(report.traces)
    assert once.footer["requests"] == report.footer["requests"]
    assert {1} == set(server.times.values())
    assert {None} == {verdict.stable for verdict in report.verdicts}


def test_every_report_says_that_a_verdict_is_unstable(tmp_path: Path) -> None:
    """By the command, in two processes: console, Markdown, HTML, badge, JUnit, Allure."""
    with serving(lambda before: before % 2 == 0) as (url, _):
        chosen = (
            "--target",
            url,
            "--api-version",
            VERSION,
            "--scenario",
            SCENARIO,
            "--check",
            "usage.*",
            "--repeat",
            "4",
        )
        chosen += ("--check", "usage.*", "--repeat", "4")
        env = {"AZURE_OPENAI_API_KEY": "emulator-key"}
        done = command(
            tmp_path, "run", *chosen, "--out", "out", "-n", "2", "--alluredir", "out/allure-results", env=env
        )
    assert 1 == done.code, done.lines[-3:]
    report = part("reports.jsonl").read(tmp_path / "out" / VERSION)
    told = of(report).stability
    assert told.startswith("unstable: failed 2 of 4"), told
    texts = {name: (tmp_path / "out" / VERSION / name).read_text("utf-8") for name in ("summary.md", "index.html")}
    texts["junit.xml"] = (tmp_path / "out" / VERSION / "junit.xml").read_text("utf-8")
    texts["console"] = done.out
    results = (tmp_path / "out" / "allure-results").glob("*-result.json")
    texts["allure"] = "".join(file.read_text("utf-8") for file in results)
    assert {} == {name: text[-500:] for name, text in texts.items() if "unstable: failed 2 of 4" not in text}
    assert " unstable" in json.loads((tmp_path / "out" / VERSION / "badge.json").read_text())["message"]
    assert 0 == main(["verify", str(tmp_path / "out")])


def test_unstable_verdicts_are_not_compared(judged: Judged, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A run in which the rule breaks now and then is neither worse nor better than a good one."""
    judged(tmp_path / "good", lambda before: False)
    judged(tmp_path / "shaky", lambda before: before % 2 == 0)
    judged(tmp_path / "bad", lambda before: True)
    folders = {name: str(tmp_path / name) for name in ("good", "shaky", "bad")}
    assert 0 == main(["compare", folders["good"], folders["shaky"]])
    assert f"unstable, not compared\n  {CHECK}  A pass  B fail" in capsys.readouterr().out
    assert 0 == main(["compare", folders["shaky"], folders["good"]])
    assert " better" not in capsys.readouterr().out
    assert 1 == main(["compare", folders["good"], folders["bad"]])


FORGED: tuple[Callable[[Verdict], Verdict], ...] = (
    lambda verdict: evolve(verdict, stable=True),
    lambda verdict: evolve(verdict, repeats={"fail": 3}),
    lambda verdict: evolve(verdict, repeats={}, stable=None),
    lambda verdict: evolve(verdict, repetition=f"repeat.2.{SCENARIO}"),
    lambda verdict: evolve(verdict, outcome=Outcome.PASS, findings=()),
)


def test_verify_detects_a_forged_stability(judged: Judged, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The forger writes the whole chain of digests anew; the evidence contradicts."""
    report, _ = judged(tmp_path / "out", lambda before: before % 2 == 0)
    folder = tmp_path / "out" / VERSION
    header = {key: value for key, value in report.header.items() if key != "format"}
    # They are read now: the file from which they come is written anew.
    traces = tuple(report.traces.values())
    for forged in (lambda verdict: verdict, *FORGED):
        verdicts = [forged(one) if (one.scenario, one.check) == ITEM else one for one in report.verdicts]
        part("reports.jsonl").write(folder / "report.jsonl", header, traces, verdicts, report.footer)
        part("reports.manifest").write(folder)
        assert int(forged in FORGED) == main(["verify", str(folder)])
        assert (f"{SCENARIO} {CHECK}: was" in capsys.readouterr().out) == (forged in FORGED)


def test_a_budget_bounds_repetitions_too(judged: Judged, tmp_path: Path) -> None:
    """What the budget leaves out is no sign of an unstable target, and the report can be verified."""
    report, server = judged(tmp_path / "all", lambda before: True, repeat=1)
    cap = sum(server.times.values()) + report.footer["requests"] // 2 + 20
    (tmp_path / "conformance.toml").write_text(f"[run]\nrepeat = 10\n[budget]\nrequests = {cap}\n")
    report, _ = judged(tmp_path / "out", lambda before: True, repeat=0)
    verdict = of(report)
    assert Outcome.FAIL is verdict.outcome
    assert 10 == sum(verdict.repeats.values())
    assert not [one for one in report.verdicts if one.stable is False]
    assert cap >= report.footer["requests"]
    assert 0 == main(["verify", str(tmp_path / "out")])


def test_a_plan_counts_the_repetitions(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["plan", "--api-version", VERSION, "--operation", "embeddings.*", "--json"]
    assert 0 == main(words)
    (once,) = json.loads(capsys.readouterr().out)
    assert 0 == main([*words, "--repeat", "3"])
    (thrice,) = json.loads(capsys.readouterr().out)
    assert (once["total"]["requests"], 3 * once["total"]["requests"]) == (
        once["at_most"]["requests"],
        thrice["at_most"]["requests"],
    )


@pytest.mark.parametrize("number", ["0", "11", "two"])
def test_a_number_out_of_bounds_is_refused(number: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == main(["plan", "--api-version", VERSION, "--repeat", number])
    assert "repeat" in capsys.readouterr().err
