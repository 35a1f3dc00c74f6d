"""Clients of the ``openai`` package, and notes of their methods and of what these return. They are left as they are."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import httpx
from attrs import field, frozen
from client_types import mismatches
from openai import AzureOpenAI, OpenAI, Stream

from conformance.spec.loading import load, versions
from conformance.spec.operations import operations_of

__all__ = ["INCOMING", "KEY", "MAKES_ASSISTANTS", "Connect", "Notes", "Recorder", "client_of", "documenting"]

#: The key of the emulators.
KEY = "emulator-key"

#: Calls that ring at every emulator from the start, as if somebody had telephoned.
INCOMING = tuple(f"rtc_incoming{number}" for number in range(20))

#: A version that creates the assistants of versions that only run them.
MAKES_ASSISTANTS = "2025-04-01-preview"


class Connect(Protocol):
    """Makes a client for a version; ``at`` is the version whose emulator it speaks to, if that is another one."""

    def __call__(self, version: str, at: str = "") -> Any: ...


@frozen
class Notes:
    """What is noted of clients: the methods that were called, by their dotted paths; those of them that returned at
    least once without raising; and where a returned value doesn't fit the package's type for it.
    """

    called: set[str] = field(factory=set)
    answered: set[str] = field(factory=set)
    misfits: set[str] = field(factory=set)


class Recorder:
    """Stands before a resource of the client: attributes lead on, calls are noted."""

    def __init__(self, target: Any, path: str = "", notes: Notes | None = None) -> None:
        self.__target = target
        self.__path = path
        self.notes = notes or Notes()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.__target, name)
        path = f"{self.__path}.{name}".lstrip(".")
        if type(found).__module__.startswith("openai.resources"):
            return Recorder(found, path, self.notes)
        return self.__noting(found, path) if callable(found) else found

    def __noting(self, method: Callable[..., Any], path: str) -> Callable[..., Any]:
        @functools.wraps(method)
        def noted(*args: Any, **kwargs: Any) -> Any:
            self.notes.called.add(path)
            result = method(*args, **kwargs)
            self.notes.answered.add(path)
            if isinstance(result, Stream):
                return self.__watched(result)
            self.notes.misfits.update(mismatches(result))
            return result

        return noted

    def __watched(self, stream: Stream[Any]) -> Iterator[Any]:
        for event in stream:
            self.notes.misfits.update(mismatches(event))
            yield event


def client_of(version: str, url: str, http: httpx.Client | None = None) -> OpenAI:
    """The client that users of a version take, at the URL of a target."""
    spec = load(version)
    common: dict[str, Any] = {
        "api_key": KEY,
        "max_retries": 0,
        "timeout": 20,
        "default_headers": {"aoai-evals": "preview"},
        "http_client": http,
    }
    if spec.api_version.location == "query" and spec.surface == "dated":
        return AzureOpenAI(azure_endpoint=url, api_version=version, **common)
    return OpenAI(base_url=f"{url}{spec.base_path}", **common)


def documenting(*operations: str, surface: str, location: str = "query") -> list[str]:
    """The versions of a surface that document all these operations, drafts too."""
    found = [load(version) for version in versions(drafts=True)]
    return [
        spec.version
        for spec in found
        if spec.surface == surface
        and spec.api_version.location == location
        and all(operation in operations_of(spec) for operation in operations)
    ]
