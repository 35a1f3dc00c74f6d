"""The canonical report: one JSON object in each line, described by ``schema.json``.

The lines are ``header``, then for each scenario its ``exchange`` lines and a ``trace`` line, then ``verdict`` lines,
then ``footer``. Each line has a digest of itself and all lines before it (``chain.py``). A file without a footer is a
truncated run, and readers say so. Every other report is derived from this one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

from attrs import field, frozen

from conformance.errors import UsageError
from conformance.evidence.trace import Observation, Trace
from conformance.verdict import Outcome, Verdict

from .chain import BrokenChain, Chain
from .evidence_json import observation_from_json, observation_to_json, verdict_from_json, verdict_to_json

__all__ = ["FORMAT", "NAME", "Report", "Writer", "read", "write"]

#: The version of the format, ``<major>.<minor>``. A reader refuses another major version.
FORMAT = "2.1"

NAME = "report.jsonl"


@frozen
class Report:
    """A report that was read. ``footer`` is None if the run was truncated."""

    header: Mapping[str, Any]
    traces: Mapping[str, Trace] = field(repr=False)
    verdicts: tuple[Verdict, ...] = field(repr=False)
    footer: Mapping[str, Any] | None = None

    def observation(self, case_id: str) -> tuple[Trace, Observation]:
        """The trace and observation of a case, by its id or a unique beginning of it. Raises :class:`UsageError`
        otherwise.
        """
        found = [(t, seen) for t in self.traces.values() for seen in t if seen.case.id.startswith(case_id)]
        ids = {seen.case.id for _, seen in found}
        # The same case may be in several scenarios; they are the same request.
        if len(ids) == 1:
            return found[0]
        if ids:
            raise UsageError(
                f"{case_id!r} fits {len(ids)} cases", hint="give more digits: " + ", ".join(sorted(ids)[:5])
            )
        raise UsageError(f"no case {case_id!r} in this run", hint="ids are in report.jsonl and index.html")


class Writer:
    """Writes the lines of a report in order. Not thread-safe."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._chain = Chain()

    def _put(self, value: Mapping[str, Any]) -> None:
        """Write one line."""
        self._stream.write(self._chain.line(value))

    def header(self, header: Mapping[str, Any]) -> None:
        """Write the first line."""
        self._put({"type": "header", "format": FORMAT, **header})

    def trace(self, trace: Trace) -> None:
        """Write the evidence of one scenario: its exchanges in order, then how it ended."""
        for seen in trace:
            self._put({"type": "exchange", "scenario": trace.scenario, **observation_to_json(seen)})
        self._put(
            {
                "type": "trace",
                "scenario": trace.scenario,
                "ended": trace.ended,
                "outcome": trace.outcome,
                "exchanges": len(trace.observations),
            }
        )

    def verdict(self, verdict: Verdict) -> None:
        """Write one verdict."""
        self._put({"type": "verdict", **verdict_to_json(verdict)})

    def footer(self, footer: Mapping[str, Any]) -> None:
        """Write the last line."""
        self._put({"type": "footer", **footer})


def write(
    path: Path,
    header: Mapping[str, Any],
    traces: Iterable[Trace],
    verdicts: Iterable[Verdict],
    footer: Mapping[str, Any],
) -> Report:
    """Write a whole report atomically (a temporary file beside it, then a rename). Returns what :func:`read` would."""
    traces, verdicts = tuple(traces), tuple(verdicts)
    temporary = path.with_suffix(".part")
    try:
        with temporary.open("w", encoding="utf-8", newline="\n", errors="surrogatepass") as stream:
            writer = Writer(stream)
            writer.header(header)
            for trace in traces:
                writer.trace(trace)
            for verdict in verdicts:
                writer.verdict(verdict)
            writer.footer(footer)
        # A reader sees the old file or the whole new one.
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)  # half a report is of no use, and the disk may be full
        raise
    return Report({"format": FORMAT, **header}, {trace.scenario: trace for trace in traces}, verdicts, footer)


class _Reading:
    """What was read so far."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.header: Mapping[str, Any] | None = None
        self.footer: Mapping[str, Any] | None = None
        self.seen: dict[str, list[Observation]] = {}
        self.traces: dict[str, Trace] = {}
        self.verdicts: list[Verdict] = []
        self.chain = Chain()

    def take(self, line: bytes) -> None:
        """Read one line, by its type."""
        # Lines behind the footer were added after the report was written.
        if self.footer is not None:
            raise BrokenChain("it stands behind the footer, which is the last line")
        value = self.chain.read(line)
        match value.pop("type"):
            case "header":
                self.header = value
                _check_format(value, self.file)
            case "exchange":
                self.seen.setdefault(value["scenario"], []).append(observation_from_json(value))
            case "trace":
                name, outcome = value["scenario"], Outcome(value["outcome"]) if value["outcome"] else None
                self.traces[name] = Trace(name, tuple(self.seen.pop(name, ())), value["ended"], outcome)
            case "verdict":
                self.verdicts.append(verdict_from_json(value))
            case "footer":
                self.footer = value


def read(path: Path) -> Report:
    """Read a report file, or the one in a folder.

    Raises :class:`UsageError` if it is missing, isn't a report, has another major format or was changed afterwards.
    """
    file = path / NAME if path.is_dir() else path
    reading = _Reading(file)
    for number, line in enumerate(_lines(file), start=1):
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
    for name, rest in reading.seen.items():
        # Exchanges without their ``trace`` line: the process ended before the scenario did.
        reading.traces[name] = Trace(name, tuple(rest), "the report was cut off", Outcome.UNAVAILABLE)
    return Report(reading.header, reading.traces, tuple(reading.verdicts), reading.footer)


def _lines(file: Path) -> Iterator[bytes]:
    """Yield the lines of a file."""
    try:
        with file.open("rb") as stream:
            yield from stream
    except OSError as error:
        raise UsageError(f"can't be read: {error.strerror}", where=str(file)) from None


def _check_format(header: Mapping[str, Any], file: Path) -> None:
    """Raise :class:`UsageError` for another major version of the format."""
    major = str(header.get("format", "")).split(".", maxsplit=1)[0]
    if major != FORMAT.split(".", maxsplit=1)[0]:
        raise UsageError(f"report format {header.get('format')!r} is not {FORMAT}", where=str(file))
