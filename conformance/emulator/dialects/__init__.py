"""Dialects: shapes of answers that the service was recorded to send, or that examples in its guides show, and that its
API documents don't.

Each is a function of a call and the handler that answers it as documented, one file for each subject. An emulator in
any dialect is conformant; so every rule of the judge meets what the document says and what was recorded.
``dialects()["run-step.expires-at"].apply(app)`` is an application that speaks one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

from attrs import field, frozen

from conformance.emulator.app import App
from conformance.emulator.variants import Change, collected, hits, named, wrap
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec

__all__ = ["Dialect", "dialect", "dialect_named", "dialects"]


@frozen
class Dialect:
    """One recorded shape, as a sentence. ``operations`` are globs of the operations that answer in it.

    ``surfaces`` are those on which it was recorded; all if empty.
    """

    name: str
    shape: str
    operations: tuple[str, ...]
    change: Change = field(repr=False)
    surfaces: tuple[str, ...] = ()

    def touches(self, spec: Spec) -> bool:
        """Return True if a version has an operation that answers in this dialect, on such a surface."""
        here = not self.surfaces or spec.surface in self.surfaces
        return here and any(hits(self.operations, operation) for operation in operations_of(spec))

    def apply(self, app: App) -> App:
        """An application with the same state that answers in this dialect. The given one stays as it is."""
        return wrap(app, self.operations, self.change)


def dialect(name: str, shape: str, *operations: str, surfaces: tuple[str, ...] = ()) -> Callable[[Change], Change]:
    """Decorator: make a dialect of a function ``change(call, answer)``. For the arguments see :class:`Dialect`."""

    def mark(change: Change) -> Change:
        change.__dict__.setdefault("dialects", []).append(Dialect(name, shape, operations, change, surfaces))
        return change

    return mark


@cache
def dialects() -> Mapping[str, Dialect]:
    """Every dialect by name, sorted by name. Raises :class:`HarnessError` if two have the same name."""
    return collected(__name__, __path__, "dialects")


def dialect_named(name: str) -> Dialect:
    """The dialect with a name. Raises :class:`UsageError` for an unknown name."""
    found: Dialect = named(name, dialects(), "dialect")
    return found
