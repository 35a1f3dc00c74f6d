"""Silence, closed connections, lying lengths and bad framing."""

from __future__ import annotations

from hostile_server import Talk

from behaviours.registry import BLOCK, CHUNKED, chunk, hostile, trouble

# -- silence and closed connections ------------------------------------------------------------------------------------


@trouble
def silent(talk: Talk) -> None:
    """The request is read and never answered."""
    talk.stall()


@hostile
def stalls_after_headers(talk: Talk) -> None:
    """Headers, and then nothing."""
    talk.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n")
    talk.stall()


@hostile
def stalls_in_the_body(talk: Talk) -> None:
    """Half of an honest body, and then nothing."""
    body = talk.honest().body or b"{}"
    talk.send(CHUNKED + chunk(body[: len(body) // 2] or b"{"))
    talk.stall()


@trouble
def stalls_after_some_requests(talk: Talk) -> None:
    """Thirty honest answers, and then silence."""
    if talk.number > 30:
        talk.stall()
    else:
        talk.relay(talk.honest())


@hostile
def deletions_hang(talk: Talk) -> None:
    """No deletion is answered; all else is honest."""
    if talk.request.method == "DELETE":
        talk.stall()
    else:
        talk.relay(talk.honest())


@hostile
def deletions_of_one_kind_hang(talk: Talk) -> None:
    """No deletion of a file is answered; all else is honest."""
    if talk.request.method == "DELETE" and "/files/" in talk.request.url:
        talk.stall()
    else:
        talk.relay(talk.honest())


@trouble
def closes_at_once(talk: Talk) -> None:
    """Each connection is closed without an answer."""


@trouble
def resets_at_once(talk: Talk) -> None:
    """Each connection is reset without an answer."""
    talk.reset()


@trouble
def closes_in_the_headers(talk: Talk) -> None:
    """The connection is closed in the middle of the headers."""
    talk.send(b"HTTP/1.1 200 OK\r\nContent-Ty")


@hostile
def closes_in_the_body(talk: Talk) -> None:
    """The connection is closed in the middle of each honest body."""
    honest = talk.honest()
    talk.answer(honest.body[: len(honest.body) // 2], length=len(honest.body) + 10)


@hostile
def closes_in_a_chunk(talk: Talk) -> None:
    """The connection is closed in the middle of a chunk."""
    talk.send(CHUNKED + b"ff\r\n" + b'{"object":')


@hostile
def resets_in_the_body(talk: Talk) -> None:
    """The connection is reset in the middle of the body."""
    talk.send(CHUNKED + chunk(b'{"object":'))
    talk.reset()


@trouble
def closes_after_some_requests(talk: Talk) -> None:
    """Forty honest answers, and then each connection is closed."""
    if talk.number <= 40:
        talk.relay(talk.honest())


@trouble
def resets_now_and_then(talk: Talk) -> None:
    """Every eleventh connection is reset, and then all of them."""
    if talk.number % 11 == 0 or talk.number > 60:
        talk.reset()
    else:
        talk.relay(talk.honest())


# -- lying lengths and bad framing -------------------------------------------------------------------------------------


@hostile
def length_too_small(talk: Talk) -> None:
    """A Content-Length smaller than the body."""
    honest = talk.honest()
    talk.answer(honest.body, status=honest.status, length=max(0, len(honest.body) - 5))


@hostile
def length_negative(talk: Talk) -> None:
    """A negative Content-Length."""
    talk.answer(b"{}", length=-1)


@hostile
def length_of_5000_digits(talk: Talk) -> None:
    """A Content-Length of 5,000 digits."""
    talk.send(b"HTTP/1.1 200 Sure\r\nContent-Type: application/json\r\nContent-Length: " + b"9" * 5_000 + b"\r\n\r\n{}")


@hostile
def two_lengths(talk: Talk) -> None:
    """Two Content-Lengths that differ."""
    talk.answer(b"{}", headers={"Content-length": "7"})


@hostile
def length_and_chunks(talk: Talk) -> None:
    """A Content-Length beside Transfer-Encoding: chunked."""
    talk.send(
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(b"{}") + b"0\r\n\r\n"
    )


@hostile
def chunk_size_nonsense(talk: Talk) -> None:
    """A chunk size that is no number."""
    talk.send(CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n")


@hostile
def chunk_size_huge(talk: Talk) -> None:
    """A chunk size of an exabyte."""
    talk.send(CHUNKED + b"fffffffffffffff\r\n")
    talk.forever(BLOCK)


@hostile
def no_http(talk: Talk) -> None:
    """Random bytes instead of HTTP."""
    talk.send(bytes(range(256)) * 100)


@hostile
def tls_alert(talk: Talk) -> None:
    """A TLS alert on a plain connection."""
    talk.send(b"\x15\x03\x03\x00\x02\x02\x28")


@hostile
def second_answer_behind(talk: Talk) -> None:
    """Two answers to one request."""
    honest = talk.honest()
    one = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(honest.body)
    talk.send((one + honest.body) * 2)


@hostile
def body_of_204(talk: Talk) -> None:
    """204 with a body."""
    talk.answer(b'{"object":"list"}', status=204)
