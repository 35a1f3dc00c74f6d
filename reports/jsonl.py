"""The canonical report: JSON lines, one object a line, described by ``schema.json``.

``header``, then per scenario its ``exchange`` lines and a ``trace`` line, then ``verdict`` lines, then ``footer`` with
a digest over all lines before it. A file without a footer is a truncated run; a reader says so. Every other report is
derived from this one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from attrs import field, frozen

from conformance.errors import UsageError
from conformance.evidence.trace import Observation, Trace
from conformance.verdict import Outcome, Verdict

from .evidence_json import observation_from_json, observation_to_json, verdict_from_json, verdict_to_json

__all__ = ["FORMAT", "NAME", "Report", "header_line", "read", "trace_lines", "verdict_line", "write"]

#: The format's own version: ``<major>.<minor>``; a reader refuses another major.
FORMAT = "2.0"

NAME = "report.jsonl"


@frozen
class Report:
    """A read report. ``footer`` is None for a truncated run."""

    header: Mapping[str, Any]
    traces: Mapping[str, Trace] = field(repr=False)
    verdicts: tuple[Verdict, ...] = field(repr=False)
    footer: Mapping[str, Any] | None = None

    def observation(self, case_id: str) -> tuple[Trace, Observation]:
        """The trace and observation of a case id or unique prefix; raises :class:`UsageError`."""
        found = [(t, seen) for t in self.traces.values() for seen in t if seen.case.id.startswith(case_id)]
        ids = {seen.case.id for _, seen in found}
        if len(ids) == 1:
            return found[0]
        if ids:
            raise UsageError(
                f"{case_id!r} fits {len(ids)} cases", hint="give more digits: " + ", ".join(sorted(ids)[:5])
            )
        raise UsageError(f"no case {case_id!r} in this run", hint="ids are in report.jsonl and index.html")


def _line(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True) + "\n"


def trace_lines(trace: Trace) -> Iterator[str]:
    """The evidence of one scenario: its exchanges in order, then how it ended."""
    for seen in trace:
        yield _line({"type": "exchange", "scenario": trace.scenario, **observation_to_json(seen)})
    yield _line(
        {
            "type": "trace",
            "scenario": trace.scenario,
            "ended": trace.ended,
            "outcome": trace.outcome,
            "exchanges": len(trace.observations),
        }
    )


def header_line(header: Mapping[str, Any]) -> str:
    """The first line."""
    return _line({"type": "header", "format": FORMAT, **header})


def verdict_line(verdict: Verdict) -> str:
    """One verdict."""
    return _line({"type": "verdict", **verdict_to_json(verdict)})


def write(
    path: Path,
    header: Mapping[str, Any],
    traces: Iterable[Trace],
    verdicts: Iterable[Verdict],
    footer: Mapping[str, Any],
) -> Report:
    """Write a whole report atomically (a temporary file beside it, then a rename); gives what :func:`read` would."""
    traces, verdicts = tuple(traces), tuple(verdicts)
    digest = hashlib.sha256()
    temporary = path.with_suffix(".part")
    with temporary.open("w", encoding="utf-8", newline="\n", errors="surrogatepass") as stream:

        def put(line: str) -> None:
            digest.update(line.encode("utf-8", "surrogatepass"))
            stream.write(line)

        put(header_line(header))
        for trace in traces:
            for line in trace_lines(trace):
                put(line)
        for verdict in verdicts:
            put(verdict_line(verdict))
        ended = {**footer, "sha256": digest.hexdigest()}
        stream.write(_line({"type": "footer", **ended}))
    temporary.replace(path)
    return Report({"format": FORMAT, **header}, {trace.scenario: trace for trace in traces}, verdicts, ended)


class _Reading:
    """What was read so far."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.header: Mapping[str, Any] | None = None
        self.footer: Mapping[str, Any] | None = None
        self.seen: dict[str, list[Observation]] = {}
        self.traces: dict[str, Trace] = {}
        self.verdicts: list[Verdict] = []
        self.digest = hashlib.sha256()

    def take(self, line: str) -> None:
        """One line, by its type."""
        value = json.loads(line)
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
                if value["sha256"] != self.digest.hexdigest():
                    raise UsageError(
                        "the digest in the footer does not fit: the file was changed", where=str(self.file)
                    )
        self.digest.update(line.encode("utf-8", "surrogatepass"))


def read(path: Path) -> Report:
    """Read a report file or the folder that holds it.

    Raises :class:`UsageError` when it is missing, isn't a report, has another major format or was changed afterwards.
    """
    file = path / NAME if path.is_dir() else path
    reading = _Reading(file)
    for number, line in enumerate(_lines(file), start=1):
        if not line.endswith("\n"):
            break  # the writer died in the middle of this line
        try:
            reading.take(line)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UsageError(f"not a line of a report: {error!r}", where=f"{file}:{number}") from None
    if reading.header is None:
        raise UsageError("not a report: it has no header", where=str(file))
    for name, rest in reading.seen.items():
        reading.traces[name] = Trace(name, tuple(rest), "the report was cut off", Outcome.UNAVAILABLE)
    return Report(reading.header, reading.traces, tuple(reading.verdicts), reading.footer)


def _lines(file: Path) -> Iterator[str]:
    try:
        with file.open(encoding="utf-8", errors="surrogatepass") as stream:
            yield from stream
    except OSError as error:
        raise UsageError(f"can't be read: {error.strerror}", where=str(file)) from None
    except UnicodeDecodeError:
        raise UsageError("not a report: it is not UTF-8 text", where=str(file)) from None


def _check_format(header: Mapping[str, Any], file: Path) -> None:
    major = str(header.get("format", "")).split(".", maxsplit=1)[0]
    if major != FORMAT.split(".", maxsplit=1)[0]:
        raise UsageError(f"report format {header.get('format')!r} is not {FORMAT}", where=str(file))
