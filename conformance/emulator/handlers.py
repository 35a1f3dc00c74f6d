"""The registry of handlers: a function marked with :func:`handles` answers an operation, named by our operationId.

Handlers are found by walking the packages ``inference`` and ``resources``; a new handler is listed nowhere else.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from functools import cache
from typing import TypeVar

from conformance.emulator.call import Call
from conformance.errors import HarnessError
from conformance.evidence.exchange import Response

__all__ = ["Handler", "all_handlers", "handles"]

Handler = Callable[[Call], Response]
_H = TypeVar("_H", bound=Handler)

_PACKAGES = ("conformance.emulator.inference", "conformance.emulator.resources")


def handles(*operations: str) -> Callable[[_H], _H]:
    """Decorator: the function answers these operations, as in ``@handles("assistants.create")``."""

    def mark(handler: _H) -> _H:
        handler.__dict__["handled_operations"] = operations
        return handler

    return mark


@cache
def all_handlers() -> Mapping[str, Handler]:
    """Every handler by operationId. Raises :class:`HarnessError` if two claim the same operation."""
    found: dict[str, Handler] = {}
    for name in _PACKAGES:
        package = importlib.import_module(name)
        for info in pkgutil.walk_packages(package.__path__, f"{name}."):
            module = importlib.import_module(info.name)
            for handler in vars(module).values():
                if getattr(handler, "__module__", None) != info.name:
                    continue
                for operation in getattr(handler, "handled_operations", ()):
                    if found.setdefault(operation, handler) is not handler:
                        raise HarnessError(f"two handlers for {operation}", where=info.name)
    return found
