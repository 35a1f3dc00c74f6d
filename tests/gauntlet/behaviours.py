"""Hostile behaviours, one function each. Its docstring is the line of the table."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable

from hostile_server import DRIP, KEY, Behaviour, Talk

__all__ = ["BEHAVIOURS"]

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


# -- bodies without an end -------------------------------------------------------------------------------------------


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


# -- headers without an end ------------------------------------------------------------------------------------------


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


# -- silence and closed connections ----------------------------------------------------------------------------------


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


# -- lying lengths and bad framing -----------------------------------------------------------------------------------


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


# -- encodings and texts ---------------------------------------------------------------------------------------------


@hostile
def gzip_bomb(talk: Talk) -> None:
    """A gzip bomb: 50 kB that unpack to 50 MB."""
    talk.answer(_BOMB, headers={"Content-Encoding": "gzip"})


@hostile
def nested_gzip(talk: Talk) -> None:
    """Honest answers, packed three times although nobody asked for it."""
    honest = talk.honest()
    packed = gzip.compress(gzip.compress(zlib.compress(honest.body)))
    talk.answer(packed, status=honest.status, headers={"Content-Encoding": "deflate, gzip, gzip"})


@hostile
def unknown_encoding(talk: Talk) -> None:
    """An encoding that doesn't exist."""
    talk.answer(b"\xff\xfe\xfd", headers={"Content-Encoding": "snake-oil"})


@hostile
def utf_16(talk: Talk) -> None:
    """Honest answers in UTF-16."""
    honest = talk.honest()
    talk.relay(honest, honest.body.decode("utf-8", "replace").encode("utf-16"))


@hostile
def invalid_utf_8(talk: Talk) -> None:
    """Honest answers with bytes that are no UTF-8."""
    honest, body = talk.compact()
    talk.relay(honest, body.replace(b'"', b'"\xff\xfe', 3))


@hostile
def nul_bytes(talk: Talk) -> None:
    """Three megabytes of NUL."""
    talk.answer(b"\0" * 3_000_000)


@hostile
def lone_surrogates(talk: Talk) -> None:
    """Ids and texts with lone surrogates."""
    honest, body = talk.compact()
    talk.relay(honest, body.replace(b'"id":"', b'"id":"\\ud800').replace(b'"content":"', b'"content":"\\udfff'))


@hostile
def wild_ids(talk: Talk) -> None:
    """Ids with slashes, dots, line breaks and control characters."""
    honest, body = talk.compact()
    talk.relay(honest, body.replace(b'"id":"', b'"id":"../..\\r\\n\\u0000\\u202e/%2e%2e/?#'))


@hostile
def long_ids(talk: Talk) -> None:
    """Ids of 200,000 characters."""
    honest, body = talk.compact()
    talk.relay(honest, body.replace(b'"id":"', b'"id":"' + b"a" * 200_000))


@hostile
def scripts(talk: Talk) -> None:
    """Scripts, markup, terminal escapes and direction marks in every text."""
    wild = b'"</script><script>alert(1)</script><img src=x onerror=alert(2)>\\u001b[2J\\u202e{{7*7}}'
    honest, body = talk.compact()
    talk.relay(honest, body.replace(b'":"', b'":' + wild))


# -- giant and strange JSON ------------------------------------------------------------------------------------------


@hostile
def giant_text(talk: Talk) -> None:
    """A JSON string of 30 MB."""
    talk.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 30000002\r\n\r\n")
    talk.send(b'"' + b"a" * 30_000_000 + b'"')


@hostile
def giant_array(talk: Talk) -> None:
    """A list with a million empty lists."""
    talk.answer(b'{"object":"list","data":[' + b"[]," * 1_000_000 + b"[]]}")


@hostile
def giant_object(talk: Talk) -> None:
    """An object with 250,000 members."""
    members = ",".join(f'"member{number}":{{}}' for number in range(250_000))
    talk.answer(b"{" + members.encode() + b"}")


@hostile
def many_large_answers(talk: Talk) -> None:
    """Answers of 2 MB each, all of them whole and legal."""
    talk.answer(json.dumps({"object": "list", "data": [], "text": "b" * 2_000_000}).encode())


@hostile
def deep_json(talk: Talk) -> None:
    """JSON nested a million levels deep."""
    talk.answer(b"[" * 1_000_000 + b"]" * 1_000_000)


@hostile
def rather_deep_json(talk: Talk) -> None:
    """JSON nested as deep as Python's parser can read."""
    talk.answer(b'{"error":' * 900 + b"{}" + b"}" * 900)


@hostile
def deep_error(talk: Talk) -> None:
    """Refusals nested deeply."""
    talk.answer(b'{"error":{"innererror":' * 450 + b"{}" + b"}}" * 450, status=400)


@hostile
def huge_numbers(talk: Talk) -> None:
    """Numbers of 10,000 digits, and beyond every float."""
    talk.answer(b'{"object":"list","created":%b,"data":[1e400,-1e400,1E+99999]}' % (b"9" * 10_000))


@hostile
def numbers_that_are_none(talk: Talk) -> None:
    """NaN and Infinity."""
    talk.answer(b'{"object":"list","data":[NaN,Infinity,-Infinity]}')


@hostile
def names_twice(talk: Talk) -> None:
    """Each honest object has its members twice, with other values."""
    honest, body = talk.compact()
    talk.relay(honest, body.replace(b'"object":', b'"object":1,"id":[],"object":'))


# -- event streams ---------------------------------------------------------------------------------------------------


@hostile
def endless_events(talk: Talk) -> None:
    """An event stream without end, as fast as it is read."""
    event = b'data: {"id":"x","object":"chat.completion.chunk","created":1,"model":"m","choices":[]}\n\n'
    talk.send(STREAM)
    talk.forever(chunk(event * 500))


@hostile
def endless_heartbeat(talk: Talk) -> None:
    """An event stream of comments only, one every now and then, without end."""
    talk.send(STREAM)
    talk.forever(chunk(b": ping\n\n"), 0.05)


@hostile
def endless_line(talk: Talk) -> None:
    """An event whose line never ends."""
    talk.send(STREAM + chunk(b"data: "))
    talk.forever(chunk(BLOCK))


@hostile
def blank_lines(talk: Talk) -> None:
    """An event stream of three million blank lines."""
    talk.send(STREAM)
    for _ in range(46):
        talk.send(chunk(b"\n" * 65_536))
    talk.send(b"0\r\n\r\n")


@hostile
def many_comments(talk: Talk) -> None:
    """An event stream of a million comments."""
    talk.send(STREAM)
    for _ in range(100):
        talk.send(chunk(b":\n" * 10_000))
    talk.send(b"0\r\n\r\n")


@hostile
def deep_events(talk: Talk) -> None:
    """Events with JSON nested deeply."""
    deep = b'data: {"choices":' + b"[" * 100_000 + b"]" * 100_000 + b"}\n\n"
    talk.answer(deep * 5 + b"data: [DONE]\n\n", "text/event-stream")


# -- lists, redirects, refusals --------------------------------------------------------------------------------------


@hostile
def endless_pages(talk: Talk) -> None:
    """Lists whose pages never end: each has new objects."""
    honest = talk.honest()
    page = honest.json
    if talk.request.method == "GET" and isinstance(page, dict) and isinstance(page.get("data"), list):
        item = page["data"][0] if page["data"] and isinstance(page["data"][0], dict) else {"object": "thing"}
        data = [{**item, "id": f"{item.get('id', 'id')}-{talk.number}-{place}"} for place in range(20)]
        edges = {"first_id": data[0]["id"], "last_id": data[-1]["id"], "has_more": True}
        talk.relay(honest, json.dumps({**page, "data": data, **edges}).encode())
    else:
        talk.relay(honest)


@hostile
def never_ready(talk: Talk) -> None:
    """Objects that never leave the state in which they wait."""
    honest, body = talk.compact()
    for state in (b"completed", b"succeeded", b"failed", b"cancelled"):
        body = body.replace(b'"status":"%b"' % state, b'"status":"in_progress"')
    talk.relay(honest, body)


@hostile
def redirect_loop(talk: Talk) -> None:
    """Each request is redirected to itself."""
    talk.answer(b"", status=307, headers={"Location": talk.request.url.replace("http://target", "")})


@hostile
def redirect_with_the_key(talk: Talk) -> None:
    """Each request is redirected to another host, with the key in the URL."""
    talk.answer(b"", status=302, headers={"Location": f"http://evil.invalid/?key={KEY}"})


@hostile
def wait_for_a_year(talk: Talk) -> None:
    """429 to everything, with a Retry-After of a year."""
    talk.answer(b'{"error":{"code":"429","message":"later"}}', status=429, headers={"Retry-After": "31536000"})


@hostile
def refuses_the_key_later(talk: Talk) -> None:
    """Thirty honest answers, and then 401 to everything."""
    if talk.number <= 30:
        talk.relay(talk.honest())
    else:
        talk.answer(b'{"error":{"code":"401","message":"no"}}', status=401)


@hostile
def server_errors(talk: Talk) -> None:
    """500 to everything, with a page of a megabyte."""
    talk.answer(b"<pre>" + b"Traceback\n" * 100_000, "text/html", status=500)


# -- the key ---------------------------------------------------------------------------------------------------------


@hostile
def key_echo(talk: Talk) -> None:
    """The key in the body, in a header, in the reason, in an event's name."""
    body = json.dumps({"object": "list", "data": [], "message": f"your key is {KEY}"}).encode()
    head = f"HTTP/1.1 200 {KEY}\r\nX-Key: {KEY}\r\nSet-Cookie: k={KEY}\r\nContent-Type: application/json\r\n"
    talk.send(head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body)


@hostile
def key_in_pieces(talk: Talk) -> None:
    """The key in the body, split between two chunks."""
    talk.send(CHUNKED + chunk(b'{"message":"' + KEY[:9].encode()))
    talk.server.over.wait(0.01)
    talk.send(chunk(KEY[9:].encode() + b'"}') + b"0\r\n\r\n")


@hostile
def key_everywhere(talk: Talk) -> None:
    """Twenty megabytes that consist of the key."""
    talk.answer(KEY.encode() * (20_000_000 // len(KEY)), "text/plain")


_BOMB = gzip.compress(b'{"a":"' + b"0" * 50_000_000 + b'"}', 9)
