"""Traces that stay in their file: each is read when it is asked for, and only the last few are kept in memory."""

from __future__ import annotations

import json
from array import array
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from attrs import define, field

from conformance.evidence.outline import Outline, outline_of
from conformance.evidence.trace import Trace

from .chain import unchained
from .compact import Table
from .evidence_json import observation_from_json

__all__ = ["Index", "StoredTraces", "outlines_of"]

#: The traces that are kept in memory after they were read: several readers in a row want the same one.
_KEPT = 2


@define
class Index:
    """Where the evidence of one scenario stands in the file: the offset of each exchange's line."""

    outline: Outline
    lines: array[int] = field(factory=lambda: array("Q"), repr=False)


class StoredTraces(Mapping[str, Trace]):
    """The traces of a report file, by scenario. ``file`` must not change while they are in use, and ``table`` has the
    values that its lines share.
    """

    def __init__(self, file: Path, index: Mapping[str, Index], table: Table) -> None:
        self._file, self._index, self._table = file, index, table
        self._kept: OrderedDict[str, Trace] = OrderedDict()

    def __len__(self) -> int:
        return len(self._index)

    def __iter__(self) -> Iterator[str]:
        return iter(self._index)

    def __contains__(self, scenario: object) -> bool:
        return scenario in self._index

    def __getitem__(self, scenario: str) -> Trace:
        found = self._kept.get(scenario)
        if found is None:
            outline = self._index[scenario].outline
            # Their digests were compared when the file was read.
            seen = tuple(observation_from_json(self._table.whole(line)) for line in self._lines(scenario))
            found = self._kept[scenario] = Trace(scenario, seen, outline.ended, outline.outcome)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(scenario)
        return found

    def outline(self, scenario: str) -> Outline:
        """The outline of one trace."""
        return self._index[scenario].outline

    @property
    def outlines(self) -> Mapping[str, Outline]:
        """The outline of every trace."""
        return {scenario: index.outline for scenario, index in self._index.items()}

    def lines(self, scenario: str) -> Iterator[dict[str, Any]]:
        """Yield the lines of the exchanges of one scenario as another file can have them: with the
        values that they share in their places.
        """
        return (self._table.put_back(line) for line in self._lines(scenario))

    def _lines(self, scenario: str) -> Iterator[dict[str, Any]]:
        """Yield the lines of the exchanges of one scenario as they stand in the file, in order."""
        with self._file.open("rb") as stream:
            for offset in self._index[scenario].lines:
                stream.seek(offset)
                yield json.loads(unchained(stream.readline()).decode("utf-8", "surrogatepass"))


def outlines_of(traces: Mapping[str, Trace]) -> Mapping[str, Outline]:
    """The outlines of traces, without a look at those in a file."""
    if isinstance(traces, StoredTraces):
        return traces.outlines
    return {scenario: outline_of(trace) for scenario, trace in traces.items()}
