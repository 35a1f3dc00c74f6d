"""Defects of single values: log probabilities, counts, constants, ids, codes of errors, echoes, texts."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from answers import Change, Remembering, everywhere, on_json, on_response, on_text, with_bytes
from attrs import evolve
from defects import defect, put
from wire_defects import each_choice

from conformance.evidence.exchange import Exchange, Response

Entry = dict[str, Any]


# -- log probabilities -------------------------------------------------------------------------------------------------


def entries(change: Callable[[Entry], Any]) -> Change:
    """A change of each token entry of chat answers, plain and streamed."""

    def inside(choice: Entry) -> None:
        for entry in (choice.get("logprobs") or {}).get("content") or ():
            change(entry)

    return everywhere(each_choice(inside))


def unsorted(entry: Entry) -> None:
    entry["top_logprobs"] = sorted(entry.get("top_logprobs") or (), key=lambda one: one["logprob"])


def one_more(entry: Entry) -> None:
    found = entry.get("top_logprobs") or []
    entry["top_logprobs"] = [*found, *({**found[-1], "logprob": found[-1]["logprob"] - n} for n in range(1, 9))][:9]


put("value.logprob-positive", "log probabilities are above 0", entries(lambda e: e.update(logprob=-e["logprob"] + 0.1)))
put("value.token-empty", "tokens are empty", entries(lambda e: e.update(token="", bytes=[])))
put("value.bytes-wrong", "the bytes are not the token's", entries(lambda e: e.update(bytes=[1, *e["bytes"]])))
put(
    "value.top-unsorted",
    "alternatives are in rising order",
    entries(lambda e: unsorted(e) if e.get("top_logprobs") else None),
)
put(
    "value.top-more",
    "there are more alternatives than asked for",
    entries(lambda e: one_more(e) if e.get("top_logprobs") else None),
)
put("value.top-nameless", "alternatives have no token", entries(
    lambda e: [one.update(token="", bytes=None) for one in e.get("top_logprobs") or ()]
))  # fmt: skip
put("value.logprobs-null", "the log probabilities that were asked for are null", everywhere(
    each_choice(lambda choice: choice.update(logprobs=None) if choice.get("logprobs") else None)
))  # fmt: skip

# -- counts and constants ----------------------------------------------------------------------------------------------


def usage(change: Callable[[Entry], Any]) -> Change:
    def inside(value: Any) -> None:
        if isinstance(value.get("usage"), dict) and "choices" in value:
            change(value["usage"])

    return everywhere(inside)


def above(found: Entry) -> None:
    found.update(completion_tokens=500, total_tokens=found["prompt_tokens"] + 500)


put("value.usage-above-limit", "more tokens are counted than the limit allows", usage(above))
put(
    "value.usage-negative",
    "counts are negative",
    usage(lambda u: u.update(prompt_tokens=-1)),
)
put("value.usage-zero", "no tokens are counted", usage(
    lambda u: u.update(prompt_tokens=0, completion_tokens=0, total_tokens=0)
))  # fmt: skip
put("value.usage-constant", "each answer counts the same", usage(
    lambda u: u.update(prompt_tokens=10, completion_tokens=10, total_tokens=20)
))  # fmt: skip
put("value.id-constant", "each answer has the same id", everywhere(
    lambda value: value.update(id="chatcmpl-0") if "choices" in value and value.get("id") else None
))  # fmt: skip
put("value.id-empty", "answers have an empty id", everywhere(
    lambda value: value.update(id="") if "choices" in value and value.get("id") else None
))  # fmt: skip


def vectors(change: Callable[[Any], Any]) -> Change:
    def inside(value: Any) -> None:
        for one in value.get("data") or ():
            if isinstance(one, dict) and isinstance(one.get("embedding"), list):
                one["embedding"] = change(one["embedding"])

    return on_json(inside)


put("value.vector-constant", "each text has the same vector", vectors(lambda found: [0.01] * len(found)))
put("value.vector-zero", "all vectors are zero", vectors(lambda found: [0.0] * len(found)))
put(
    "value.vector-short",
    "vectors have another length each",
    vectors(lambda found: found[: 10 + int(abs(found[0]) * 1e4) % 7]),
)
put("value.vector-text", "the numbers of vectors are texts", vectors(lambda found: [str(one) for one in found]))
put("value.vector-empty", "vectors are empty", vectors(lambda found: []))
put("value.choices-fewer", "one choice comes where several were asked for", on_json(
    lambda value: value.update(choices=value["choices"][:1]) if len(value.get("choices") or ()) > 1 else None
))  # fmt: skip
put("value.choices-empty", "there are no choices", on_json(
    lambda value: value.update(choices=[]) if value.get("choices") else None
))  # fmt: skip
put("value.choices-one-index", "all choices have the index 0", on_json(each_choice(lambda c: c.update(index=0))))
put("value.model-empty", "answers name no model", everywhere(
    lambda value: value.update(model="") if "choices" in value and value.get("model") else None
))  # fmt: skip
put("value.role-user", "messages have the role user", on_json(
    each_choice(lambda c: c["message"].update(role="user") if isinstance(c.get("message"), dict) else None)
))  # fmt: skip
put("value.text-lost", "texts are empty", on_json(
    each_choice(lambda c: c["message"].update(content="") if (c.get("message") or {}).get("content") else None)
))  # fmt: skip

# -- errors and echoes -------------------------------------------------------------------------------------------------


def error(**values: Any) -> Change:
    return on_json(
        lambda value: value["error"].update(values) if isinstance(value.get("error"), dict) else None, good=False
    )


put("error.code-number", "the code of an error is its status", error(code=400))
put("error.code-none", "the code of an error is the text None", error(code="None"))
put("error.param-none", "the param of an error is the text None", error(param="None"))
put("error.no-code", "errors have no code", on_json(
    lambda value: (value.get("error") or {}).pop("code", None) and None, good=False
))  # fmt: skip
put("error.code-object", "the code of an error is an object", error(code={"value": "BadRequest"}))
put("error.message-list", "the message of an error is a list", error(message=["no"]))
put("error.as-list", "an error is in a list", on_json(lambda value: {"errors": [value.get("error")]}, good=False))


@defect("error.key-shown", "errors show the key of the request")
def key_shown(exchange: Exchange) -> Exchange | None:
    key = exchange.request.header("api-key") or exchange.request.header("authorization")
    return error(message=f"no access with {key}")(exchange) if key else None


def nothing_refused() -> Change:
    good: dict[tuple[str, str], Response] = {}

    def change(exchange: Exchange) -> Exchange | None:
        path = (exchange.request.method, exchange.request.url.partition("?")[0])
        response = exchange.response
        if exchange.ok and response is not None and response.is_json:
            good[path] = response
            return None
        if response is None or response.status not in (400, 422) or path not in good:
            return None
        return evolve(exchange, response=good[path])

    return change


put(
    "error.nothing-refused",
    "what is wrong is answered like the last good request to the same path",
    Remembering(nothing_refused),
)

# -- texts -------------------------------------------------------------------------------------------------------------


def texts(change: Callable[[str], str]) -> Change:
    """A change of each text that a model wrote in chat answers."""

    def inside(choice: Entry) -> None:
        for name in ("message", "delta"):
            held = choice.get(name)
            if isinstance(held, dict) and isinstance(held.get("content"), str) and held["content"]:
                held["content"] = change(held["content"])

    return everywhere(each_choice(inside))


def windows(text: str) -> str:
    try:
        return text.encode().decode("cp1252") if not text.isascii() else text
    except UnicodeDecodeError:
        return text


put("text.half", "texts begin with half of a surrogate pair", on_text(
    lambda text: re.sub(r'"content": ?"(?=[^"])', '"content":"\\\\ud83d', text)
))  # fmt: skip
put("text.control", "texts hold C1 control characters", texts(lambda text: text + "\x85"))
put("text.windows", "UTF-8 is read as Windows-1252 and written again", texts(windows))


def rewritten(change: Callable[[bytes], bytes], *, good: bool = False) -> Change:
    """A change of the bytes of JSON; ``good``: only of a success."""

    def inside(response: Response) -> Response | None:
        if response.media_type != "application/json" or not response.body or (good and response.status >= 300):
            return None
        return with_bytes(response, change(response.body))

    return on_response(inside)


put("json.utf-16", "JSON is sent in UTF-16", rewritten(lambda body: body.decode().encode("utf-16")))
put("json.bom", "JSON begins with a byte order mark", rewritten(lambda body: b"\xef\xbb\xbf" + body))
put("json.nan", "numbers are NaN", rewritten(lambda body: body.replace(b'"created":', b'"x_score":NaN,"created":')))
put("json.twice", "the JSON of an answer is sent twice", rewritten(lambda body: body * 2))
put("json.as-text", "JSON is a text in JSON", on_json(json.dumps))
put("json.null", "a success is null", rewritten(lambda body: b"null", good=True))
put("json.empty", "a success is an empty object", rewritten(lambda body: b"{}", good=True))
