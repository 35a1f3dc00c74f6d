"""The methods of the ``openai`` package, found by looking at its client, and the request that each sends first."""

from __future__ import annotations

import contextlib
import inspect
import re
import typing
import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import cache, cached_property
from typing import Any

import httpx
from openai import OpenAI

from conformance.spec.loading import load
from conformance.spec.operations import operations_of

__all__ = ["documented", "is_documented", "methods", "routes"]

#: The text that stands for every argument that may be one: what is in a path then is a segment without a slash.
_WORD = "word"

#: Files in place of arguments for which the package takes no text, by name.
_VALUES: Mapping[str, Any] = {"files": [("x.txt", b"x")]}

#: All arguments of methods that demand some although their signature has a default for them.
_DEMANDED: Mapping[str, Mapping[str, Any]] = {
    "uploads.upload_file_chunked": {
        "file": b"x",
        "filename": "x.txt",
        "bytes": 1,
        "mime_type": "text/plain",
        "purpose": "assistants",
    },
    "responses.stream": {"input": _WORD, "model": _WORD},
}

#: A placeholder of a path.
_PLACEHOLDER = re.compile(r"\\\{[^}]*\\\}")


def methods(resource: Any, path: str = "") -> Iterator[tuple[str, Callable[..., Any]]]:
    """Yield every public method of the resources below ``resource`` with its dotted path.

    Not those of ``with_raw_response`` and ``with_streaming_response``, which are the same methods again.
    """
    for name, static in inspect.getmembers_static(type(resource)):
        if name.startswith(("_", "with_")):
            continue
        dotted = f"{path}.{name}".lstrip(".")
        if isinstance(static, cached_property | property):
            found = getattr(resource, name)
            if type(found).__module__.startswith("openai.resources"):
                yield from methods(found, dotted)
        elif path and inspect.isfunction(static):
            yield dotted, getattr(resource, name)


def _arguments(path: str, method: Callable[..., Any]) -> dict[str, Any]:
    """A value for each argument that the method, or its first overload, demands."""
    if path in _DEMANDED:
        return dict(_DEMANDED[path])
    overloads = typing.get_overloads(inspect.unwrap(method))
    demanded = [
        one
        for one in inspect.signature(overloads[0] if overloads else method).parameters.values()
        if one.name != "self" and one.default is one.empty and one.kind not in (one.VAR_KEYWORD, one.VAR_POSITIONAL)
    ]
    words = {one.name: b"x" if "FileTypes" in str(one.annotation) else _WORD for one in demanded}
    return {**words, **{name: value for name, value in _VALUES.items() if name in words}}


@cache
def routes() -> Mapping[str, tuple[str, str] | None]:
    """Method and path of the first request that each method of the client sends, below its base URL. None if it sends
    none: it opens a WebSocket, or works without the network.
    """
    sent: list[tuple[str, str]] = []

    def refuse(request: httpx.Request) -> httpx.Response:
        sent.append((request.method, request.url.path))
        return httpx.Response(418, json={})

    with httpx.Client(transport=httpx.MockTransport(refuse)) as http:
        client = OpenAI(api_key="k", admin_api_key="k", base_url="http://host", max_retries=0, http_client=http)
        found: dict[str, tuple[str, str] | None] = {}
        for path, method in methods(client):
            sent.clear()
            # The answer to every request is a refusal, and what isn't sent is refused by the method itself.
            with contextlib.suppress(Exception), warnings.catch_warnings(action="ignore"):
                made = method(**_arguments(path, method))
                if hasattr(made, "__enter__"):
                    with made:
                        pass
            found[path] = sent[0] if sent else None
    return found


@cache
def _operations(version: str) -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Method and pattern of the path of each operation of a version."""
    return tuple(
        (operation.method, re.compile(_PLACEHOLDER.sub("[^/]+", re.escape(operation.path))))
        for operation in operations_of(load(version)).values()
    )


def is_documented(version: str, method: str, path: str) -> bool:
    """Return True if a version has an operation with this method, at a path below its base."""
    return any(one == method and pattern.fullmatch(path) for one, pattern in _operations(version))


@cache
def documented(version: str) -> frozenset[str]:
    """The methods of the client whose first request is an operation of this version, if need be of a deployment."""
    deployment = f"/deployments/{_WORD}" if load(version).surface == "dated" else ""
    sent = {path: route for path, route in routes().items() if route is not None}
    return frozenset(
        path
        for path, (method, at) in sent.items()
        if is_documented(version, method, at) or is_documented(version, method, f"{deployment}{at}")
    )
