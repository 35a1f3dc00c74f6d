"""A client of the ``openai`` package that notes which of its methods are called. The client itself is left as it is."""

from __future__ import annotations

from typing import Any

from conformance.spec.loading import load, versions
from conformance.spec.operations import operations_of

__all__ = ["Recorder", "documenting"]


class Recorder:
    """Stands before a resource of the client: attributes lead on, calls are noted by their dotted path."""

    def __init__(self, target: Any, path: str = "", called: set[str] | None = None) -> None:
        self.__target = target
        self.__path = path
        self.called: set[str] = set() if called is None else called

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.__target, name)
        path = f"{self.__path}.{name}".lstrip(".")
        if type(found).__module__.startswith("openai.resources") or name in ("beta", "chat", "audio"):
            return Recorder(found, path, self.called)
        self.called.add(path)
        return found


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
