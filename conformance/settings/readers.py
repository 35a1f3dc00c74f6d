"""What a value of the configuration may be: one reader for each key, by section.

A reader takes what TOML, an environment variable or an option gave, and returns the value; it raises ``TypeError`` that
says what is expected.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any
from urllib.parse import urlsplit

__all__ = ["CAPABILITIES", "EXPENSIVE_KINDS", "SECTIONS", "WAIVER", "Reader"]

#: What costs more than a few tokens; off loopback each kind is sent only where it is allowed by name.
EXPENSIVE_KINDS = (
    "batch",
    "code-interpreter",
    "evals",
    "file-search",
    "fine-tuning",
    "images",
    "large-body",
    "n",
    "video",
)

#: What a deployment can do: the words of ``[target.deployments]``, with what is asked of one that claims it.
CAPABILITIES: Mapping[str, str] = {
    "chat": "chat completions",
    "tools": "chat with function tools",
    "vision": "chat with images in messages",
    "logprobs": "chat with log probabilities",
    "reasoning": "a reasoning model; sampling parameters are not asked of it where another deployment can answer",
    "completions": "completions of a text",
    "embeddings": "embeddings",
    "dimensions": "embeddings of a chosen length",
    "transcription": "audio to text",
    "translation": "audio to English text",
    "speech": "text to audio",
    "images": "images made of a text",
    "image-edits": "images made of images",
    "video": "video jobs",
    "assistants": "assistants, threads and runs",
    "responses": "responses",
    "fine-tuning": "a base model of fine-tuning jobs",
}

Reader = Callable[[Any], Any]


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("a text")
    return value


def _choice(*allowed: str) -> Reader:
    def read(value: Any) -> str:
        if value not in allowed:
            raise TypeError("one of " + ", ".join(allowed))
        return str(value)

    return read


def _flag(value: Any) -> bool:
    words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in words:
        return words[value.lower()]
    raise TypeError("true or false")


def _number(kind: type[int] | type[float], lowest: float, says: str) -> Reader:
    def read(value: Any) -> int | float:
        try:
            made = kind(value) if isinstance(value, str) else value
        except ValueError:
            raise TypeError(says) from None
        fits = isinstance(made, int) or (kind is float and isinstance(made, float))
        if isinstance(made, bool) or not fits or not lowest <= made < float("inf"):
            raise TypeError(says)
        return kind(made)

    return read


_COUNT = _number(int, 0, "a whole number of 0 or more")
_SIZE = _number(int, 1, "a whole number of bytes, at least 1")
_SECONDS = _number(float, 0.001, "seconds, more than 0")


def _names(value: Any) -> frozenset[str]:
    if isinstance(value, str):
        value = [name.strip() for name in value.split(",") if name.strip()]
    if not isinstance(value, list | tuple | set | frozenset) or not all(isinstance(name, str) for name in value):
        raise TypeError("a list of names")
    return frozenset(value)


def _kinds(value: Any) -> frozenset[str]:
    found = _names(value)
    if not found <= frozenset(EXPENSIVE_KINDS):
        raise TypeError("names out of " + ", ".join(EXPENSIVE_KINDS))
    return found


def _texts(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping) or not all(isinstance(item, str) for item in value.values()):
        raise TypeError("a table of texts")
    return dict(value)


def _headers(value: Any) -> dict[str, str]:
    found = _texts(value)
    for name, text in found.items():
        # RFC 9110, sections 5.1 and 5.5: a name is a token, a value holds no control characters.
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name) or re.search(r"[\x00-\x08\x0a-\x1f\x7f]", text):
            raise TypeError(f"headers that HTTP can carry, not {name!r}")
    return found


def _deployments(value: Any) -> dict[str, frozenset[str]]:
    if not isinstance(value, Mapping):
        raise TypeError("a table: name = [capabilities]")
    try:
        found = {name: _names(can) for name, can in value.items()}
    except TypeError:
        raise TypeError('name = ["capability", …], such as gpt-4o = ["chat", "tools"]') from None
    for name, can in found.items():
        if not can:
            raise TypeError(f"what {name} can do: one or more of " + ", ".join(CAPABILITIES))
        for word in sorted(can - set(CAPABILITIES)):
            near = difflib.get_close_matches(word, CAPABILITIES, n=1)
            instead = f"{near[0]!r} instead of {word!r}" if near else "one of " + ", ".join(CAPABILITIES)
            raise TypeError(instead)
    return found


def _url(value: Any) -> str:
    text = _text(value).rstrip("/")
    try:
        parts = urlsplit(text)
        port_ok = parts.port is None or parts.port > 0
    except ValueError:
        parts, port_ok = urlsplit(""), False
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_ok or parts.query or parts.fragment:
        raise TypeError("an http or https URL without query, such as https://name.openai.azure.com")
    if "@" in parts.netloc:
        raise TypeError("an URL without user name and password")
    return text


def _base_path(value: Any) -> str:
    text = _text(value)
    if text and (not text.startswith("/") or text.startswith("//") or "?" in text or "#" in text):
        raise TypeError('a path that begins with one "/", or ""')
    return text.rstrip("/")


def _day(value: Any) -> date:
    try:
        if isinstance(value, datetime):  # a date with a time can't be compared with a day
            return value.date()
        return value if isinstance(value, date) else date.fromisoformat(_text(value))
    except ValueError:
        raise TypeError("a date such as 2030-01-31") from None


_TARGET: dict[str, Reader] = {
    "url": _url,
    "auth": _choice("api-key", "bearer", "none"),
    "key_env": _text,
    "key_file": _text,
    "headers": _headers,
    "base_path": _base_path,
    "api_version": _text,
    "deterministic": _flag,
    "allow_http": _flag,
    "retries": _COUNT,
    "max_body": _SIZE,
    "deployments": _deployments,
    "unsupported": _texts,
}
SECTIONS: dict[str, dict[str, Reader]] = {
    "target": _TARGET,
    "target.timeouts": dict.fromkeys(("connect", "read", "idle", "whole"), _SECONDS),
    "budget": {"requests": _COUNT, "tokens": _COUNT, "images": _COUNT, "seconds": _SECONDS, "expensive": _kinds},
    "poll": {"interval": _SECONDS, "deadline": _SECONDS},
}
WAIVER: dict[str, Reader] = {
    "check": _text,
    "operation": _text,
    "scenario": _text,
    "owner": _text,
    "reason": _text,
    "link": _text,
    "expires": _day,
}
