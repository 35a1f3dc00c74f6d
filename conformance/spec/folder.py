"""Reads ``specs/<version>/`` and checks it. Nothing else reads these folders; ``loading.py`` builds the values.

The content is checked when it is first read, and then cached under its digest. Every mistake is a :class:`SpecError`
with file, line and key.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import field, frozen

from conformance.errors import SpecError
from conformance.spec import cache as speccache
from conformance.spec.derived import shipped_folder
from conformance.spec.digests import SHARED, folder_digest
from conformance.spec.shipped import specs_dir
from conformance.spec.tables import FILES, Problem, problems_of
from conformance.spec.textfile import read_toml, read_yaml, toml_lines, yaml_line

__all__ = ["Folder", "Patch", "document_file", "listed_problems", "own_tables", "read"]


@frozen
class Patch:
    """The patch of an erratum (RFC 6902), with the id for error messages."""

    id: str
    operations: tuple[Mapping[str, Any], ...]
    own: bool = True


@frozen
class Folder:
    """The checked content of one folder. ``clauses``, ``errata``, ``operations`` and ``profiles`` are the
    parsed files.
    """

    path: Path
    digest: str
    meta: Mapping[str, Any] = field(repr=False)
    faithful: Mapping[str, Any] = field(repr=False)
    document: Mapping[str, Any] = field(repr=False)
    clauses: Mapping[str, Any] = field(repr=False)
    errata: Mapping[str, Any] = field(repr=False)
    operations: Mapping[str, Any] = field(repr=False)
    profiles: Mapping[str, Any] = field(repr=False)


def read(
    path: Path,
    meta: Mapping[str, Any],
    *,
    base: Mapping[str, Any] | None,
    inherited: Sequence[Patch],
    before: str,
) -> Folder:
    """Read a folder whose ``version.toml`` is ``meta``.

    ``base`` is the faithful document of the version that it extends; ``inherited`` are that version's errata, except
    dropped ones; ``before`` is the digest of everything on which this folder builds.
    """
    digest = folder_digest(path, before)
    # The key covers everything that is read, so an entry needs no further check.
    entry = shipped_folder(digest) or speccache.get(digest)
    if entry is None:
        entry = _fresh(path, meta, base, inherited)
        speccache.put(digest, entry)
    return Folder(path, digest, meta, **entry)


def _fresh(path: Path, meta: Mapping[str, Any], base: Any, inherited: Sequence[Patch]) -> dict[str, Any]:
    """Read and check a folder that isn't in the cache."""
    tables = own_tables(path)
    clauses, errata = tables["clauses"], tables["errata"]
    shared = ((specs_dir() / name, read_toml(specs_dir() / name)) for name in SHARED)
    own = zip((path / name for name in FILES), (meta, *tables.values()), strict=True)
    for file, data in (*shared, *own):
        for problem in problems_of(file, data):
            raise problem.error()
    # Before the errata are applied: a patch that is no JSON could not be read there.
    for problem in _json_problems(path, clauses, errata):
        raise problem.error()
    faithful = faithful_document(path, base)
    document = _corrected(path, faithful, inherited, errata)
    for problem in document_problems(path, faithful, document):
        raise problem.error()
    return {"faithful": faithful, "document": document, **tables}


def own_tables(path: Path) -> dict[str, Any]:
    """The tables of a folder beside its ``version.toml``, by name; each is empty if there is no such file."""
    return {file.removesuffix(".toml"): read_toml(path / file, optional=True) for file in FILES[1:]}


def faithful_document(path: Path, base: Mapping[str, Any] | None) -> Any:
    """The folder's own document, or that of its base with the overlay applied.

    A version that extends another one has an ``openapi.yaml`` where its sources describe all of it: then only errata,
    clauses and facts of the base are taken over.
    """
    file = document_file(path)
    if base is None or file.name == "openapi.yaml":
        return read_yaml(path / "openapi.yaml")
    from conformance.spec.overlay import OverlayError, apply_overlay

    overlay = read_yaml(file)
    try:
        return apply_overlay(base, overlay)
    except OverlayError as error:
        line = yaml_line(file, f"/actions/{error.index}")
        raise Problem(str(file), line, f"actions[{error.index}]", str(error)).error() from None


def document_file(path: Path) -> Path:
    """The file of a folder that holds its document: ``overlay.yaml`` or else ``openapi.yaml``.

    Raises :class:`SpecError` for a folder that holds both, one of which would say nothing.
    """
    overlay, whole = path / "overlay.yaml", path / "openapi.yaml"
    if overlay.is_file() and whole.is_file():
        raise SpecError(
            "a folder holds openapi.yaml or overlay.yaml, not both",
            where=str(path),
            hint="an overlay changes the document of the version that this one extends",
        )
    return overlay if overlay.is_file() else whole


def _corrected(path: Path, faithful: Any, inherited: Sequence[Patch], errata: Mapping[str, Any]) -> Any:
    """The faithful document with all errata applied."""
    from conformance.spec.overlay import PatchError, apply_patches

    own = [Patch(item["id"], tuple(json.loads(item.get("patch", "[]")))) for item in errata.get("erratum", ())]
    try:
        return apply_patches(faithful, [(patch.id, patch.operations) for patch in (*inherited, *own)])
    except PatchError as error:
        # The patch stands in another folder. Here only a drop can be written, so the message points to
        # ``version.toml``.
        if error.index < len(inherited):
            raise SpecError(
                f"inherited erratum {error.id}: {error}",
                where=str(path / "version.toml"),
                hint="name it in [[drop]] with a reason when it no longer applies",
            ) from None
        index = error.index - len(inherited)
        file = path / "errata.toml"
        lines = toml_lines(file.read_text("utf-8"))
        line = lines.get(("erratum", index, "patch")) or lines.get(("erratum", index, ""), 1)
        raise Problem(str(file), line, f"erratum {error.id}, patch", str(error)).error() from None


def _json_problems(path: Path, clauses: Mapping[str, Any], errata: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield texts in TOML that should be JSON but aren't, and patches that don't begin with a test."""
    for index, item in enumerate(errata.get("erratum", ())):
        try:
            patch = json.loads(item.get("patch", "[]"))
            message = ""
            if not isinstance(patch, list) or not all(isinstance(step, dict) and "op" in step for step in patch):
                message = "a patch is a list of operations"
            elif patch and patch[0]["op"] != "test":
                message = "a patch must begin with a test"
        except ValueError as error:
            message = f"not JSON: {error}"
        if message:
            yield _toml_problem(path / "errata.toml", ("erratum", index, "patch"), f"erratum {item['id']}", message)
    for index, item in enumerate(clauses.get("clause", ())):
        for key in ("schema", "break"):
            text = item.get("rule", {}).get(key)
            try:
                if text is not None:
                    json.loads(text)
            except ValueError as error:
                place = ("clause.rule", index, key)
                yield _toml_problem(path / "clauses.toml", place, f"clause {item['id']}", f"not JSON: {error}")


def _toml_problem(file: Path, place: tuple[str, int, str], name: str, message: str) -> Problem:
    """A problem with its line in a TOML file."""
    lines = toml_lines(file.read_text("utf-8"))
    line = lines.get(place) or lines.get((*place[:2], ""), 1)
    return Problem(str(file), line, f"{name}, {place[2]}", message)


def listed_problems(path: Path, data: Mapping[str, Any], table: str, found: Mapping[int, str]) -> Iterator[Problem]:
    """Yield problems of the items of an array of tables, given by index."""
    if not found:
        return
    lines = toml_lines(path.read_text("utf-8"))
    for index, message in found.items():
        name = f"{table} {data[table][index].get('id', index)}"
        yield Problem(str(path), lines.get((table, index, ""), 1), name, message)


def document_problems(path: Path, faithful: Any, document: Any) -> Iterator[Problem]:
    """What is wrong with the form of the faithful document and, beyond that, of the corrected one."""
    from conformance.spec.openapi import form_problems

    seen = set()
    # Most problems are in both views. They are told for the faithful one, whose lines are those of the file.
    for view, what in ((faithful, ""), (document, "after the errata: ")):
        for pointer, message in form_problems(view):
            if (pointer, message) in seen:
                continue
            seen.add((pointer, message))
            file = document_file(path)
            # A pointer into the merged document has no line in an overlay.
            line = 0 if file.name == "overlay.yaml" else yaml_line(file, pointer)
            yield Problem(str(file), line, pointer, f"{what}{message}")
