"""The values of the JSON Schema keyword ``format``, as one table for both validators, so that they agree.

Formats that concern only the encoding (``binary``, ``byte``, ``int32``) are not checked.
"""

from __future__ import annotations

import base64
import binascii
import re
import uuid
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from rfc3339_validator import validate_rfc3339  # type: ignore[import-untyped]

__all__ = ["FORMATS"]

#: RFC 3986 section 2: the characters of a URI.
_URI_TEXT = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")


def _uri(text: str) -> bool:
    """RFC 3986: a scheme, and only characters that a URI may contain."""
    if not _URI_TEXT.fullmatch(text):
        return False
    try:
        return bool(urlsplit(text).scheme)
    except ValueError:
        return False


def _date_time(text: str) -> bool:
    """RFC 3339."""
    return bool(validate_rfc3339(text))


def _uuid(text: str) -> bool:
    """RFC 9562: hexadecimal digits with hyphens."""
    try:
        # ``uuid.UUID`` also accepts braces, a URN prefix and missing hyphens, which RFC 9562 does not.
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False


def _base64(text: str) -> bool:
    """RFC 4648 section 4."""
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


#: Name of a format → returns True for a text of that format.
FORMATS: Mapping[str, Callable[[str], bool]] = {
    "base64": _base64,
    "date-time": _date_time,
    "uri": _uri,
    "uuid": _uuid,
}
