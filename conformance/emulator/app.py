"""The application: a request and the state give a response. No I/O.

A request is examined in this order: key, api-version, route, deployment, media type, syntax, schema, meaning. Ids and
request ids come from counters, times from a clock that can be set, so two equal runs give equal answers.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import math
import re
import traceback
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from attrs import define, evolve, field

from conformance.emulator import error_answers as errors
from conformance.emulator import from_document
from conformance.emulator.behaviour import Settings
from conformance.emulator.call import Call, Documented
from conformance.emulator.documented_fields import Shape
from conformance.emulator.error_answers import Problem, Refused
from conformance.emulator.events import dumps
from conformance.emulator.forms import parse_form
from conformance.emulator.handlers import Handler, all_handlers
from conformance.emulator.routes import Match, Routes
from conformance.emulator.store import Clock, Store
from conformance.emulator.validation import Validation
from conformance.errors import UsageError
from conformance.evidence.exchange import Chunk, Response
from conformance.requests.headers import Headers
from conformance.requests.request import Request
from conformance.schema.completion import Completion
from conformance.spec.loading import load
from conformance.spec.operations import Operation, operations_of
from conformance.spec.spec import Spec

__all__ = ["App"]

#: The escape of a surrogate, which may be a lone one.
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
#: In a copy in which each digit is 0 and each E is e: the signs of a number beyond a double's range. Looking for these
#: in the copy takes a tenth of the time that an expression for them takes in the body.
_DIGITS = bytes.maketrans(b"123456789E", b"000000000e")
_FAR = (b"e000", b"e+000", b"0" * 300)

_JSON: Headers = (("content-type", "application/json"),)

#: Regions that answers name in turn if they are to vary.
_REGIONS = ("Sweden Central", "East US 2", "Japan East")


@define(eq=False)
class _Version:
    """One served version: its routes, its validators and what its operations document."""

    spec: Spec
    routes: Routes = field(factory=Routes, init=False)
    validation: Validation = field(init=False)
    completion: Completion | None = field(init=False)
    _documented: dict[str, Documented] = field(factory=dict, init=False)
    _shapes: dict[tuple[int, ...], Shape] = field(factory=dict, init=False)
    base: tuple[str, ...] = field(init=False)

    def __attrs_post_init__(self) -> None:
        # None for an API that stands at the root of its server.
        self.base = tuple(part for part in self.spec.base_path.split("/") if part)
        self.validation = Validation(self.spec)
        self.completion = Completion(self.spec) if self.spec.imported else None
        for operation in operations_of(self.spec).values():
            self.routes.add(operation)

    def documented(self, operation: Operation) -> Documented:
        """What one operation documents, built on first use."""
        found = self._documented.get(operation.id)
        if found is None:
            found = self._documented[operation.id] = Documented(self.spec, operation, self.completion, self._shapes)
        return found


@define(eq=False)
class App:
    """Serves one or more versions from one state.

    Raises :class:`UsageError` for two versions of which a request would not tell which one is meant.
    """

    specs: Sequence[Spec]
    settings: Settings = field(factory=Settings)
    clock: Clock = field(factory=Clock)
    store: Store = field(init=False)
    handlers: Mapping[str, Handler] = field(init=False, repr=False)
    _versions: list[_Version] = field(init=False, repr=False)
    _secrets: frozenset[str] = field(init=False, repr=False)
    _served: int = field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        _check_apart(self.specs)
        self.store = Store(seed=self.settings.seed)
        self.handlers = all_handlers()
        self._versions = [_Version(spec) for spec in self.specs]
        self._secrets = frozenset(secret for secret in (self.settings.key, *self.settings.tokens) if secret)

    @classmethod
    def of(cls, *versions: str, settings: Settings | None = None, folder: Path | None = None) -> App:
        """An application for some versions, read from the suite's specs or from ``folder``."""
        return cls([load(version, folder) for version in versions], settings or Settings())

    def handle(self, request: Request) -> Response:
        """The answer to a request. Never raises: a bug of ours is answered with 500 and printed with its traceback on
        stderr.
        """
        # Counted before anything can fail: each answer, also a refusal, has request ids of its own.
        self._served += 1
        try:
            response = self._answer(request)
        except Refused as refused:
            response = _refusal(refused.problem, self.settings.latency)
        except RecursionError:
            problem = errors.invalid("The body is nested too deeply.", code="invalid_request").problem
            response = _refusal(problem, self.settings.latency)
        except Exception:  # noqa: BLE001 - the last line of defence of a server; the traceback goes to stderr
            traceback.print_exc()
            problem = Problem(500, "InternalServerError", "The emulator failed; this is a bug of the emulator.")
            response = _refusal(problem, self.settings.latency)
        response = _coded(request, response)
        return evolve(response, headers=(*response.headers, *self._service_headers(request)))

    def _answer(self, request: Request) -> Response:
        """Examine the request step by step, then let the operation's handler answer. Raises :class:`Refused`."""
        # The key comes first, so that nobody without one learns which routes and deployments exist.
        self._authorise(request)
        url = urlsplit(request.url)
        # Split before decoding: an encoded slash in an id must not start a new segment.
        segments = tuple(unquote(segment) for segment in url.path.removeprefix("/").split("/"))
        query = parse_qs(url.query, keep_blank_values=True) if url.query else {}
        version, rest = self._version(segments, query)
        match = version.routes.find(request.method, rest)
        if not isinstance(match, Match):
            raise errors.method_not_allowed(", ".join(match)) if match else errors.resource_not_found()
        try:
            return self._handled(version, match, request, query)
        except Refused as refused:
            documented = version.documented(match.operation)
            body = documented.completed(refused.problem.body(), refused.problem.status)
            return _refusal(refused.problem, self.settings.latency, body)

    def _handled(
        self, version: _Version, match: Match, request: Request, query: Mapping[str, Sequence[str]]
    ) -> Response:
        """The answer of an operation to a request of it. Raises :class:`Refused`."""
        operation = match.operation
        # A version may document operations that nobody wrote a handler for.
        if operation.id not in self.handlers and not version.spec.imported:
            raise errors.resource_not_found()
        name = match.values.get("deployment-id")
        if name is not None and name not in self.settings.by_name:
            raise errors.deployment_not_found()
        headers = {key.lower(): value for key, value in request.headers}
        parameters = version.validation.parameters(operation, query, headers)
        body = self._body(version, operation, request)
        call = Call(
            documented=version.documented(operation),
            request=request,
            path=match.values,
            query=parameters,
            body=body,
            store=self.store,
            clock=self.clock,
            settings=self.settings,
            post=lambda path, value: self._posted(version, request, query, path, value),
        )
        handler = self.handlers.get(operation.id, from_document.answer)
        try:
            return handler(call)
        except (LookupError, TypeError, ValueError, AttributeError):
            # An imported document may allow forms of a request that no handler expects. In other versions it is a bug.
            if not version.spec.imported:
                raise
            return from_document.answer(call)

    def _posted(
        self, version: _Version, outer: Request, query: Mapping[str, Sequence[str]], path: str, value: Any
    ) -> Response:
        """The answer to a POST of JSON that a stored request asks for, such as a row of a batch. Never raises
        :class:`Refused`.
        """
        # Only the api-version is shared with the request that makes it run.
        shared = {name: given for name, given in query.items() if name == version.spec.api_version.name}
        request = evolve(outer, method="POST", headers=_JSON, body=dumps(value).encode())
        try:
            match = version.routes.find("POST", tuple(path.removeprefix("/").split("/")))
            if not isinstance(match, Match):
                raise errors.resource_not_found()
            return self._handled(version, match, request, shared)
        except Refused as refused:
            return _refusal(refused.problem, self.settings.latency)

    def _authorise(self, request: Request) -> None:
        """Raise 401 unless the request has the key or one of the bearer tokens."""
        if request.header("api-key") in self._secrets:
            return
        scheme, _, token = (request.header("authorization") or "").partition(" ")
        if scheme.lower() != "bearer" or token.strip() not in self._secrets:
            raise errors.unauthorized()

    def _version(
        self, segments: tuple[str, ...], query: Mapping[str, Sequence[str]]
    ) -> tuple[_Version, tuple[str, ...]]:
        """The version that base path and api-version select, and the rest of the path. The longest base path wins.

        Raises the refusal of an unknown api-version that ``version.toml`` names: 404 or 400.
        """
        fitting = [one for one in self._versions if segments[: len(one.base)] == one.base]
        # ``/openai/v1`` also begins with ``/openai``; the longer base path is the one that is meant.
        longest = max((len(one.base) for one in fitting), default=0)
        fitting = [one for one in fitting if len(one.base) == longest]
        if not fitting:
            raise errors.resource_not_found()
        rest = segments[longest:]
        for one in fitting:
            rule = one.spec.api_version
            given = query.get(rule.name)
            if given is None or rule.location == "none":
                if given is None and (rule.location == "none" or not rule.required):
                    return one, rest
            elif given[0] in rule.accepted:
                return one, rest
        # Several versions may share the base path. The refusal names the api-version if one of them would do so.
        statuses = {one.spec.api_version.unknown for one in fitting}
        raise errors.api_version_not_supported() if 400 in statuses else errors.resource_not_found()

    def _body(self, version: _Version, operation: Operation, request: Request) -> Any:
        """The parsed and validated body: an object, a form, or bytes; None if there is none."""
        # Before parsing, which could take long for a large body.
        if len(request.body) > self.settings.body_limit:
            raise errors.too_large(self.settings.body_limit, len(request.body))
        if not operation.body:
            return None
        if not request.body:
            if operation.body_required:
                raise errors.invalid("The request has no body.", code="invalid_request")
            return None
        given = request.header("content-type") or ""
        # Clients that leave out the header mean JSON.
        media_type = given.split(";", 1)[0].strip().lower() or "application/json"
        # Clients send JSON where a form is documented that needs no file; the service takes both.
        if media_type == "application/json" and _no_file_needed(version.spec, operation):
            media_type = next(iter(operation.body))
        elif media_type not in operation.body:
            raise errors.unsupported_media_type(media_type, ", ".join(operation.body))
        if given.lower().startswith("multipart/form-data"):
            return version.validation.form(operation, parse_form(request.body, given))
        if media_type not in ("application/json", "multipart/form-data") and not media_type.endswith("+json"):
            return request.body
        value = _parsed(request.body)
        if not isinstance(value, dict):
            raise errors.invalid("The body is not a JSON object.", code="invalid_type")
        version.validation.body(operation, media_type, value)
        return value

    def _service_headers(self, request: Request) -> Headers:
        """The headers that the service adds to every answer. Request ids depend on the seed and a counter only."""
        number = hashlib.sha256(f"{self.settings.seed}\0request\0{self._served}".encode()).hexdigest()
        apim = f"{number[:8]}-{number[8:12]}-{number[12:16]}-{number[16:20]}-{number[20:32]}"
        other = f"{number[32:40]}-{number[40:44]}-{number[44:48]}-{number[48:52]}-{number[52:]}"
        # Constant unless asked for: the emulator has no rate limit, and equal runs must give equal answers.
        spent = self._served % 500 if self.settings.varied else 0
        region = _REGIONS[self._served % len(_REGIONS)] if self.settings.varied else self.settings.region
        # A cookie of this answer alone: a gateway that keeps it for all its clients is seen.
        cookies = (("set-cookie", f"affinity={number[:16]}; Path=/; HttpOnly"),) if self.settings.varied else ()
        return (
            *cookies,
            ("apim-request-id", apim),
            ("x-request-id", other),
            ("x-ms-client-request-id", request.header("x-ms-client-request-id") or apim),
            ("x-ms-region", region),
            ("x-ratelimit-remaining-requests", str(999 - spent)),
            ("x-ratelimit-remaining-tokens", str(99_999 - 17 * spent)),
            ("strict-transport-security", "max-age=31536000; includeSubDomains; preload"),
            ("x-content-type-options", "nosniff"),
        )


def _coded(request: Request, response: Response) -> Response:
    """JSON as gzip data, if the request accepts nothing else but the content as it is (RFC 9110 section 12.5.3)."""
    accepted = (request.header("accept-encoding") or "").strip().lower()
    if accepted != "gzip" or response.media_type != "application/json" or not response.body:
        return response
    packed = response.with_body(gzip.compress(response.body, mtime=0))
    return packed.with_header("content-encoding", "gzip")


def _no_file_needed(spec: Spec, operation: Operation) -> bool:
    """Return True if the operation documents only a form, and the form may be sent without a file."""
    if list(operation.body) != ["multipart/form-data"]:
        return False
    schema = spec.deref(operation.body["multipart/form-data"].schema)
    fields = schema.get("properties", {})
    needed = (spec.deref(fields.get(name, {})) for name in schema.get("required", fields))
    return all(field.get("type") and field.get("format") != "binary" for field in needed)


def _check_apart(specs: Sequence[Spec]) -> None:
    """Raise :class:`UsageError` for two versions at one base path that can't both be served as documented: a request
    without an api-version, or with one that both accept, would always be answered by the same one of them.
    """
    for first, second in combinations(specs, 2):
        if first.base_path != second.base_path:
            continue
        free = next((one for one in (first, second) if _answers_without(one)), None)
        shared = set(_selecting(first)) & set(_selecting(second))
        if free is None and not shared:
            continue
        alone, other = (second, first) if free is second else (first, second)
        which = "without an api-version" if free is not None else f"for {min(shared)!r}"
        raise UsageError(
            f"{alone.version} and {other.version} can't share a server: {alone.version} would answer all "
            f"requests {which}",
            where=alone.base_path or "/",
            hint=f"serve {alone.version} on a server of its own",
        )


def _answers_without(spec: Spec) -> bool:
    """True if a request that names no api-version selects this one."""
    return spec.api_version.location == "none" or not spec.api_version.required


def _selecting(spec: Spec) -> tuple[str, ...]:
    """The values of the parameter that select an api-version."""
    return () if spec.api_version.location == "none" else spec.api_version.accepted


def _refusal(problem: Problem, latency: float, value: Any = None) -> Response:
    """The response for a :class:`Problem`, with ``value`` as its JSON body if there is one."""
    body = dumps(problem.body() if value is None else value).encode("utf-8", "replace")
    return Response(
        status=problem.status,
        headers=(("content-type", "application/json"), ("content-length", str(len(body))), *problem.headers),
        chunks=(Chunk(latency, body),),
        elapsed=latency,
        headers_at=latency,
    )


def _parsed(body: bytes) -> Any:
    """The JSON value. Lone surrogates become U+FFFD; numbers beyond a double are refused (RFC 8259 sections 6 and
    8.2).
    """
    try:
        value = _decode(body.decode(json.detect_encoding(body), "surrogatepass"))
        return _plain(value) if _is_odd(body) else value
    except (ValueError, RecursionError):
        message = "We could not parse the JSON body of your request."
        raise errors.invalid(message, code="invalid_json") from None


def _is_odd(body: bytes) -> bool:
    """True if a JSON text shows cheap signs of what needs a closer look: lone surrogates, numbers beyond a double."""
    copy = body.translate(_DIGITS)
    return any(sign in copy for sign in _FAR) or _SURROGATE.search(body) is not None


def _no_constant(name: str) -> Any:
    """Refuse NaN and Infinity, which Python reads but JSON doesn't have."""
    raise ValueError(name)


#: Made once: ``json.loads`` with an argument makes a decoder for each text.
_decode = json.JSONDecoder(parse_constant=_no_constant).decode


def _plain(value: Any) -> Any:
    """The value with lone surrogates replaced. Raises ValueError for a number that isn't finite."""
    if isinstance(value, str):
        # UTF-16 can hold a lone surrogate; reading it back replaces each by U+FFFD.
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("not a finite number")
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {_plain(key): _plain(item) for key, item in value.items()}
    return value
