"""Header fields: which of them belong to one connection, which an intermediary may write, which clients rely on."""

from __future__ import annotations

from conformance.evidence.exchange import Response
from conformance.requests.headers import Headers, first_value

__all__ = ["CLIENTS_USE", "END_TO_END", "OWN_ANSWER", "OWN_REQUEST", "connection_fields", "kept_fields"]

#: Fields of one connection (RFC 9110 section 7.6.1), and the framing of one message (RFC 9112 section 6).
HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "content-length",
    }
)

#: What an intermediary may write into a request: where it goes, through whom it came (RFC 9110 section 7.6.3, RFC
#: 7239), and what it negotiates for itself.
OWN_REQUEST = frozenset(
    {
        "host",
        "via",
        "forwarded",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-port",
        "x-forwarded-proto",
        "x-forwarded-prefix",
        "x-real-ip",
        "x-request-start",
        "accept-encoding",
        "user-agent",
        "accept",
    }
)

#: What an intermediary may write into an answer: when it was sent, by which server, through whom (RFC 9110 sections
#: 6.6.1, 10.2.4, 7.6.3), how it may be reached (RFC 7838, RFC 6797).
OWN_ANSWER = frozenset({"date", "server", "via", "alt-svc", "strict-transport-security", "age"})

#: Fields of a request that clients send in order to find it again.
END_TO_END = ("x-ms-client-request-id", "traceparent", "content-type")

#: Fields of an answer that clients use: ids for support, the region, limits, and when to try again.
CLIENTS_USE = (
    "apim-request-id",
    "x-request-id",
    "x-ms-region",
    "x-ms-client-request-id",
    "retry-after",
    "retry-after-ms",
)

#: The beginning of the names of fields with rate limits.
RATE_LIMITS = "x-ratelimit-"


def connection_fields(headers: Headers) -> frozenset[str]:
    """The names that concern one connection only: those of the standard and those that ``Connection`` lists."""
    listed = (first_value(headers, "connection") or "").lower().split(",")
    return HOP | {name.strip() for name in listed if name.strip()}


def kept_fields(headers: Headers, own: frozenset[str]) -> dict[str, str]:
    """The fields that should arrive, by name in lower case; several lines of one name are joined (RFC 9110 section
    5.3).
    """
    gone = connection_fields(headers) | own
    kept: dict[str, str] = {}
    for name, value in headers:
        lower = name.lower()
        if lower not in gone:
            kept[lower] = f"{kept[lower]}, {value}" if lower in kept else value
    return kept


def used_by_clients(response: Response) -> dict[str, str]:
    """The fields of an answer that clients use, by name in lower case."""
    return {
        name.lower(): value
        for name, value in response.headers
        if name.lower() in CLIENTS_USE or name.lower().startswith(RATE_LIMITS)
    }
