"""A root cause in a few lines: what is wrong, how much it explains, an example, how to send it again, what to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from conformance.evidence.timeline import escaped
from conformance.requests.case import RECORDED

from .failure import again, heading, short, witness
from .jsonl import Report
from .root_causes import RootCause

__all__ = ["example", "explains", "names", "told"]

#: Operations that are named, and characters of a line that is no command.
_NAMED, _WIDE = 3, 220

#: Characters of a command that fits: four or five lines of a terminal.
_LINE = 480


def told(report: Report, cause: RootCause, run_dir: str) -> Iterator[str]:
    """Yield at most six lines, without control characters."""
    header, root = report.header, cause.verdicts[0]
    best = witness(root, report.traces[root.evidence])
    yield escaped(heading(root, best[0] if best else None, header["checks"]))
    yield escaped(f"  {'rule' if best else 'reason':<9} {short(cause.title, _WIDE)}")
    yield escaped(f"  explains  {explains(cause)}")
    if best is not None:
        yield escaped(f"  found     {example(best[0])}")
        if best[1] is not None:
            command = again(root, best[1], run_dir, header["target"]["auth"], longest=_LINE)
            where = "recorded" if root.scenario.startswith(RECORDED) else "again"
            yield escaped(f"  {where:<9} {best[1].case.step if where == 'recorded' else command}")
    yield escaped(f"  to do     {short(cause.remedy, _WIDE)}")


def explains(cause: RootCause) -> str:
    """``12 verdicts of 3 rules in 2 operations (files.list, files.retrieve), 40 requests``."""
    parts = [f"{_many(len(cause.verdicts), 'verdict')} of {_many(len(cause.checks), 'rule')}"]
    if cause.operations:
        parts.append(f" in {_many(len(cause.operations), 'operation')} ({names(cause.operations)})")
    if cause.requests:
        parts.append(f", {_many(cause.requests, 'request')}")
    return "".join(parts)


def names(all_of_them: Iterable[str]) -> str:
    """The first names, and the number of the others."""
    every = [*all_of_them]
    more = f" and {len(every) - _NAMED} more" if len(every) > _NAMED else ""
    return ", ".join(every[:_NAMED]) + more


def example(finding: object) -> str:
    """What was found, where, and what was expected in its place."""
    parts = [str(getattr(finding, "message", ""))]
    place = getattr(finding, "place", "")
    parts[0] += f" at {place}" if place else ""
    parts += [f"{name}: {short(text, 60)}" for name in ("expected", "actual") if (text := getattr(finding, name, ""))]
    return short("; ".join(parts), _WIDE)


def _many(count: int, noun: str) -> str:
    """A count with its noun."""
    return f"{count} {noun}" + "s" * (count != 1)
