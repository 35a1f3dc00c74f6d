"""Contents that are encoded, written or built in a hostile way."""

from __future__ import annotations

import gzip
import json
import zlib
from functools import cache

from hostile_server import Talk

from behaviours.registry import hostile

# -- encodings and texts -----------------------------------------------------------------------------------------------


@hostile
def gzip_bomb(talk: Talk) -> None:
    """A gzip bomb: 50 kB that unpack to 50 MB."""
    talk.answer(_bomb(), headers={"Content-Encoding": "gzip"})


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


@hostile
def backslashes(talk: Talk) -> None:
    """Three megabytes of backslashes, which might be escapes of anything."""
    talk.answer(b'{"object":"list","data":["' + b"\\" * 3_000_000 + b'"]}')


@hostile
def unclosed_text(talk: Talk) -> None:
    """A JSON string that is never closed, with a million escaped quotation marks."""
    talk.answer(b'{"object":"list","data":[' + b"[]," * 100 + b'"' + b'\\"' * 1_000_000)


# -- giant and strange JSON --------------------------------------------------------------------------------------------


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


@cache
def _bomb() -> bytes:
    """Made by who sends it: it takes a second."""
    return gzip.compress(b'{"a":"' + b"0" * 50_000_000 + b'"}', 9)
