"""Mutants: variants of the emulator with one bug each, to show that the suite notices it.

A mutant is a function of a call and the handler that would answer it correctly, or a change of a document that removes
a constraint. Mutants are found by walking this folder, one file per subject. ``mutants()["cursor.gap"].apply(app)`` is
an application with the bug.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import cache
from typing import Any

from attrs import evolve, field, frozen

from conformance.emulator.app import App
from conformance.emulator.call import Call
from conformance.emulator.handlers import Handler
from conformance.emulator.variants import Change, answers_with, collected, hits, named, wrap
from conformance.evidence.exchange import Response
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec

__all__ = ["Change", "Loosen", "Mutant", "loosened", "mutant", "mutant_named", "mutants"]

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
            and (not self.about or answers_with(spec, operation, self.about))
            for id_, operation in known.items()
        )

    def apply(self, app: App) -> App:
        """An application with the bug. The given one stays as it is.

        It shares the state of the given one, except with a loosened document, whose application begins with an empty
        state: routes and validators are compiled from the document.
        """
        if self.loosen is not None:
            return App([self._loosened(spec) for spec in app.specs], app.settings, app.clock)
        return wrap(app, self.operations, self.change)

    def _loosened(self, spec: Spec) -> Spec:
        """The Spec without the constraint."""
        document = deepcopy(dict(spec.document))
        if self.loosen is not None:
            self.loosen(document)
        return evolve(spec, document=document)

    def _hits(self, operation: str) -> bool:
        """Return True if the operation behaves wrongly."""
        return hits(self.operations, operation)


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
    return collected(__name__, __path__, "mutants")


def mutant_named(name: str) -> Mutant:
    """The mutant with a name. Raises :class:`UsageError` for an unknown name."""
    found: Mutant = named(name, mutants(), "mutant")
    return found
