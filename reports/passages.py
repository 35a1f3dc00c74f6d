"""The report on a gateway: ``passages.jsonl`` with all evidence, and a page, a summary and console lines made of it.

The lines are ``header``, a ``passage`` for each request through the gateway, a ``stray`` for each request that reached
the upstream outside of them, and ``footer``. Each line has a digest of itself and all lines before it (``chain.py``).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from attrs import asdict, field, frozen

from conformance import __version__
from conformance.errors import UsageError
from conformance.evidence.exchange import Exchange
from conformance.evidence.upstream import UpstreamCall
from conformance.passage.judge import Judged
from conformance.passage.passage import Passage, Record
from conformance.requests.case import Case
from conformance.settings.gateway import Gateway

from . import manifest, passage_page
from .chain import BrokenChain, Chain
from .evidence_json import exchange_from_json, exchange_to_json

__all__ = ["NAME", "Extras", "PassageReport", "as_json", "console", "header", "read", "rows_of", "write"]

NAME = "passages.jsonl"

#: The version of the format, ``<major>.<minor>``. A reader refuses another major version.
FORMAT = "2.0"

#: Rows on the console. The page has all of them.
MOST = 25


@frozen
class Extras:
    """What stands beside the rows: the table of faults, and notes."""

    faults: tuple[Mapping[str, Any], ...] = ()
    notes: tuple[str, ...] = ()


@frozen
class PassageReport:
    """A report that was read. ``footer`` is None if it was cut off."""

    header: Mapping[str, Any]
    record: Record = field(repr=False)
    extras: Extras = Extras()
    footer: Mapping[str, Any] | None = None


def header(about: Mapping[str, Any], declared: Gateway) -> dict[str, Any]:
    """What the report is about: ``api_version``, ``gateway`` and ``upstream`` (URLs; "" is the recording emulator),
    ``profile``, ``seed``; with the declarations that are in force.
    """
    return {
        **about,
        "declared": [{"does": does, **asdict(one)} for does, one in declared],
        "format": FORMAT,
        "suite": __version__,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def write(
    folder: Path,
    head: Mapping[str, Any],
    record: Record,
    result: Judged,
    extras: Extras,
) -> None:
    """Write the folder. Raises :class:`UsageError` if it can't be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        chain = Chain()
        with (folder / NAME).open("wb") as stream:
            stream.write(chain.line({"type": "header", **head}))
            for passage in record.passages:
                stream.write(chain.line({"type": "passage", **_plain(passage)}))
            for call in record.strays:
                stream.write(chain.line({"type": "stray", **_plain_call(call)}))
            stream.write(chain.line({"type": "footer", **_footer(result, extras)}))
        page = passage_page.render(head, record.passages, result, extras.faults, extras.notes)
        (folder / "index.html").write_text(page, "utf-8", "backslashreplace")
        lines = passage_page.markdown(head, result, extras.faults, extras.notes)
        (folder / "summary.md").write_text("\n".join(lines) + "\n", "utf-8", "backslashreplace")
        manifest.write(folder)
    except OSError as error:
        raise UsageError(f"can't be written: {error.strerror or error}", where=str(folder)) from None


def rows_of(result: Judged) -> list[dict[str, Any]]:
    """The rows as JSON, without their examples' texts: what ``verify`` and ``compare`` look at."""
    return [
        {
            "rule": row.rule,
            "level": row.level.value,
            "side": row.side.value,
            "kind": row.kind.value,
            "field": row.field,
            "requests": row.requests,
            "nature": row.judgement.nature.value,
            "why": row.judgement.why,
            "source": row.judgement.source,
            "declared": row.declared,
        }
        for row in result.rows
    ]


def _footer(result: Judged, extras: Extras) -> dict[str, Any]:
    return {
        "conclusion": result.conclusion.value,
        "exit_code": result.exit_code,
        "rows": rows_of(result),
        "judged": dict(result.judged),
        "unseen": list(result.unseen),
        "faults": [dict(row) for row in extras.faults],
        "notes": list(extras.notes),
    }


def read(folder: Path) -> PassageReport:
    """Read a report. Raises :class:`UsageError`, with the line, if it was changed or is no such report."""
    file = folder / NAME
    try:
        lines = file.read_bytes().splitlines(keepends=True)
    except OSError as error:
        raise UsageError(f"can't be read: {error.strerror}", where=str(file)) from None
    chain, values = Chain(), []
    for number, line in enumerate(lines, 1):
        try:
            values.append(chain.read(line))
        except (BrokenChain, ValueError) as error:
            raise UsageError(f"line {number}: {error}", where=str(file)) from None
    if not values or values[0].get("type") != "header":
        raise UsageError("has no header", where=str(file))
    if str(values[0].get("format", "")).partition(".")[0] != FORMAT.partition(".")[0]:
        raise UsageError(f"has format {values[0].get('format')!r}, this suite reads {FORMAT}", where=str(file))
    footer = values[-1] if values[-1]["type"] == "footer" else None
    told = footer or {"faults": (), "notes": ()}
    record = Record(
        tuple(_passage(one) for one in values if one["type"] == "passage"),
        tuple(_call(one) for one in values if one["type"] == "stray"),
    )
    return PassageReport(values[0], record, Extras(tuple(told["faults"]), tuple(told["notes"])), footer)


def _plain(passage: Passage) -> dict[str, Any]:
    """A passage as JSON."""
    return {
        "case": passage.case.to_json(),
        "through": exchange_to_json(passage.through),
        "direct": passage.direct and exchange_to_json(passage.direct),
        "calls": [_plain_call(call) for call in passage.calls],
        "began": passage.began,
        "over": passage.over,
        "fault": passage.fault,
        "secret": passage.secret,
        "upstream": passage.upstream,
        "unclear": passage.unclear,
        "one_sided": passage.one_sided,
        "probe": passage.probe,
        "volley": passage.volley,
        "gathered": passage.gathered,
    }


def _plain_call(call: UpstreamCall) -> dict[str, Any]:
    # Request and answer are stored in the form of an exchange.
    return {
        "number": call.number,
        "connection": call.connection,
        "at": call.at,
        "exchange": exchange_to_json(Exchange(call.request, call.answer)),
        "head": base64.b64encode(call.head).decode("ascii"),
        "credentials": dict(call.credentials),
        "ended": call.ended,
        "gone": call.gone,
        "injected": call.injected,
    }


def _passage(plain: Mapping[str, Any]) -> Passage:
    """The inverse of :func:`_plain`."""
    return Passage(
        case=Case.from_json(plain["case"]),
        through=exchange_from_json(plain["through"]),
        began=plain["began"],
        over=plain["over"],
        calls=tuple(_call(one) for one in plain["calls"]),
        direct=exchange_from_json(plain["direct"]) if plain["direct"] else None,
        fault=plain["fault"],
        secret=plain["secret"],
        upstream=plain["upstream"],
        unclear=plain["unclear"],
        one_sided=plain["one_sided"],
        probe=plain["probe"],
        volley=plain["volley"],
        gathered=plain["gathered"],
    )


def _call(plain: Mapping[str, Any]) -> UpstreamCall:
    seen = exchange_from_json(plain["exchange"])
    return UpstreamCall(
        number=plain["number"],
        connection=plain["connection"],
        at=plain["at"],
        request=seen.request,
        head=base64.b64decode(plain["head"]),
        credentials=plain["credentials"],
        answer=seen.response,
        ended=plain["ended"],
        gone=plain["gone"],
        injected=plain["injected"],
    )


def console(head: Mapping[str, Any], result: Judged, extras: Extras) -> Iterator[str]:
    """The report in lines: the conclusion, the rows, the table of faults."""
    yield f"{head['api_version']} through {head['gateway']}: {result.text}"
    for row in result.rows[:MOST]:
        declared = f"  (declared: {row.declared})" if row.declared else ""
        shown = passage_page.before_after(row.example)
        what = f"{row.level:6} {row.judgement.nature:6} {row.side:7} {row.kind:9} {row.field}"
        yield f"  {what}  {row.requests} x  {shown}{declared}"
    if len(result.rows) > MOST:
        yield f"  and {len(result.rows) - MOST} more rows; index.html and summary.md have all"
    for line in result.unseen:
        yield f"  WARN   {line}"
    if extras.faults:
        yield "fault of the upstream -> what the client saw, requests at the upstream"
        for fault in extras.faults:
            yield f"  {fault['fault']:42} {fault['saw']:34} {fault['calls']} x  {fault['seconds']:.1f} s"
    for note in extras.notes:
        yield f"  {note}"


def as_json(result: Judged) -> str:
    """The rows as a JSON array."""
    return json.dumps(rows_of(result), indent=1, ensure_ascii=False)
