"""The end of an answer, found in its bytes: what comes after it belongs to no message.

The library that parses answers leaves such bytes where they are, and would take them for the beginning of the next
answer (RFC 9112 section 6.3 forbids that). Here they are counted, so that they are told of the answer they follow.
"""

from __future__ import annotations

import re

__all__ = ["Tail", "has_no_content"]

#: The status code in the status line of a header section.
_STATUS = re.compile(rb"HTTP/1\.\d +(\d{3})")

#: A server may announce with a 408 that it closes an idle connection (RFC 9110 section 15.5.9): it answers nothing.
_GOODBYE = re.compile(rb"HTTP/1\.\d 408\b")

#: The longest line of the chunked coding that is read, in bytes. Longer ones are an error that the parser reports.
_LONGEST = 16_384

#: The most digits of a length that is believed: 64 bits have 20.
_DIGITS = 20

#: The first bytes after the message that are kept, to recognise a goodbye.
_KEPT = 16


def has_no_content(method: str, status: int) -> bool:
    """Return True for an answer that ends with its header section, whatever its fields say (RFC 9112 section 6.3)."""
    return method == "HEAD" or status in (204, 304)


class Tail:
    """Follows the bytes after the header section ``section`` of the answer to ``method``."""

    def __init__(self, method: str, section: bytes) -> None:
        lines = section.split(b"\n")
        found = _STATUS.match(lines[0])
        fields = [(name.strip().lower(), value.strip()) for name, _, value in (line.partition(b":") for line in lines)]
        lengths = {value for name, value in fields if name == b"content-length"}
        self._chunked = any(name == b"transfer-encoding" and value.lower().endswith(b"chunked")
                            for name, value in fields)  # fmt: skip
        self._line, self._trailer, self._after, self._size = b"", False, b"", 0
        #: The bytes of the content or of a chunk that are still to come.
        self._left = 0
        #: True once the message has ended.
        self.over = False
        # Without a length the message ends with the connection, so nothing can come after it.
        self._endless = False
        if has_no_content(method, int(found[1]) if found else 0):
            self.over = True
        elif not self._chunked:
            length = lengths.pop() if len(lengths) == 1 else b""
            # No message is so long, and Python reads no number of some thousand digits.
            self._endless = not length.isdigit() or len(length) > _DIGITS
            self._left = 0 if self._endless else int(length)
            self.over = not self._endless and not self._left

    @property
    def surplus(self) -> int:
        """The number of bytes that came after the end of the message; 0 for a 408 that announces a closing."""
        return 0 if _GOODBYE.match(self._after) else self._size

    def feed(self, data: bytes) -> None:
        """Read the next bytes."""
        while data and not self.over and not self._endless:
            data = self._content(data) if self._left else self._framing(data)
        if self.over:
            self._size += len(data)
            self._after = (self._after + data)[:_KEPT]

    def _content(self, data: bytes) -> bytes:
        """Pass over bytes of the content or of a chunk, and return the others."""
        taken = min(self._left, len(data))
        self._left -= taken
        self.over = not self._left and not self._chunked
        return data[taken:]

    def _framing(self, data: bytes) -> bytes:
        """Read one line of the chunked coding (RFC 9112 section 7.1), and return the bytes after it."""
        line, end, rest = (self._line + data).partition(b"\n")
        if not end:
            self._line = line
            self._endless = len(line) > _LONGEST
            return b""
        self._line, line = b"", line.rstrip(b"\r")
        if self._trailer:
            self.over = not line
            return rest
        try:
            size = int(line.split(b";")[0], 16)
        except ValueError:
            # The parser reports it. Nobody knows where such a message ends.
            self._endless = True
            return b""
        self._trailer = size == 0
        # A chunk is followed by an end of line of its own.
        self._left = size + 2 if size > 0 else 0
        return rest
