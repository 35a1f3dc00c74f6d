"""Variants of the emulator's answers: handlers that are wrapped, and found by walking a folder.

Mutants answer wrongly, dialects as the service was recorded to answer. Both are functions of a call and the handler
that answers it in the plain way.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from copy import copy
from fnmatch import fnmatchcase
from typing import Any

from conformance.emulator.app import App
from conformance.emulator.call import Call, Documented
from conformance.emulator.handlers import Handler
from conformance.errors import HarnessError, UsageError
from conformance.evidence.exchange import Response
from conformance.spec.operations import Operation
from conformance.spec.spec import Spec

__all__ = ["Change", "answers_with", "collected", "hits", "named", "wrap"]

#: ``change(call, answer)``: answers the call in another way, mostly by changing what the handler ``answer`` gives.
Change = Callable[[Call, Handler], Response]


def hits(patterns: Iterable[str], operation: str) -> bool:
    """Return True if one of the globs means the operation."""
    return any(fnmatchcase(operation, pattern) for pattern in patterns)


def wrap(app: App, patterns: Iterable[str], change: Change) -> App:
    """An application with the same state that answers these operations by ``change``. The given one stays as it is."""
    wanted, other = tuple(patterns), copy(app)

    def changed(handler: Handler) -> Handler:
        return lambda call: change(call, handler)

    other.handlers = {
        operation: changed(handler) if hits(wanted, operation) else handler
        for operation, handler in app.handlers.items()
    }
    return other


def answers_with(spec: Spec, operation: Operation, name: str) -> bool:
    """Return True if the answer of an operation, or each item of its list, has the field."""
    answer = Documented(spec, operation).answer
    return answer.has(name) or answer.has("data", "*", name)


def collected(package: str, path: Iterable[str], attribute: str) -> Mapping[str, Any]:
    """What decorators left in ``attribute`` of the functions of a package's modules, by name and sorted by it.

    Raises :class:`HarnessError` if two have the same name.
    """
    found: dict[str, Any] = {}
    for info in pkgutil.iter_modules(path, f"{package}."):
        for change in vars(importlib.import_module(info.name)).values():
            # Imported helpers are found in several modules; each variant counts where it is defined.
            if getattr(change, "__module__", None) != info.name:
                continue
            for one in getattr(change, attribute, ()):
                if found.setdefault(one.name, one) is not one:
                    raise HarnessError(f"two of the {attribute} are called {one.name}", where=info.name)
    return dict(sorted(found.items()))


def named(name: str, known: Mapping[str, Any], kind: str) -> Any:
    """The variant with a name. Raises :class:`UsageError` for an unknown one; ``kind`` is the word for it."""
    found = known.get(name)
    if found is None:
        near = difflib.get_close_matches(name, known, n=2)
        nearest = f"nearest: {', '.join(near)}; " if near else ""
        raise UsageError(f"unknown {kind} {name!r}", hint=f"{nearest}see: serve --list-{kind}s")
    return found
