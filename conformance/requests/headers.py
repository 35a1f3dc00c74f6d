"""Header fields as a list, matched without regard to case (RFC 9110 section 5.1), and which of them are secret."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from conformance.redaction import REDACTED

__all__ = ["EMULATOR_HEADER", "REDACTED", "SECRET_HEADERS", "Headers", "first_value", "is_secret", "redact"]

#: Name and value of each field line, in order.
Headers = tuple[tuple[str, str], ...]

#: The header in which the emulator of this suite says who it is. A target that sends it is nobody's live resource.
EMULATOR_HEADER = "aoai-conformance-emulator"

#: Headers whose values are always secret, in lower case.
SECRET_HEADERS = frozenset(
    {"api-key", "authorization", "cookie", "set-cookie", "ocp-apim-subscription-key", "proxy-authorization"}
)

#: Headers whose names end like this are secret too: users may configure headers of any name.
_SECRET_ENDINGS = ("-key", "-token", "-secret", "-password", "authorization")


@lru_cache(1_024)
def is_secret(name: str) -> bool:
    """Return True for a header whose value must not be stored."""
    return name.lower() in SECRET_HEADERS or name.lower().endswith(_SECRET_ENDINGS)


def first_value(headers: Headers, name: str) -> str | None:
    """The first value of a header, or None."""
    wanted = name.lower()
    for key, value in headers:
        if key.lower() == wanted:
            return value
    return None


def redact(headers: Iterable[tuple[str, str]], secrets: Iterable[str] = ()) -> Headers:
    """Headers without secrets: those with secret names, and those whose values contain one of ``secrets``."""
    hidden = [secret for secret in secrets if secret]

    def clean(name: str, value: str) -> str:
        if is_secret(name) or any(secret in value for secret in hidden):
            return REDACTED
        return value

    return tuple((name, clean(name, value)) for name, value in headers)
