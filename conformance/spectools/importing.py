"""``spec import``: makes a version folder of a published document.

It reads Swagger 2.0 and OpenAPI 3.0, 3.1 and 3.2, as JSON or YAML. References to other documents are refused.
Descriptions are not kept.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomlkit
from attrs import frozen

from conformance.errors import SpecError, UsageError
from conformance.pointer import escape, follow
from conformance.spec.circles import circles
from conformance.spec.loading import load, versions
from conformance.spec.operations import Operation, operations_of
from conformance.spec.overlay import patched
from conformance.spec.spec import Spec
from conformance.spec.textfile import yaml_text
from conformance.spectools import carryover
from conformance.spectools.document_text import as_yaml
from conformance.spectools.errata_carryover import Carried, Fate, carry
from conformance.spectools.importdoc import Importer
from conformance.spectools.importforms import unneeded_files
from conformance.spectools.importnames import base_and_path, known_names
from conformance.spectools.importnotes import Notes
from conformance.spectools.importstreams import graft
from conformance.spectools.importunions import contradictory, overlapping
from conformance.spectools.stream_ends import forgotten_ends
from conformance.spectools.swagger import to_three

__all__ = ["MOST_BYTES", "Imported", "import_file"]

#: The size of the largest file that is read, in bytes.
MOST_BYTES = 50 * 1024 * 1024

#: The form of a dated api-version.
_DATED = re.compile(r"\d{4}-\d{2}-\d{2}(-[a-z0-9]+)?")

#: The erratum about unions whose branches overlap, without its place and its patch.
_OVERLAPPING = {
    "id": "import-overlapping-branches",
    "says": "A value fits exactly one branch of these unions.",
    "holds": "A value fits at least one branch of these unions.",
    "why": "Neither types nor constants tell the branches apart: what fits a shorter one often fits a longer one too.",
    "source": "JSON Schema 2020-12, Core, section 10.2.1.3: oneOf refuses a value that fits two branches",
    "provenance": "standard",
}

#: The erratum about schemas that no value fits, likewise.
_CONTRADICTORY = {
    "id": "import-contradictory-types",
    "says": "A value has a type that the union beside it does not allow.",
    "holds": "The type decides; null is allowed where the union allows it.",
    "why": "No value fits both, so every answer would be refused.",
    "source": "JSON Schema 2020-12, Core, section 7.6.1: all keywords of a schema apply",
    "provenance": "standard",
}


#: The erratum about forms that demand a file, likewise.
_UNNEEDED = {
    "id": "import-form-without-file",
    "says": "A form must have a file, although the same request is documented as JSON without one.",
    "holds": "A form demands no more than the JSON of the same request.",
    "why": "Clients send a form whether there is a file or not.",
    "source": "the openai package, which creates videos by a form alone",
    "provenance": "observed",
}


@frozen
class Imported:
    """The result of an import: the folder, counts, the most similar version, and notes about what could not be
    mapped. ``errata`` has the id of each erratum of the most similar version, and what became of it.
    """

    folder: Path
    operations: int
    clauses: int
    errata: tuple[tuple[str, Fate], ...]
    nearest: str
    notes: tuple[str, ...]


def import_file(file: Path, label: str, folder: Path, *, force: bool = False) -> Imported:
    """Convert a document into ``folder/label``. Raises :class:`UsageError` with the reason if that isn't possible.

    The folder appears only after all files are written and load.
    """
    # The label becomes a folder; a path in it would write outside of the chosen one.
    if not label or Path(label).name != label or label in (".", ".."):
        raise UsageError(f"{label!r} can't be the name of a folder", hint="a label such as 2027-01-01-preview")
    target = folder / label
    if target.exists() and not force:
        raise UsageError(f"{target} is there already", hint="--force replaces it")
    document = _openapi(read_document(file), file)
    notes = Notes()
    try:
        made, importer, known = _converted(document, notes)
    except RecursionError:
        raise UsageError("nested too deeply", where=str(file)) from None
    except UsageError as error:
        raise UsageError(error.message, where=f"{file}: {error.where}", hint=error.hint) from None
    return _written(target, label, made, importer, known)


def read_document(file: Path) -> Any:
    """The data of a JSON or YAML file of at most :data:`MOST_BYTES`. Raises :class:`UsageError`."""
    try:
        size = file.stat().st_size
        if size > MOST_BYTES:
            raise UsageError(f"{size} bytes; the limit is {MOST_BYTES}", where=str(file))
        content = file.read_bytes()
    except OSError as error:
        raise UsageError(f"can't be read: {error.strerror}", where=str(file)) from None
    try:
        # JSON first: it is valid YAML too, but the YAML reader is many times slower.
        return json.loads(content, object_pairs_hook=_members)
    except RecursionError:
        raise UsageError("nested too deeply", where=str(file)) from None
    except ValueError:
        pass
    try:
        return yaml_text(content, where=str(file))
    except SpecError as error:
        raise UsageError(f"neither JSON nor YAML: {error.message}", where=error.where) from None


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON. Raises :class:`ValueError` for a name that is there twice: one of both would be lost. The YAML
    reader, which tries next, tells the line.
    """
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError
    return made


def _openapi(document: Any, file: Path) -> Mapping[str, Any]:
    """The document as OpenAPI 3. Raises :class:`UsageError` if it is something else or has no paths."""
    if not isinstance(document, Mapping):
        raise UsageError("not an OpenAPI document: it holds no object", where=str(file))
    three, two = str(document.get("openapi", "")), str(document.get("swagger", ""))
    if not (re.match(r"3\.[012](\.|$)", three) or two == "2.0"):
        says = f"openapi: {three}" if three else f"swagger: {two}" if two else "neither openapi nor swagger"
        hint = "Swagger 2.0 and OpenAPI 3.0, 3.1 and 3.2 can be imported"
        raise UsageError(f"not an OpenAPI document of a known kind ({says})", where=str(file), hint=hint)
    if not isinstance(document.get("paths"), Mapping) or not document["paths"]:
        raise UsageError("an OpenAPI document without paths", where=str(file))
    return to_three(document) if two else document


def _converted(document: Mapping[str, Any], notes: Notes) -> tuple[dict[str, Any], Importer, tuple[Spec, ...]]:
    """(the document in our form, the importer with its notes, the known versions, the most similar first).

    There are none if no operation of the document is known.
    """
    # Drafts too: their names, errata and clauses are known, whatever the emulator still lacks.
    known = tuple(load(version) for version in reversed(versions(drafts=True)))
    base, prefix = _base_path(document)
    # Known versions hold their paths without the base path, so the imported ones are compared in that form.
    bare = {path.removeprefix(prefix): item for path, item in document["paths"].items() if isinstance(item, Mapping)}
    near = carryover.nearest(document, bare, known)
    if not base and near is not None:
        base = near.base_path
        notes.add(f"the document names no base path; {base} of {near.version} is taken")
    # The nearest version comes first, because the first version with an operation describes its stream.
    others = (near, *(spec for spec in known if spec is not near)) if near else ()
    alike: dict[str, tuple[Spec, Operation]] = {}
    for spec in others:
        for id, operation in operations_of(spec).items():
            alike.setdefault(id, (spec, operation))
    importer = Importer(document, known_names(known), alike, notes)
    paths = importer.paths(prefix)
    if not paths:
        raise UsageError("the document has no operation that could be tested", where="paths")
    made: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": "Azure OpenAI data plane", "version": ""},
        "servers": [
            {
                "url": f"{{endpoint}}{base}",
                "variables": {"endpoint": {"default": "https://example.openai.azure.com"}},
            }
        ],
        "security": [{"apiKey": []}, {"bearer": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "apiKey": {"type": "apiKey", "in": "header", "name": "api-key"},
                "bearer": {"type": "http", "scheme": "bearer"},
            },
            "schemas": importer.schemas.made,
        },
    }
    components = (f"#/components/schemas/{escape(name)}" for name in importer.schemas.made)
    for pointer, message in circles(made, components):
        raise UsageError(message, where=pointer)
    graft(made, {spec.version: spec.document for spec in known})
    _drop_unused(made)
    return made, importer, others


def _base_path(document: Mapping[str, Any]) -> tuple[str, str]:
    """(base path, the part of it with which every path of the document begins)."""
    servers = document.get("servers")
    first = servers[0] if isinstance(servers, list) and servers and isinstance(servers[0], Mapping) else {}
    base = base_and_path(str(first.get("url", "")))
    # The longer one first: it begins with the shorter one.
    for common in ("/openai/v1", "/openai"):
        if all(str(path).startswith(f"{common}/") for path in document["paths"]):
            return f"{base}{common}", common
    return base, ""


def _drop_unused(document: dict[str, Any]) -> None:
    """Remove the components to which only omitted parts referred."""
    schemas = document["components"]["schemas"]
    used: set[str] = set()
    waiting: list[Any] = [document["paths"]]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Mapping):
            ref = node.get("$ref")
            name = ref.removeprefix("#/components/schemas/") if isinstance(ref, str) else None
            if name is not None and name in schemas and name not in used:
                used.add(name)
                waiting.append(schemas[name])
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)
    document["components"]["schemas"] = {name: schemas[name] for name in schemas if name in used}


def _written(target: Path, label: str, made: dict[str, Any], importer: Importer, known: tuple[Spec, ...]) -> Imported:
    """Write the folder in a scratch place, load it, and move it to its place."""
    near = known[0] if known else None
    made["info"]["version"] = label
    target.parent.mkdir(parents=True, exist_ok=True)
    # Beside the target, so that the last step is a rename within one file system, which can't be seen half done.
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".import-") as scratch:
        draft = Path(scratch) / label
        draft.mkdir()
        (draft / "openapi.yaml").write_text(as_yaml(made), encoding="utf-8")
        meta = _meta(label, made, importer, near)
        (draft / "version.toml").write_text(tomlkit.dumps(meta), encoding="utf-8")
        carried = carry(made, near.errata) if near is not None else []
        clauses: dict[str, list[dict[str, Any]]] = {"clause": []}
        errata = [_erratum(item) for item in carried if item.patch]
        corrected: Mapping[str, Any] = made
        for item in carried:
            corrected = patched(corrected, item.erratum.id, item.patch)
        for erratum, found in (
            (_CONTRADICTORY, contradictory),
            (_OVERLAPPING, overlapping),
            (_UNNEEDED, unneeded_files),
        ):
            if steps := found(corrected):
                corrected = patched(corrected, erratum["id"], steps)
                errata.append({**erratum, "where": str(steps[0]["path"]), "patch": json.dumps(steps)})
                where = [str(step["path"]) for step in steps if step["op"] == "test"]
                importer.notes.add(f"{erratum['holds']} (erratum {erratum['id']}): {', '.join(where)}")
        if errata:
            (draft / "errata.toml").write_text(tomlkit.dumps({"erratum": errata}), encoding="utf-8")
        # Clauses and features are chosen by what the converted document has, so it must be loaded before they are
        # written.
        first = load(label, Path(scratch))
        features = set(carryover.documented_features(first))
        if near is not None:
            clauses = carryover.carried_clauses(first, known)
            features.update(carryover.carried_features(first, near))
            (draft / "clauses.toml").write_text(tomlkit.dumps(clauses), encoding="utf-8")
        for text in forgotten_ends(first, known):
            importer.notes.add(text)
            meta["gaps"].append(text)
        meta["features"] = sorted(features)
        (draft / "version.toml").write_text(tomlkit.dumps(meta), encoding="utf-8")
        if target.exists():
            shutil.rmtree(target)
        draft.rename(target)
    spec = load(label, target.parent)
    return Imported(
        folder=target,
        operations=len(operations_of(spec)),
        clauses=len(clauses["clause"]),
        errata=tuple((item.erratum.id, item.fate) for item in carried),
        nearest=near.version if near else "",
        notes=importer.notes.all(),
    )


def _erratum(item: Carried) -> dict[str, Any]:
    """An erratum as a TOML table, with the patch for this document."""
    table = {key: getattr(item.erratum, key) for key in ("id", "where", "says", "holds", "why", "source", "provenance")}
    # The place that it names may be one of those that are not here.
    if not any(str(step["path"]).startswith(item.erratum.where) for step in item.patch):
        table["where"] = str(item.patch[0]["path"])
    return {**table, "patch": json.dumps(list(item.patch), ensure_ascii=False)}


def _meta(label: str, made: dict[str, Any], importer: Importer, near: Spec | None) -> dict[str, Any]:
    """The content of ``version.toml``."""
    base = made["servers"][0]["url"].removeprefix("{endpoint}")
    declared = importer.api_version
    undated = base.endswith("/v1")
    schema = declared.get("schema", {})
    if "$ref" in schema:
        schema = follow({"components": {"schemas": importer.schemas.made}}, schema["$ref"])
    values = [value for value in schema.get("enum", ()) if isinstance(value, str)]
    # A document may list the values of other versions; a dated label is the one that callers send.
    if not undated and _DATED.fullmatch(label):
        values = [label]
    return {
        "label": label,
        "status": "beta" if label.endswith("beta") else "preview" if "preview" in label else "ga",
        "live": "unknown",
        "surface": "v1" if undated else "dated",
        "base_path": base,
        "complete": False,
        "imported": True,
        "gaps": ["Imported: what the document says only in prose is not known.", *importer.notes.all()],
        "features": [],
        "api_version": {
            "in": "query" if declared else "none",
            "name": declared.get("name", "api-version"),
            "required": declared.get("required", False),
            "accepted": (values or [label]) if declared else [],
            "unknown": 400 if undated else 404,
        },
        "source": [
            {"title": "Imported document", "document": f"as {label}"},
            *([{"title": "Clauses and errata carried over", "document": near.version}] if near else []),
        ],
    }
