"""The emulator as a program of its own that tells, on a second port, all that it holds.

The second port is no part of the emulator: nothing that a client of the first one sends can reach it or is changed by
it. ``GET /`` answers with a JSON object: ``requests`` counts the requests so far, and ``objects`` maps ``kind/parent``
to an object of ids and digests of the stored values.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from conformance.emulator.app import App
from conformance.emulator.behaviour import Settings
from conformance.emulator.server import asgi, serve


def held(app: App) -> dict[str, Any]:
    """All that the application holds."""
    objects = {
        "/".join(filter(None, key)): {id: _digest(node.value) for id, node in list(collection._nodes.items())}
        for key, collection in app.store.everything().items()
    }
    return {"requests": app._served, "objects": {kind: found for kind, found in objects.items() if found}}


def _digest(value: Any) -> str:
    return hashlib.sha256(repr(value).encode("utf-8", "surrogatepass")).hexdigest()


def main() -> None:
    """Serve until a signal ends the process. Prints both addresses in one line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("key")
    parser.add_argument("versions", nargs="+")
    given = parser.parse_args()
    app = App.of(*given.versions, settings=Settings(key=given.key))

    class Teller(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(held(app)).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            """Print nothing."""

    teller = ThreadingHTTPServer(("127.0.0.1", 0), Teller)
    threading.Thread(target=teller.serve_forever, daemon=True).start()

    def ready(port: int) -> None:
        sys.stdout.write(f"ready http://127.0.0.1:{port} http://127.0.0.1:{teller.server_port}\n")
        sys.stdout.flush()

    serve(asgi(app), ready=ready)


if __name__ == "__main__":
    main()
