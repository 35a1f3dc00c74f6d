"""Finds mistakes in the folder of an api-version, beyond those that keep it from loading.

:func:`lint` gives problems with file, line and key, sorted. The rules for documents are in ``document_rules``, those
for clauses, errata and version facts in ``ledger_rules``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from conformance.errors import SpecError
from conformance.spec.loading import load, versions
from conformance.spec.shipped import specs_dir
from conformance.spec.spec import Spec
from conformance.spec.tables import FILES, Problem, problems_of
from conformance.spec.textfile import read_toml
from conformance.spectools.derivation_rules import derivation_problems
from conformance.spectools.document_rules import document_problems
from conformance.spectools.fact_rules import fact_problems, shared_fact_problems
from conformance.spectools.ledger_rules import common_problems, ledger_problems

__all__ = ["lint"]


def lint(wanted: tuple[str, ...], folder: Path | None = None, *, profiles: tuple[str, ...] = ()) -> tuple[Problem, ...]:
    """The problems of some versions (of all, if none is named) and of what they share. Empty if there are none.

    The requests of ``profiles`` are derived as well, if nothing else is wrong; that may take minutes.
    Raises :class:`UsageError` for an unknown version.
    """
    found: list[Problem] = []
    specs: list[Spec] = []
    for version in wanted or versions(folder, drafts=True):
        try:
            specs.append(load(version, folder))
        except SpecError as error:
            found.extend(_form(version, folder) or [Problem(error.where or version, 0, "", _rest(error))])
    for spec in specs:
        found.extend(document_problems(spec, folder))
        found.extend(ledger_problems(spec))
        found.extend(fact_problems(spec))
    if profiles and not found:
        for spec in specs:
            found.extend(derivation_problems(spec, profiles))
    if not wanted:
        found.extend(common_problems(specs))
        found.extend(shared_fact_problems())
    return tuple(sorted(set(found)))


def _form(version: str, folder: Path | None) -> list[Problem]:
    """All problems of form in the TOML files of a folder that doesn't load. Loading itself stops at the first."""
    for base in (folder, specs_dir()):
        path = Path(base) / version if base is not None else None
        if path is not None and (path / "version.toml").is_file():
            return list(_form_of(path))
    return []


def _form_of(path: Path) -> Iterator[Problem]:
    for name in FILES:
        try:
            yield from problems_of(path / name, read_toml(path / name, optional=True))
        except SpecError as error:
            yield Problem(error.where or str(path / name), 0, "", _rest(error))


def _rest(error: SpecError) -> str:
    """The message of an error with its hint."""
    return f"{error.message} ({error.hint})" if error.hint else error.message
