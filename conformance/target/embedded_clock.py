"""The clock of the emulator inside a run, which can step: no script has to wait for another second of ``created_at``.

No other target is ever asked. What is sent here is no request of the run: it is neither judged, nor counted, nor kept.
"""

from __future__ import annotations

import http.client
from urllib.parse import urlsplit

from conformance.emulator.clock_route import PATH

__all__ = ["stepped"]

#: Seconds that the answer may take: its process is on this machine.
_PATIENCE = 5.0


def stepped(url: str, key: str) -> bool:
    """Let the clock of the embedded emulator at ``url`` step to the next second. False if it did not."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_PATIENCE)
    try:
        connection.request("POST", PATH, headers={"api-key": key})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
