"""Header fields as a list, matched without case (RFC 9110 section 5.1), and which of them hold secrets."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["REDACTED", "SECRET_HEADERS", "Headers", "first_value", "is_secret", "redact"]

Headers = tuple[tuple[str, str], ...]

#: What stands in the place of a secret.
REDACTED = "[redacted]"

#: Header names whose values are always secrets (lower case).
SECRET_HEADERS = frozenset(
    {"api-key", "authorization", "cookie", "set-cookie", "ocp-apim-subscription-key", "proxy-authorization"}
)

#: So are those of headers with such an ending: extra headers of a configuration have names of their owners' choice.
_SECRET_ENDINGS = ("-key", "-token", "-secret", "-password", "authorization")


def is_secret(name: str) -> bool:
    """True for a header whose value must not be kept."""
    return name.lower() in SECRET_HEADERS or name.lower().endswith(_SECRET_ENDINGS)


def first_value(headers: Headers, name: str) -> str | None:
    """The first value of a header, matched without case; None where absent."""
    wanted = name.lower()
    return next((value for key, value in headers if key.lower() == wanted), None)


def redact(headers: Iterable[tuple[str, str]], secrets: Iterable[str] = ()) -> Headers:
    """Headers without secrets: known secret names are blanked, and so is any value that holds one of ``secrets``."""
    hidden = [secret for secret in secrets if secret]

    def clean(name: str, value: str) -> str:
        if is_secret(name) or any(secret in value for secret in hidden):
            return REDACTED
        return value

    return tuple((name, clean(name, value)) for name, value in headers)
