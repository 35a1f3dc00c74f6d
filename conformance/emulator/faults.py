"""Faults of an upstream, asked for one request at a time: what happens in place of the correct answer, or to it.

A fault names itself, so that reports can say what the upstream did. All times are seconds.
"""

from __future__ import annotations

import json
from typing import Any

from attrs import field, frozen

from conformance.errors import UsageError
from conformance.requests.headers import Headers
from conformance.schema.given import misfits

__all__ = ["NO_FAULT", "UpstreamFault", "answered_with", "fault_from_json"]


@frozen
class UpstreamFault:
    """What the upstream does wrong, or slowly, with one request.

    ``status``: this answer is given at once, with ``headers`` and ``body``. ``reset``: the connection is closed
    before the header section. ``cut``: it is closed after this many events of a stream, or after half of another body.
    ``stall``: seconds of silence after the first event, or before any other answer. ``interval``: seconds between two
    events, for the first ``pauses`` of them (None: all). ``malformed``: the last third of a body is missing although
    it ends properly. ``times``: only this many requests in a row meet the fault; None for all. ``gather``: no answer
    begins before so many requests have met the fault, or ``patience`` seconds after the first of them.
    """

    name: str
    status: int | None = None
    headers: Headers = ()
    body: bytes = field(default=b"", repr=False)
    reset: bool = False
    cut: int | None = None
    stall: float = 0.0
    interval: float = 0.0
    pauses: int | None = None
    malformed: bool = False
    times: int | None = None
    gather: int = 0
    patience: float = 5.0

    @property
    def breaks(self) -> bool:
        """True unless only the pace of the answer changes."""
        return self.status is not None or self.reset or self.cut is not None or self.malformed


_SECONDS = {"type": "number", "minimum": 0, "maximum": 600}
_COUNT = {"type": "integer", "minimum": 0}

#: The header fields that say how long a body is (RFC 9112 section 6).
_FRAMING = frozenset({"content-length", "transfer-encoding"})

#: A fault as JSON.
_SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string"},
        "status": {"type": "integer", "minimum": 200, "maximum": 599},
        "headers": {
            "type": "object",
            # What can stand in a header section (RFC 9110 sections 5.1 and 5.5).
            "propertyNames": {"pattern": "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"},
            "additionalProperties": {"type": "string", "pattern": "^[\\x20-\\x7e\\t]*$"},
        },
        "body": True,
        "reset": {"type": "boolean"},
        "cut": _COUNT,
        "stall": _SECONDS,
        "interval": _SECONDS,
        "pauses": _COUNT,
        "malformed": {"type": "boolean"},
        "times": {"type": "integer", "minimum": 1},
        "gather": _COUNT,
        "patience": _SECONDS,
    },
}


def fault_from_json(value: Any) -> UpstreamFault:
    """A fault as JSON: the fields of :class:`UpstreamFault`, ``headers`` as an object, ``body`` as a JSON value or a
    text. Raises :class:`UsageError` that says what is wrong.
    """
    wrong = misfits(_SCHEMA, value)
    if wrong:
        raise UsageError(f"no fault: {'; '.join(wrong)}", hint=f"keys: {', '.join(_SCHEMA['properties'])}")
    # JSON Schema takes 503.0 for an integer, HTTP doesn't.
    made: dict[str, Any] = {
        key: int(held) if isinstance(held, float) and held.is_integer() else held
        for key, held in value.items()
        if key not in ("headers", "body")
    }
    headers = tuple((name.lower(), text) for name, text in value.get("headers", {}).items())
    if framing := sorted(_FRAMING & {name for name, _ in headers}):
        raise UsageError(f"no fault: {framing[0]} follows from the body", hint="leave the header out")
    body = value.get("body", "")
    if not isinstance(body, str):
        body = json.dumps(body, separators=(",", ":"))
        headers = headers if "content-type" in dict(headers) else (("content-type", "application/json"), *headers)
    name = made.pop("name", "") or " ".join(f"{key} {held}" for key, held in made.items()) or "nothing"
    return UpstreamFault(name, headers=headers, body=body.encode(), **made)


#: Nothing is wrong.
NO_FAULT = UpstreamFault("")


def answered_with(
    name: str, status: int, code: str, message: str, *, headers: Headers = (), times: int | None = None
) -> UpstreamFault:
    """An error answer in the form of the service: ``{"error": {"code": …, "message": …}}``."""
    body = json.dumps({"error": {"code": code, "message": message}}, separators=(",", ":")).encode()
    return UpstreamFault(
        name, status=status, headers=(("content-type", "application/json"), *headers), body=body, times=times
    )
