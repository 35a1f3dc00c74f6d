"""Checks of access: keys, api-versions, deployments, methods and routes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from attrs import evolve

from conformance.evidence.exchange import Exchange, Response
from conformance.evidence.trace import Observation
from conformance.judging.check import Counterexample, check
from conformance.judging.counterexamples import admitted, earlier_success, odd_version, path_of, query_of, when_refused
from conformance.requests.case import Expect
from conformance.requests.selectors import Selector
from conformance.requests.wire import UNKNOWN_ROUTE
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level


def role(name: str) -> Selector:
    """A selector for the derived cases with a role, or one below it, that must be refused."""
    return Selector(
        lambda _, case: case.expect is Expect.REJECT and (case.role == name or case.role.startswith(name + ".")),
        derived=True,
    )


def _has_key(exchange: Exchange) -> bool:
    """Return True if the request has a credential."""
    return any(exchange.request.header(name) for name in ("api-key", "authorization"))


def _admit(when: Callable[[Exchange], bool], *statuses: int) -> Counterexample:
    """A counterexample: a request that was refused with one of the statuses is answered like an earlier, successful
    one.
    """

    def broken(exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange | None:
        response = exchange.response
        if response is None or response.status not in statuses or not when(exchange):
            return None
        good = earlier_success(exchange, earlier)
        return exchange.answered(good) if good is not None else None

    return broken


def _succeeded(seen: Observation, what: str) -> Iterator[Finding]:
    """Yield a finding if the answer is a success."""
    status = seen.response.status
    if 200 <= status < 300:
        yield seen.finding(f"{what} was answered with {status}", place="status", expected="no success", actual=status)


def _refused(seen: Observation, what: str, wanted: tuple[int, ...] | None = None) -> Iterator[Finding]:
    """Yield a finding unless the status is a wanted one, by default any 4xx."""
    status = seen.response.status
    fits = status in wanted if wanted else 400 <= status < 500
    if not fits:
        expected = " or ".join(map(str, wanted)) if wanted else "4xx"
        yield seen.finding(f"{what} was answered with {status}", place="status", expected=expected, actual=status)


@check(
    "auth.missing.refused",
    Level.MUST,
    clause="auth-required",
    counterexample=_admit(lambda exchange: not _has_key(exchange), 401, 403),
    about=role("probe.auth.none"),
    features=("auth",),
    contrast=True,
    witness=admitted,
)
def missing_key(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """A request without any credential does not succeed. Which refusal comes is judged by ``auth.status``."""
    yield from _succeeded(seen, "a request without a key")


@check(
    "auth.wrong.refused",
    Level.MUST,
    clause="auth-required",
    counterexample=_admit(_has_key, 401, 403),
    about=role("probe.auth.wrong"),
    features=("auth",),
    contrast=True,
    witness=admitted,
)
def wrong_key(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """A request with a wrong key does not succeed. Otherwise anybody can use the resource."""
    yield from _succeeded(seen, "a request with a wrong key")


def _as_400(_exchange: Exchange, response: Response) -> Response | None:
    """Counterexample: 400 in place of 401."""
    return evolve(response, status=400)


@check(
    "auth.status",
    Level.SHOULD,
    clause="auth-401",
    counterexample=when_refused(_as_400, 401),
    about=role("probe.auth"),
    features=("auth",),
    contrast=True,
    provenance="observed",
)
def auth_status(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """A missing or wrong key is answered with 401. 403 is accepted with a note: key authentication may be disabled."""
    status = seen.response.status
    if status == 403:
        yield seen.finding("403 in place of 401", place="status", expected=401, actual=403, note=True)
    # A success is reported by the checks of refusal, a 5xx by ``http.no-server-error``.
    elif 300 <= status < 500 and status != 401:
        yield seen.finding(f"{status} in place of 401", place="status", expected=401, actual=status)


def _no_version(exchange: Exchange) -> bool:
    """Return True if the request has no api-version."""
    return "api-version" not in query_of(exchange.request)


@check(
    "api-version.missing.refused",
    Level.MUST,
    clause="api-version-required",
    counterexample=_admit(_no_version, 400, 404),
    about=Selector(
        lambda spec, case: case.role == "probe.api-version.missing" and spec.api_version.required, derived=True
    ),
    contrast=True,
    witness=admitted,
    features=("api-version",),
)
def version_missing(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """A request without ``api-version`` is refused with a 4xx status, if the version requires the parameter.

    Which status is not judged; the service is reported to answer 404.
    """
    yield from _refused(seen, "a request without api-version")


@check(
    "api-version.unknown.refused",
    Level.MUST,
    clause="api-version-known",
    counterexample=_admit(odd_version, 400, 404),
    about=role("probe.api-version.unknown"),
    contrast=True,
    witness=admitted,
    features=("api-version",),
)
def version_unknown(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """A made-up ``api-version`` is refused with a 4xx status.

    A target that ignores the parameter can't promise its caller any particular contract.
    """
    yield from _refused(seen, "an unknown api-version")


def _no_deployment(exchange: Exchange) -> bool:
    """Return True if the path names a deployment."""
    return "/deployments/" in path_of(exchange.request)


def _any_deployment(exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: a request to an unknown deployment is answered from another deployment."""
    response = exchange.response
    if response is None or response.status not in (400, 404) or exchange.request.method != "POST":
        return None
    if not _has_key(exchange) or (_no_version(exchange) and _no_deployment(exchange)) or odd_version(exchange):
        return None
    # Only the refusal of an unknown deployment may be replaced; other 404s belong to other checks.
    if "eployment" not in response.body.decode("utf-8", "replace"):
        return None
    # What follows the deployment's name: the same operation at another deployment.
    tail = path_of(exchange.request).rsplit("/deployments/", 1)[-1].split("/", 1)[-1]
    for past in reversed(earlier):
        good, same = past.response, past.request.method == "POST" and path_of(past.request).endswith(tail)
        if past.ok and same and good is not None and good.media_type == "application/json":
            return exchange.answered(good)
    return None


@check(
    "deployment.unknown.refused",
    Level.MUST,
    clause="deployment-must-exist",
    counterexample=_any_deployment,
    about=role("probe.deployment.unknown"),
    contrast=True,
    witness=admitted,
)
def deployment_unknown(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """A request to an unknown deployment is answered with 404; with 400 or 404 where the body names the model.

    A target that answers from another deployment hides a wrong configuration from its user.
    """
    # In a path the deployment is a resource, so only 404 is right. In a body it is a value, which may also be invalid.
    wanted = (404,) if "/deployments/" in seen.case.path else (400, 404)
    yield from _refused(seen, "a request to an unknown deployment", wanted)


def _code_differs(_exchange: Exchange, response: Response) -> Response | None:
    """Counterexample: the refusal has another code."""
    value = response.json
    if isinstance(value, dict) and isinstance(value.get("error"), dict):
        return response.with_json({"error": {**value["error"], "code": "NoSuchThing"}})
    return response.with_json({**value, "code": "NoSuchThing"}) if isinstance(value, dict) and "code" in value else None


@check(
    "deployment.unknown.code",
    Level.OBS,
    clause="deployment-not-found-code",
    counterexample=when_refused(_code_differs, 404),
    about=role("probe.deployment.unknown"),
    contrast=True,
    provenance="observed",
)
def deployment_code(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """The code of the refusal is ``DeploymentNotFound``, as is reported of the service."""
    value = seen.json
    # Operations of videos document errors without the envelope.
    error = value.get("error", value) if isinstance(value, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    if seen.response.status == 404 and code != "DeploymentNotFound":
        place = "/code" if error is value else "/error/code"
        yield seen.finding("another code", place=place, expected="DeploymentNotFound", actual=code)


def _served(response: Response) -> Response:
    """A success in place of a refusal."""
    return evolve(response, status=200).with_json({"object": "list", "data": []})


def _odd_method_served(exchange: Exchange, response: Response) -> Response | None:
    """Counterexample: an undocumented method succeeds."""
    return _served(response) if exchange.request.method not in ("GET", "POST", "DELETE", "HEAD") else None


@check(
    "method.wrong.refused",
    Level.MUST,
    clause="method-known",
    counterexample=when_refused(_odd_method_served, 404, 405),
    about=role("probe.method"),
    provenance="standard",
    contrast=True,
    witness=admitted,
)
def method_wrong(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """A method that the path doesn't document is answered with 404 or 405 (RFC 9110 section 15.5.6)."""
    yield from _refused(seen, f"{seen.case.method}", (404, 405))


def _odd_route_served(exchange: Exchange, response: Response) -> Response | None:
    """Counterexample: an unknown path succeeds."""
    return _served(response) if UNKNOWN_ROUTE in path_of(exchange.request) else None


@check(
    "route.unknown.refused",
    Level.MUST,
    clause="route-known",
    counterexample=when_refused(_odd_route_served, 404, 405),
    about=role("probe.route"),
    provenance="standard",
    contrast=True,
    witness=admitted,
)
def route_unknown(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """A path that no version documents is answered with 404 or 405. A success would hide mistyped URLs."""
    yield from _refused(seen, "an unknown route", (404, 405))
