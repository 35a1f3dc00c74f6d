"""Objects of the account that this run did not create: evidence keeps a hash of their ids and their shape, nothing
else.

Scenarios work with the answers as they came, because an id must be sent back as it is. What is hidden is the copy that
is judged, printed and stored, so ``verify`` judges the same evidence.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

from attrs import evolve

from conformance.evidence.body import without_content
from conformance.evidence.created_ids import values_of
from conformance.evidence.exchange import Exchange, Response
from conformance.evidence.trace import Observation
from conformance.requests.case import Case
from conformance.requests.headers import Headers
from conformance.requests.request import Request
from conformance.requests.wire import PLACEHOLDER
from conformance.target.guards import path_ids

__all__ = ["ForeignObjects", "hidden_id", "words_of"]

#: Fields with text of their owner. A word in them is kept only if the document has it.
_FREE = ("name", "description", "instructions", "filename", "title", "text", "value", "content", "user", "model")

#: What a member of an enum looks like. It must stay, or the hidden answer would violate the schema.
_WORD = re.compile(r"[a-z][a-z0-9_.]{0,31}")

#: The prefix of an id, such as ``file-``, by which schemas recognise its kind.
_PREFIX = re.compile(r"^[a-z]+[-_]")

#: What isn't structure in a JSON text: an answer that can't be parsed keeps its form without its words.
#: A table for bytes: a replacement for each byte of a long text would take fifty times its size in memory.
_CONTENT = bytes(byte if byte in b' \t\n\r\f\v{}[]:,"' else ord("x") for byte in range(256))

#: Headers with the name, place or digest of what an answer holds, in lower case.
_DESCRIBING = frozenset(
    ("content-digest", "content-disposition", "content-location", "content-md5", "digest", "etag", "link", "location")
)

#: What isn't structure in such a header.
_UNMARKED = re.compile(r'[^\s;=",/:<>?&]')


def hidden_id(value: str) -> str:
    """An id that can be compared but not used: the prefix stays, the rest is hashed."""
    prefix = _PREFIX.match(value)
    digest = hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()
    return (prefix.group() if prefix else "") + digest[:24]


def words_of(document: Any) -> frozenset[str]:
    """The members of all enums of an OpenAPI document, and its constants: words that belong to no owner."""
    return frozenset(_words(document))


def _words(value: Any) -> Iterator[str]:
    match value:
        case dict():
            listed = value.get("enum")
            named = [*listed, value.get("const")] if isinstance(listed, list) else [value.get("const")]
            yield from (word for word in named if isinstance(word, str))
            for inner in value.values():
                yield from _words(inner)
        case list():
            for inner in value:
                yield from _words(inner)


def _is_id(key: str) -> bool:
    """True for the name of a field with an id or a list of ids."""
    return key == "id" or key.endswith(("_id", "_ids"))


def _ids(value: Any, key: str = "") -> Iterator[str]:
    """Yield the ids that a JSON value names."""
    match value:
        case dict():
            for name, inner in value.items():
                yield from _ids(inner, name)
        case list():
            for inner in value:
                yield from _ids(inner, key)
        case str() if _is_id(key):
            yield value


def _telling_nothing(headers: Headers) -> Headers:
    """The headers of an answer without what they tell of its content."""
    return tuple((name, _UNMARKED.sub("x", value) if name.lower() in _DESCRIBING else value) for name, value in headers)


def _replaced(response: Response, ids: Mapping[str, str]) -> Response:
    """The answer with some texts of its JSON replaced, also where one was cut between two chunks."""
    if not ids:
        return response
    forms = {
        json.dumps(old, ensure_ascii=plain).encode("utf-8", "surrogatepass"): json.dumps(new).encode()
        for old, new in ids.items()
        for plain in (True, False)
    }

    def swapped(data: bytes) -> bytes:
        for old, new in forms.items():
            data = data.replace(old, new)
        return data

    whole = swapped(response.body)
    # The times of a stream stay, unless an id stands in two of its chunks.
    pieces = tuple(evolve(chunk, data=swapped(chunk.data)) for chunk in response.chunks)
    streamed = b"".join(piece.data for piece in pieces) == whole and response.header("content-length") is None
    return evolve(response, chunks=pieces) if streamed else response.with_body(whole)


class ForeignObjects:
    """The objects of others that one scenario has met. Not thread-safe: its owner locks.

    ``owned`` are the ids of the run; the set may grow meanwhile. An id that was taken for somebody else's stays so for
    this scenario, so that its pages can be compared. An id that an answer about an object of ours names stands there as
    it is, and so it does in the rest of the scenario; what its object holds is hidden nevertheless. ``words`` belong to
    the api-version and are never hidden.
    """

    def __init__(self, owned: Collection[str], words: Collection[str] = ()) -> None:
        self._owned, self._words = owned, words
        self._ours: set[str] = set()
        self._theirs: set[str] = set()
        self._shown: set[str] = set()

    def hidden(self, seen: Observation) -> Observation:
        """The observation as it may be kept: without content of others, their ids replaced wherever they stand."""
        exchange = self._exchange(seen.case, seen.exchange)
        bindings = {name: self._id(value) for name, value in seen.case.bindings.items()}
        case = seen.case if bindings == seen.case.bindings else evolve(seen.case, bindings=bindings)
        return seen if exchange is seen.exchange and case is seen.case else Observation(case, exchange)

    def _exchange(self, case: Case, exchange: Exchange) -> Exchange:
        """One exchange and its earlier attempts."""
        response = exchange.response and self._response(case, exchange.response)
        request = self._request(case, exchange.request)
        attempts = tuple(self._exchange(case, attempt) for attempt in exchange.attempts)
        if response is exchange.response and request is exchange.request and attempts == exchange.attempts:
            return exchange
        return evolve(exchange, request=request, response=response, attempts=attempts)

    def _is_ours(self, value: str) -> bool:
        """True if the run created the object with this id, as it was known when the id was first met."""
        if value in self._ours:
            return True
        # Decided once for each id: the set of our own objects grows meanwhile, and an id must not change its form
        # within a scenario.
        if value in self._theirs or value not in self._owned:
            if value not in self._shown:
                self._theirs.add(value)
            return False
        self._ours.add(value)
        return True

    def _show(self, response: Response) -> Response:
        """An answer about an object of ours, as it is. The ids that it names are in the evidence from now on.

        An id that a list showed before, as that of somebody else, stays hidden here too: one id must not stand in two
        forms in one scenario.
        """
        named = {id for value in values_of(response) for id in _ids(value)}
        self._shown.update(named - self._theirs)
        return _replaced(response, {id: hidden_id(id) for id in named & self._theirs})

    def _id(self, value: str) -> str:
        """An id, hidden if it is somebody else's."""
        return hidden_id(value) if value in self._theirs else value

    def _request(self, case: Case, request: Request) -> Request:
        """The request with the ids of others replaced in its URL and body."""
        sent = [value for value in case.bindings.values() if value in self._theirs]
        if not sent:
            return request
        url, body = request.url, request.body
        for value in sent:
            # A path and a query escape a space in two ways.
            forms = {escape(value, safe="", errors="surrogatepass") for escape in (quote, quote_plus)}
            for plain in forms:
                url = re.sub(rf"(?<=[/=]){re.escape(plain)}(?=[/?&#]|$)", quote(hidden_id(value), safe=""), url)
            body = body.replace(f'"{value}"'.encode("utf-8", "surrogatepass"), f'"{hidden_id(value)}"'.encode())
        return evolve(request, url=url, body=body)

    def _response(self, case: Case, response: Response) -> Response:
        """The answer without what belongs to others."""
        if response.shortened is not None:
            return without_content(response)  # nobody can tell whose its pieces are
        if 200 <= response.status < 300:
            found = self._content(case, response) if case.method == "GET" else self._show(response)
            return found if found is response else evolve(found, headers=_telling_nothing(found.headers))
        # A refusal may name what it refuses.
        told = [value for value in case.bindings.values() if value in self._theirs]
        body, headers = response.body, response.headers
        for value in told:
            body = body.replace(value.encode("utf-8", "surrogatepass"), hidden_id(value).encode())
            headers = tuple((name, text.replace(value, hidden_id(value))) for name, text in headers)
        if body != response.body:
            return evolve(response, headers=headers).with_body(body)
        return response if headers == response.headers else evolve(response, headers=headers)

    def _content(self, case: Case, response: Response) -> Response:
        """A successful answer to a reading request."""
        ids = [value for value in path_ids(case, {}) if not PLACEHOLDER.fullmatch(value)]
        if any(value in self._owned and value not in self._theirs for value in ids):
            return self._show(response)
        if "{deployment-id}" in case.path:
            return response
        if not response.body:
            return evolve(response, headers=_telling_nothing(response.headers))
        if not response.is_json:
            return response.with_body(response.body.translate(_CONTENT))
        value = response.json
        if ids or not isinstance(value, dict) or not isinstance(value.get("data"), list):
            return response.with_json(self._shape(value))
        data = [item if self._own_item(item) else self._shape(item) for item in value["data"]]
        if data == value["data"]:
            return response
        rest = {name: self._id(item) if isinstance(item, str) else item for name, item in value.items()}
        return response.with_json({**rest, "data": data})

    def _own_item(self, item: Any) -> bool:
        """True for an object of a list that the run created."""
        return isinstance(item, Mapping) and isinstance(item.get("id"), str) and self._is_ours(item["id"])

    def _shape(self, value: Any, key: str = "") -> Any:
        """The value with the same types, lengths and enum members, so that a schema judges it like the original."""
        match value:
            case dict():
                if key in ("metadata", "attributes", "parameters"):
                    return {}
                return {name: self._shape(item, name) for name, item in value.items()}
            case list():
                return [self._shape(item, key) for item in value]
            case str() if _is_id(key):
                return hidden_id(value) if value and value not in self._shown and not self._is_ours(value) else value
            case str() if value.startswith(("http://", "https://")):
                return "https://hidden.invalid/"
            case str() if value in self._words:
                return value
            case str():
                return value if key not in _FREE and _WORD.fullmatch(value) else "x" * len(value)
            case _:
                return value
