"""What is never sent: rules that protect the owner of a target. Pure functions.

A method that changes something may have only ids in its path that this run created, or ids that no object can have. The
key is sent only to its own origin. Anything else is a bug of this suite and raises
:class:`~conformance.errors.GuardError` before a byte is sent.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from attrs import evolve

from conformance.errors import GuardError, UsageError
from conformance.redaction import SHORTEST
from conformance.requests.case import Case
from conformance.requests.headers import Headers, is_secret
from conformance.requests.wire import UNKNOWN_ROUTE, bind_text
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec

__all__ = ["check_origin", "check_path_ids", "check_scheme", "is_impossible", "path_ids", "strip", "with_undo"]

# The end of every impossible id, and the whole names that are impossible.
_IMPOSSIBLE_END = "0" * 24
_IMPOSSIBLE_NAMES = ("conformance-no-such-deployment", UNKNOWN_ROUTE)

#: Methods that change nothing (RFC 9110 section 9.2.1).
_READING = ("GET", "HEAD", "OPTIONS", "TRACE")


def is_impossible(value: str) -> bool:
    """True for an id that no object can have."""
    return value.endswith(_IMPOSSIBLE_END) or value in _IMPOSSIBLE_NAMES


def path_ids(case: Case, bindings: Mapping[str, str]) -> tuple[str, ...]:
    """The ids in the path, with their values. The deployment in an inference path isn't one: inference changes nothing
    in it.
    """
    values = {**bindings, **case.bindings}
    return tuple(
        bind_text(raw, values)
        for name, raw in case.path_params.items()
        if not (case.method == "POST" and "/deployments/{" + name + "}" in case.path)
    )


def check_path_ids(case: Case, bindings: Mapping[str, str], owned: Collection[str]) -> None:
    """Raise :class:`GuardError` if a method that changes something would touch an object that the run did not
    create.
    """
    if case.method.upper() in _READING:
        return
    for value in path_ids(case, bindings):
        if value not in owned and not is_impossible(value):
            raise GuardError(
                f"{case.method} {case.path} would touch {value!r}, which this run did not create",
                where=f"case {case.id}",
                hint="changing methods take ids of the journal or an impossible id",
            )


def check_origin(url: str, origin: str) -> None:
    """Raise :class:`GuardError` if a request would go to another origin than the key's (RFC 6454)."""
    here, there = urlsplit(url), urlsplit(origin)
    if (here.scheme, here.netloc) != (there.scheme, there.netloc):
        raise GuardError(f"a request would go to {here.scheme}://{here.netloc} instead of {origin}")


def check_scheme(url: str, *, loopback: bool, allow_http: bool) -> None:
    """Raise :class:`UsageError` for http:// to another machine, unless it is allowed."""
    if urlsplit(url).scheme == "http" and not loopback and not allow_http:
        raise UsageError(
            "the key would travel in clear text", where=url, hint="use https, or set target.allow_http = true"
        )


def strip(headers: Headers, secrets: Collection[str]) -> Headers:
    """Headers without any credential, also without extra headers that hold one: for probes that must not be
    authenticated.
    """
    return tuple(
        (name, value)
        for name, value in headers
        if not is_secret(name) and not any(_holds(value, secret) for secret in secrets if secret)
    )


def _holds(value: str, secret: str) -> bool:
    """True if a value contains a secret; a short one, which is a part of many words, must be a word of its own."""
    return secret in (value if len(secret) >= SHORTEST else re.split(r"[\s,;=\"']+", value))


def with_undo(case: Case, spec: Spec) -> Case:
    """The case with the ``undo`` that its path implies: for POST on a collection whose members can be deleted.

    A request that should be refused may be accepted by mistake. What it created must be removed too.
    """
    if case.method != "POST" or case.creates or case.undo is not None:
        return case
    for operation in operations_of(spec).values():
        head, _, tail = operation.path.rpartition("/")
        if operation.method == "DELETE" and head == case.path and tail.startswith("{") and tail.endswith("}"):
            undo = Case(
                operation=operation.id,
                method="DELETE",
                path=operation.path,
                path_params={**case.path_params, tail[1:-1]: "{created}"},
                role="undo",
            )
            return evolve(case, creates={"created": "/id"}, undo=undo)
    return case
