"""A Case: one request to send, what it expects and why. It is data only, and its id is derived from its content.

A case is *unbound*: the deployment, the run's id and the ids of created objects are placeholders such as
``{deployment}``, ``{run}`` and ``{assistant}``. ``bindings`` has the values of some of them; the run fills in the
others. The id is that of the unbound case, so it is the same in every process, on every machine and for every target.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property
from typing import Any

from attrs import asdict, evolve, field, frozen

from conformance.requests.pickled import fields_of
from conformance.verdict import Level

__all__ = [
    "CANCEL",
    "ENDS",
    "JSON",
    "LOCATION",
    "OTHER_VERSION",
    "RECORDED",
    "RECORDED_LIFE",
    "Auth",
    "Body",
    "Break",
    "Case",
    "Cost",
    "Expect",
    "Family",
    "JsonBody",
    "Multipart",
    "Part",
    "RawBody",
    "Version",
]

#: The beginning of the name of a scenario of recorded exchanges; the operationId follows.
RECORDED = "recorded."

#: The beginning of the name of a scenario of one recorded object: the prefix of its kind and a number follow. Its
#: exchanges are also in the scenarios of their operations.
RECORDED_LIFE = f"{RECORDED}lifecycle."

#: The role of a recorded request that is judged by the document of another api-version than the one on the wire.
OTHER_VERSION = "recorded.other-version"


#: In ``creates``, instead of a JSON Pointer: the id is the last segment of Location (RFC 9110 section 10.2.2).
LOCATION = "location"

#: How the path of a POST ends that stops an object, where the API has no DELETE for it. What was cancelled can still be
#: read; a call that was hung up is over.
CANCEL = "/cancel"
ENDS = (CANCEL, "/hangup")


class Expect(StrEnum):
    """What a correct target does with the request: accept it, refuse it, or either of them."""

    ACCEPT = "accept"
    REJECT = "reject"
    EITHER = "either"


class Family(StrEnum):
    """The origin of a case: a template, a boundary of the document, a violation, fuzzing or a scenario."""

    TEMPLATE = "template"
    BOUNDARY = "boundary"
    VIOLATION = "violation"
    FUZZ = "fuzz"
    SCENARIO = "scenario"


class Auth(StrEnum):
    """The credential that is sent with the request."""

    VALID = "valid"
    NONE = "none"
    WRONG = "wrong"


class Version(StrEnum):
    """The api-version that is sent: the one under test, none, or a made-up one."""

    DEFAULT = "default"
    MISSING = "missing"
    UNKNOWN = "unknown"


#: The media type of JSON. Others end with ``+json`` (RFC 6839, section 3.1).
JSON = "application/json"


@frozen
class JsonBody:
    """A body that is written from a JSON value: UTF-8, no spaces, keys in their order."""

    value: Any
    content_type: str = JSON


@frozen
class RawBody:
    """A body given as bytes, for what JSON can't express: malformed, truncated, duplicate keys."""

    data: bytes
    content_type: str = "application/json"


@frozen
class Part:
    """One part of a form: text or a file with a name and a type."""

    name: str
    data: bytes
    filename: str = ""
    content_type: str = ""


@frozen
class Multipart:
    """``multipart/form-data`` (RFC 7578) with a fixed boundary, so that the bytes are the same every time."""

    parts: tuple[Part, ...]
    boundary: str = "aoai-conformance-0f1e2d3c4b5a69788796a5b4c3d2e1f0"

    @property
    def content_type(self) -> str:
        """The header value, with the boundary."""
        return f"multipart/form-data; boundary={self.boundary}"


Body = JsonBody | RawBody | Multipart | None


@frozen
class Break:
    """The one constraint that a violation breaks.

    ``location`` is ``body``, ``query``, ``path``, ``header`` or ``transport``; ``pointer`` a JSON Pointer or the name
    of a parameter; ``keyword`` a JSON Schema keyword, or ``clause`` the id of a cross-field rule.
    """

    pointer: str
    keyword: str
    location: str = "body"
    clause: str = ""


@frozen
class Cost:
    """Upper bounds of what a request may consume."""

    tokens: int = 0
    images: int = 0
    seconds: float = 0.0


@frozen(slots=False)
class Case:
    """One request and what is expected of it.

    ``operation`` is our operationId, ``path`` the path template; ``path_params``, ``query`` and ``headers`` have the
    values by name. ``role`` tells a check what the case is for, if it must know (``probe.auth.none``, ``walk.page``).
    ``step`` is the step of a scenario. ``creates`` maps a placeholder to the JSON Pointer of an id in the answer, or to
    :data:`LOCATION`; ``undo`` is sent at the end with that id filled in. ``cancel_after`` closes the connection after
    that many bytes of the answer's body.
    """

    operation: str
    method: str
    path: str
    path_params: Mapping[str, str] = field(factory=dict)
    query: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    body: Body = None
    family: Family = Family.TEMPLATE
    expect: Expect = Expect.ACCEPT
    level: Level = Level.MUST
    reason: str = ""
    breaks: Break | None = None
    auth: Auth = Auth.VALID
    api_version: Version = Version.DEFAULT
    capability: str = ""
    role: str = ""
    scenario: str = ""
    step: str = ""
    cost: Cost = Cost()
    expensive: str = ""
    creates: Mapping[str, str] = field(factory=dict)
    undo: Case | None = None
    cancel_after: int | None = None
    bindings: Mapping[str, str] = field(factory=dict)

    __getstate__ = fields_of

    @cached_property
    def id(self) -> str:
        """The first 12 hex digits of SHA-256 over the unbound request (operation, path, parameters, body, credential,
        version).
        """
        # Only what is sent, and where. The expected outcome, the reason and the role may be reworded without a new id.
        essence: dict[str, Any] = {
            "operation": self.operation,
            "method": self.method,
            "path": self.path,
            "path_params": dict(sorted(self.path_params.items())),
            "query": [list(pair) for pair in self.query],
            "headers": [list(pair) for pair in self.headers],
            "body": body_to_json(self.body),
            "auth": self.auth,
            "api_version": self.api_version,
            "scenario": self.scenario,
            "step": self.step,
            "cancel_after": self.cancel_after,
        }
        text = json.dumps(essence, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]

    @property
    def json(self) -> Any:
        """The unbound JSON body; None if the body isn't made from JSON."""
        return self.body.value if isinstance(self.body, JsonBody) else None

    def bind(self, **values: str) -> Case:
        """The same case, with the same id, with values for placeholders."""
        return evolve(self, bindings={**self.bindings, **values})

    @property
    def changes_nothing(self) -> bool:
        """True for a request that may be repeated, whatever happened to the first attempt.

        It only reads (RFC 9110 section 9.2.1), or it asks a deployment for an answer.
        """
        return self.method in ("GET", "HEAD", "OPTIONS") or (self.undo is None and "/deployments/" in self.path)

    def at(self, scenario: str, step: str) -> Case:
        """The same request as a step of a scenario. It gets another id."""
        return evolve(self, scenario=scenario, step=step)

    def to_json(self) -> dict[str, Any]:
        """A JSON object from which :meth:`from_json` builds an equal case."""
        plain = asdict(self, recurse=False)
        plain["path_params"] = dict(self.path_params)
        plain["query"] = [list(pair) for pair in self.query]
        plain["headers"] = [list(pair) for pair in self.headers]
        plain["body"] = body_to_json(self.body)
        plain["breaks"] = asdict(self.breaks) if self.breaks else None
        plain["cost"] = asdict(self.cost)
        plain["creates"] = dict(self.creates)
        plain["undo"] = self.undo.to_json() if self.undo else None
        plain["bindings"] = dict(self.bindings)
        return {"id": self.id, **plain}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Case:
        """The inverse of :meth:`to_json`."""
        # The id is computed from the rest, never read.
        values = {key: value for key, value in plain.items() if key != "id"}
        values["query"] = tuple((k, v) for k, v in plain["query"])
        values["headers"] = tuple((k, v) for k, v in plain["headers"])
        values["body"] = body_from_json(plain["body"])
        values["breaks"] = Break(**plain["breaks"]) if plain["breaks"] else None
        values["cost"] = Cost(**plain["cost"])
        values["undo"] = cls.from_json(plain["undo"]) if plain["undo"] else None
        values["family"] = Family(plain["family"])
        values["expect"] = Expect(plain["expect"])
        values["level"] = Level(plain["level"])
        values["auth"] = Auth(plain["auth"])
        values["api_version"] = Version(plain["api_version"])
        return cls(**values)


def _bytes_to_json(data: bytes) -> dict[str, str]:
    """Bytes as a JSON object: as text if they are UTF-8, else in base64."""
    try:
        return {"text": data.decode("utf-8")}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode("ascii")}


def _bytes_from_json(plain: Mapping[str, str]) -> bytes:
    """The inverse of :func:`_bytes_to_json`."""
    return base64.b64decode(plain["base64"]) if "base64" in plain else plain["text"].encode("utf-8")


def body_to_json(body: Body) -> Any:
    """A JSON form of a body: ``null``, ``{"json": …}``, ``{"raw": …}`` or ``{"parts": […]}``."""
    match body:
        case None:
            return None
        case JsonBody(value, content_type):
            return {"json": value} if content_type == JSON else {"json": value, "content_type": content_type}
        case RawBody(data, content_type):
            return {"raw": _bytes_to_json(data), "content_type": content_type}
        case Multipart(parts, boundary):
            return {
                "parts": [
                    {"name": p.name, "data": _bytes_to_json(p.data), "filename": p.filename, "type": p.content_type}
                    for p in parts
                ],
                "boundary": boundary,
            }


def body_from_json(plain: Any) -> Body:
    """The inverse of :func:`body_to_json`."""
    if plain is None:
        return None
    if "json" in plain:
        return JsonBody(plain["json"], plain.get("content_type", JSON))
    if "raw" in plain:
        return RawBody(_bytes_from_json(plain["raw"]), plain["content_type"])
    parts = tuple(Part(p["name"], _bytes_from_json(p["data"]), p["filename"], p["type"]) for p in plain["parts"])
    return Multipart(parts, plain["boundary"])
