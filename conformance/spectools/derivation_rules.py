"""Lint rules that need what is derived from a version: its corpus and scenarios at every profile, and its emulator."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from conformance.corpus.corpus import build_corpus
from conformance.emulator.handlers import all_handlers
from conformance.errors import ConformanceError
from conformance.requests.profile import Profile
from conformance.scenarios.registry import scenarios_of
from conformance.spec.operations import operations_of
from conformance.spec.shipped import specs_dir
from conformance.spec.spec import Spec
from conformance.spec.tables import Problem

__all__ = ["derivation_problems", "unhandled"]


def derivation_problems(spec: Spec, profiles: Iterable[str] = Profile.ALL) -> Iterator[Problem]:
    """Yield what keeps requests of some profiles from being derived, and operations that the emulator doesn't know.

    An imported version is served without handlers: operations are answered by the document alone.
    """
    file = str((spec.path or specs_dir() / spec.version) / "version.toml")
    # Small profiles are parts of the standard one, so they are cut from it.
    for profile in sorted(profiles, key=Profile.CHOSEN.__contains__):
        try:
            build_corpus(spec, profile)
            scenarios_of(spec, profile)
        except ConformanceError as error:
            yield Problem(file, 1, "", f"no requests can be derived at profile {profile}: {error.message}")
        except Exception as error:  # noqa: BLE001 - whatever a document does to us is told with its place
            yield Problem(file, 1, "", f"no requests can be derived at profile {profile}: {error!r} (a bug of ours)")
    if not spec.imported and (names := unhandled(spec)):
        yield Problem(file, 1, "", f"the emulator has no handler for {', '.join(names)}")


def unhandled(spec: Spec) -> tuple[str, ...]:
    """The operations that no handler of the emulator answers, by operationId."""
    handlers = all_handlers()
    return tuple(name for name in operations_of(spec) if name not in handlers)
