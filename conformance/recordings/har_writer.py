"""HAR 1.2 of the exchanges of a report, so that other tools can open them.

The form is that of the HTTP Archive specification, version 1.2. ``formats/har.py`` names the fields of our own.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from conformance import __version__
from conformance.evidence.exchange import Exchange, Response
from conformance.evidence.trace import Trace
from conformance.requests.headers import Headers
from conformance.requests.request import Request

__all__ = ["NAME", "write_har"]

#: The name of the file in the folder of an api-version.
NAME = "traffic.har"


def write_har(path: Path, traces: Iterable[Trace]) -> None:
    """Write all exchanges of some traces, entry by entry: a run may have very many. Raises :class:`OSError`."""
    head = {"version": "1.2", "creator": {"name": "aoai-conformance", "version": __version__}}
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        stream.write(json.dumps({"log": head})[:-2] + ', "entries": [')
        for number, entry in enumerate(_entries(traces)):
            stream.write((",\n" if number else "\n") + json.dumps(entry))
        stream.write("\n]}}\n")


def _entries(traces: Iterable[Trace]) -> Iterator[dict[str, Any]]:
    """Yield an entry for each exchange, earlier attempts before the last one."""
    for trace in traces:
        for seen in trace:
            for exchange in (*seen.exchange.attempts, seen.exchange):
                yield _entry(exchange, f"case {seen.case.id} of {trace.scenario}")


def _entry(exchange: Exchange, comment: str) -> dict[str, Any]:
    response = exchange.response
    wait = response.headers_at if response else 0.0
    receive = max(0.0, response.elapsed - wait) if response else 0.0
    fault = {"_error": f"{exchange.fault.kind}: {exchange.fault.message}"} if exchange.fault else {}
    return {
        "startedDateTime": datetime.fromtimestamp(exchange.started, UTC).isoformat(timespec="milliseconds"),
        "time": round((wait + receive) * 1000, 3),
        "request": _request(exchange.request),
        "response": _response(response, whole=exchange.fault is None and response is not None and response.complete),
        "cache": {},
        "timings": {"send": 0, "wait": round(wait * 1000, 3), "receive": round(receive * 1000, 3)},
        "comment": comment,
        **fault,
    }


def _request(request: Request) -> dict[str, Any]:
    made: dict[str, Any] = {
        "method": request.method,
        "url": request.url,
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _pairs(request.headers),
        "queryString": _pairs(parse_qsl(urlsplit(request.url).query, keep_blank_values=True)),
        "headersSize": -1,
        "bodySize": len(request.body),
    }
    if request.body:
        text, encoding = _text(request.body)
        coded = {"_encoding": encoding} if encoding else {}
        made["postData"] = {"mimeType": request.header("content-type") or "", "text": text, **coded}
    return made


def _response(response: Response | None, *, whole: bool) -> dict[str, Any]:
    """The answer; one that didn't come, or not as a whole, has the status 0, as browsers write it."""
    headers = response.headers if response else ()
    made: dict[str, Any] = {
        "status": response.status if response and whole else 0,
        "statusText": response.reason if response else "",
        "httpVersion": response.http_version if response else "",
        "cookies": [],
        "headers": _pairs(headers),
        "content": {"size": 0, "mimeType": (response.header("content-type") or "") if response else ""},
        "redirectURL": (response.header("location") or "") if response else "",
        "headersSize": -1,
        "bodySize": len(response.body) if response else -1,
    }
    if response is not None and response.body:
        content = made["content"]
        content["size"] = response.shortened.size if response.shortened else len(response.body)
        if response.shortened is None:
            content["text"], encoding = _text(response.body)
            content |= {"encoding": encoding} if encoding else {}
            if response.timed:
                content["_arrivals"] = [[round(chunk.at, 6), len(chunk.data)] for chunk in response.chunks]
    return made


def _pairs(headers: Headers | Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers]


def _text(data: bytes) -> tuple[str, str]:
    """Bytes as (text, encoding): UTF-8 as it is, with the encoding "", everything else in base64."""
    try:
        return data.decode("utf-8"), ""
    except UnicodeDecodeError:
        return base64.b64encode(data).decode("ascii"), "base64"
