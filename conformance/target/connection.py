"""One HTTP/1.1 connection, kept between requests.

h11 parses what comes: it is strict, and httpcore uses it as well. httpcore's own connections and pools are not used,
because they took half of what sending costs: see ``benchmarks/README.md``.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress

import h11
import httpcore

from conformance.settings.configuration import Timeouts

__all__ = ["Connection", "Fields", "Final"]

#: Name and value of header fields, as they are sent.
Fields = Sequence[tuple[bytes, bytes]]

#: The head of a final answer.
Final = h11.Response | h11.InformationalResponse

#: Bytes that are read at once.
_READ = 65_536

#: The most bytes of a header section, or of the line of a chunk, that h11 waits for.
_INCOMPLETE = 102_400

#: Seconds that an idle connection is kept. Common servers close theirs after 5 s; a request must not meet a closing
#: one.
_KEPT = 4.0


class Connection:
    """One connection. Not thread-safe. Raises the exceptions of httpcore."""

    def __init__(self, stream: httpcore.NetworkStream, timeouts: Timeouts, *, forward: Fields = ()) -> None:
        self._stream, self._timeouts = stream, timeouts
        self._h11 = h11.Connection(h11.CLIENT, max_incomplete_event_size=_INCOMPLETE)
        self._until = float("inf")
        #: What a proxy that passes requests on wants to see in each of them.
        self._forward = tuple(forward)

    def can_be_used(self) -> bool:
        """True if another request can be sent. A server that says something unasked is closing the connection."""
        idle = self._h11.our_state is h11.IDLE and time.monotonic() <= self._until
        return idle and not self._stream.get_extra_info("is_readable")

    def ask(self, method: str, target: bytes, headers: Fields, body: bytes = b"") -> Final:
        """Send a request, and return the head of its final answer. Raises :class:`httpcore.LocalProtocolError` for a
        request that HTTP can't carry.
        """
        named = {name.lower() for name, _ in headers}
        extra = [(name, value) for name, value in self._forward if name.lower() not in named]
        try:
            request = h11.Request(method=method, target=target, headers=[*extra, *headers])
            data = self._h11.send(request) or b""
            data += self._h11.send(h11.Data(data=body)) or b"" if body else b""
            data += self._h11.send(h11.EndOfMessage()) or b""
        except h11.LocalProtocolError as error:
            raise httpcore.LocalProtocolError(error) from error
        with suppress(httpcore.WriteError):  # some servers answer before they have read everything, and close
            self._stream.write(data, self._timeouts.read)
        while True:
            event = self._event()
            if isinstance(event, h11.Response):
                return event
            # 101 is final: another protocol follows it.
            if isinstance(event, h11.InformationalResponse) and event.status_code == 101:
                return event

    def content(self) -> Iterator[bytes]:
        """Yield the content of the answer as it arrives."""
        while True:
            event = self._event()
            if isinstance(event, h11.Data):
                yield bytes(event.data)
            elif isinstance(event, h11.EndOfMessage) or event is h11.PAUSED:
                return

    def _event(self) -> h11.Event | type[h11.PAUSED | h11.NEED_DATA]:
        """The next event of the answer."""
        while True:
            try:
                event = self._h11.next_event()
            except h11.RemoteProtocolError as error:
                raise httpcore.RemoteProtocolError(error) from error
            if event is not h11.NEED_DATA:
                return event
            data = self._stream.read(_READ, self._timeouts.read)
            if not data and self._h11.their_state is h11.SEND_RESPONSE:
                raise httpcore.RemoteProtocolError("Server disconnected without sending a response.")
            self._h11.receive_data(data)

    def end(self) -> None:
        """The answer was read, or won't be. Unless both sides are ready for another request, close the connection."""
        if self._h11.our_state is h11.DONE and self._h11.their_state is h11.DONE:
            self._h11.start_next_cycle()
            self._until = time.monotonic() + _KEPT
        else:
            self.close()

    def close(self) -> None:
        """Close it."""
        self._until = float("-inf")
        self._stream.close()
