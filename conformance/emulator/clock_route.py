"""How the run that started an emulator lets its clock step to another second: ``POST /_emulator/clock``.

``created_at`` counts whole seconds, so a walk over a list must see two of them. Only the emulator inside a run has this
path; whoever serves an emulator for others has none, and no other target has one.
"""

from __future__ import annotations

import hmac
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # a run asks for the path alone, and the server is large
    from conformance.emulator.server import ASGI, Receive, Scope, Send
    from conformance.emulator.store import Clock

__all__ = ["PATH", "stepping"]

PATH = "/_emulator/clock"


def stepping(inner: ASGI, clock: Clock, key: str) -> ASGI:
    """The application with the path in front. ``key`` is what it asks for in the header ``api-key``."""

    async def front(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != PATH or scope["method"] != "POST":
            await inner(scope, receive, send)
            return
        given = next((value for name, value in scope["headers"] if name == b"api-key"), b"")
        allowed = hmac.compare_digest(given, key.encode())
        if allowed:
            clock.to_next_second()
        body = json.dumps({"now": clock.now()} if allowed else {"error": "the key of the emulator is asked for"})
        head = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200 if allowed else 401, "headers": head})
        await send({"type": "http.response.body", "body": body.encode()})

    return front
