"""How somebody without Python steers a recording upstream: paths below ``/_recorder/``, which are never recorded.

| request | answer |
|---|---|
| ``GET /_recorder/faults`` | the faults that requests meet, and how many met each |
| ``POST /_recorder/faults`` | adds one: ``{"contains": "text", "status": 429, …}`` or ``{"preset": "503"}`` |
| ``DELETE /_recorder/faults`` | requests meet none any more |
| ``GET /_recorder/requests?since=N`` | the rows after the first N |
| ``GET /_recorder/settled?since=N&seconds=5`` | waits until each of them has its answer |

Each needs the key of the emulator in ``api-key``, because rows hold what clients sent.
"""

from __future__ import annotations

import asyncio
import hmac
import json
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

from conformance.emulator.fault_script import faults
from conformance.emulator.faults import NO_FAULT, UpstreamFault, fault_from_json
from conformance.emulator.server import ASGI, Receive, Scope, Send
from conformance.emulator.tape import Tape, told
from conformance.errors import UsageError

__all__ = ["PREFIX", "controlled"]

PREFIX = "/_recorder/"

#: The most seconds that ``settled`` waits, and the seconds that it waits by itself.
_LONGEST, _USUAL = 60.0, 5.0


def controlled(inner: ASGI, tape: Tape, key: str) -> ASGI:
    """The application with the paths above in front. ``key`` is what they ask for."""

    async def front(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await inner(scope, receive, send)
            return
        request = Request(scope, receive)
        if not hmac.compare_digest(request.headers.get("api-key", "").encode(), key.encode()):
            answer = _error(401, "the key of the emulator is asked for in the header api-key")
        else:
            try:
                answer = await _answer(request, tape)
            except UsageError as error:
                answer = _error(400, str(error))
        await answer(scope, receive, send)

    return front


async def _answer(request: Request, tape: Tape) -> JSONResponse:
    match (request.method, request.url.path.removeprefix(PREFIX)):
        case ("GET", "faults"):
            return _armed(tape)
        case ("POST", "faults"):
            tape.arm(*_fault(await _json(request)))
            return _armed(tape, status=201)
        case ("DELETE", "faults"):
            tape.expect(NO_FAULT)
            return _armed(tape)
        case ("GET", "requests"):
            since = int(_number(request, "since", 0))
            return JSONResponse({"requests": [told(row) for row in tape.since(since)]})
        case ("GET", "settled"):
            since = int(_number(request, "since", 0))
            seconds = min(_LONGEST, _number(request, "seconds", _USUAL))
            # In a thread: the server itself must go on answering.
            settled = await asyncio.to_thread(tape.settled, since, seconds)
            return JSONResponse({"settled": settled, "requests": tape.mark})
    return _error(404, f"{request.method} {request.url.path}: see {PREFIX}faults, {PREFIX}requests, {PREFIX}settled")


def _error(status: int, message: str) -> JSONResponse:
    return JSONResponse({"error": {"code": str(status), "message": message}}, status)


def _armed(tape: Tape, status: int = 200) -> JSONResponse:
    rows = [{"contains": one.contains, "name": one.fault.name, "met": one.met, "left": one.left} for one in tape.armed]
    return JSONResponse({"faults": rows}, status)


async def _json(request: Request) -> dict[str, Any]:
    try:
        value = await request.json()
        # Half of a surrogate pair, which JSON can spell as an escape, can be neither sent nor looked for.
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise UsageError("the body is no JSON that can be written in UTF-8") from None
    if not isinstance(value, dict):
        raise UsageError("a fault is a JSON object")
    return value


def _fault(value: dict[str, Any]) -> tuple[UpstreamFault, str]:
    """A fault, and the text that chooses the requests which meet it."""
    contains = value.pop("contains", "")
    if not isinstance(contains, str):
        raise UsageError("contains must be a text")
    if "preset" not in value:
        return fault_from_json(value), contains
    presets = {fault.name: fault for fault, _ in faults()}
    if set(value) != {"preset"} or value["preset"] not in presets:
        raise UsageError("preset stands alone or with contains", hint=f"presets: {'; '.join(presets)}")
    return presets[value["preset"]], contains


def _number(request: Request, name: str, usual: float) -> float:
    """A number of the query that is not negative."""
    text = request.query_params.get(name, "")
    try:
        number = float(text) if text else usual
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise UsageError(f"{name} must be a number of at least 0, not {text!r}")
    return number
