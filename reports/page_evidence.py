"""Requests and answers for the page: JSON in compressed parts, of which the page opens one when somebody looks at it.

A part is a JSON list of exchanges, compressed as zlib data (RFC 1950) and written in base64. Browsers undo both on
their own. Exchanges that findings name come before the others. What doesn't fit is counted; ``report.jsonl`` has it.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from attrs import asdict, define, field

from conformance.evidence.timeline import timeline
from conformance.evidence.trace import Observation, Trace
from conformance.requests.case import RECORDED

from .evidence_json import exchange_to_json
from .failure import content_of, curl, request_ids
from .jsonl import Report

__all__ = ["Parts", "packed"]

#: Characters of all parts together but for the first, and of JSON in the first. With the index and the script the page
#: has less than 6 MB, whatever a target sends.
ROOM, FIRST = 4_300_000, 1_000_000

#: Characters that are kept free for each exchange that a finding names, while there is room.
RESERVED = 3_000

#: The characters of JSON in one part: the more, the better it is compressed, and the longer it takes to open.
PART = 200_000

#: Characters of a body, chunks and rows of a stream that the page has. ``report.jsonl`` has all.
LONGEST, MOST_CHUNKS, MOST_ROWS = 100_000, 2_000, 2_000

#: Scripts whose steps need what earlier steps created: a single curl line would not do the same.
_SCRIPTED = ("lists.", "lifecycle.")


def packed(value: Any) -> str:
    """A JSON value as zlib data in base64."""
    text = json.dumps(value, separators=(",", ":"))
    return base64.b64encode(zlib.compress(text.encode("ascii"), 6)).decode("ascii")


@define
class Parts:
    """Makes the parts of a report. After :meth:`made` was used up, ``places`` and ``examples`` say what is where.

    ``first`` names the exchanges (trace, case) that are in a part of their own, which the page opens at once; ``named``
    those that have a right to be on the page. ``taken`` are characters that findings take from the room. ``places`` has
    for each trace the number of the part of each of its exchanges, -1 where there was no room.
    """

    report: Report
    run_dir: str
    first: frozenset[tuple[str, str]]
    named: frozenset[tuple[str, str]]
    taken: int = 0
    places: dict[str, list[int]] = field(factory=dict)
    examples: int = -1
    _count: int = 0
    _used: int = 0

    def made(self) -> Iterator[str]:
        """Yield the parts in the order of their numbers."""
        waiting, first = len(self.named), FIRST
        examples: list[tuple[str, int, str]] = []
        for name, trace in self.report.traces.items():
            where = self.places[name] = [-1] * len(trace.observations)
            open_parts: dict[bool, list[tuple[int, str]]] = {True: [], False: []}
            sizes = {True: 0, False: 0}
            for position, seen in enumerate(trace):
                key = (name, seen.case.id)
                urgent = key in self.named
                waiting -= urgent
                if not urgent and self._used + waiting * RESERVED >= ROOM - self.taken:
                    continue
                item = json.dumps(self._exchange(trace, seen), separators=(",", ":"))
                if key in self.first and len(item) <= first:
                    first -= len(item)
                    examples.append((name, position, item))
                    continue
                one = open_parts[urgent]
                one.append((position, item))
                sizes[urgent] += len(item)
                if sizes[urgent] >= PART:
                    sizes[urgent] = 0
                    yield from self._closed(where, one)
            for one in open_parts.values():
                yield from self._closed(where, one)
        yield from self._first(examples)

    def _closed(self, where: list[int], items: list[tuple[int, str]]) -> Iterator[str]:
        """Yield a part of these exchanges of one trace, if there is room for it, and empty the list."""
        text = _compressed([item for _, item in items]) if items else ""
        if items and self._used + len(text) <= ROOM - self.taken:
            for position, _ in items:
                where[position] = self._count
            self._count += 1
            self._used += len(text)
            yield text
        items.clear()

    def _first(self, examples: list[tuple[str, int, str]]) -> Iterator[str]:
        """Yield the part of the examples."""
        if examples:
            self.examples = self._count
            for name, position, _ in examples:
                self.places[name][position] = self._count
            yield _compressed([item for *_, item in examples])

    def _exchange(self, trace: Trace, seen: Observation) -> dict[str, Any]:
        """One exchange for the page: ``case``, what ``reports/evidence_json.py`` writes, and what can be copied."""
        case = seen.case
        recorded = trace.scenario.startswith(RECORDED)
        scripted = recorded or trace.scenario.startswith(_SCRIPTED)
        made: dict[str, Any] = {
            "trace": trace.scenario,
            "id": case.id,
            "operation": case.operation,
            "path": urlsplit(seen.exchange.request.url).path,
            "family": case.family.value,
            "expect": case.expect.value,
            "reason": case.reason,
            "step": case.step or case.role,
            "breaks": asdict(case.breaks) if case.breaks else None,
            **_shorter(exchange_to_json(seen.exchange)),
            "curl": None if scripted else self._curl(trace, seen),
            "replay": None if recorded else ["aoai-conformance", "replay", case.id, "--run", self.run_dir],
            "support": request_ids(seen),
        }
        response = seen.exchange.response
        if response is not None and response.media_type == "text/event-stream":
            rows = timeline(seen.exchange)
            made["rows"] = [[row.kind, row.at, row.start, row.end, row.name, row.index] for row in rows[:MOST_ROWS]]
            made["all_rows"] = len(rows)
        return made

    def _curl(self, trace: Trace, seen: Observation) -> str | None:
        content = content_of(seen.case.id, trace.scenario, self.run_dir)
        return curl(seen, auth=self.report.header["target"]["auth"], content=content)


def _shorter(plain: dict[str, Any]) -> dict[str, Any]:
    """An exchange as JSON with its long bodies cut; a body that was cut has its whole length as ``of``."""
    for attempt in (plain, *plain["attempts"]):
        for side in filter(None, (attempt["request"], attempt["response"])):
            side["body"] = _cut(side["body"])
        if attempt["response"]:
            chunks = attempt["response"]["chunks"]
            attempt["response"]["all_chunks"] = len(chunks)
            attempt["response"]["chunks"] = chunks[:MOST_CHUNKS]
    return plain


def _cut(body: Mapping[str, str]) -> Mapping[str, str | int]:
    """A body that is no longer than :data:`LONGEST` characters."""
    ((form, text),) = body.items()
    # Four characters of base64 are three bytes.
    longest = LONGEST // 4 * 4
    return body if len(text) <= longest else {form: text[:longest], "of": len(text)}


def _compressed(items: list[str]) -> str:
    """A part of exchanges that are JSON texts already."""
    text = f"[{','.join(items)}]"
    return base64.b64encode(zlib.compress(text.encode("ascii"), 6)).decode("ascii")
