"""Exchanges, verdicts and findings as JSON objects, and back. Nothing is lost: ``verify`` judges from them."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from functools import lru_cache
from sys import intern
from typing import Any

from attrs import asdict

from conformance.evidence.exchange import Chunk, Exchange, Fault, FaultKind, Response, Shortened
from conformance.evidence.trace import Observation
from conformance.requests.case import Case
from conformance.requests.request import Request
from conformance.verdict import Finding, Level, Outcome, Unjudged, Verdict, Waived

from .compact import unpacked

__all__ = [
    "exchange_from_json",
    "exchange_to_json",
    "observation_from_json",
    "observation_to_json",
    "verdict_from_json",
    "verdict_to_json",
]


#: Control characters, which JSON writes as six characters each.
_CONTROLS = bytes(range(32))


#: Shorter bodies are text however many control characters they hold.
_ANY = 1_024


def _bytes(data: bytes) -> dict[str, str]:
    """Bytes as JSON: text if they are UTF-8 and not full of control characters, else base64."""
    if len(data) > _ANY and (len(data) - len(data.translate(None, _CONTROLS))) * 4 > len(data):
        return {"base64": base64.b64encode(data).decode("ascii")}
    try:
        return {"text": data.decode("utf-8")}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode("ascii")}


def _unbytes(plain: Mapping[str, str]) -> bytes:
    """The inverse of :func:`_bytes`; it reads packed bytes too (``compact.py``)."""
    if "zlib" in plain:
        return unpacked(plain["zlib"])
    return base64.b64decode(plain["base64"]) if "base64" in plain else plain["text"].encode("utf-8")


def exchange_to_json(exchange: Exchange) -> dict[str, Any]:
    """An exchange as JSON: ``request``, ``response`` (body once, chunks as [seconds, length]), ``fault``,
    ``attempts``.

    If only the beginning and the end of a body are kept, ``shortened`` says so, with its length and digest.
    """
    request, response, fault = exchange.request, exchange.response, exchange.fault
    return {
        "started": exchange.started,
        "request": {
            "method": request.method,
            "url": request.url,
            "headers": [list(pair) for pair in request.headers],
            "body": _bytes(request.body),
        },
        "response": response
        and {
            "status": response.status,
            "reason": response.reason,
            "http_version": response.http_version,
            "headers": [list(pair) for pair in response.headers],
            "body": _bytes(response.body),
            # Only lengths: the body is stored once, and the chunks are cut from it again.
            "chunks": [[round(chunk.at, 6), len(chunk.data)] for chunk in response.chunks],
            "complete": response.complete,
            "elapsed": round(response.elapsed, 6),
            "headers_at": round(response.headers_at, 6),
            **({"shortened": asdict(response.shortened)} if response.shortened else {}),
            **({} if response.timed else {"timed": False}),
            **({"surplus": response.surplus} if response.surplus else {}),
        },
        "fault": fault and {"kind": fault.kind.value, "message": fault.message, "at": round(fault.at, 6)},
        "attempts": [exchange_to_json(attempt) for attempt in exchange.attempts],
        "control_ok": exchange.control_ok,
        "outside": exchange.outside,
    }


def exchange_from_json(plain: Mapping[str, Any]) -> Exchange:
    """The inverse of :func:`exchange_to_json`. Times are exact to the microsecond."""
    request, response, fault = plain["request"], plain["response"], plain["fault"]
    return Exchange(
        request=Request(
            method=request["method"],
            url=request["url"],
            headers=tuple((name, value) for name, value in request["headers"]),
            body=_unbytes(request["body"]),
        ),
        response=_response(response) if response else None,
        fault=Fault(FaultKind(fault["kind"]), fault["message"], fault["at"]) if fault else None,
        attempts=tuple(exchange_from_json(attempt) for attempt in plain["attempts"]),
        started=plain["started"],
        control_ok=plain["control_ok"],
        outside=plain["outside"],
    )


def _response(plain: Mapping[str, Any]) -> Response:
    """A response from its JSON object; the body is split into its chunks again."""
    body, chunks, start = _unbytes(plain["body"]), [], 0
    for at, length in plain["chunks"]:
        chunks.append(Chunk(at, body[start : start + length]))
        start += length
    return Response(
        status=plain["status"],
        headers=tuple((name, value) for name, value in plain["headers"]),
        chunks=tuple(chunks),
        complete=plain["complete"],
        elapsed=plain["elapsed"],
        headers_at=plain["headers_at"],
        reason=plain["reason"],
        http_version=plain["http_version"],
        shortened=Shortened(**plain["shortened"]) if plain.get("shortened") else None,
        timed=plain.get("timed", True),
        surplus=plain.get("surplus", 0),
    )


def observation_to_json(seen: Observation) -> dict[str, Any]:
    """``{"case": …, "exchange": …}``."""
    return {"case": seen.case.to_json(), "exchange": exchange_to_json(seen.exchange)}


def observation_from_json(plain: Mapping[str, Any]) -> Observation:
    """The inverse of :func:`observation_to_json`."""
    return Observation(Case.from_json(plain["case"]), exchange_from_json(plain["exchange"]))


def verdict_to_json(verdict: Verdict) -> dict[str, Any]:
    """A verdict as JSON: all its fields, findings without their empty ones."""
    findings = [
        {key: value for key, value in asdict(finding).items() if value not in ("", None, False) or key == "case_id"}
        for finding in verdict.findings
    ]
    plain = asdict(verdict, recurse=False)
    unjudged = [asdict(part) for part in verdict.unjudged]
    return {
        **plain,
        "findings": findings,
        "errata": list(verdict.errata),
        "cases": list(verdict.cases),
        "unjudged": unjudged,
        "waived": asdict(verdict.waived) if verdict.waived is not None else None,
        "repeats": dict(verdict.repeats),
    }


@lru_cache(64)
def _shared(cases: tuple[str, ...]) -> tuple[str, ...]:
    """The same tuple for equal ones: dozens of checks judge the same cases of a scenario."""
    return cases


def verdict_from_json(plain: Mapping[str, Any]) -> Verdict:
    """The inverse of :func:`verdict_to_json`."""
    findings = tuple(
        Finding(
            **{
                **item,
                "outcome": Outcome(item["outcome"]) if item.get("outcome") else None,
                "level": Level(item["level"]) if item.get("level") else None,
            }
        )
        for item in plain["findings"]
    )
    waived = plain["waived"]
    return Verdict(
        **{
            **plain,
            "waived": Waived(**{**waived, "outcome": Outcome(waived["outcome"])}) if waived else None,
            "outcome": Outcome(plain["outcome"]),
            "findings": findings,
            "errata": tuple(plain["errata"]),
            "cases": _shared(tuple(map(intern, plain["cases"]))),
            "unjudged": tuple(Unjudged(**{**part, "outcome": Outcome(part["outcome"])}) for part in plain["unjudged"]),
        }
    )
