"""The hostile behaviours by name, and what they are written with. A behaviour's docstring is its line in the table."""

from __future__ import annotations

from collections.abc import Callable

from hostile_server import Behaviour, Talk

__all__ = ["BEHAVIOURS", "BLOCK", "CHUNKED", "STREAM", "chunk", "hostile", "trouble"]

BEHAVIOURS: dict[str, Behaviour] = {}

CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
BLOCK = b"x" * 65_536


def chunk(data: bytes) -> bytes:
    """Data as one chunk (RFC 9112 section 7.1)."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def hostile(act: Callable[[Talk], None]) -> Callable[[Talk], None]:
    """Register a behaviour by its function's name."""
    name = act.__name__.replace("_", "-")
    BEHAVIOURS[name] = Behaviour(name, act)
    return act


def trouble(act: Callable[[Talk], None]) -> Callable[[Talk], None]:
    """Register a behaviour that a bad network alone may show."""
    name = act.__name__.replace("_", "-")
    BEHAVIOURS[name] = Behaviour(name, act, trouble=True)
    return act
