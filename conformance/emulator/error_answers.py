"""Error answers with the service's own wording. :class:`Problem` is the answer, :class:`Refused` carries it to the app.

The texts are those of published real answers; the envelope is documented.
"""

from __future__ import annotations

from typing import Any

from attrs import frozen

from conformance.requests.headers import Headers

__all__ = [
    "Problem",
    "Refused",
    "api_version_not_supported",
    "conflict",
    "deployment_not_found",
    "invalid",
    "method_not_allowed",
    "missing",
    "operation_not_supported",
    "resource_not_found",
    "too_large",
    "unauthorized",
    "unsupported_media_type",
]


@frozen
class Problem:
    """One error answer. With ``full`` the envelope has ``type`` and ``param``, even if they are null.

    With ``flat`` the body is ``{"code", "message"}`` without the ``error`` envelope, as the video operations document
    it. ``headers`` are those that belong to this error, besides the ones of every answer.
    """

    status: int
    code: str | None
    message: str
    type: str | None = None
    param: str | None = None
    full: bool = False
    flat: bool = False
    extra: tuple[tuple[str, Any], ...] = ()
    headers: Headers = ()

    def body(self) -> dict[str, Any]:
        """The JSON body of the answer."""
        inner: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.full:
            inner |= {"param": self.param, "type": self.type}
        inner |= dict(self.extra)
        return inner if self.flat else {"error": inner}


class Refused(Exception):  # noqa: N818 - an answer on its way out, not a fault of ours
    """Raised anywhere below the application to answer with an error."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def invalid(
    message: str, *, param: str | None = None, code: str | None = "invalid_value", status: int = 400, **extra: Any
) -> Refused:
    """400: the request breaks a documented rule. ``param`` names the field, such as ``messages[0].role``."""
    return Refused(
        Problem(status, code, message, "invalid_request_error", param, full=True, extra=tuple(extra.items()))
    )


def missing(what: str, id: str, *, param: str | None = None) -> Refused:
    """404: no object of this kind has this id."""
    return Refused(Problem(404, None, f"No {what} found with id '{id}'.", "invalid_request_error", param, full=True))


def conflict(message: str, *, status: int = 400, param: str | None = None, code: str | None = None) -> Refused:
    """400: the object is in a state that does not allow this, such as a locked thread or a finished run."""
    return invalid(message, param=param, code=code, status=status)


def unauthorized() -> Refused:
    """401: no key or a wrong one."""
    return Refused(
        Problem(
            401,
            "401",
            "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key "
            "for an active subscription and use a correct regional API endpoint for your resource.",
        )
    )


def resource_not_found() -> Refused:
    """404 of the gateway: no such route, or an unknown api-version."""
    return Refused(Problem(404, "404", "Resource not found"))


def method_not_allowed(allowed: str) -> Refused:
    """405: the path has other methods. ``allowed`` becomes the Allow header (RFC 9110 section 15.5.6)."""
    return Refused(Problem(405, "405", f"Method not allowed. Allowed: {allowed}.", headers=(("allow", allowed),)))


def api_version_not_supported() -> Refused:
    """400: a v1 route with an unknown api-version."""
    return Refused(Problem(400, "BadRequest", "API version not supported"))


def deployment_not_found() -> Refused:
    """404: the resource has no deployment of this name."""
    return Refused(
        Problem(
            404,
            "DeploymentNotFound",
            "The API deployment for this resource does not exist. If you created the deployment within the last "
            "5 minutes, please wait a moment and try again.",
        )
    )


def operation_not_supported(operation: str, model: str) -> Refused:
    """400: the deployed model can't do this operation."""
    return Refused(
        Problem(
            400,
            "OperationNotSupported",
            f"The {operation} operation does not work with the specified model, {model}. "
            "Please choose different model and try again.",
        )
    )


def unsupported_media_type(given: str, wanted: str) -> Refused:
    """415: the Content-Type is not one that the operation documents."""
    return Refused(Problem(415, "UnsupportedMediaType", f"Content-Type {given!r} is not supported here; use {wanted}."))


def too_large(limit: int, read: int) -> Refused:
    """413: the body is larger than the limit. Both arguments are bytes."""
    message = f"Maximum content size limit ({limit}) exceeded ({read} bytes read)"
    return Refused(Problem(413, None, message, "server_error", None, full=True))
