"""What is never sent: rules that protect the owner of a target. Pure.

Methods that change something take the ids in their path from this run's journal, or one of the impossible ids that
no object has. The key goes to its own origin only. Anything else is a bug of ours and raises
:class:`~conformance.errors.GuardError` before a byte leaves.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from attrs import evolve

from conformance.errors import GuardError, UsageError
from conformance.requests.case import Case
from conformance.requests.headers import Headers, is_secret
from conformance.requests.wire import UNKNOWN_ROUTE, bind_text
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec

__all__ = ["check_origin", "check_path_ids", "check_scheme", "is_impossible", "path_ids", "strip", "with_undo"]

#: How every impossible id ends, and the whole names that are impossible by themselves.
_IMPOSSIBLE_END = "0" * 24
_IMPOSSIBLE_NAMES = ("conformance-no-such-deployment", UNKNOWN_ROUTE)

_READING = ("GET", "HEAD", "OPTIONS", "TRACE")


def is_impossible(value: str) -> bool:
    """True for an id that no object has."""
    return value.endswith(_IMPOSSIBLE_END) or value in _IMPOSSIBLE_NAMES


def path_ids(case: Case, bindings: Mapping[str, str]) -> tuple[str, ...]:
    """The ids in the path, bound; the deployment of an inference path is none."""
    values = {**bindings, **case.bindings}
    return tuple(
        bind_text(raw, values)
        for name, raw in case.path_params.items()
        if not (case.method == "POST" and "/deployments/{" + name + "}" in case.path)
    )


def check_path_ids(case: Case, bindings: Mapping[str, str], owned: Collection[str]) -> None:
    """Raise :class:`GuardError` when a changing method would touch an object that the run did not create."""
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
    """Raise :class:`GuardError` when a request would leave the origin that the key belongs to (RFC 6454)."""
    here, there = urlsplit(url), urlsplit(origin)
    if (here.scheme, here.netloc) != (there.scheme, there.netloc):
        raise GuardError(f"a request would go to {here.scheme}://{here.netloc} instead of {origin}")


def check_scheme(url: str, *, loopback: bool, allow_http: bool) -> None:
    """Raise :class:`UsageError` for plain http to another machine without the flag."""
    if urlsplit(url).scheme == "http" and not loopback and not allow_http:
        raise UsageError(
            "the key would travel in clear text", where=url, hint="use https, or set target.allow_http = true"
        )


def strip(headers: Headers, secrets: Collection[str]) -> Headers:
    """Headers without any credential: for probes that must come without one, extra headers included."""
    return tuple(
        (name, value)
        for name, value in headers
        if not is_secret(name) and not any(secret in value for secret in secrets if secret)
    )


def with_undo(case: Case, spec: Spec) -> Case:
    """The case with the ``undo`` that its path implies: POST on a collection whose members can be deleted.

    A request that should have been refused can be accepted all the same; what it made must be removed too.
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
