"""The evidence of one process, written as it comes."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance._parts import late
from conformance.evidence.trace import Trace
from conformance.run.interruption import complete
from conformance.run.recent import Recent
from conformance.verdict import Verdict

if TYPE_CHECKING:
    from reports import jsonl, stored
    from reports.jsonl import Report
else:
    jsonl = late("reports.jsonl")
    stored = late("reports.stored")

__all__ = ["Recorder"]

#: The most verdicts that wait to be written together.
_TOGETHER = 64


class Recorder:
    """Appends traces and verdicts of one process to ``report.<name>.jsonl`` in the folder of a version. Thread-safe.

    It is the memory of a run: traces are read back from the file, but for the last ones.
    """

    def __init__(self, folder: Path, name: str, header: Mapping[str, Any]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / (f"report.{name}.jsonl" if name else jsonl.NAME)
        self._stream = self.path.open("wb")
        self._lock = threading.Lock()
        self._writer = jsonl.Writer(self._stream)
        self._recent = Recent()
        self._header = {"format": jsonl.FORMAT, **header}
        self._verdicts: dict[tuple[str, str], Verdict] = {}
        #: Verdicts that are not written yet. To hold signals back for each of them would take a tenth of judging.
        self._waiting: list[Verdict] = []
        #: Why the file can't be written any more. What follows a line that was written in part could not be read.
        self._broken: OSError | None = None
        with suppress(OSError), self._writing():  # the first trace will tell it
            self._writer.header(header)
            self._stream.flush()

    def trace(self, trace: Trace) -> None:
        """Write the evidence of a scenario. Raises :class:`OSError` if that fails, as every later call does."""
        with self._writing():
            self._put_verdicts()
            self._writer.trace(trace)
            # So that a killed process leaves at most one incomplete line.
            self._stream.flush()
            self._recent.add(trace)

    def holds(self, scenario: str) -> bool:
        """True if the evidence of a scenario was written."""
        with self._lock:
            return scenario in self._writer.index

    def written(self, scenario: str) -> Trace | None:
        """The evidence of a scenario; None if none was written."""
        with self._lock:
            recent = self._recent.get(scenario)
            if recent is not None or scenario not in self._writer.index:
                return recent
            found = stored.StoredTraces(self.path, self._writer.index, self._writer.table)[scenario]
            self._recent.add(found)  # the next check wants it too
            return found

    def verdict(self, verdict: Verdict) -> None:
        """Write a verdict, at the latest with the next trace. Raises :class:`OSError` as :meth:`trace` does."""
        if self._broken is not None:
            raise self._broken
        with self._lock:
            # A repetition's verdict takes the place of the one before it.
            self._verdicts[verdict.scenario, verdict.check] = verdict
            self._waiting.append(verdict)
            full = len(self._waiting) >= _TOGETHER
        if full:
            with self._writing():
                self._put_verdicts()

    def _put_verdicts(self) -> None:
        waiting, self._waiting = self._waiting, []
        for verdict in waiting:
            self._writer.verdict(verdict)

    @property
    def report(self) -> Report | None:
        """What reading the closed file would give; None if it may not be whole."""
        with self._lock:
            if self._broken is not None:
                return None
            traces = stored.StoredTraces(self.path, self._writer.index, self._writer.table)
            return jsonl.Report(self._header, traces, tuple(self._verdicts.values()))

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Write lines, unless an earlier one could not be written. A signal waits: half a line would end the report."""
        with complete(), self._lock:
            if self._broken is not None:
                raise self._broken
            try:
                yield
            except OSError as error:
                self._broken = error
                raise

    def close(self) -> None:
        """Write what is still waiting and close the file."""
        with suppress(OSError), self._writing():
            self._put_verdicts()
        with self._lock:
            self._stream.close()
