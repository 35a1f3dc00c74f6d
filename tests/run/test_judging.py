"""Judging in a process beside the one that sends: the same verdicts, whatever becomes of that process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from attrs import evolve
from offline import answering, broken, traces

from conformance.checks.catalogue import all_checks
from conformance.emulator.app import App
from conformance.evidence.trace import Observation, Trace
from conformance.judging.check import Check, Scope
from conformance.judging.judge import judge
from conformance.requests.request import Request
from conformance.run import judging
from conformance.run.copied import copied, possible
from conformance.run.judging import Beside, Here
from conformance.run.selection import scenarios_in
from conformance.run.store import InMemory
from conformance.settings.options import Options
from conformance.verdict import Finding, Level, Outcome

from .memory import SPEC, answer, case

pytestmark = pytest.mark.skipif(not possible(), reason="no process can be copied here, or there is one processor")


def reporting(id: str, say: Callable[[], str]) -> Check:
    """A check that fails every exchange, with a text of its own."""

    def found(spec: object, seen: Observation) -> Iterator[Finding]:
        yield seen.finding(say())

    return Check(id, Level.MUST, "", "", Scope.EXCHANGE, found, lambda exchange, earlier: None)


def one(name: str) -> Trace:
    return Trace(name, (Observation(case("a"), answer(case("a"))),))


def filled(*names: str) -> InMemory:
    store = InMemory()
    for name in names:
        store.put(one(name))
    return store


def pid() -> str:
    return str(os.getpid())


PID = reporting("test.pid", pid)


@pytest.fixture
def beside() -> Iterator[Callable[..., Beside]]:
    made: list[Beside] = []

    def make(store: InMemory, *checks: Check, names: str = "ab") -> Beside:
        made.append(Beside(SPEC, store, dict.fromkeys(names, checks)))
        return made[-1]

    yield make
    for each in made:
        each.close()


def judged_by(made: Here | Beside, check: Check, scenario: str) -> str:
    (finding,) = made.verdict(check, scenario).findings
    return finding.message


def test_another_process_judges(beside: Callable[..., Beside]) -> None:
    made = beside(filled("a", "b"), PID)
    made.begin("a")
    made.begin("b")
    first, second = judged_by(made, PID, "a"), judged_by(made, PID, "b")
    assert first == second != pid()


def test_verdicts_are_the_same_as_here(beside: Callable[..., Beside]) -> None:
    """Every check on a part of the suite, with all that a verdict says, where each refusal is spoiled."""
    options = Options(profile="smoke", operations=("chat.*", "files.*", "embeddings.*"))
    checks, store = list(all_checks().values()), InMemory()
    good = answering(App.of(SPEC.version), SPEC)
    names = []
    for trace in traces(
        SPEC, scenarios_in(SPEC, options), broken(good, all_checks()["errors.envelope"].counterexample)
    ):
        store.put(trace)
        names.append(trace.scenario)
    made = Beside(SPEC, store, dict.fromkeys(names, checks))
    try:
        for name in names:
            made.begin(name)
        found = [made.verdict(check, name) for name in names for check in checks]
    finally:
        made.close()
    expected = [judge(SPEC, check, store.get(name)) for name in names for check in checks]
    assert expected == found
    assert {Outcome.PASS, Outcome.FAIL} <= {verdict.outcome for verdict in found}


def test_a_check_with_a_bug_is_an_error_there_too(beside: Callable[..., Beside]) -> None:
    def crash() -> str:
        raise ValueError("odd")

    bad = reporting("test.bad", crash)
    made = beside(filled("a"), bad, PID)
    made.begin("a")
    assert (Outcome.ERROR, "ValueError: odd") == (made.verdict(bad, "a").outcome, made.verdict(bad, "a").reason)
    assert judged_by(made, PID, "a") != pid(), "the process goes on"


def test_what_a_killed_process_has_not_judged_is_judged_here(beside: Callable[..., Beside]) -> None:
    """It dies in the middle of the second scenario of three."""

    def die() -> str:
        if pid() != home and len(seen) == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        seen.append("")
        return pid()

    home, seen = pid(), list[str]()
    deadly = reporting("test.deadly", die)
    made = beside(filled("a", "b", "c"), deadly, names="abc")
    for name in "abc":
        made.begin(name)
    assert ([True, False, False]) == [judged_by(made, deadly, name) != home for name in "abc"]
    made.begin("a")
    assert home == judged_by(made, PID, "a"), "nobody waits for a process that is gone"


def test_what_can_not_be_sent_is_judged_here(beside: Callable[..., Beside]) -> None:
    store = filled("a", "b")
    seen = one("a").observations[0]
    object.__setattr__(seen.exchange, "outside", lambda: "no process can be sent a function")
    store.put(Trace("a", (seen,)))
    made = beside(store, PID)
    for name in "ab":
        made.begin(name)
    assert "unavailable" == made.verdict(PID, "a").outcome.value
    assert judged_by(made, PID, "b") != pid(), "others are judged there"


def test_a_check_that_nobody_named_before_is_judged_here(beside: Callable[..., Beside]) -> None:
    made = beside(filled("a"))
    made.begin("a")
    assert pid() == judged_by(made, PID, "a")


def test_after_the_end_nobody_waits(beside: Callable[..., Beside]) -> None:
    """What was not judged by then is judged here, and no process is left."""
    made = beside(filled(*"abc"), PID, names="abc")
    made.close()
    made.begin("a")
    assert pid() == judged_by(made, PID, "a")
    assert 0 == made.exit_code, "it ended by itself"


def test_it_lives_while_there_may_be_more(beside: Callable[..., Beside]) -> None:
    made = beside(filled("a"), PID)
    made.begin("a")
    judged_by(made, PID, "a")
    assert made.exit_code is None


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """Its two ends: what is read, what is written."""
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


def test_a_process_that_hangs_is_ended(
    beside: Callable[..., Beside], monkeypatch: pytest.MonkeyPatch, pipe: tuple[int, int]
) -> None:
    """What it was at is judged here, where the same check may hang as well: here it does not."""
    monkeypatch.setattr(judging, "_GRACE", 0.05)

    def hang() -> str:
        if pid() != home:
            os.write(pipe[1], b".")
            threading.Event().wait()
        return pid()

    home = pid()
    hanging = reporting("test.hanging", hang)
    made = beside(filled("a"), hanging)
    made.begin("a")
    assert b"." == os.read(pipe[0], 1), "it hangs"
    made.close()
    assert -signal.SIGKILL == made.exit_code
    assert home == judged_by(made, hanging, "a")


def test_a_process_that_says_nothing_any_more_is_ended(
    beside: Callable[..., Beside], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody closes it: whoever waits for its verdict makes it in the end."""
    monkeypatch.setattr(judging, "_PATIENCE", 0.05)

    def hang() -> str:
        if pid() != home:
            threading.Event().wait()
        return pid()

    home = pid()
    hanging = reporting("test.hanging", hang)
    made = beside(filled("a", "b"), hanging)
    for name in "ab":
        made.begin(name)
    assert [home, home] == [judged_by(made, hanging, name) for name in "ab"]
    made.close()
    assert -signal.SIGKILL == made.exit_code


def test_a_process_that_is_asked_nothing_may_be_silent(
    beside: Callable[..., Beside], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow target may need minutes for a scenario."""
    rounds, unsaid = threading.Semaphore(0), Beside._unsaid

    def looked(made: Beside) -> frozenset[str]:
        rounds.release()
        return unsaid(made)

    monkeypatch.setattr(Beside, "_unsaid", looked)
    with monkeypatch.context() as patched:
        patched.setattr(judging, "_PATIENCE", 0.001)
        made = beside(filled("a"), PID)
        for _ in range(5):
            assert rounds.acquire(timeout=60)
    assert rounds.acquire(timeout=60)
    made.begin("a")
    assert judged_by(made, PID, "a") != pid()


class Unreadable(str):
    """A text that another process can't read."""

    def __reduce__(self) -> tuple[Callable[[], None], tuple[()]]:
        return unreadable, ()


def unreadable() -> None:
    """What reading it does."""
    raise ValueError("nobody reads this")


def test_what_can_not_be_read_is_judged_here(beside: Callable[..., Beside]) -> None:
    odd = reporting("test.odd", lambda: Unreadable(pid()))
    made = beside(filled("a", "b"), odd)
    for name in "ab":
        made.begin(name)
    assert [pid(), pid()] == [judged_by(made, odd, name) for name in "ab"]


def test_an_early_end_leaves_out_what_was_not_sent_there(
    beside: Callable[..., Beside], monkeypatch: pytest.MonkeyPatch, pipe: tuple[int, int]
) -> None:
    """The first check waits until the end is wanted. Traces are larger than a pipe holds, so the last is not sent."""

    def wait() -> str:
        if pid() != home:
            os.read(pipe[0], 1)
        return pid()

    def joined(seconds: float) -> None:
        os.write(pipe[1], b"." * len(names))
        join(seconds)

    home, names = pid(), "abcdef"
    waiting, store = reporting("test.waiting", wait), InMemory()
    for name in names:
        large = evolve(one("a").observations[0].exchange, request=Request("POST", "/", body=bytes(1_000_000)))
        store.put(Trace(name, (Observation(case("a"), large),)))
    made = beside(store, waiting, names=names)
    join = made._process.join
    monkeypatch.setattr(made._process, "join", joined)
    for name in names:
        made.begin(name)
    made.close()
    assert home == judged_by(made, waiting, "f")
    assert 0 == made.exit_code


#: A run that is killed while a process judges for it: that one writes its id, and waits for its end.
KILLED = """
import os, sys, time
from multiprocessing import Pipe
from conformance.run.judging import Beside
from tests.run.test_judging import SPEC, filled, reporting

def stay():
    print(os.getpid(), flush=True)
    return ""

check = reporting("test.stay", stay)
made = Beside(SPEC, filled("a"), {"a": [check]})
made.begin("a")
made.verdict(check, "a")
sys.stdin.read()
"""


def test_it_ends_with_a_run_that_is_killed() -> None:
    """Its output closes when both processes are gone, because both hold it open."""
    home = Path(judging.__file__).resolve().parents[2]
    path = os.pathsep.join([str(home), str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    with subprocess.Popen(
        [sys.executable, "-c", KILLED],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONPATH": path},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert int(process.stdout.readline()) != process.pid
        process.kill()
        assert b"" == process.stdout.read()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_the_keys_that_end_a_run_do_not_end_it(beside: Callable[..., Beside], number: signal.Signals) -> None:
    """They reach every process of the terminal."""

    def press() -> str:
        if pid() != home:
            os.kill(os.getpid(), number)
        return pid()

    home = pid()
    pressed = reporting("test.pressed", press)
    made = beside(filled("a", "b"), pressed)
    for name in "ab":
        made.begin(name)
    assert home not in {judged_by(made, pressed, name) for name in "ab"}


def test_work_that_fails_is_told_by_the_exit_code(capfd: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise OSError("no room")

    codes = []
    for work in (fail, lambda: None):
        process = copied(work)
        process.join()
        codes.append(process.exitcode)
    assert [1, 0] == codes
    assert ("", "") == capfd.readouterr(), "who started it tells the reason"
