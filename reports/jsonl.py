"""The canonical report: one JSON object in each line, described by ``schema.json``.

The lines are ``header``, then for each scenario its ``exchange`` lines and a ``trace`` line, then ``verdict`` lines,
then ``footer``. Between them ``shared`` lines hold values that later lines use by number (``compact.py``). Each line
has a digest of itself and all lines before it (``chain.py``). A file without a footer is a truncated run, and readers
say so. Every other report is derived from this one.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from attrs import field, frozen

from conformance.errors import UsageError
from conformance.evidence.outline import Outline, Step, outline_of, seconds_of, step_of
from conformance.evidence.trace import Observation, Trace
from conformance.verdict import Outcome, Verdict

from .chain import BrokenChain, Chain
from .compact import Folding, Table
from .evidence_json import observation_from_json, observation_to_json, verdict_from_json, verdict_to_json
from .packed import folders, located, plain
from .stored import Index, StoredTraces, outlines_of

__all__ = ["FORMAT", "NAME", "Report", "Writer", "read", "reports_in", "write"]

#: The version of the format, ``<major>.<minor>``. A reader refuses other major versions than these.
FORMAT, READ = "3.0", ("2", "3")

NAME = "report.jsonl"


@frozen
class Report:
    """A report that was read. ``footer`` is None if the run was truncated.

    ``traces`` of a file are read when they are asked for (``stored.py``), so a report takes little memory.
    """

    header: Mapping[str, Any]
    traces: Mapping[str, Trace] = field(repr=False)
    verdicts: tuple[Verdict, ...] = field(repr=False)
    footer: Mapping[str, Any] | None = None

    @property
    def outlines(self) -> Mapping[str, Outline]:
        """The outline of every trace, by scenario."""
        return outlines_of(self.traces)

    def outline(self, scenario: str) -> Outline:
        """The outline of one trace."""
        traces = self.traces
        return traces.outline(scenario) if isinstance(traces, StoredTraces) else outline_of(traces[scenario])

    def observation(self, case_id: str, scenario: str = "") -> tuple[Trace, Observation]:
        """The trace and observation of a case, by its id or a unique beginning of it. Raises :class:`UsageError`
        otherwise. ``scenario`` is the trace in which to look; "" for all.
        """
        found = [
            (name, place, case)
            for name, outline in self.outlines.items()
            for place, case in enumerate(outline.cases)
            if case.startswith(case_id) and scenario in ("", name)
        ]
        ids = {case for _, _, case in found}
        # The same case may be in several scenarios; they are the same request.
        if len(ids) == 1:
            trace = self.traces[found[0][0]]
            return trace, trace.observations[found[0][1]]
        if ids:
            raise UsageError(
                f"{case_id!r} fits {len(ids)} cases", hint="give more digits: " + ", ".join(sorted(ids)[:5])
            )
        raise UsageError(f"no case {case_id!r} in this run", hint="ids are in report.jsonl and index.html")


class Writer:
    """Writes the lines of a report in order. Not thread-safe. ``index`` says where the evidence of each scenario is."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._chain = Chain()
        self._folding = Folding()
        self._at = 0
        self.index: dict[str, Index] = {}

    @property
    def table(self) -> Table:
        """The values that lines of this file share."""
        return self._folding.table

    def _put(self, lines: Iterable[Mapping[str, Any]]) -> int:
        """Write lines. Returns the offset of the last one."""
        start = self._at
        for line in lines:
            data = self._chain.line(line)
            self._stream.write(data)
            start = self._at
            self._at += len(data)
        return start

    def header(self, header: Mapping[str, Any]) -> None:
        """Write the first line."""
        self._put([{"type": "header", "format": FORMAT, **header}])

    def trace(self, trace: Trace) -> None:
        """Write the evidence of one scenario: its exchanges in order, then how it ended."""
        index = Index(outline_of(trace))
        for seen in trace:
            line = {"type": "exchange", "scenario": trace.scenario, **observation_to_json(seen)}
            index.lines.append(self._put(self._folding.lines(line)))
        self._end(index)

    def moved(self, traces: StoredTraces, scenario: str) -> None:
        """Write the evidence of one scenario as it stands in another file."""
        index = Index(traces.outline(scenario))
        for line in traces.lines(scenario):
            index.lines.append(self._put(self._folding.moved(line)))
        self._end(index)

    def _end(self, index: Index) -> None:
        """Write the line that ends the evidence of a scenario."""
        outline = index.outline
        self.index[outline.scenario] = index
        line = {
            "type": "trace",
            "scenario": outline.scenario,
            "ended": outline.ended,
            "outcome": outline.outcome,
            "exchanges": len(index.lines),
        }
        self._put([line])

    def verdict(self, verdict: Verdict) -> None:
        """Write one verdict."""
        self._put(self._folding.lines({"type": "verdict", **verdict_to_json(verdict)}))

    def footer(self, footer: Mapping[str, Any]) -> None:
        """Write the last line."""
        self._put([{"type": "footer", **footer}])


def write(
    path: Path,
    header: Mapping[str, Any],
    traces: Iterable[Trace | tuple[Report, str]],
    verdicts: Iterable[Verdict],
    footer: Mapping[str, Any],
) -> Report:
    """Write a whole report atomically (a temporary file beside it, then a rename). Returns what :func:`read` would.

    A trace of another report is named by that report and its scenario; its lines are copied.
    """
    verdicts = tuple(verdicts)
    temporary = path.with_suffix(".part")
    try:
        with temporary.open("wb") as stream:
            writer = Writer(stream)
            writer.header(header)
            for trace in traces:
                if isinstance(trace, Trace):
                    writer.trace(trace)
                elif isinstance(trace[0].traces, StoredTraces):
                    writer.moved(trace[0].traces, trace[1])
                else:
                    writer.trace(trace[0].traces[trace[1]])
            for verdict in verdicts:
                writer.verdict(verdict)
            writer.footer(footer)
        # A reader sees the old file or the whole new one.
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)  # half a report is of no use, and the disk may be full
        raise
    return Report({"format": FORMAT, **header}, StoredTraces(path, writer.index, writer.table), verdicts, footer)


class _Reading:
    """What was read so far. Of exchanges only their places and outlines are kept."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.header: Mapping[str, Any] | None = None
        self.footer: Mapping[str, Any] | None = None
        self.index: dict[str, Index] = {}
        self.verdicts: list[Verdict] = []
        self.chain = Chain()
        self.table = Table()
        self._at = 0
        self._open: dict[str, tuple[array[int], list[Step], list[str]]] = {}
        self._seconds: defaultdict[str, float] = defaultdict(float)

    def take(self, line: bytes) -> None:
        """Read one line, by its type."""
        # Lines behind the footer were added after the report was written.
        if self.footer is not None:
            raise BrokenChain("it stands behind the footer, which is the last line")
        value = self.table.whole(self.chain.read(line))
        match value.pop("type"):
            case "header":
                self.header = value
                _check_format(value, self.file)
            case "shared":
                self.table.add(value)
            case "exchange":
                seen = observation_from_json(value)
                lines, steps, cases = self._open.setdefault(value["scenario"], (array("Q"), [], []))
                lines.append(self._at)
                steps.append(step_of(seen))
                cases.append(seen.case.id)
                self._seconds[value["scenario"]] += seconds_of(seen)
            case "trace":
                self._end(value["scenario"], value["ended"], Outcome(value["outcome"]) if value["outcome"] else None)
            case "verdict":
                self.verdicts.append(verdict_from_json(value))
            case "footer":
                self.footer = value
        self._at += len(line)

    def _end(self, scenario: str, ended: str, outcome: Outcome | None) -> None:
        """Note that the evidence of a scenario is complete."""
        lines, steps, cases = self._open.pop(scenario, (array("Q"), [], []))
        outline = Outline(scenario, tuple(steps), tuple(cases), ended, outcome, self._seconds[scenario])
        self.index[scenario] = Index(outline, lines)

    def close(self) -> None:
        """The end of the file: scenarios that are not complete were cut off."""
        for scenario in tuple(self._open):
            self._end(scenario, "the report was cut off", Outcome.UNAVAILABLE)


def read(path: Path) -> Report:
    """Read a report file, or the one in a folder. Either may be packed (``packed.py``).

    Raises :class:`UsageError` if it is missing, isn't a report, has another major format or was changed afterwards.
    """
    file = (located(path, NAME) or path / NAME) if path.is_dir() else path
    content = plain(file)
    reading = _Reading(file)
    for number, line in enumerate(_lines(content, file), start=1):
        if not line.endswith(b"\n"):
            break  # the writer died in the middle of this line
        try:
            reading.take(line)
        except BrokenChain as error:
            raise UsageError(f"this line is not as it was written: {error}", where=f"{file}:{number}") from None
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UsageError(f"not a line of a report: {error!r}", where=f"{file}:{number}") from None
    if reading.header is None:
        raise UsageError("not a report: it has no header", where=str(file))
    reading.close()
    verdicts = reading.verdicts
    if reading.footer is None:  # repetitions were under way: the last verdict on an item is the one of all times
        verdicts = list({(verdict.scenario, verdict.check): verdict for verdict in verdicts}.values())
    return Report(reading.header, StoredTraces(content, reading.index, reading.table), tuple(verdicts), reading.footer)


def reports_in(run: Path) -> list[Path]:
    """The folders of a run folder that have a report; the folder itself if it has one; none without any."""
    return folders(run, NAME)


def _lines(content: Path, file: Path) -> Iterator[bytes]:
    """Yield the lines of the content of a report file."""
    try:
        with content.open("rb") as stream:
            yield from stream
    except OSError as error:
        raise UsageError(f"can't be read: {error.strerror}", where=str(file)) from None


def _check_format(header: Mapping[str, Any], file: Path) -> None:
    """Raise :class:`UsageError` for another major version of the format."""
    major = str(header.get("format", "")).split(".", maxsplit=1)[0]
    if major not in READ:
        known = " and ".join(f"{one}.x" for one in READ)
        raise UsageError(
            f"report format {header.get('format')!r} can't be read, only {known}",
            where=str(file),
            hint="read it with the version of the suite that wrote it: its header names that",
        )
