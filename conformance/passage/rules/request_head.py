"""What reaches the upstream of method, path, query, header fields and credentials."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import parse_qsl, urlsplit

from attrs import evolve

from conformance.passage.counterexamples import in_arrival
from conformance.passage.fields import OWN_REQUEST, kept_fields
from conformance.passage.members import fields_altered
from conformance.passage.passage import Kind, Passage, Side
from conformance.passage.rule import Found, rule
from conformance.passage.views import Arrival, Pair, arrivals, narrowed, requests
from conformance.requests.headers import is_secret
from conformance.requests.request import Request
from conformance.verdict import Level

__all__ = ["cookies", "credentials", "headers", "query", "route", "trace_ids"]

#: The ids by which a client finds its request again. ``traceparent`` is compared by its trace id.
_IDS = ("x-ms-client-request-id", "traceparent")


def _without(*names: str) -> Callable[[Request], Request | None]:
    """A change of a request: without some header fields. None if it has none of them."""

    def change(request: Request) -> Request | None:
        kept = tuple(pair for pair in request.headers if pair[0].lower() not in names)
        return evolve(request, headers=kept) if kept != request.headers else None

    return change


def _other_path(request: Request) -> Request:
    """The request with a segment more in its path."""
    parts = urlsplit(request.url)
    return evolve(request, url=parts._replace(path=f"{parts.path}/altered").geturl())


@rule(
    "via.request.route",
    Level.SHOULD,
    Side.REQUEST,
    clause="A gateway passes a request on to the operation that the client called.",
    source="RFC 9110 section 7.7: an intermediary must not modify path and query of a target URI that it forwards",
    counterexample=in_arrival(_other_path),
    sees=requests,
)
def route(seen: Pair[Request]) -> Iterator[Found]:
    """Method and operation are those of the client. Another prefix of the path is the gateway's own routing."""
    if seen.before.method != seen.after.method:
        yield "method", Kind.CHANGED, seen.before.method, seen.after.method, ""
    sent, received = (urlsplit(one.url).path for one in (seen.before, seen.after))
    if not (sent == received or sent.endswith(received) or received.endswith(sent)):
        yield "path", Kind.CHANGED, sent, received, ""


def _other_version(request: Request) -> Request:
    """The request with another value of its first query parameter, or with one that nobody sent."""
    parts = urlsplit(request.url)
    names = [name for name, _ in parse_qsl(parts.query, keep_blank_values=True)] or ["altered"]
    return evolve(request, url=parts._replace(query=f"{names[0]}=altered").geturl())


def _parameters(request: Request) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(request.url).query, keep_blank_values=True))


@rule(
    "via.request.query",
    Level.MUST,
    Side.REQUEST,
    clause="The query, api-version above all, selects the contract: another one is another API.",
    source="RFC 9110 section 7.7; REST API reference: api-version is a required parameter of dated routes",
    counterexample=in_arrival(_other_version),
    sees=requests,
)
def query(seen: Pair[Request]) -> Iterator[Found]:
    """Every query parameter reaches the upstream with its value, and none is added."""
    yield from fields_altered(_parameters(seen.before), _parameters(seen.after), "query")


def _trace_id(name: str, value: str) -> str:
    """The part of an id that must stay: of ``traceparent`` the trace id, because each hop writes its own parent."""
    return value.split("-")[1] if name == "traceparent" and value.count("-") >= 3 else value


def _ids(seen: Pair[Request]) -> str:
    return "" if any(seen.before.header(name) for name in _IDS) else "the client sent no id"


@rule(
    "via.request.ids",
    Level.SHOULD,
    Side.REQUEST,
    clause="The ids by which a client traces its request reach the service: without them nobody finds it in its logs.",
    source="W3C Trace Context section 3.2; Azure REST API guidelines: x-ms-client-request-id",
    counterexample=in_arrival(_without(*_IDS)),
    sees=narrowed(requests, _ids),
)
def trace_ids(seen: Pair[Request]) -> Iterator[Found]:
    """``x-ms-client-request-id`` and the trace id of ``traceparent`` arrive."""
    for name in _IDS:
        sent, received = seen.before.header(name), seen.after.header(name)
        if sent is None:
            continue
        if received is None:
            yield f"header:{name}", Kind.DROPPED, sent, None, ""
        elif _trace_id(name, sent) != _trace_id(name, received):
            yield f"header:{name}", Kind.CHANGED, sent, received, ""


def _comparable(request: Request) -> dict[str, str]:
    """The fields that rules of their own don't speak of, without secrets."""
    fields = kept_fields(request.headers, OWN_REQUEST)
    return {
        name: value for name, value in fields.items() if name not in (*_IDS, "content-type") and not is_secret(name)
    }


def _more(request: Request) -> Request:
    """The request with a field that nobody sent."""
    return evolve(request, headers=(*request.headers, ("x-altered", "1")))


@rule(
    "via.request.headers",
    Level.OBS,
    Side.REQUEST,
    clause="An intermediary may drop and add fields that no rule of their own names; people want to know.",
    source="RFC 9110 section 5.1: a proxy must forward unrecognized header fields unless it is configured otherwise",
    counterexample=in_arrival(_more),
    sees=requests,
)
def headers(seen: Pair[Request]) -> Iterator[Found]:
    """Other fields of the client arrive, and none is added. What an intermediary may write itself isn't compared."""
    yield from fields_altered(_comparable(seen.before), _comparable(seen.after), "header")


def _passed_on(passage: Passage) -> Passage | None:
    """The client's key at the upstream."""
    call = passage.call
    if call is None or not passage.secret:
        return None
    changed = evolve(call, credentials={**call.credentials, "api-key": passage.secret})
    return evolve(passage, calls=tuple(changed if one.number == call.number else one for one in passage.calls))


def _own_key(seen: Arrival) -> str:
    return "" if seen.passage.secret else "the client's key is that of the upstream"


@rule(
    "via.request.credentials",
    Level.SHOULD,
    Side.REQUEST,
    clause="The key by which a client is known to the gateway is no business of the service behind it.",
    source="RFC 9110 section 11.7.2: credentials are for the next hop that asked for them",
    counterexample=_passed_on,
    sees=narrowed(arrivals, _own_key),
)
def credentials(seen: Arrival) -> Iterator[Found]:
    """The client's key doesn't reach the upstream, in no header field."""
    for call in seen.passage.calls:
        for name, digest in call.credentials.items():
            if digest == seen.passage.secret:
                yield f"header:{name}", Kind.LEAKED, "the client's key", "the client's key at the upstream", ""


def _cookie(request: Request) -> Request:
    """The request with a cookie."""
    return evolve(request, headers=(*request.headers, ("cookie", "altered=1")))


def _no_cookie(seen: Arrival) -> str:
    return "the client sent a cookie" if seen.passage.through.request.header("cookie") else ""


@rule(
    "via.request.cookies",
    Level.MUST,
    Side.REQUEST,
    clause="A cookie that the upstream gave for one client is not sent with the requests of another.",
    source="RFC 6265 section 8.2: cookies are ambient authority, so a shared jar mixes the sessions of clients",
    counterexample=in_arrival(_cookie),
    sees=narrowed(arrivals, _no_cookie),
)
def cookies(seen: Arrival) -> Iterator[Found]:
    """A request of a client without cookies arrives without cookies."""
    if any(call.request.header("cookie") for call in seen.passage.calls):
        yield "header:cookie", Kind.ADDED, "", "a cookie that this client never had", ""
