"""Variations that no rule forbids: what right servers, gateways and versions of the service do differently."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import zip_longest
from typing import Any

from answers import (
    Change,
    Named,
    data_of,
    is_stream,
    objects,
    on_blocks,
    on_events,
    on_json,
    on_response,
    on_text,
    with_bytes,
    with_data,
    with_headers,
)
from attrs import evolve

from conformance.evidence.exchange import Chunk, Exchange, Response

VARIATIONS: Named = {}

#: Variation → the smallest profile whose requests are answered so; smoke for the others.
PROFILES = dict.fromkeys(("stream.calls-interleaved", "json.slashes", "stream.escaped"), "standard")


def put(name: str, about: str, change: Change) -> None:
    VARIATIONS[name] = about, change


# -- header fields (RFC 9110) ------------------------------------------------------------------------------------------

FIELDS = {
    "date": ("Date", "Tue, 15 Nov 1994 08:12:31 GMT"),
    "via": ("Via", "1.1 proxy.example"),
    "server": ("Server", "istio-envoy"),
    "cookie": ("Set-Cookie", "affinity=0123456789abcdef; Path=/; HttpOnly"),
    "cors": ("Access-Control-Allow-Origin", "*"),
    "hsts": ("Strict-Transport-Security", "max-age=31536000; includeSubDomains; preload"),
    "nosniff": ("X-Content-Type-Options", "nosniff"),
    "processing": ("openai-processing-ms", "123"),
    "alt-svc": ("Alt-Svc", 'h3=":443"; ma=86400'),
    "cache-control": ("Cache-Control", "no-cache, must-revalidate"),
    "vary": ("Vary", "Accept-Encoding, Origin"),
    "request-id": ("X-Request-ID", "0a1b2c3d-0000-4000-8000-000000000000"),
    "azureml": ("azureml-model-session", "d001-20240501000000"),
    "rate-limit": ("x-ratelimit-remaining-requests", "99"),
    "empty": ("X-Empty", ""),
    "accept-ranges": ("Accept-Ranges", "none"),
}


def plus(name: str, value: str) -> Change:
    return on_response(lambda response: evolve(response, headers=(*response.headers, (name, value))))


for _name, (_field, _value) in FIELDS.items():
    put(f"field.{_name}", f"an answer has {_field}", plus(_field, _value))


def typed(change: Callable[[str], str]) -> Change:
    def inside(response: Response) -> Response:
        return evolve(
            response,
            headers=tuple((n, change(v) if n.lower() == "content-type" else v) for n, v in response.headers),
        )

    return on_response(inside)


put("type.charset", "Content-Type has charset=utf-8", typed(lambda value: f"{value.partition(';')[0]}; charset=utf-8"))
put("type.charset-upper", "charset in capitals and no blank", typed(lambda v: f"{v.partition(';')[0]};charset=UTF-8"))
put("type.upper", "the media type is written in capitals", typed(
    lambda value: value if "multipart" in value else value.upper()
))  # fmt: skip
put("type.quoted", "the charset is quoted", typed(lambda value: f'{value.partition(";")[0]}; charset="utf-8"'))
put("fields.upper", "names of fields are in capitals", on_response(
    lambda r: evolve(r, headers=tuple((name.upper(), value) for name, value in r.headers))
))  # fmt: skip
put("fields.reversed", "fields come in another order", on_response(lambda r: evolve(r, headers=r.headers[::-1])))
put("fields.blanks", "values of fields have blanks around them that a parser removes", on_response(
    lambda r: evolve(r, headers=tuple((name, value.strip()) for name, value in (*r.headers, ("x-blank", "a  b"))))
))  # fmt: skip
put("fields.no-length", "an answer has no Content-Length", with_headers(content_length=None))
put("reason.other", "another reason phrase", on_response(lambda r: evolve(r, reason="As You Like It")))
put("connection.close", "Connection: close", plus("Connection", "close"))

# -- JSON texts (RFC 8259) ---------------------------------------------------------------------------------------------


def rewritten(**how: Any) -> Change:
    def inside(response: Response) -> Response | None:
        if not response.is_json or not response.body:
            return None
        return with_bytes(response, json.dumps(response.json, **how).encode("utf-8", "surrogatepass"))

    return on_response(inside)


put("json.indented", "JSON is indented", rewritten(indent=2, ensure_ascii=False))
put("json.tabs", "JSON is indented by tabs", rewritten(indent="\t", ensure_ascii=False))
put("json.ascii", "JSON has escapes in place of all that isn't ASCII", rewritten(ensure_ascii=True))
put("json.spaced", "JSON has blanks after commas and colons", rewritten(ensure_ascii=False))
put("json.sorted", "names in alphabetical order", rewritten(sort_keys=True, ensure_ascii=False))
put("json.newline", "a line feed after the JSON", on_text(lambda text: text + "\n", streams=False))
put("json.blanks", "blanks around the JSON", on_text(lambda text: f" \r\n\t{text}  ", streams=False))
put("json.slashes", "slashes are escaped", on_text(lambda text: text.replace("/", "\\/"), streams=False))


def reversed_(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: reversed_(value[name]) for name in reversed(value)}
    return [reversed_(one) for one in value] if isinstance(value, list) else value


put("json.reversed", "names in reverse order", on_response(
    lambda r: with_bytes(r, json.dumps(reversed_(r.json), ensure_ascii=False).encode("utf-8", "surrogatepass"))
    if r.is_json and isinstance(r.json, dict) else None
))  # fmt: skip

# -- more than the document has ----------------------------------------------------------------------------------------


def unknown(name: str, value: Any, *, deep: bool = False) -> Change:
    def inside(found: Any) -> None:
        for one in objects(found) if deep else [found]:
            # Maps have names of their owner: a name more is another value.
            if "object" in one or one is found:
                one[name] = value

    return on_json(inside)


put("more.text", "an object has an unknown text", unknown("x_note", "from a newer version"))
put("more.object", "an object has an unknown object", unknown("x_details", {"a": [1, 2.5, None, True]}))
put("more.null", "an object has an unknown null", unknown("x_null", None))
put("more.number", "an object has an unknown number", unknown("x_number", 1e100))
put("more.deep", "every typed object has an unknown field", unknown("x_deep", [], deep=True))
put("more.in-usage", "usage has an unknown count", on_json(
    lambda value: value["usage"].update(cached_tokens=0) if isinstance(value.get("usage"), dict) else None
))  # fmt: skip


def in_choices(change: Callable[[dict[str, Any]], None]) -> Callable[[Any], None]:
    def inside(value: Any) -> None:
        for choice in value.get("choices") or ():
            change(choice)

    return inside


put("more.in-choices", "choices have an unknown field", on_json(in_choices(lambda choice: choice.update(x_score=0.5))))
put("more.in-pages", "pages have an unknown field", on_json(
    lambda value: value.update(total=1) if value.get("object") == "list" else None
))  # fmt: skip
put("more.in-chunks", "chunks have an unknown field", on_events(lambda value: value.update(obfuscation="xyz")))
put("more.in-deltas", "deltas have an unknown field", on_events(
    in_choices(lambda choice: choice["delta"].update(x_note="y") if choice.get("delta") else None)
))  # fmt: skip

# -- errors ------------------------------------------------------------------------------------------------------------


def error(**values: Any) -> Change:
    def inside(value: Any) -> None:
        if isinstance(value.get("error"), dict):
            value["error"].update(values)

    return on_json(inside, good=False)


put("error.other-words", "another message", error(message="Nein."))
put("error.long", "a long message", error(message="x" * 5_000))
put("error.multilingual", "a message in several scripts", error(message="Fehler: 錯誤 🚫"))
put("error.param-null", "param is null", error(param=None))
put("error.type-null", "type is null", error(type=None))
put("error.more", "errors have unknown fields", error(x_trace="0", innererror={"code": "Detail"}))
put("error.status", "the status stands in the error too", error(status=400))

# -- event streams (WHATWG HTML section 9.2) ---------------------------------------------------------------------------


def pieces(cut: Callable[[bytes], list[bytes]]) -> Change:
    def inside(response: Response) -> Response | None:
        if not is_stream(response):
            return None
        at = response.chunks[-1].at if response.chunks else 0.0
        return evolve(response, chunks=tuple(Chunk(at, piece) for piece in cut(response.body) if piece))

    return on_response(inside)


put("stream.crlf", "lines end with CR LF", on_text(lambda text: text.replace("\n", "\r\n"), streams=True))
put("stream.no-blank", "no blank after data:", on_text(lambda text: text.replace("data: ", "data:"), streams=True))
put(
    "stream.comment",
    "comments between events",
    on_blocks(lambda all_: [part for one in all_ for part in (": ping", one)]),
)
put(
    "stream.empty-comment",
    "empty comments as heartbeats",
    on_blocks(lambda all_: [x for one in all_ for x in (":", one)]),
)
put("stream.ids", "events have ids", on_blocks(lambda all_: [f"id: {n}\n{one}" for n, one in enumerate(all_)]))
put("stream.retry", "the stream names a retry time", on_blocks(lambda all_: ["retry: 3000", *all_]))
put("stream.unknown-field", "events have an unknown field", on_blocks(lambda all_: [f"note: x\n{one}" for one in all_]))


def interleaved(all_: list[str]) -> list[str] | None:
    """The pieces of arguments of two calls in turn, after the heads of both."""
    entries = [((((data_of(b) or {}).get("choices") or [{}])[0].get("delta") or {}).get("tool_calls") or [{}])[0]
               for b in all_]  # fmt: skip
    places = [n for n, entry in enumerate(entries) if "index" in entry]
    if len({entries[n]["index"] for n in places}) < 2:
        return None
    heads = [n for n in places if "id" in entries[n]]
    tails = [[n for n in places if n not in heads and entries[n]["index"] == index] for index in (0, 1)]
    turns = [n for pair in zip_longest(*tails) for n in pair if n is not None]
    order = [*range(places[0]), *heads, *turns, *range(places[-1] + 1, len(all_))]
    return [all_[n] for n in order]


put("stream.calls-interleaved", "the pieces of two calls come in turn", on_blocks(interleaved))
put("stream.one-piece", "all events arrive in one piece", pieces(lambda body: [body]))
put("stream.pairs", "two bytes at a time", pieces(lambda body: [body[n : n + 2] for n in range(0, len(body), 2)]))
put("stream.halves", "pieces end anywhere", pieces(lambda body: [body[n : n + 37] for n in range(0, len(body), 37)]))
put("stream.escaped", "data has escapes in place of all that isn't ASCII", on_blocks(
    lambda all_: [with_ascii(one) for one in all_]
))  # fmt: skip
put(
    "stream.spaced",
    "data has blanks after commas and colons",
    on_blocks(lambda all_: [with_blanks(one) for one in all_]),
)
put("stream.comment-last", "a comment follows the last event", on_blocks(lambda all_: [*all_, ": bye"]))


def with_ascii(block: str) -> str:
    value = data_of(block)
    text = json.dumps(value, separators=(",", ":"))
    return (
        block
        if value is None
        else with_data(block, value).replace(json.dumps(value, ensure_ascii=False, separators=(",", ":")), text)
    )


def with_blanks(block: str) -> str:
    value = data_of(block)
    if value is None:
        return block
    return with_data(block, value).replace(
        json.dumps(value, ensure_ascii=False, separators=(",", ":")), json.dumps(value, ensure_ascii=False)
    )


def late(exchange: Exchange) -> Exchange | None:
    """The answer takes a second longer."""
    response = exchange.response
    if response is None:
        return None
    chunks = tuple(Chunk(chunk.at + 1.0, chunk.data) for chunk in response.chunks)
    made = evolve(response, chunks=chunks, elapsed=response.elapsed + 1.0, headers_at=response.headers_at + 1.0)
    return evolve(exchange, response=made)


put("late", "every answer takes a second longer", late)
