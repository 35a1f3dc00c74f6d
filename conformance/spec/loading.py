"""Lists and loads api-versions. :func:`load` returns a :class:`~conformance.spec.spec.Spec`.

A version that ``extends`` another one inherits its errata and clauses unless they are dropped. Its document is its own
``openapi.yaml``, or the other's faithful document with its ``overlay.yaml``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from conformance.errors import SpecError, UsageError
from conformance.spec.digests import shared_digest
from conformance.spec.folder import Patch, read
from conformance.spec.openapi import METHODS
from conformance.spec.operation_facts import FactTable
from conformance.spec.shipped import specs_dir
from conformance.spec.spec import ApiVersion, Clause, Drop, Erratum, Refusal, Rule, Source, Spec, Widest
from conformance.spec.textfile import read_toml

__all__ = ["default_versions", "load", "versions"]


def versions(*folders: Path | None, drafts: bool = False) -> tuple[str, ...]:
    """The known api-versions, sorted: those of the suite and those in the given folders.

    A draft (``draft = true`` in ``version.toml``) is used where it is asked for by its name; it is listed only with
    ``drafts``. Raises :class:`UsageError` for a folder that doesn't exist.
    """
    for folder in folders:
        _there(folder)
    found = {
        path.parent.name
        for folder in (specs_dir(), *folders)
        if folder is not None
        for path in Path(folder).glob("*/version.toml")
        if drafts or not _says(path, "draft", path.stat().st_mtime_ns)
    }
    return tuple(sorted(found))


def default_versions(folder: Path | None = None) -> tuple[str, ...]:
    """The versions that are judged if none is named: those with ``default = true`` in their ``version.toml``."""
    homes = ((name, _home(name, folder)) for name in versions(folder))
    tables = ((name, home / "version.toml") for name, home in homes if home is not None)
    return tuple(name for name, table in tables if _says(table, "default", table.stat().st_mtime_ns))


# Versions are listed often, and their tables seldom change.
@lru_cache(maxsize=256)
def _says(path: Path, key: str, _changed: int) -> bool:
    """Return True if a ``version.toml`` has this key with the value true. A table with mistakes says nothing: its
    version must be listed, so that its mistakes are told.
    """
    try:
        return read_toml(path).get(key) is True
    except SpecError:
        return False


def _there(folder: Path | None) -> None:
    """Raise :class:`UsageError` if a folder of the user doesn't exist."""
    if folder is not None and not Path(folder).is_dir():
        raise UsageError("no such folder", where=str(folder), hint="--specs takes one that holds folders of versions")


def _home(version: str, folder: Path | None) -> Path | None:
    """The folder of a version, or None. A name with a path separator is no version."""
    # The label comes from the command line; ``../x`` must not lead out of the folder.
    if Path(version).name != version:
        return None
    # The user's folder first: it may replace a version of the suite.
    homes = (Path(base) / version for base in (folder, specs_dir()) if base is not None)
    return next((home for home in homes if (home / "version.toml").is_file()), None)


def _beside(home: Path, folder: Path | None) -> Path | None:
    """The user's folder, if the version at ``home`` lies in it. A version of the suite builds on those of the suite,
    whatever else the user calls by their names.
    """
    return folder if folder is not None and home.parent == Path(folder) else None


def load(version: str, folder: Path | None = None) -> Spec:
    """Load an api-version. The user's ``folder`` has precedence.

    Raises :class:`UsageError`, with the known versions, for an unknown one and :class:`SpecError` for a folder with
    mistakes.
    """
    _there(folder)
    home = _home(version, folder)
    if home is not None:
        return _load(version, home, _beside(home, folder))
    known = ", ".join(versions(folder, drafts=True)) or "none"
    raise UsageError(f"unknown api-version {version!r}", hint=f"known: {known}")


# Specs are large and frozen, and every command asks for the same few of them.
@lru_cache(maxsize=32)
def _load(version: str, path: Path, folder: Path | None) -> Spec:
    """Load a version from its folder."""
    meta = read_toml(path / "version.toml")
    base = _base(version, path, meta, folder)
    dropped = {item.get("id") for item in meta.get("drop", ()) if isinstance(item, dict)}

    def kept(items: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(item for item in items if item.id not in dropped)

    old_errata = kept(base.errata) if base else ()
    read_in = read(
        path,
        meta,
        base=base.faithful if base else None,
        inherited=[Patch(erratum.id, erratum.patch) for erratum in old_errata],
        # A base's digest covers the shared files already.
        before=base.digest if base else shared_digest(),
    )
    api = meta["api_version"]
    # Shared clauses are chosen again for this document: it may have other operations than its base.
    clauses = kept(_shared(read_in.document, base) + tuple(c for c in (base.clauses if base else ()) if c.version))
    own_clauses = tuple(_clause(item, version) for item in read_in.clauses.get("clause", ()))
    refusals = tuple(Refusal(**_listed(item)) for item in read_in.clauses.get("refusal", ()))
    widest = tuple(Widest(**_listed(item)) for item in read_in.clauses.get("widest", ()))
    return Spec(
        version=meta["label"],
        status=meta["status"],
        surface=meta["surface"],
        base_path=meta["base_path"],
        api_version=ApiVersion(
            location=api["in"],
            name=api.get("name", "api-version"),
            required=api.get("required", True),
            accepted=tuple(api.get("accepted", ())),
            unknown=api.get("unknown", 404),
        ),
        faithful=read_in.faithful,
        document=read_in.document,
        live=meta["live"],
        complete=meta["complete"],
        default=meta.get("default", False),
        imported=meta.get("imported", False),
        gaps=tuple(meta.get("gaps", ())),
        features=frozenset(meta["features"]),
        facts=(base.facts if base else _common_facts()).extended(read_in.operations),
        sources=tuple(Source(**source) for source in meta["source"]),
        drops=tuple(Drop(**item) for item in meta.get("drop", ())),
        errata=old_errata + tuple(_erratum(item, version) for item in read_in.errata.get("erratum", ())),
        wrong_examples=tuple(read_in.errata.get("wrong_example", ())),
        clauses=clauses + own_clauses,
        refusals=(kept(base.refusals) if base else ()) + refusals,
        widest=(kept(base.widest) if base else ()) + widest,
        extends=meta.get("extends", ""),
        profiles=read_in.profiles,
        digest=read_in.digest,
        path=path,
    )


def _base(version: str, path: Path, meta: Mapping[str, Any], folder: Path | None) -> Spec | None:
    """The version that this one extends, or None. Raises :class:`SpecError` for versions that extend each other."""
    seen = {path: version}
    following: Any = meta.get("extends")
    near = folder
    while isinstance(following, str):
        home = _home(following, near)
        if home is None:
            known = ", ".join(versions(folder)) or "none"
            raise SpecError(
                f"extends: unknown api-version {following!r}", where=str(path / "version.toml"), hint=f"known: {known}"
            )
        # Without this test two versions that extend each other would be loaded for ever.
        if home in seen:
            chain = " extends ".join([*seen.values(), following])
            raise SpecError(f"extends: {chain}", where=str(path / "version.toml"))
        seen[home] = following
        near = _beside(home, near)
        following = read_toml(home / "version.toml").get("extends")
    return load(meta["extends"], folder) if len(seen) > 1 else None


@lru_cache(maxsize=1)
def _common() -> tuple[Clause, ...]:
    """The clauses that hold in every version."""
    data = read_toml(specs_dir() / "clauses.toml")
    return tuple(_clause(item, "") for item in data.get("clause", ()))


@lru_cache(maxsize=1)
def _common_facts() -> FactTable:
    """The facts of ``specs/operations.toml``, which hold in every version. Their form is checked with each folder's."""
    return FactTable().extended(read_toml(specs_dir() / "operations.toml"))


def _shared(document: Mapping[str, Any], base: Spec | None) -> tuple[Clause, ...]:
    """The shared clauses that concern an operation of the document, except those that the base dropped."""
    ids = [
        operation["operationId"]
        for item in document["paths"].values()
        for method, operation in item.items()
        if method in METHODS
    ]
    # A clause that the base dropped stays dropped here, unless the base states it again in its own words.
    withdrawn = {drop.id for drop in base.drops} - set(base.clause_by_id) if base else set()
    return tuple(clause for clause in _common() if clause.id not in withdrawn and any(map(clause.concerns, ids)))


def _listed(item: dict[str, Any]) -> dict[str, Any]:
    """An item of ``[[refusal]]`` or ``[[widest]]`` with its operations as a tuple."""
    return {**item, "operations": tuple(item.get("operations", ("*",)))}


def _erratum(item: dict[str, Any], version: str) -> Erratum:
    """An erratum from its table."""
    return Erratum(**{**item, "patch": tuple(json.loads(item.get("patch", "[]"))), "version": version})


def _clause(item: dict[str, Any], version: str) -> Clause:
    """A clause from its table."""
    rule = item.get("rule")
    made = None
    if rule:
        made = Rule(
            pointer=rule.get("pointer", ""),
            schema=json.loads(rule["schema"]) if "schema" in rule else None,
            breaks=json.loads(rule["break"]) if "break" in rule else None,
            fault=rule.get("fault", ""),
            named=rule.get("named", ""),
        )
    fields = {key: value for key, value in item.items() if key not in ("rule", "checks")}
    return Clause(**{**_listed(fields), "checks": tuple(item.get("checks", ())), "rule": made, "version": version})
