"""Probes: one wrong thing about the door, the route or the bytes; the rest is a valid request."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from attrs import evolve

from conformance.requests.case import Auth, Break, Case, Expect, Family, JsonBody, Multipart, RawBody, Version
from conformance.requests.wire import UNKNOWN_ROUTE, encode_body
from conformance.spec.operations import Operation
from conformance.spec.spec import Spec
from conformance.verdict import Level

from . import roles
from .ids import IMPOSSIBLE_MODEL

__all__ = ["WRONG_KEY_OPERATIONS", "door", "is_api_key_home", "transport"]

#: A method that no path of this API documents, and that changes nothing where it is served.
_METHODS = ("GET", "POST", "PATCH")

#: How deep the deeply nested body goes.
DEPTH = 2_000

#: Bytes of the large body.
LARGE = 10_000_000


def _probe(base: Case, role: str, keyword: str, **changes: Any) -> Case:
    made: dict[str, Any] = {
        "family": Family.VIOLATION,
        "expect": Expect.REJECT,
        "level": Level.SHOULD,
        "role": role,
        "breaks": Break(pointer="", keyword=keyword, location="transport"),
        "creates": {},
        "undo": None,
        **changes,
    }
    return evolve(base, **made)


#: The operations that get the wrong-key probe, the first one that a version has.
WRONG_KEY_OPERATIONS = ("chat.completions.create", "models.list", "files.list", "assistants.list")


def is_api_key_home(spec: Spec, operation: Operation, known: tuple[str, ...]) -> bool:
    """True for the one operation of a version that sends the wrong key."""
    del spec
    home = next((name for name in WRONG_KEY_OPERATIONS if name in known), known[0] if known else "")
    return operation.id == home


def door(
    spec: Spec, operation: Operation, base: Case, known: tuple[str, ...], paths: dict[str, set[str]]
) -> Iterator[Case]:
    """Credentials, api-version, deployment, method and route."""
    yield _probe(base, roles.AUTH_NONE, "security", level=Level.MUST, auth=Auth.NONE, reason="no credential")
    if is_api_key_home(spec, operation, known):
        yield _probe(base, roles.AUTH_WRONG, "security", level=Level.MUST, auth=Auth.WRONG, reason="a wrong key")
    moves = operation.mutates and "{" in operation.path.replace("{deployment-id}", "")
    if spec.api_version.location == "query" and (spec.api_version.required or not moves):
        must = Level.MUST if spec.api_version.required else Level.SHOULD
        yield _probe(
            base,
            roles.VERSION_MISSING,
            "api-version",
            api_version=Version.MISSING,
            level=must,
            reason="no api-version",
            expect=Expect.REJECT if spec.api_version.required else Expect.ACCEPT,
            **({} if spec.api_version.required else {"breaks": None, "family": Family.TEMPLATE}),
        )
        yield _probe(
            base,
            roles.VERSION_UNKNOWN,
            "api-version",
            api_version=Version.UNKNOWN,
            level=must,
            reason="an api-version that was never published",
        )
    yield from _unknown_deployment(operation, base)
    wrong = next((m for m in _METHODS if m not in paths.get(operation.path, set())), None)
    if wrong is not None:
        yield _probe(
            base,
            roles.METHOD_WRONG,
            "method",
            method=wrong,
            path_params=_nobodys(base, operation),
            body=None if wrong == "GET" else base.body,
            expect=Expect.REJECT,
            reason=f"{wrong} is not documented for this path",
        )


def _nobodys(base: Case, operation: Operation) -> dict[str, str]:
    """The path parameters, with an impossible model where a changing method would name a real one."""
    named = "/deployments/" in operation.path
    return {
        name: IMPOSSIBLE_MODEL if value == "{deployment}" and not named else value
        for name, value in base.path_params.items()
    }


def route(base: Case) -> Case:
    """A path beside the operation's own that doesn't exist."""
    return _probe(
        base,
        roles.ROUTE_UNKNOWN,
        "path",
        # Two segments more: one alone may be the id of a path that another operation documents.
        path=f"{base.path}/{UNKNOWN_ROUTE}/nothing",
        reason="a path that doesn't exist",
    )


def _unknown_deployment(operation: Operation, base: Case) -> Iterator[Case]:
    named = next((n for n in base.path_params if n.startswith("deployment")), None)
    if named is not None:
        yield _probe(
            base,
            roles.DEPLOYMENT_UNKNOWN,
            "deployment",
            level=Level.MUST,
            path_params={**base.path_params, named: IMPOSSIBLE_MODEL},
            reason="a deployment that doesn't exist",
        )
    elif isinstance(base.body, JsonBody) and isinstance(base.body.value, dict) and "model" in base.body.value:
        late = operation.id.startswith(("assistants", "threads", "fine_tuning"))
        yield _probe(
            base,
            roles.DEPLOYMENT_UNKNOWN,
            "deployment",
            level=Level.SHOULD if late else Level.MUST,
            expect=Expect.EITHER if late else Expect.REJECT,
            body=JsonBody({**base.body.value, "model": IMPOSSIBLE_MODEL}),
            reason="an unknown model may surface later, in a failed run or job"
            if late
            else "a model that doesn't exist",
            breaks=Break(pointer="/model", keyword="deployment"),
        )


def transport(base: Case, *, large: bool) -> Iterator[Case]:
    """Bytes that aren't the JSON or the form they say they are."""
    if isinstance(base.body, JsonBody):
        yield from _json(base, base.body.value, large=large)
    elif isinstance(base.body, Multipart):
        yield from _form(base, base.body)


def _json(base: Case, value: Any, *, large: bool) -> Iterator[Case]:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    yield _probe(base, roles.JSON_MALFORMED, "malformed", body=RawBody(text[:-1] + b",]"), reason="not JSON")
    yield _probe(base, roles.JSON_TRUNCATED, "truncated", body=RawBody(text[: max(1, len(text) - 1)]), reason="cut off")
    free = "either outcome is right; never a 5xx, never a hang"
    loose = {"expect": Expect.EITHER, "reason": free}
    if isinstance(value, dict) and value:
        name = next(iter(value))
        again = json.dumps({name: value[name]}, ensure_ascii=False, separators=(",", ":")).encode()
        doubled = text[:-1] + b"," + again[1:]
        yield _probe(base, roles.JSON_DUPLICATE, "duplicate-key", body=RawBody(doubled), **loose)
    nested = b'{"deep":' + b"[" * DEPTH + b"]" * DEPTH + (b"," + text[1:] if len(text) > 2 else b"}")
    yield _probe(base, roles.JSON_DEEP, "deep-nesting", body=RawBody(nested), **loose)
    yield _probe(base, roles.CONTENT_TYPE, "content-type", body=RawBody(text, "text/plain"), **loose)
    if large:
        blank = text[:-1] + b" " * LARGE + text[-1:]
        yield _probe(base, roles.JSON_LARGE, "large", body=RawBody(blank), expensive="large-body", **loose)


def _form(base: Case, form: Multipart) -> Iterator[Case]:
    data, content_type = encode_body(form, {})
    yield _probe(
        base,
        roles.FORM_BOUNDARY,
        "boundary",
        body=RawBody(data, content_type + "-other"),
        reason="the boundary of the header isn't the body's",
    )
    yield _probe(
        base,
        roles.FORM_TRUNCATED,
        "truncated",
        body=RawBody(data[: len(data) // 3], content_type),
        reason="the form is cut off",
    )
