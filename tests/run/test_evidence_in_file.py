"""A run's evidence: written as soon as a scenario has ended, judged from the file, in memory only for a while."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance._parts import part
from conformance.evidence.trace import Observation, Trace
from conformance.run.recent import Recent
from conformance.run.recorder import Recorder
from conformance.run.runner import Runner
from conformance.run.store import InFile
from conformance.verdict import Finding, Outcome, Unjudged, Verdict

from .memory import SPEC, Memory, answer, case, told

HEADER = {"api_version": SPEC.version}


def trace(name: str, *roles: str) -> Trace:
    return Trace(name, tuple(Observation(case(role), answer(case(role))) for role in roles))


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    made = Recorder(tmp_path, "", HEADER)
    yield made
    made.close()


def test_what_leaves_memory_is_read_from_the_file() -> None:
    recent = Recent(most=27_000)
    for name in "abc":
        recent.add(trace(name, "one"))
    assert [None, "b", "c"] == [found and found.scenario for found in map(recent.get, "abc")]


def test_at_least_the_last_trace_stays_however_large() -> None:
    recent = Recent(most=1)
    recent.add(trace("a", "one"))
    recent.add(trace("b", *"1234"))
    assert (None, trace("b", *"1234")) == (recent.get("a"), recent.get("b"))


def test_what_was_judged_makes_room_for_what_waits_for_it() -> None:
    """A trace that fits beside no other one stays, if the other was judged before it came."""
    recent = Recent(most=27_000)
    for name in "ab":
        recent.add(trace(name, "one"))
    assert None not in map(recent.get, "aab")
    recent.add(trace("c", "one"))
    assert ["b", None, "c"] == [found and found.scenario for found in map(recent.get, "bac")]


def test_the_same_trace_counts_once() -> None:
    recent = Recent(most=27_000)
    for name in "abaaa":
        recent.add(trace(name, "one"))
    assert None not in map(recent.get, "ab")


def test_evidence_is_on_disk_before_it_is_judged(recorder: Recorder, tmp_path: Path) -> None:
    scenario = told("one", (case("a"), case("b")), ())
    with Runner(SPEC, [scenario], [], Memory(), store=InFile(recorder)) as runner:
        seen = runner.trace("one")
        (found,) = part("reports.jsonl").read(tmp_path).traces.values()
    assert ["a", "b"] == [one.case.role for one in found] == [one.case.role for one in seen]
    assert seen == found


def test_what_a_process_has_written_is_what_its_file_says(recorder: Recorder, tmp_path: Path) -> None:
    """So nothing is read back. Of two verdicts on an item the later one counts: the first was before a repetition."""
    finding = Finding("odd: \ud800 \u202e", "c1", place="/a", expected="1", actual="2", drift="x")
    told_of = [
        Verdict("one.check", "a", Outcome.FAIL, (finding,), judged=2, cases=("c1", "c2"), witness="c1"),
        Verdict(
            "other.check",
            "a",
            Outcome.NOT_TESTABLE,
            reason="nothing came",
            unjudged=(Unjudged(Outcome.NOT_TESTABLE, "404"),),
        ),
        Verdict("one.check", "a", Outcome.PASS, judged=2),
    ]
    recorder.trace(trace("a", "one", "two"))
    recorder.trace(trace("b"))
    for verdict in told_of:
        recorder.verdict(verdict)
    recorder.close()
    read, known = part("reports.jsonl").read(tmp_path), recorder.report
    assert read.header == known.header
    assert read.verdicts == known.verdicts
    assert dict(read.traces) == dict(known.traces)
    assert read.outlines == known.outlines


def test_a_file_that_may_not_be_whole_is_read(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    """What reading tells of a broken line is not known to the process that wrote it."""

    def full(_: Trace) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(recorder._writer, "trace", full)
    with pytest.raises(OSError, match="No space"):
        recorder.trace(trace("a", "one"))
    assert recorder.report is None


def test_a_disk_that_is_full_when_the_last_verdicts_are_written_is_known(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They wait to be written together, so nobody may be there any more whom an exception would tell."""

    def full(_: Verdict) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(recorder._writer, "verdict", full)
    recorder.verdict(Verdict("a.check", "one", Outcome.PASS))
    recorder.close()
    assert recorder.report is None


def test_evidence_that_left_memory_is_judged_all_the_same(recorder: Recorder) -> None:
    recorder._recent = Recent(most=1)
    scenarios = [told(name, (case(name),)) for name in ("one", "two", "three")]
    with Runner(SPEC, scenarios, [], Memory(), store=InFile(recorder)) as runner:
        traces = [runner.trace(name) for name in ("one", "two", "three", "one")]
    assert [["one"], ["two"], ["three"], ["one"]] == [[seen.case.role for seen in one] for one in traces]


def test_a_scenario_that_sent_nothing_is_written_when_it_is_judged(recorder: Recorder) -> None:
    store = InFile(recorder)
    store.put(Trace("none", ended="interrupted"))
    assert (False, "interrupted") == (recorder.holds("none"), store.get("none").ended)
    store.judged("none", lambda: store.get("none"))
    assert recorder.holds("none")


def test_a_full_disk_ends_the_scenario_and_not_the_run(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    store = InFile(recorder)

    def full(trace: Trace) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store, "put", full)
    with (
        Runner(SPEC, [told("one", (case("a"),))], [], Memory(), store=store) as runner,
        pytest.raises(Exception, match="No space left"),
    ):
        runner.trace("one")
