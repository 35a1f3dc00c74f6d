"""Probes: requests with one fault in credentials, api-version, method, path or bytes. The rest is a valid request."""

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

__all__ = ["access_probes", "coded", "is_api_key_home", "named", "transport"]

#: Methods to try, the first one that a path doesn't document. Never DELETE or PUT: a target that serves them anyway
#: would lose data.
_METHODS = ("GET", "POST", "PATCH")

#: How many arrays are nested in the deeply nested body.
DEPTH = 2_000

#: The size of the large body in bytes.
LARGE = 10_000_000


def _probe(base: Case, role: str, keyword: str, **changes: Any) -> Case:
    """A probe: the base case with changes and, unless these say otherwise, an expected refusal and nothing created."""
    made: dict[str, Any] = {
        "family": Family.VIOLATION,
        "expect": Expect.REJECT,
        "level": Level.SHOULD,
        "role": role,
        "breaks": Break(pointer="", keyword=keyword, location="transport"),
        # What is refused creates nothing. If a target accepts it, the caller adds what to clean up.
        "creates": {},
        "undo": None,
        **changes,
    }
    return evolve(base, **made)


def is_api_key_home(spec: Spec, operation: Operation, known: tuple[str, ...]) -> bool:
    """Return True for the one operation of a version that the wrong-key probe is sent to.

    One is enough, because a service may lock out a caller who often sends wrong keys.
    """
    home = next((name for name in spec.facts.wrong_key if name in known), known[0] if known else "")
    return operation.id == home


def access_probes(
    spec: Spec, operation: Operation, base: Case, known: tuple[str, ...], paths: dict[str, set[str]]
) -> Iterator[Case]:
    """Yield probes of credentials, api-version, deployment and method.

    ``known`` are the operationIds of the version; ``paths`` maps each path to the methods that it documents.
    """
    yield _probe(base, roles.AUTH_NONE, "security", level=Level.MUST, auth=Auth.NONE, reason="no credential")
    if is_api_key_home(spec, operation, known):
        yield _probe(base, roles.AUTH_WRONG, "security", level=Level.MUST, auth=Auth.WRONG, reason="a wrong key")
    # Without a required api-version a request may simply succeed; that is tried only where it changes no object.
    moves = operation.mutates and "{" in operation.path.replace("{deployment-id}", "")
    if spec.api_version.location == "query" and (spec.api_version.required or not moves):
        # Where the parameter is optional, ignoring an odd value harms no caller that follows the document.
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
            path_params=_with_impossible_model(base, operation),
            # A GET with a body is unusual by itself (RFC 9110 section 9.3.1), which would be a second fault.
            body=None if wrong == "GET" else base.body,
            expect=Expect.REJECT,
            reason=f"{wrong} is not documented for this path",
        )


def coded(base: Case) -> Case:
    """The base case once more, with gzip accepted: what was coded must decode to the same kind of answer."""
    return evolve(base, headers=(*base.headers, ("accept-encoding", "gzip")), role=roles.CODING_GZIP)


def named(base: Case) -> Iterator[Case]:
    """Yield the base case with the deployment as ``model`` in the body too, if the path names it.

    The clients of the service send it in both places, and recordings show that it is accepted.
    """
    if "/deployments/" in base.path and isinstance(base.body, JsonBody) and isinstance(base.body.value, dict):
        body = evolve(base.body, value={"model": "{deployment}", **base.body.value})
        yield evolve(base, body=body, role=roles.MODEL_NAMED, reason="clients name the deployment in the body too")


def _with_impossible_model(base: Case, operation: Operation) -> dict[str, str]:
    """The path parameters, with an impossible model where a changing method would otherwise name a real deployment."""
    named = "/deployments/" in operation.path
    return {
        name: IMPOSSIBLE_MODEL if value == "{deployment}" and not named else value
        for name, value in base.path_params.items()
    }


def route(base: Case) -> Case:
    """A probe of a path below the operation's own that doesn't exist."""
    return _probe(
        base,
        roles.ROUTE_UNKNOWN,
        "path",
        # Two segments more: one alone may be the id of a path that another operation documents.
        path=f"{base.path}/{UNKNOWN_ROUTE}/nothing",
        reason="a path that doesn't exist",
    )


def _unknown_deployment(operation: Operation, base: Case) -> Iterator[Case]:
    """Yield the probe of a deployment (in the path) or a model (in the body) that doesn't exist."""
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
        # Where a model is stored by name and used later, the fault may show only in the run or job.
        late = operation.facts.model_used_later
        yield _probe(
            base,
            roles.DEPLOYMENT_UNKNOWN,
            "deployment",
            level=Level.SHOULD if late else Level.MUST,
            expect=Expect.EITHER if late else Expect.REJECT,
            body=evolve(base.body, value={**base.body.value, "model": IMPOSSIBLE_MODEL}),
            reason="an unknown model may surface later, in a failed run or job"
            if late
            else "a model that doesn't exist",
            breaks=Break(pointer="/model", keyword="deployment"),
        )


def transport(base: Case, *, large: bool) -> Iterator[Case]:
    """Yield probes whose bytes aren't the JSON or the form that they claim to be."""
    if isinstance(base.body, JsonBody):
        yield from _json(base, base.body.value, large=large)
    elif isinstance(base.body, Multipart):
        yield from _form(base, base.body)


def _json(base: Case, value: Any, *, large: bool) -> Iterator[Case]:
    """Yield probes of malformed, truncated, duplicate, deeply nested, mislabelled and large JSON."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    # The last brace becomes a comma and a bracket: JSON up to its last two bytes.
    yield _probe(base, roles.JSON_MALFORMED, "malformed", body=RawBody(text[:-1] + b",]"), reason="not JSON")
    yield _probe(base, roles.JSON_TRUNCATED, "truncated", body=RawBody(text[: max(1, len(text) - 1)]), reason="cut off")
    free = "either outcome is right; never a 5xx, never a hang"
    loose = {"expect": Expect.EITHER, "reason": free}
    if isinstance(value, dict) and value:
        name = next(iter(value))
        again = json.dumps({name: value[name]}, ensure_ascii=False, separators=(",", ":")).encode()
        # RFC 8259, section 4: the behaviour of readers on duplicate names is unpredictable, so both outcomes are right.
        # The first member once more, with the same value: whichever a reader takes, the meaning is the same.
        doubled = text[:-1] + b"," + again[1:]
        yield _probe(base, roles.JSON_DUPLICATE, "duplicate-key", body=RawBody(doubled), **loose)
    # RFC 8259, section 9: a reader may limit the depth of nesting.
    # The rest of the body stays valid, so that only the nesting can be the reason for a refusal.
    nested = b'{"deep":' + b"[" * DEPTH + b"]" * DEPTH + (b"," + text[1:] if len(text) > 2 else b"}")
    yield _probe(base, roles.JSON_DEEP, "deep-nesting", body=RawBody(nested), **loose)
    yield _probe(base, roles.CONTENT_TYPE, "content-type", body=RawBody(text, "text/plain"), **loose)
    if large:
        # White space before the last brace keeps the body valid JSON of the same meaning.
        blank = text[:-1] + b" " * LARGE + text[-1:]
        yield _probe(base, roles.JSON_LARGE, "large", body=RawBody(blank), expensive="large-body", **loose)


def _form(base: Case, form: Multipart) -> Iterator[Case]:
    """Yield probes of a form with a wrong boundary and of one that is cut off."""
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
        # After a third the form certainly lacks its closing boundary.
        body=RawBody(data[: len(data) // 3], content_type),
        reason="the form is cut off",
    )
