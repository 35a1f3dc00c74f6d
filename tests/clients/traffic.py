"""Records what a client sends and gets, in the form of JSON lines that ``judge`` reads."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx

__all__ = ["Recording"]


class Recording(httpx.BaseTransport):
    """Passes requests and answers on as they come, and writes each exchange as a line of the documented form."""

    def __init__(self, file: Path) -> None:
        self._inner = httpx.HTTPTransport()
        self._file = file

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        started = time.time()
        sent = request.read()
        answer = self._inner.handle_request(request)

        def note(body: bytes) -> None:
            line = {
                "method": request.method,
                "url": str(request.url),
                "request_headers": list(request.headers.multi_items()),
                "request_base64": base64.b64encode(sent).decode(),
                "status": answer.status_code,
                "headers": list(answer.headers.multi_items()),
                "body_base64": base64.b64encode(body).decode(),
                "started": started,
            }
            with self._file.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")

        return httpx.Response(answer.status_code, headers=answer.headers, stream=_Body(answer, note), request=request)

    def close(self) -> None:
        self._inner.close()


class _Body(httpx.SyncByteStream):
    """The body of an answer. ``note`` gets all of it, also where the client stops reading before the end."""

    def __init__(self, answer: httpx.Response, note: Callable[[bytes], None]) -> None:
        self._answer, self._note = answer, note
        self._pieces = answer.iter_raw()
        self._read: list[bytes] = []

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self._read.append(piece)
            yield piece

    def close(self) -> None:
        for _ in self:
            pass
        self._note(b"".join(self._read))
