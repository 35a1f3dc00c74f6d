"""Building blocks of counterexamples: pure changes to an exchange. They return None if it can't exhibit the defect."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

from attrs import evolve

from conformance.evidence.exchange import Exchange, Response
from conformance.evidence.json_copy import copied
from conformance.judging.check import Counterexample
from conformance.requests.request import Request
from conformance.requests.wire import UNKNOWN_API_VERSION

__all__ = [
    "admitted",
    "answer_with",
    "asked",
    "earlier_success",
    "on_json",
    "path_of",
    "query_of",
    "still_readable",
    "when_refused",
]

When = Callable[[Exchange], bool]


def path_of(request: Request) -> str:
    """The path of a request's URL, without the query and without a slash at its end."""
    return urlsplit(request.url).path.rstrip("/")


def query_of(request: Request) -> dict[str, str]:
    """The query of a request's URL, with the last value of each name."""
    return {name: values[-1] for name, values in parse_qs(urlsplit(request.url).query, keep_blank_values=True).items()}


def asked(method: str, path: str) -> When:
    """A predicate for exchanges: the request has this method and its path ends with this pattern (a regular
    expression).
    """
    pattern = re.compile(path + r"$")
    return lambda exchange: exchange.request.method == method and bool(pattern.search(path_of(exchange.request)))


def on_json(change: Callable[[Any, Request], Any], *, when: When = lambda _: True) -> Counterexample:
    """Change the JSON of a successful answer. ``change`` gets a copy and the request; it returns None for an unsuitable
    one.
    """

    def broken(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
        response = exchange.response
        if response is None or not exchange.ok or not isinstance(response.json, dict) or not when(exchange):
            return None
        # The parsed body is cached in the response, so it must not be changed in place.
        changed = change(copied(response.json), exchange.request)
        return None if changed is None else exchange.answered(response.with_json(changed))

    return broken


def when_refused(make: Callable[[Exchange, Response], Response | None], *statuses: int) -> Counterexample:
    """Change an answer that refuses (4xx, or one of the given statuses)."""

    def broken(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
        response = exchange.response
        if response is None or not 400 <= response.status < 500 or (statuses and response.status not in statuses):
            return None
        made = make(exchange, response)
        return None if made is None else exchange.answered(made)

    return broken


def answer_with(status: int, value: Any) -> Callable[[Exchange, Response], Response]:
    """A function for :func:`when_refused` that answers with another status and a JSON body."""
    return lambda _exchange, response: evolve(response, status=status).with_json(value)


def admitted(exchange: Exchange, _others: Sequence[Exchange]) -> Exchange | None:
    """Turn a refusal into an empty success."""
    response = exchange.response
    if response is None or not 400 <= response.status < 500:
        return None
    return exchange.answered(evolve(response, status=200).with_json({}))


def odd_version(exchange: Exchange) -> bool:
    """Return True if the request has the made-up api-version."""
    return query_of(exchange.request).get("api-version") == UNKNOWN_API_VERSION


def earlier_success(exchange: Exchange, earlier: Sequence[Exchange]) -> Response | None:
    """The latest successful JSON answer to the same method and path, to replace a refusal."""
    path = path_of(exchange.request)
    for past in reversed(earlier):
        good, same = past.response, past.request.method == exchange.request.method and path_of(past.request) == path
        # A stream or a file in place of a refusal would break other rules too.
        if past.ok and same and good is not None and good.media_type == "application/json":
            return good
    return None


def still_readable(pattern: str) -> Counterexample:
    """Answer a 404 at a path (a regular expression) with the earlier successful answer, as if the object still
    existed.
    """
    wanted = re.compile(pattern)

    def broken(exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange | None:
        response, path = exchange.response, path_of(exchange.request)
        if response is None or response.status != 404 or not wanted.search(path):
            return None
        for past in earlier:
            if past.ok and path_of(past.request) == path and past.response:
                return exchange.answered(past.response)
        return None

    return broken
