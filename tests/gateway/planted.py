"""Gateways that alter something, and gateways that do what an intermediary may do.

``PLANTED`` has for each alteration the rule that must tell it; ``LEGAL`` has alterations that no MUST and no SHOULD
may tell.
"""

from __future__ import annotations

import base64
import email.utils
import itertools
import json
import struct
import time
from typing import Any

from attrs import evolve, frozen

from conformance.emulator.fault_script import PACE, faults
from conformance.emulator.faults import UpstreamFault

from .editing import body_in, drop, events_in, field, in_json, more, put, rename, target
from .forwarder import Alter, Alteration, Gateway, Message

_CHAT = ("plain", "streamed", "tools", "wrong")


@frozen
class Planted:
    """An alteration and the rule that must find it."""

    alteration: Alteration
    rule: str
    names: tuple[str, ...] = _CHAT
    script: tuple[tuple[UpstreamFault, bool], ...] = ()


def _fault(name: str) -> tuple[tuple[UpstreamFault, bool], ...]:
    return tuple(pair for pair in faults() if pair[0].name == name)


def _sent(name: str, change: Alter, rule: str = "via.request.body", **more_: Any) -> Planted:
    return Planted(Alteration(name, request=change), rule, **more_)


def _got(name: str, change: Alter, rule: str = "via.answer.body", **more_: Any) -> Planted:
    return Planted(Alteration(name, answer=change), rule, **more_)


def _choice(change: Any) -> Alter:
    """Edit the first message of a chat request."""
    return in_json(lambda body: change(body["messages"]) if "messages" in body else None)


def _kept(message: Message) -> Message:
    """Keep the upstream's cookie for everybody."""
    _JAR["cookie"] = message.header("set-cookie").partition(";")[0]
    return message


def _from_jar(message: Message) -> Message:
    return message.having("Cookie", _JAR["cookie"]) if _JAR.get("cookie") else message


_JAR: dict[str, str] = {}


def _cached(message: Message, gateway: Gateway) -> Message | None:
    """Answer from a cache that nobody asked for."""
    answer = {"id": "chatcmpl-cached", "object": "chat.completion", "choices": []}
    return Message(("200",), (("content-type", "application/json"),), json.dumps(answer).encode())


def _no(message: Message, gateway: Gateway) -> Message | None:
    """Refuse what the upstream takes."""
    error = {"error": {"code": "400", "message": "no"}}
    return Message(("400",), (("content-type", "application/json"),), json.dumps(error).encode())


def _missing(message: Message, gateway: Gateway) -> Message | None:
    return Message(("404",), (), b"")


def _locks(message: Message, gateway: Gateway) -> Message | None:
    """Refuse everybody for half a second after one client's mistake."""
    if time.monotonic() < float(gateway.memory.get("until", "0")):
        return Message(("429",), (("retry-after", "1"),), b"")
    if b'"temperature":3' in message.body:
        gateway.memory["until"] = str(time.monotonic() + 0.5)
    return None


def _passes_key(message: Message, gateway: Gateway) -> None:
    gateway.memory["passes key"] = "yes"


def _asks_itself(message: Message, gateway: Gateway) -> None:
    """Send the same request once more, so to warm a cache."""
    with gateway.asked(message.without("api-key").having("api-key", gateway.key)) as answer:
        answer.read()


def _repairs(message: Message) -> Message:
    return put(lambda value: min(value, 2), "temperature")(message)


def _retries_refused(message: Message) -> Message:
    return message if message.line[0] != "400" else evolve(message, line=("422",))


def _typed(messages: list[Any]) -> None:
    messages[0]["role"] = "user"


def _trimmed(messages: list[Any]) -> None:
    messages[0]["content"] = " ".join(messages[0]["content"].split())


def _joined(messages: list[Any]) -> None:
    last = messages.pop()
    messages[-1]["content"] += "\n" + last["content"]


def _mojibake(messages: list[Any]) -> None:
    messages[1]["content"] = messages[1]["content"].encode().decode("latin-1")


_TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def _other_parent(message: Message) -> Message:
    """What a gateway that takes part in a trace writes: its own id as parent."""
    trace = message.header("traceparent").split("-")
    return message.without("traceparent").having("traceparent", f"00-{trace[1]}-00f067aa0ba902b7-01")


def _bare(data: list[str]) -> list[str]:
    """The same events without their filter results."""
    return [json.dumps(_without_filter(json.loads(one))) if one.startswith("{") else one for one in data]


def _without_filter(chunk: Any) -> Any:
    for choice in chunk["choices"]:
        choice.pop("content_filter_results", None)
    return chunk


def _other_choice_ends(data: list[str]) -> list[str]:
    """The end of the second choice is lost."""
    return [one for one in data if not ('"index":1' in one and '"finish_reason":"' in one)]


def _swapped(data: list[str]) -> list[str]:
    texts = [index for index, one in enumerate(data) if '"content":"' in one]
    first, second = next((i, j) for i, j in itertools.pairwise(texts) if data[i] != data[j])
    data[first], data[second] = data[second], data[first]
    return data


def _in_halves(data: list[str]) -> list[str]:
    """Each text in two events."""
    made = []
    for one in data:
        chunk = json.loads(one) if one.startswith("{") else {"choices": []}
        delta = chunk["choices"][0].get("delta", {}) if chunk["choices"] else {}
        if isinstance(delta.get("content"), str) and len(delta["content"]) > 1:
            text = delta["content"]
            for part in (text[:1], text[1:]):
                delta["content"] = part
                made.append(json.dumps(chunk))
        else:
            made.append(one)
    return made


def _plus(number: int, name: str) -> Alter:
    return put(lambda usage: {**usage, name: usage[name] + number}, "usage")


def _rounded(body: Any) -> None:
    for row in body.get("data", ()):
        if isinstance(row.get("embedding"), list):
            row["embedding"] = [round(number, 3) for number in row["embedding"]]


def _as_base64(body: Any) -> None:
    for row in body.get("data", ()):
        row["embedding"] = base64.b64encode(struct.pack(f"<{len(row['embedding'])}f", *row["embedding"])).decode()


def _with_null_tools(body: Any) -> None:
    """A member that nobody sent, and that must be a list."""
    if isinstance(body, dict):
        body.setdefault("tools", None)


def _without_null_reasons(data: list[str]) -> list[str]:
    """The same chunks without the reasons that are null."""
    return [one.replace('"finish_reason":null,', "") for one in data]


def _first_answer(message: Message) -> Message:
    """A cache whose key is the kind of answer, and not the request."""
    return _FIRST.setdefault(message.header("content-type"), message)


_FIRST: dict[str, Message] = {}

_NULLS = "via.answer.nulls-documented"

_WHOLE_END = body_in(lambda body: body if b"[DONE]" in body else body + b"data: [DONE]\n\n")

PLANTED: tuple[Planted, ...] = (
    # what reaches the upstream
    _sent("drops temperature", drop("temperature")),
    _sent("drops user", drop("user")),
    _sent("drops the last message", drop("messages", -1)),
    _sent("drops the tools", drop("tools")),
    _sent("adds stream_options", field("stream_options", {"include_usage": True})),
    _sent("adds a default", field("top_p", 1)),
    _sent("sends null tools", in_json(_with_null_tools), "via.request.nulls-documented"),
    _sent("adds its own user", field("user", "gateway")),
    _sent("clamps max_tokens", put(16, "max_tokens")),
    _sent("rounds numbers", put(round, "temperature")),
    _sent("asks for one choice", put(1, "n")),
    _sent("makes a text of a list", put(lambda stop: stop[0], "stop")),
    _sent("changes a role", _choice(_typed)),
    _sent("trims texts", _choice(_trimmed)),
    _sent("joins messages", _choice(_joined)),
    _sent("reorders messages", _choice(lambda messages: messages.reverse())),
    _sent("encodes twice", _choice(_mojibake)),
    _sent("changes the deployment", target(lambda path: path.replace("/chat/", "/other/chat/")), "via.request.route"),
    _sent("changes the method", lambda m: evolve(m, line=("PUT", m.line[1])), "via.request.route"),
    _sent("changes api-version", target(lambda path: path.replace("2024-", "2023-")), "via.request.query"),
    _sent("drops api-version", target(lambda path: path.partition("?")[0]), "via.request.query"),
    _sent("adds a parameter", target(lambda path: f"{path}&source=gateway"), "via.request.query"),
    _sent(
        "changes the media type",
        lambda m: m.without("content-type").having("content-type", "text/plain"),
        "via.request.media-type",
    ),
    _sent("drops the client's id", lambda m: m.without("x-ms-client-request-id"), "via.request.ids"),
    _sent("drops traceparent", lambda m: m.without("traceparent"), "via.request.ids"),
    _sent("begins another trace", lambda m: m.without("traceparent").having("traceparent", _TRACE), "via.request.ids"),
    _sent("repairs a bad request", _repairs, "via.repaired"),
    _sent(
        "cuts a form",
        body_in(lambda body: body.replace(b"response_format", b"response_forma")),
        "via.request.form",
        names=("plain", "text"),
    ),
    _sent(
        "alters a file",
        body_in(lambda body: body.replace(b"\x00\x00", b"\x00\x01")),
        "via.request.form",
        names=("plain", "form"),
    ),
    Planted(Alteration("passes the client's key", extra=_passes_key), "via.request.credentials"),
    Planted(Alteration("sends twice", times=2), "via.request.repeated"),
    Planted(Alteration("asks on its own", extra=_asks_itself), "via.request.repeated"),
    Planted(Alteration("shares cookies", request=_from_jar, answer=_kept), "via.request.cookies"),
    Planted(Alteration("reads to the end", whole=True), "via.stream.cancelled", script=((PACE, True),)),
    Planted(Alteration("locks itself", extra=_locks), "via.isolation"),
    Planted(Alteration("one after the other", at_once=1), "via.parallel.serial", names=("plain",)),
    Planted(Alteration("refuses a second client", at_once=1, refuses=True), "via.parallel.refused", names=("plain",)),
    Planted(Alteration("refuses", extra=_no), "via.refused"),
    Planted(Alteration("knows no route", extra=_missing), "via.refused"),
    # what the client gets
    Planted(Alteration("answers from a cache", extra=_cached), "via.answer.invented"),
    Planted(Alteration("gives everybody the first answer", answer=_first_answer), "via.isolation.answers"),
    _got("changes a refusal's status", _retries_refused, "via.answer.status"),
    _got("makes 200 of 400", lambda m: evolve(m, line=("200",)), "via.answer.status"),
    _got("status as code", put("400", "error", "code"), "via.answer.error"),
    _got("its own message", put("An error occurred.", "error", "message"), "via.answer.error"),
    _got("drops the parameter", drop("error", "param"), "via.answer.error"),
    _got("wraps the error", in_json(lambda v: {"detail": v} if "error" in v else None), "via.answer.error"),
    _got("drops the id", drop("id")),
    _got("makes up an id", put("chatcmpl-gateway", "id")),
    _got("renames the model", put("gpt", "model")),
    _got("drops filter results", drop("choices", 0, "content_filter_results")),
    _got("drops prompt filter results", drop("prompt_filter_results")),
    _got("drops the fingerprint", drop("system_fingerprint")),
    _got("counts other tokens", _plus(1, "total_tokens")),
    _got("adds a price", field("cost", 0.1)),
    _got("trims the text", put(lambda m: {**m, "content": str(m["content"])[:-1]}, "choices", 0, "message")),
    _got("ends otherwise", put("content_filter", "choices", 0, "finish_reason")),
    _got("rounds vectors", in_json(_rounded), names=("plain", "embeddings")),
    _got("writes vectors as base64", in_json(_as_base64), "via.answer.vectors", names=("plain", "embeddings")),
    _got("fills in null", put(lambda m: {**m, "tool_calls": None}, "choices", 0, "message"), _NULLS),
    _got("drops null from chunks", events_in(_without_null_reasons), _NULLS),
    _got("cuts a text", body_in(lambda body: body[:-2]), "via.answer.content", names=("plain", "text")),
    _got(
        "changes the type",
        lambda m: m.without("content-type").having("content-type", "text/plain"),
        "via.answer.media-type",
    ),
    _got("drops the request id", lambda m: m.without("apim-request-id"), "via.answer.headers"),
    _got("drops the limits", lambda m: m.without("x-ratelimit-remaining-tokens"), "via.answer.headers"),
    _got("renames the id", rename("x-request-id", "llm-x-request-id"), "via.answer.headers"),
    _got(
        "remembers the region", lambda m: m.without("x-ms-region").having("x-ms-region", "West"), "via.answer.headers"
    ),
    _got(
        "drops Retry-After",
        lambda m: m.without("retry-after"),
        "via.answer.headers",
        script=_fault("429 with Retry-After"),
    ),
    _got("loses the first event", events_in(lambda data: data[1:]), "via.stream.events"),
    _got(
        "loses the usage",
        events_in(lambda data: [one for one in data if '"total_tokens"' not in one]),
        "via.stream.events",
    ),
    _got("loses filter results", events_in(_bare), "via.stream.events"),
    _got("loses the end of a choice", events_in(_other_choice_ends), "via.stream.events"),
    _got("loses [DONE]", events_in(lambda data: data[:-1]), "via.stream.complete"),
    _got("two [DONE]", events_in(lambda data: [*data, "[DONE]"]), "via.stream.complete"),
    _got("swaps events", events_in(_swapped), "via.stream.order"),
    _got("splits texts", events_in(_in_halves), "via.stream.grouping"),
    _got("repeats an event", events_in(lambda data: [data[0], *data]), "via.stream.grouping"),
    Planted(Alteration("buffers streams", whole=True), "via.stream.pace", script=((PACE, True),)),
    _got("completes broken streams", _WHOLE_END, "via.answer.broken", script=_fault("closed after 2 events")),
    _got("tells where the upstream is", more("x-upstream", "{upstream}"), "via.answer.inside"),
    _got("shows a traceback", put("Traceback (most recent call last): …", "error", "message"), "via.answer.inside"),
)

_NOW = email.utils.formatdate(usegmt=True)


def _spelled(body: Any) -> Any:
    """Keys in the other order."""
    return dict(reversed(list(body.items()))) if isinstance(body, dict) else None


def _indented(body: bytes) -> bytes:
    return json.dumps(json.loads(body), indent=1).encode() if body[:1] == b"{" else body


def _escaped(body: bytes) -> bytes:
    return json.dumps(json.loads(body)).encode() if body[:1] == b"{" else body


def _in_stream(old: bytes, new: bytes) -> Alter:
    """Replace bytes of event streams."""
    return body_in(lambda body: body.replace(old, new) if body[:5] == b"data:" else body)


def _floats(body: Any) -> None:
    for row in body.get("data", ()):
        if isinstance(row.get("embedding"), list):
            row["embedding"] = [float(f"{number:.9g}") for number in row["embedding"]]


def _in(change: Any) -> Alter:
    return lambda message: evolve(message, headers=tuple(change(list(message.headers))))


LEGAL: tuple[Alteration, ...] = (
    Alteration("says for whom", request=more("X-Forwarded-For", "10.0.0.9")),
    Alteration("says which host", request=more("X-Forwarded-Host", "api.example.org")),
    Alteration("says which scheme", request=more("X-Forwarded-Proto", "https")),
    Alteration("says Forwarded", request=more("Forwarded", "for=10.0.0.9;proto=https")),
    Alteration("says Via", request=more("Via", "1.1 gateway")),
    Alteration("says its real address", request=more("X-Real-IP", "10.0.0.9")),
    Alteration("has its own User-Agent", request=lambda m: m.without("user-agent").having("User-Agent", "gateway/1")),
    Alteration(
        "accepts other codings",
        request=lambda m: m.without("accept-encoding").having("Accept-Encoding", "identity, *;q=0"),
    ),
    Alteration("accepts JSON", request=lambda m: m.without("accept").having("Accept", "application/json")),
    Alteration("has its own id", request=more("X-Correlation-Id", "c-1")),
    Alteration("takes part in the trace", request=_other_parent),
    Alteration("adds a trace state", request=more("tracestate", "gw=1")),
    Alteration("writes JSON anew", request=in_json(lambda body: None)),
    Alteration("other order of keys", request=in_json(_spelled)),
    Alteration("blanks in JSON", request=body_in(_indented)),
    Alteration("escapes in JSON", request=body_in(_escaped)),
    Alteration(
        "other form of numbers", request=body_in(lambda b: b.replace(b'"temperature":0.7', b'"temperature":7.0e-1'))
    ),
    Alteration("header names in capitals", request=_in(lambda h: [(k.upper(), v) for k, v in h])),
    Alteration("headers in another order", request=_in(lambda h: list(reversed(h)))),
    Alteration("drops DNT", request=lambda m: m.without("dnt")),
    Alteration("dates answers", answer=lambda m: m.without("date").having("Date", _NOW)),
    Alteration("names itself", answer=lambda m: m.without("server").having("Server", "gateway")),
    Alteration("says Via back", answer=more("Via", "1.1 gateway")),
    Alteration("has a header of its own", answer=more("X-Gateway-Time", "3")),
    Alteration("asks for HTTPS", answer=lambda m: m.without("strict-transport-security")),
    Alteration("writes answers anew", answer=in_json(lambda body: None)),
    Alteration("answers with other order", answer=in_json(_spelled)),
    Alteration("answers with blanks", answer=body_in(_indented)),
    Alteration("spells vectors shorter", answer=in_json(_floats)),
    Alteration("ends lines with CR LF", answer=_in_stream(b"\n\n", b"\r\n\r\n")),
    Alteration("comments in streams", answer=body_in(lambda b: b": hello\n\n" + b if b[:5] == b"data:" else b)),
    Alteration("no blank after data:", answer=_in_stream(b"data: ", b"data:")),
    Alteration("header names in small letters", answer=_in(lambda h: [(k.lower(), v) for k, v in h])),
)
