"""Why bytes are no JSON text, in the words of RFC 8259."""

from __future__ import annotations

import codecs
import json
from typing import NoReturn

__all__ = ["why_not_json"]


def why_not_json(content: bytes) -> str:
    """The first reason why bytes can't be read as JSON, as an end of "the body is not JSON: …".

    Bytes that can be read give "it is JSON".
    """
    if not content.strip():
        return "it is empty"
    if content.startswith(codecs.BOM_UTF8):
        return "it begins with a byte order mark (RFC 8259 section 8.1)"
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in content[:2]:
        return "it is UTF-16, and JSON is UTF-8 (RFC 8259 section 8.1)"
    try:
        text = str(content, "utf-8")
    except UnicodeDecodeError as error:
        at = error.start
        return f"its charset is not UTF-8 (RFC 8259 section 8.1), see byte {content[at]:02X} at {at}"
    try:
        end = json.JSONDecoder(parse_constant=_no_value).raw_decode(text, _blanks(text))[1]
    except json.JSONDecodeError as error:
        return f"{error.msg.lower()} at character {error.pos}"
    except _ConstantError as error:
        return f"{error} is no JSON value (RFC 8259 section 6)"
    except (ValueError, RecursionError):
        return "its values are too large or nested too deeply"
    rest = text[end:].strip(" \t\r\n")
    if rest:
        return f"{len(rest)} more characters follow the JSON text, the first at {text.index(rest, end)}"
    return "it is JSON"


class _ConstantError(Exception):
    """``NaN`` or an infinity, which Python's parser takes beside JSON."""


def _no_value(name: str) -> NoReturn:
    raise _ConstantError(name)


def _blanks(text: str) -> int:
    """The number of blanks before a JSON text (RFC 8259 section 2)."""
    return len(text) - len(text.lstrip(" \t\r\n"))
