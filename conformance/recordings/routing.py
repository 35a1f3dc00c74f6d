"""Which operation of which api-version a recorded request belongs to, by its URL alone.

A route is recognised at the end of a path, whatever stands before it: gateways have prefixes of their own. One that
other sites may have too, such as ``/files``, needs the document's base path, or a part of it, right before it. The
api-version in the query chooses the document; where no document has that version, the nearest one that documents the
route is taken, and the exchange says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import lru_cache
from urllib.parse import parse_qsl, unquote, urlsplit

from attrs import frozen

from conformance.spec.operations import Operation, operations_of
from conformance.spec.spec import Spec

__all__ = ["Route", "asked_in", "route_of"]

#: The parameter of the query that names the api-version.
_NAME = "api-version"

#: The days that count for a version without a date: any dated one is nearer to another dated one.
_FAR = 10**6


@frozen
class Route:
    """The operation of a request. ``names`` are the values of the path's parameters, ``query`` the pairs of the query.

    ``asked`` is the api-version on the wire, "" without one. ``exact`` is False if the document is that of another
    version, the nearest one.
    """

    spec: Spec
    operation: Operation
    names: Mapping[str, str]
    query: tuple[tuple[str, str], ...]
    asked: str = ""
    exact: bool = True


@frozen
class _Found:
    """A route that fits: how well, and where. ``open``: the document takes requests with this api-version, or without
    one.
    """

    rank: tuple[bool, bool, int, int]
    segments: int
    open: bool
    spec: Spec
    operation: Operation
    names: Mapping[str, str]
    exact: bool


def asked_in(url: str) -> str:
    """The api-version that the query of a URL names, "" if it names none."""
    return dict(parse_qsl(urlsplit(url).query)).get(_NAME, "")


def route_of(method: str, url: str, specs: Sequence[Spec], *, forced: bool = False) -> Route | None:
    """The route of a request, or None if no document has it. ``forced``: the user chose the version, so what the wire
    says of it doesn't matter.
    """
    parts = urlsplit(url)
    segments = [segment for segment in parts.path.split("/") if segment]
    query = tuple(parse_qsl(parts.query, keep_blank_values=True))
    everywhere = [one for spec in specs for one in _fits(spec, method, segments, query, forced=forced)]
    # A route of another document that is longer leaves no room for a shorter one at the same end.
    longest = max((one.segments for one in everywhere), default=0)
    found = [one for one in everywhere if one.open and (one.segments == longest or one.rank[0])]
    at_home = [one for one in everywhere if one.rank[0]]
    if not found or (at_home and not any(one.open for one in at_home) and not dict(query).get(_NAME)):
        return None  # of a document that needs an api-version, and there is none
    best = max(found, key=lambda one: one.rank)
    name = best.spec.api_version.name
    return Route(
        spec=best.spec,
        operation=best.operation,
        names=best.names,
        query=tuple(pair for pair in query if pair[0] != name),
        asked=dict(query).get(name, ""),
        exact=best.exact,
    )


def _fits(
    spec: Spec, method: str, segments: Sequence[str], query: Iterable[tuple[str, str]], *, forced: bool
) -> Iterator[_Found]:
    """Yield the routes of one document that end the path.

    A request without api-version belongs to a document that does without one, and one with an api-version to a document
    that has the parameter.
    """
    version = spec.api_version
    asked = dict(query).get(version.name, "")
    if spec.live == "no" and not forced:  # the service doesn't serve this document, and another may fit better
        return
    closed = not forced and ((not asked and version.required) or (asked != "" and version.location != "query"))
    exact = forced or (asked in version.accepted if asked else True)
    base = [segment for segment in spec.base_path.split("/") if segment]
    for operation, template in _routes(spec):
        if operation.method != method or len(template) > len(segments):
            continue
        tail = segments[len(segments) - len(template) :]
        names = _names(template, tail)
        if names is not None:
            before = segments[: len(segments) - len(template)]
            at_base = before[len(before) - len(base) :] == base
            literal = sum(not part.startswith("{") for part in template)
            if not (at_base or forced or _unmistakable(template) or (before and before[-1] in base)):
                continue
            rank = (at_base, exact, len(template) * 100 + literal, -_days(asked, spec.version))
            yield _Found(rank, len(template), not closed, spec, operation, names, exact)


def _unmistakable(template: Sequence[str]) -> bool:
    """Return True for a route that no other site has: any may have a path that ends with ``/files``, or with
    ``/threads/1/messages``. Without the base path before them such routes are nobody's.
    """
    words = [part for part in template[:2] if not part.startswith("{")]
    return template[0] == "deployments" or len(words) == 2


@lru_cache(maxsize=32)
def _templates(paths: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(path.strip("/").split("/")) for path in paths)


def _routes(spec: Spec) -> Iterator[tuple[Operation, tuple[str, ...]]]:
    """Yield the operations of a document with the segments of their paths."""
    known = tuple(operations_of(spec).values())
    yield from zip(known, _templates(tuple(operation.path for operation in known)), strict=True)


def _names(template: Sequence[str], tail: Sequence[str]) -> Mapping[str, str] | None:
    """The values of a path's parameters; None if the path is another one."""
    names = {}
    for part, segment in zip(template, tail, strict=True):
        if part.startswith("{"):
            names[part[1:-1]] = unquote(segment)
        elif part != segment:
            return None
    return names


def _days(asked: str, version: str) -> int:
    """The days between two versions; many if one of them has no date."""
    dates = [re.match(r"\d{4}-\d\d-\d\d", text) for text in (asked, version)]
    try:
        first, second = (date.fromisoformat(found.group()) if found else None for found in dates)
    except ValueError:
        return _FAR
    return abs((first - second).days) if first and second else _FAR
