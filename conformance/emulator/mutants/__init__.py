"""Mutants: variants of the emulator with one bug each, to show that the suite notices it.

A mutant is a function of a call and the handler that would answer it correctly, or a change of a document that removes
a constraint. Mutants are found by walking this folder, one file per subject. ``mutants()["cursor.gap"].apply(app)``
puts the bug into an application.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Callable, Mapping
from copy import deepcopy
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from attrs import evolve, field, frozen

from conformance.emulator.app import App
from conformance.emulator.call import Call, Documented
from conformance.emulator.handlers import Handler
from conformance.errors import HarnessError, UsageError
from conformance.evidence.exchange import Response
from conformance.spec.operations import Operation, operations_of
from conformance.spec.spec import Spec

__all__ = ["Change", "Loosen", "Mutant", "loosened", "mutant", "mutant_named", "mutants"]

#: ``change(call, answer)``: answers the call wrongly, mostly by changing what the correct handler ``answer`` gives.
Change = Callable[[Call, Handler], Response]
#: Removes a constraint from a copy of a version's document, in place.
Loosen = Callable[[dict[str, Any]], None]


@frozen
class Mutant:
    """One bug. ``rule`` is the rule that it breaks, as a sentence.

    ``operations`` are globs of the operations that behave wrongly. ``about`` limits the mutant to versions whose
    answers have this field, ``streamed`` to streaming operations, ``seen_by`` to versions that have the operation which
    shows the bug.
    """

    name: str
    rule: str
    operations: tuple[str, ...]
    change: Change = field(repr=False)
    about: str = ""
    streamed: bool = False
    seen_by: str = ""
    loosen: Loosen | None = field(default=None, repr=False)

    def touches(self, spec: Spec) -> bool:
        """Return True if the version documents what this mutant breaks, and the operation that shows it."""
        known = operations_of(spec)
        if self.loosen is not None:
            return self._loosened(spec).document != spec.document
        if self.seen_by and self.seen_by not in known:
            return False
        return any(
            self._hits(id_)
            and (operation.stream is not None or not self.streamed)
            and (not self.about or _answers(spec, operation, self.about))
            for id_, operation in known.items()
        )

    def apply(self, app: App) -> App:
        """Put the bug into an application and return it. A loosened document makes the application begin with an empty
        state.
        """
        if self.loosen is not None:
            app.specs = [self._loosened(spec) for spec in app.specs]
            # Routes and validators are compiled from the document, so they must be built again.
            app.__attrs_post_init__()
            return app
        app.handlers = {
            operation: self._broken(handler) if self._hits(operation) else handler
            for operation, handler in app.handlers.items()
        }
        return app

    def _loosened(self, spec: Spec) -> Spec:
        """The Spec without the constraint."""
        document = deepcopy(dict(spec.document))
        if self.loosen is not None:
            self.loosen(document)
        return evolve(spec, document=document)

    def _broken(self, handler: Handler) -> Handler:
        """The handler with the bug."""
        return lambda call: self.change(call, handler)

    def _hits(self, operation: str) -> bool:
        """Return True if the operation behaves wrongly."""
        return any(fnmatchcase(operation, pattern) for pattern in self.operations)


def _answers(spec: Spec, operation: Operation, name: str) -> bool:
    """Return True if the answer of an operation, or each item of its list, has the field."""
    answer = Documented(spec, operation).answer
    return answer.has(name) or answer.has("data", "*", name)


def mutant(
    name: str, rule: str, *operations: str, about: str = "", streamed: bool = False, seen_by: str = ""
) -> Callable[[Change], Change]:
    """Decorator: make a mutant of a function ``change(call, answer)``. For the other arguments see :class:`Mutant`."""

    def mark(change: Change) -> Change:
        marks = change.__dict__.setdefault("mutants", [])
        marks.append(Mutant(name, rule, operations, change, about, streamed, seen_by))
        return change

    return mark


def loosened(name: str, rule: str) -> Callable[[Loosen], Loosen]:
    """Decorator: make a mutant of a function that removes a constraint from a document. It accepts what must be
    refused.
    """

    def mark(loosen: Loosen) -> Loosen:
        loosen.__dict__.setdefault("mutants", []).append(Mutant(name, rule, ("*",), _unchanged, loosen=loosen))
        return loosen

    return mark


def _unchanged(call: Call, answer: Handler) -> Response:
    """Answer correctly: a loosened document alone is the bug."""
    return answer(call)


@cache
def mutants() -> Mapping[str, Mutant]:
    """Every mutant by name, sorted by name. Raises :class:`HarnessError` if two have the same name."""
    found: dict[str, Mutant] = {}
    for info in pkgutil.iter_modules(__path__, f"{__name__}."):
        for change in vars(importlib.import_module(info.name)).values():
            # Imported helpers are found in several modules; each mutant counts where it is defined.
            if getattr(change, "__module__", None) != info.name:
                continue
            for one in getattr(change, "mutants", ()):
                if found.setdefault(one.name, one) is not one:
                    raise HarnessError(f"two mutants are called {one.name}", where=info.name)
    return dict(sorted(found.items()))


def mutant_named(name: str) -> Mutant:
    """The mutant with a name. Raises :class:`UsageError` for an unknown name."""
    found = mutants().get(name)
    if found is None:
        near = difflib.get_close_matches(name, mutants(), n=2)
        nearest = f"nearest: {', '.join(near)}; " if near else ""
        raise UsageError(f"unknown mutant {name!r}", hint=f"{nearest}see: serve --list-mutants")
    return found
