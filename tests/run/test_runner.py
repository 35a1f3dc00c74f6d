"""The runner: the order of requests, concurrency, what ends a scenario early, and that nothing is sent after a stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from conformance.corpus.corpus import OperationCorpus
from conformance.errors import HarnessError
from conformance.evidence.exchange import Exchange, Response
from conformance.evidence.trace import Observation
from conformance.judging.check import Needs, check
from conformance.requests.case import Case, Cost, JsonBody
from conformance.run.known_failures import KnownFailures
from conformance.run.runner import Event, Runner
from conformance.scenarios.corpus_scenario import corpus_scenario
from conformance.scenarios.scenario import Scenario, Script, Settings, Step, Wait
from conformance.settings.configuration import Budget, Waiver
from conformance.spec.spec import Spec
from conformance.target.preflight import Preflight
from conformance.target.target import Target
from conformance.verdict import Conclusion, Finding, Level, Outcome, Waived, conclude

from .conftest import Board

Run = Callable[..., Runner]
Open = Callable[..., Target]


def chat(text: str, **values: Any) -> Case:
    return Case(
        operation="chat.completions.create",
        method="POST",
        path="/deployments/{deployment-id}/chat/completions",
        path_params={"deployment-id": "{deployment}"},
        body=JsonBody({"n": text}),
        **{"capability": "chat", **values},
    )


def listing(text: str = "") -> Case:
    return Case(operation="assistants.list", method="GET", path="/assistants", query=(("user", text),))


def scripted(id: str, *steps: Step, operation: str = "chat.completions.create") -> Scenario:
    def script(spec: Spec, settings: Settings) -> Script:
        for step in steps:  # noqa: UP028 - a tuple receives no exchanges
            yield step

    return Scenario(id=id, operations=(operation,), script=script)


def corpus(*cases: Case) -> Scenario:
    return corpus_scenario(OperationCorpus("chat.completions.create", "chat", cases))


def bodies(runner: Runner, name: str) -> list[Any]:
    return [seen.case.json["n"] for seen in runner.trace(name)]


@check(
    "test.ok",
    Level.MUST,
    clause="test",
    counterexample=lambda exchange, earlier: exchange.answered(Response(500)),
    needs=Needs.ANY,
)
def always_200(spec: Spec, seen: Observation) -> Any:
    """Answers are 200."""
    if seen.exchange.status != 200:
        yield seen.finding("not 200", expected=200, actual=seen.exchange.status)


def test_observations_stand_in_the_order_of_the_script_whatever_comes_first(board: Board, run: Run) -> None:
    def slow_first(method: str, path: str, body: Any, number: int) -> tuple[int, Any]:
        time.sleep(0.02 if body["n"] == "0" else 0)
        return 200, {"n": body["n"]}

    board.answer = slow_first
    runner = run([scripted("s", tuple(chat(str(i)) for i in range(6)), (chat("last"),))], concurrency=4)
    assert bodies(runner, "s") == ["0", "1", "2", "3", "4", "5", "last"]
    assert [seen.json["n"] for seen in runner.trace("s")] == bodies(runner, "s")


def test_cases_of_a_step_go_out_together_and_never_more_than_allowed(board: Board, run: Run) -> None:
    together = threading.Barrier(3, timeout=60)

    def meet(method: str, path: str, body: Any, number: int) -> tuple[int, Any]:
        together.wait()
        return 200, {}

    board.answer = meet
    runner = run([scripted("a", tuple(map(chat, "1234"))), scripted("b", (chat("5"), chat("6")))], concurrency=3)
    assert [len(runner.trace(name).observations) for name in "ab"] == [4, 2]
    assert board.most == 3


def test_a_scenario_that_stands_behind_fills_the_pauses_of_those_before(board: Board, run: Run) -> None:
    told: list[Any] = []

    def note(method: str, path: str, body: Any, number: int) -> tuple[int, Any]:
        told.append(body["n"])
        return 200, {}

    board.answer = note
    story = scripted("s", (chat("begin"),), Wait(0.05), (chat("end"),))
    runner = run([story, corpus(chat("between"))], concurrency=1)
    runner.trace("s")
    assert ["begin", "between", "end"] == told


def test_a_step_waits_for_the_one_before(board: Board, run: Run) -> None:
    runner = run([scripted("s", (chat("1"), chat("2")), (listing(),), (chat("3"),))], concurrency=4)
    runner.trace("s")
    assert [method for method, _ in board.seen] == ["POST", "POST", "GET", "POST"]


def test_a_script_receives_its_exchanges_and_wait_is_kept(board: Board, run: Run) -> None:
    got: list[tuple[Exchange, ...]] = []
    board.answer = lambda method, path, body, number: (200, {"number": number})

    def script(spec: Spec, settings: Settings) -> Script:
        got.append((yield (chat("1"), chat("2"))))
        got.append((yield Wait(0.05)))
        got.append((yield (chat("3"),)))

    began = time.monotonic()
    trace = run([Scenario("s", ("chat.completions.create",), script)]).trace("s")
    assert time.monotonic() - began >= 0.05
    assert [len(part) for part in got] == [2, 0, 1]
    assert [e for part in got for e in part] == [seen.exchange for seen in trace]


def test_scripted_cases_carry_scenario_and_step_and_corpus_cases_stay_themselves(run: Run) -> None:
    runner = run([scripted("s", (chat("1"),), (chat("1"),)), corpus(chat("1"))])
    assert [(seen.case.scenario, seen.case.step) for seen in runner.trace("s")] == [("s", "0"), ("s", "1")]
    assert len({seen.case.id for seen in runner.trace("s")}) == 2
    assert [seen.case.id for seen in runner.trace("corpus.chat.completions.create")] == [chat("1").id]


def test_a_crashed_script_is_our_fault_and_the_others_go_on(run: Run) -> None:
    def script(spec: Spec, settings: Settings) -> Script:
        yield (chat("1"),)
        raise ZeroDivisionError("oops")

    runner = run([Scenario("bad", ("chat.completions.create",), script), scripted("good", (chat("2"),))], [always_200])
    with pytest.raises(HarnessError, match="ZeroDivisionError: oops"):
        runner.trace("bad")
    assert runner.verdict("bad", "test.ok").outcome is Outcome.ERROR
    assert runner.verdict("good", "test.ok").outcome is Outcome.PASS


def test_a_guarded_request_in_the_middle_of_a_step_does_not_hang(run: Run) -> None:
    foreign = Case(
        operation="assistants.delete", method="DELETE", path="/assistants/{id}", path_params={"id": "asst_theirs"}
    )
    runner = run([scripted("s", (chat("1"), foreign, chat("2"))), scripted("t", (chat("3"),))], concurrency=2)
    with pytest.raises(HarnessError, match="asst_theirs"):
        runner.trace("s")
    assert bodies(runner, "t") == ["3"]


def test_a_used_up_budget_names_the_scenarios_that_were_not_run(board: Board, run: Run, target_for: Open) -> None:
    target = target_for(budget=Budget(requests=3))
    scenarios = [scripted(name, (chat("1"),), (chat("2"),)) for name in "abc"]
    runner = run(scenarios, [always_200], target=target, concurrency=1)
    verdicts = [runner.verdict(name, "test.ok") for name in "abc"]
    assert [v.outcome for v in verdicts] == [Outcome.PASS, Outcome.PASS, Outcome.INCONCLUSIVE]
    assert [part.rest for part in verdicts[1].unjudged] == [True]
    assert "budget of 3 requests" in verdicts[1].unjudged[0].reason
    assert "budget of 3 requests" in verdicts[2].reason
    assert len(board.seen) == 3


def test_a_corpus_goes_on_without_what_it_can_not_pay(board: Board, run: Run, target_for: Open) -> None:
    cases = (chat("1", cost=Cost(tokens=60)), chat("2", cost=Cost(tokens=60)), chat("3"))
    runner = run([corpus(*cases)], [always_200], target=target_for(budget=Budget(tokens=100)), concurrency=1)
    assert bodies(runner, "corpus.chat.completions.create") == ["1", "3"]
    verdict = runner.verdict("corpus.chat.completions.create", "test.ok")
    assert (Outcome.PASS, 2) == (verdict.outcome, verdict.judged)
    assert Conclusion.INCONCLUSIVE is conclude([verdict], executed=2)


def test_what_a_deployment_does_not_claim_is_left_out(run: Run) -> None:
    plain, vision = chat("1"), chat("2", capability="chat+vision")
    runner = run([corpus(plain, vision), scripted("v", (vision,)), scripted("x", (chat("3", capability="audio"),))])
    assert bodies(runner, "corpus.chat.completions.create") == ["1"]
    assert runner.trace("corpus.chat.completions.create").outcome is None
    assert runner.trace("v").outcome is Outcome.NOT_APPLICABLE
    assert runner.trace("x").outcome is Outcome.NOT_TESTABLE


def test_a_target_that_fails_more_than_half_of_the_time_is_unavailable(
    board: Board, run: Run, target_for: Open
) -> None:
    board.answer = lambda method, path, body, number: (429, {})
    runner = run([corpus(*(chat(str(i)) for i in range(60)))], [always_200], target=target_for(retries=0))
    trace = runner.trace("corpus.chat.completions.create")
    assert trace.outcome is Outcome.UNAVAILABLE
    assert 20 <= len(trace.observations) <= 40


def test_a_target_that_died_costs_each_further_scenario_one_round(board: Board, run: Run, target_for: Open) -> None:
    target = target_for(url="http://127.0.0.1:1", retries=0)
    scenarios = [scripted(str(n), tuple(chat(str(i)) for i in range(30))) for n in range(5)]
    runner = run(scenarios, [always_200], target=target, concurrency=2)
    assert [runner.trace(str(n)).outcome for n in range(5)] == [Outcome.UNAVAILABLE] * 5
    assert max(len(runner.trace(str(n)).observations) for n in range(2, 5)) <= 2
    assert runner.verdict("4", "test.ok").outcome is Outcome.UNAVAILABLE


def test_what_hangs_on_a_failed_create_is_not_testable(board: Board, run: Run) -> None:
    child = Case("threads.messages.list", "GET", "/threads/{thread_id}/messages", {"thread_id": "{thread}"})
    runner = run([scripted("s", (chat("1"),), (child,), (chat("2"),))], [always_200])
    assert bodies(runner, "s") == ["1"]
    verdict = runner.verdict("s", "test.ok")
    assert (Outcome.PASS, 1) == (verdict.outcome, verdict.judged)
    assert Conclusion.PARTIAL is conclude([verdict], executed=1)
    assert "{thread} stands for was not created" in verdict.unjudged[0].reason


def test_a_stop_sends_nothing_new_and_says_so(board: Board, run: Run) -> None:
    held, entered, released = threading.Event(), threading.Event(), list[bool]()

    def hold(method: str, path: str, body: Any, number: int) -> tuple[int, Any]:
        entered.set()
        released.append(held.wait(60))
        return 200, {}

    board.answer = hold
    runner = run([scripted("a", (chat("1"),), (chat("2"),)), scripted("b", (chat("3"),))], concurrency=1)
    runner.start()
    assert entered.wait(60)
    runner.stop(grace=0.1)
    assert [] == released, "the stop waited for an answer"
    held.set()
    assert [runner.trace(name).outcome for name in "ab"] == [Outcome.INCONCLUSIVE] * 2
    assert runner.trace("b").ended == "interrupted"
    assert len(board.seen) == 1


def test_what_is_not_served_is_judged_once(board: Board, run: Run) -> None:
    found = Preflight(resources={"chat": "answered 404"})
    runner = run([scripted("a", (chat("1"),)), scripted("b", (chat("2"),))], [always_200], preflight=found)
    assert [runner.verdict(name, "test.ok").outcome for name in "ab"] == [Outcome.NOT_APPLICABLE] * 2
    assert [verdict.outcome for verdict in found.verdicts()] == [Outcome.FAIL]
    assert board.seen == []


def test_what_is_not_claimed_is_not_sent(board: Board, run: Run, target_for: Open) -> None:
    target = target_for(unsupported={"chat.*": "not built yet"})
    runner = run([scripted("a", (chat("1"),))], [always_200], target=target)
    verdict = runner.verdict("a", "test.ok")
    assert verdict.outcome is Outcome.NOT_APPLICABLE
    assert "not built yet" in verdict.reason
    assert board.seen == []


@pytest.mark.parametrize(("today", "waived"), [(date(2026, 1, 31), True), (date(2026, 2, 1), False)])
def test_a_waiver_holds_until_its_day(board: Board, run: Run, target_for: Open, today: date, waived: bool) -> None:
    board.answer = lambda method, path, body, number: (400, {})
    waiver = Waiver(check="test.*", owner="ann", reason="known", expires=date(2026, 1, 31), operation="chat.*")
    known = KnownFailures("v", today, (waiver,))
    runner = run([scripted("a", (chat("1"),))], [always_200], target=target_for(), known=known)
    verdict = runner.verdict("a", "test.ok")
    assert (Outcome.WAIVED if waived else Outcome.FAIL) is verdict.outcome
    assert (Waived(Outcome.FAIL, "ann", "known", expires="2026-01-31") if waived else None) == verdict.waived


def test_a_waiver_hides_no_other_check(board: Board, run: Run, target_for: Open) -> None:
    board.answer = lambda method, path, body, number: (400, {})
    waiver = Waiver(check="other.*", owner="ann", reason="known", expires=date(2099, 1, 1))
    runner = run([scripted("a", (chat("1"),))], [always_200], target=target_for(waivers=(waiver,)))
    assert runner.verdict("a", "test.ok").waived is None


def test_progress_is_told(run: Run) -> None:
    told: list[Event] = []
    runner = run([scripted("a", (chat("1"), chat("2")))], notify=told.append)
    runner.trace("a")
    runner.close()
    assert [event.kind for event in told] == ["started", "sent", "sent", "ended"]
    assert runner.progress == (1, 1)


def test_two_runs_give_the_same_traces(run: Run) -> None:
    def one() -> list[list[str]]:
        runner = run([scripted(name, tuple(map(chat, "123")), (chat("4"),)) for name in "abcd"], concurrency=8)
        return [[seen.case.id for seen in runner.trace(name)] for name in "abcd"]

    assert one() == one()


def test_a_finding_names_its_case(board: Board, run: Run) -> None:
    board.answer = lambda method, path, body, number: (404, {})
    runner = run([scripted("a", (chat("1"),))], [always_200])
    (finding,) = runner.verdict("a", "test.ok").findings
    assert isinstance(finding, Finding)
    assert finding.case_id == chat("1").at("a", "0").id


@pytest.mark.parametrize("glob", ["files", "files.*", "files.upload"])
def test_what_is_not_claimed_is_not_touched_for_the_set_up_of_something_else(
    board: Board, run: Run, target_for: Open, glob: str
) -> None:
    """What needs the file isn't sent either, the rest of the corpus is."""
    upload = Case("files.upload", "POST", "/files", body=JsonBody({}), creates={"file": "/id"}, role="setup")
    needs_it = chat("with {file}")
    made = OperationCorpus("chat.completions.create", "chat", (chat("1"), needs_it), setup=(upload,))
    target = target_for(unsupported={glob: "no files here"})
    runner = run([corpus_scenario(made)], [always_200], target=target)
    assert ["1"] == bodies(runner, "corpus.chat.completions.create")
    assert not [path for _, path in board.seen if "/files" in path]
    assert Outcome.PASS is runner.verdict("corpus.chat.completions.create", "test.ok").outcome


def test_a_story_that_needs_what_is_not_claimed_is_not_applicable(board: Board, run: Run, target_for: Open) -> None:
    upload = Case("files.upload", "POST", "/files", body=JsonBody({}), creates={"file": "/id"})
    runner = run(
        [scripted("s", (upload,), (chat("2"),))], [always_200], target=target_for(unsupported={"files.*": "no"})
    )
    verdict = runner.verdict("s", "test.ok")
    assert (Outcome.NOT_APPLICABLE, True) == (verdict.outcome, "files.upload is not claimed: no" in verdict.reason)
    assert [] == board.seen
