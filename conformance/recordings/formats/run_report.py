"""Our own ``report.jsonl``: the exchanges of a run, without its verdicts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from conformance._parts import late
from conformance.errors import UsageError
from conformance.recordings.form import Node, must_rise
from conformance.recordings.recorded import Recorded

if TYPE_CHECKING:
    from reports import compact, evidence_json
else:
    compact = late("reports.compact")
    evidence_json = late("reports.evidence_json")

TITLE = "report.jsonl of a run"


def recognises(document: Any) -> bool:
    """Return True for lines of which the first is the header of a report."""
    first = document[0] if isinstance(document, list) and document else None
    return isinstance(first, dict) and first.get("type") == "header" and "format" in first


def read(document: Node) -> Iterator[Recorded]:
    """Yield the exchanges in their order. The status is 0 where no answer came, a body that was shortened is None."""
    table = compact.Table()
    for line in document.items("line"):
        kind = line.get("type").value
        try:
            if kind == "shared":
                table.add(line.mapping())
            if kind != "exchange":
                continue
            seen = evidence_json.exchange_from_json(table.whole(line.mapping())["exchange"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UsageError(f"not a line of a report: {error!r}", where=line.where) from None
        must_rise([chunk.at for chunk in seen.response.chunks] if seen.response else (), line.where)
        whole = seen.fault is None and seen.response is not None and seen.response.complete
        response = seen.response if whole else None
        yield Recorded(
            place=line.where,
            method=seen.request.method,
            url=Node(seen.request.url, line.where).url(),
            request_headers=seen.request.headers,
            request_body=seen.request.body,
            status=response.status if response else 0,
            reason=response.reason if response else "",
            headers=response.headers if response else (),
            body=response.body if response and response.shortened is None else None,
            arrivals=response.chunks if response and response.timed else (),
            elapsed=Node(response.elapsed, line.where).number() if response else 0.0,
            started=Node(seen.started, line.where).number(),
        )
