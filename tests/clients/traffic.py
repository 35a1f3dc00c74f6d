"""Records what a client sends and gets, in the form of JSON lines that ``judge`` reads."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path

import httpx

__all__ = ["Recording"]


class Recording(httpx.BaseTransport):
    """Passes requests on, and writes each exchange as a line of the documented form."""

    def __init__(self, file: Path) -> None:
        self._inner = httpx.HTTPTransport()
        self._file = file

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        started = time.time()
        sent = request.read()
        answer = self._inner.handle_request(request)
        whole = b"".join(answer.iter_raw())
        line = {
            "method": request.method,
            "url": str(request.url),
            "request_headers": list(request.headers.multi_items()),
            "request_base64": base64.b64encode(sent).decode(),
            "status": answer.status_code,
            "headers": list(answer.headers.multi_items()),
            "body_base64": base64.b64encode(whole).decode(),
            "started": started,
        }
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        return httpx.Response(answer.status_code, headers=answer.headers, content=whole, request=request)

    def close(self) -> None:
        self._inner.close()
