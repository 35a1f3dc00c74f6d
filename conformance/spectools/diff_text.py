"""Changes as plain text, as Markdown and as JSON values, grouped by the operations that they concern."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

import attrs

from conformance.spectools.changes import Change, Class

__all__ = ["as_json", "markdown", "text"]

_MARK = {Class.CALLERS: "!", Class.SERVERS: "~", Class.ADDITIVE: "+", Class.DOCUMENTATION: "."}
#: The longest value that is printed, in characters.
_LONGEST = 110


def as_json(changes: Sequence[Change]) -> list[dict[str, Any]]:
    """One JSON object per change: class, operations, sides, pointer, what, old, new, old_pointer."""
    return [
        {"class": change.kind.value, **{k: v for k, v in attrs.asdict(change).items() if k != "kind"}}
        for change in changes
    ]


def _groups(changes: Sequence[Change]) -> dict[tuple[str, ...], list[Change]]:
    """The changes by the operations that they concern, in the order of the document."""
    groups: dict[tuple[str, ...], list[Change]] = {}
    for change in changes:
        alone = change.what in ("operation added", "operation removed")
        groups.setdefault((change.what,) if alone else change.operations, []).append(change)
    return groups


def _heading(operations: tuple[str, ...]) -> str:
    """The heading of a group: its operations, the first three by name."""
    if operations in (("operation added",), ("operation removed",)):
        return f"operations {operations[0].removeprefix('operation ')}"
    if operations == ("*",):
        return "all operations"
    if len(operations) <= 3:
        return ", ".join(operations)
    return f"{', '.join(operations[:3])} and {len(operations) - 3} more"


def _counts(changes: Sequence[Change]) -> str:
    """The number of changes of each class, as text."""
    counts = Counter(change.kind for change in changes)
    return ", ".join(f"{counts[kind]} {kind.value}" for kind in Class if counts[kind]) or "nothing changed"


def _value(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, str):
        return value
    line = json.dumps(value, ensure_ascii=False)
    return line if len(line) <= _LONGEST else line[:_LONGEST] + " …"


def _summary(change: Change) -> str:
    """What a change says about old and new value."""
    if change.what.endswith("added"):
        return _value(change.new)
    if change.what.endswith("removed"):
        return _value(change.old)
    return " → ".join("none" if value is None else _value(value) for value in (change.old, change.new))


def text(changes: Sequence[Change], old: str, new: str) -> str:
    """Plain text with one line per change: ``!`` breaks callers, ``~`` breaks servers, ``+`` adds, ``.`` documents
    only.
    """
    lines = [f"{old} → {new}: {_counts(changes)}"]
    for operations, group in _groups(changes).items():
        lines += ["", _heading(operations)]
        for change in group:
            if change.what.startswith("operation "):
                lines.append(f"  {_MARK[change.kind]} {change.operations[0]}  {_summary(change)}")
                continue
            sides = " and ".join(change.sides)
            lines.append(f"  {_MARK[change.kind]} {change.pointer}  {change.what} ({sides}): {_summary(change)}")
            if change.old_pointer:
                lines.append(f"      was {change.old_pointer}")
    return "\n".join(lines) + "\n"


def markdown(changes: Sequence[Change], old: str, new: str) -> str:
    """Markdown with one table per group."""
    lines = [f"# {old} → {new}", "", _counts(changes)]
    for operations, group in _groups(changes).items():
        lines += ["", f"## {_heading(operations)}", "", "| class | where | what | old | new |", "|---|---|---|---|---|"]
        for change in group:
            cells = (
                change.kind.value,
                f"`{change.pointer}`",
                change.what,
                "" if change.old is None else _value(change.old),
                "" if change.new is None else _value(change.new),
            )
            lines.append("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |")
    return "\n".join(lines) + "\n"
