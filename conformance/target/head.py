"""The header sections of an answer, watched as they arrive: how long they are, how many fields, how many 1xx answers.

HTTP sets no limits here, so a target can send headers and interim answers (RFC 9110 section 15.2) without end. The
library that parses them waits for the final answer.
"""

from __future__ import annotations

import re

import httpcore

from conformance.settings.configuration import Limits
from conformance.target.tail import Tail

__all__ = ["Head", "OverLimit"]

#: The end of a header section. A line may end with LF alone (RFC 9112 section 2.2).
_END = re.compile(rb"\r?\n\r?\n")

#: The status line of an interim answer. 101 is final: another protocol follows it.
_INTERIM = re.compile(rb"HTTP/1\.\d 1(?!01)\d\d\b")

#: The most bytes that the end of a section takes. The search begins so far before the bytes that came last.
_LONGEST_END = 4


class OverLimit(httpcore.ProtocolError):
    """The answer is larger than a limit of ``[limits]``."""


class Head:
    """Reads the bytes of one answer to ``method``: until its final header section ends, and then those after it."""

    def __init__(self, limits: Limits, method: str = "") -> None:
        self._limits, self._method = limits, method
        self._bytes = bytearray()
        self._interim = 0
        #: True once the final header section has ended. What follows is the body.
        self.over = False
        #: What follows the final header section; None before its end.
        self.tail: Tail | None = None

    def feed(self, data: bytes) -> None:
        """Read the next bytes. Raises :class:`OverLimit`."""
        if self.tail is not None:
            self.tail.feed(data)
            return
        start = max(0, len(self._bytes) - _LONGEST_END)
        self._bytes += data
        while (end := _END.search(self._bytes, start)) is not None:
            self.over = self._is_final(bytes(self._bytes[: end.start()]))
            if self.over:
                self.tail = Tail(self._method, bytes(self._bytes[: end.start()]))
                rest, self._bytes = bytes(self._bytes[end.end() :]), bytearray()
                self.tail.feed(rest)
                return
            del self._bytes[: end.end()]
            start = 0
        if len(self._bytes) > self._limits.header_bytes:
            raise OverLimit(f"the header section has more than {self._limits.header_bytes} bytes (limits.header_bytes)")

    def _is_final(self, section: bytes) -> bool:
        """Count one whole section. False for that of an interim answer, which another one follows."""
        if len(section) > self._limits.header_bytes:
            raise OverLimit(f"the header section has more than {self._limits.header_bytes} bytes (limits.header_bytes)")
        if section.count(b"\n") > self._limits.headers:
            raise OverLimit(f"the answer has more than {self._limits.headers} headers (limits.headers)")
        if not _INTERIM.match(section):
            return True
        self._interim += 1
        if self._interim > self._limits.interim_answers:
            raise OverLimit(f"more than {self._limits.interim_answers} 1xx answers came (limits.interim_answers)")
        return False
