"""A signal ends a run at any moment, and what is being written at that moment becomes complete."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import define

from conformance._parts import part
from conformance.evidence.trace import Trace
from conformance.run.interruption import complete, controlled, held, interruptible, tell_worker
from conformance.run.recorder import Recorder
from conformance.verdict import Outcome, Verdict


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    """The handlers that a program begins with, whatever started these tests."""
    numbers = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL, signal.SIGHUP: signal.SIG_DFL}
    before = {number: signal.signal(number, handler) for number, handler in numbers.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@define
class Interrupted:
    """A stream during whose next write a signal comes, after half of the bytes."""

    inner: Any
    number: int | None

    def write(self, data: bytes) -> None:
        self.inner.write(data[: len(data) // 2])
        if self.number is not None:
            signal.raise_signal(self.number)
        self.inner.write(data[len(data) // 2 :])

    def flush(self) -> None:
        self.inner.flush()

    def close(self) -> None:
        self.inner.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_line_of_the_report_is_written_to_its_end(number: int, tmp_path: Path) -> None:
    """Otherwise the report could not be read any more from there on."""
    verdicts = [Verdict(f"check.{letter}", "s", Outcome.PASS) for letter in "abc"]
    recorder = Recorder(tmp_path, "", {"api_version": "v"})
    stream = Interrupted(recorder._stream, None)
    recorder._writer._stream = stream
    with interruptible():
        recorder.verdict(verdicts[0])
        recorder.verdict(verdicts[1])
        stream.number = number
        with pytest.raises(KeyboardInterrupt):
            recorder.trace(Trace("t"))  # what waits is written with it
        stream.number = None
        recorder.verdict(verdicts[2])
    recorder.close()
    read = part("reports.jsonl").read(tmp_path)
    assert [verdict.check for verdict in verdicts] == [verdict.check for verdict in read.verdicts]
    assert ["t"] == list(read.traces)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_each_signal_raises_the_same_and_is_held_where_something_must_become_complete(number: int) -> None:
    done: list[str] = []
    with interruptible():
        with pytest.raises(KeyboardInterrupt):
            _write(number, done)
        with held() as signals:
            signal.raise_signal(number)
        assert (True, ["complete"]) == (signals.came, done)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)


def _write(number: int, done: list[str]) -> None:
    with complete():
        signal.raise_signal(number)
        done.append("complete")


def test_a_closed_terminal_that_sends_two_signals_is_one_stop() -> None:
    """The second one would end the removal that the first one began."""
    with interruptible():
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGHUP)
        signal.raise_signal(signal.SIGHUP)


def test_who_ignores_a_signal_is_not_stopped_by_it() -> None:
    """``nohup`` starts a program in which SIGHUP is ignored."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with interruptible():
        signal.raise_signal(signal.SIGHUP)
        with held(), complete():
            signal.raise_signal(signal.SIGHUP)


def test_a_worker_hears_its_controller_alone() -> None:
    with controlled():
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.raise_signal(number)
        with pytest.raises(KeyboardInterrupt):
            tell_worker(os.getpid())
