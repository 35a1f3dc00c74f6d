"""Drafts: requests as one JSON-like value with the keys ``body``, ``query`` and ``header``, before they become
cases.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from attrs import evolve, field, frozen

from conformance.requests.case import JSON, Body, Break, Case, Cost, Expect, Family, JsonBody, Multipart, Part
from conformance.spec.operations import Operation
from conformance.verdict import Level

from .ids import placeholder
from .sample_files import FILES, file_named

__all__ = ["Draft", "encode", "media_of", "to_case"]


@frozen
class Draft:
    """A request of an operation before it is a Case. ``request`` has the keys ``body``, ``query`` and ``header``.

    ``needs`` are capabilities beyond those that the content of the request implies. The other fields are those of Case.
    """

    request: Mapping[str, Any]
    role: str = ""
    family: Family = Family.TEMPLATE
    expect: Expect = Expect.ACCEPT
    level: Level = Level.MUST
    reason: str = ""
    breaks: Break | None = None
    needs: tuple[str, ...] = ()
    path_params: Mapping[str, str] = field(factory=dict)
    media: str = ""

    def evolve(self, **changes: Any) -> Draft:
        """A copy with some fields changed."""
        return evolve(self, **changes)


def media_of(operation: Operation) -> str:
    """The media type that requests use: JSON where documented, else multipart form, else the first one documented."""
    for wanted in ("application/json", "multipart/form-data"):
        if wanted in operation.body:
            return wanted
    return next(iter(operation.body), "")


def _plain(value: Any) -> str:
    """A value as text, the way it is written in a query or a form field."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _pairs(values: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Name and text of each query parameter or header; an array becomes one pair per item."""
    pairs: list[tuple[str, str]] = []
    for name, value in values.items():
        # The default of OpenAPI 3 for arrays in a query is one pair per item (style ``form``, ``explode`` true).
        pairs += [(name, _plain(item)) for item in value] if isinstance(value, list) else [(name, _plain(value))]
    return tuple(pairs)


def _part(name: str, value: Any) -> Part:
    """One part of a multipart form. The name of a sample file becomes that file."""
    if isinstance(value, str) and value in FILES:
        file = file_named(value)
        return Part(name, file.data, file.filename, file.content_type)
    # Surrogates may come from a hostile test value; the wire form carries them rather than failing here.
    return Part(name, _plain(value).encode("utf-8", "surrogatepass"))


def encode(value: Any, media: str) -> Body:
    """The body of a request in a media type. None means that no body is sent."""
    # Only JSON has a null; in other media types it means that nothing is sent.
    if not media or (value is None and media != "application/json"):
        return None
    if media.startswith("multipart/") and isinstance(value, dict):
        parts = [
            _part(name, item)
            for name, entry in value.items()
            for item in (entry if isinstance(entry, list) else [entry])
            # A form has no way to write null.
            if item is not None
        ]
        return Multipart(tuple(parts))
    return JsonBody(value, media if media.endswith("+json") else JSON)


def to_case(operation: Operation, draft: Draft, capability: str = "") -> Case:
    """The unbound case of a draft. Path parameters that the draft doesn't set are placeholders."""
    media = draft.media or media_of(operation)
    body = encode(draft.request["body"], media) if "body" in draft.request else None
    return Case(
        operation=operation.id,
        method=operation.method,
        path=operation.path,
        path_params={
            p.name: draft.path_params.get(p.name, placeholder(p.name, operation))
            for p in operation.parameters
            if p.location == "path"
        },
        query=_pairs(draft.request.get("query", {})),
        headers=_pairs(draft.request.get("header", {})),
        body=body,
        family=draft.family,
        expect=draft.expect,
        level=draft.level,
        reason=draft.reason,
        breaks=draft.breaks,
        capability=capability,
        role=draft.role,
        cost=Cost(),
    )
