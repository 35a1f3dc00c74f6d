"""Answers without an end: bodies and headers that go on, or drip."""

from __future__ import annotations

from hostile_server import DRIP, Talk

from behaviours.registry import BLOCK, CHUNKED, chunk, hostile, trouble

# -- bodies without an end ---------------------------------------------------------------------------------------------


@hostile
def endless_body(talk: Talk) -> None:
    """The body never ends; it comes as fast as it is read."""
    talk.send(CHUNKED + chunk(b'{"a":"'))
    talk.forever(chunk(BLOCK))


@hostile
def endless_body_of_announced_length(talk: Talk) -> None:
    """A Content-Length of a petabyte, and bytes without end."""
    talk.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000000000000000\r\n\r\n")
    talk.forever(BLOCK)


@hostile
def endless_body_until_close(talk: Talk) -> None:
    """A body without a length, which only a close could end."""
    talk.send(b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n")
    talk.forever(BLOCK)


@hostile
def endless_tiny_chunks(talk: Talk) -> None:
    """A chunk for each byte, as fast as they are read, without end."""
    talk.send(CHUNKED)
    talk.forever(chunk(b"1") * 4096)


@hostile
def endless_chunk_extension(talk: Talk) -> None:
    """A chunk size line that never ends."""
    talk.send(CHUNKED + b"5;x=")
    talk.forever(BLOCK)


@hostile
def endless_trailers(talk: Talk) -> None:
    """A whole body, then trailer fields without end."""
    talk.send(CHUNKED + chunk(b"{}") + b"0\r\n")
    talk.forever(b"X-Trailer: more\r\n" * 100)


@hostile
def body_drip(talk: Talk) -> None:
    """The body comes byte by byte, without end."""
    talk.send(CHUNKED)
    talk.forever(chunk(b" "), DRIP)


@hostile
def body_drip_of_announced_length(talk: Talk) -> None:
    """An honest body that comes byte by byte."""
    body = b'{"object":"list","data":[' + b" " * 100_000 + b"]}"
    talk.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body))
    talk.drip(body)


# -- headers without an end --------------------------------------------------------------------------------------------


@trouble
def header_drip(talk: Talk) -> None:
    """The header section comes byte by byte, without end."""
    talk.send(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    talk.forever(b"a", DRIP)


@trouble
def status_line_drip(talk: Talk) -> None:
    """Even the status line comes byte by byte."""
    talk.drip(b"HTTP/1.1 200 " + b"O" * 100_000)


@hostile
def endless_headers(talk: Talk) -> None:
    """Header fields without end, as fast as they are read."""
    talk.send(b"HTTP/1.1 200 OK\r\n")
    talk.forever(lambda number: b"X-Field-%d: %b\r\n" % (number, b"v" * 100))


@hostile
def giant_header(talk: Talk) -> None:
    """One header field of 50 MB."""
    talk.send(b"HTTP/1.1 200 OK\r\nX-Giant: ")
    for _ in range(800):
        talk.send(BLOCK)
    talk.send(b"\r\nContent-Length: 2\r\n\r\n{}")


@hostile
def many_headers(talk: Talk) -> None:
    """Six thousand short header fields, then an answer."""
    fields = b"".join(b"X-%d: 1\r\n" % number for number in range(6000))
    talk.send(b"HTTP/1.1 200 OK\r\n" + fields + b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")


@hostile
def endless_interim_answers(talk: Talk) -> None:
    """1xx answers without end, as fast as they are read."""
    talk.forever(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 50)


@trouble
def slow_interim_answers(talk: Talk) -> None:
    """A 100 every now and then, and never the answer."""
    talk.forever(b"HTTP/1.1 100 Continue\r\n\r\n", 0.05)


@hostile
def switching_protocols(talk: Talk) -> None:
    """101, and then bytes of another protocol."""
    talk.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
    talk.forever(b"\x81\x05hello", DRIP)
