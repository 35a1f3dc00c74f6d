"""One api-version as data. The only reader of a ``specs/<version>/`` folder.

A :class:`Spec` holds two views of its OpenAPI document: ``faithful`` says what the sources say, ``document`` (the
corrected view) is that plus the errata. Targets are judged by the corrected view. A version that ``extends`` another
one is the base's faithful document plus its own overlay; errata and clauses are inherited unless dropped.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import yaml
from attrs import field, frozen

from conformance.errors import SpecError, UsageError
from conformance.overlay import apply_overlay, apply_patch

__all__ = [
    "ApiVersion",
    "Clause",
    "Drop",
    "Erratum",
    "Refusal",
    "Rule",
    "Source",
    "Spec",
    "Widest",
    "load",
    "specs_dir",
    "versions",
]

_YAML_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@frozen
class ApiVersion:
    """How ``api-version`` travels: in the query or not at all, and which values are accepted."""

    location: str = "query"
    name: str = "api-version"
    required: bool = True
    accepted: tuple[str, ...] = ()


@frozen
class Source:
    """Where facts come from."""

    title: str
    document: str
    section: str = ""


@frozen
class Erratum:
    """A place where the document is wrong: what it says, what we hold true and why."""

    id: str
    where: str
    says: str
    holds: str
    why: str
    source: str
    provenance: str
    patch: tuple[Mapping[str, Any], ...] = ()
    version: str = ""

    @property
    def pointers(self) -> tuple[str, ...]:
        """The JSON Pointers that the patch changes, ``where`` first."""
        return (self.where, *(str(op["path"]) for op in self.patch if op["op"] != "test"))


@frozen
class Rule:
    """A cross-field rule of a request body: a JSON Schema (or a named rule) and a merge patch that breaks it."""

    pointer: str = ""
    schema: Any = None
    breaks: Any = None
    named: str = ""


@frozen
class Clause:
    """A rule about the wire that a schema can't say, in our words."""

    id: str
    text: str
    source: str
    provenance: str
    keyword: str
    operations: tuple[str, ...] = ("*",)
    checks: tuple[str, ...] = ()
    state: str = ""
    excluded: str = ""
    rule: Rule | None = None
    version: str = ""


@frozen
class Refusal:
    """How hard it may be judged when a broken constraint is not refused."""

    id: str
    operations: tuple[str, ...]
    pointer: str
    keyword: str
    expect: str = "reject"
    level: str = "SHOULD"
    source: str = ""


@frozen
class Widest:
    """The widest bound that any witness states; between it and the document's own both outcomes are right."""

    id: str
    operations: tuple[str, ...]
    pointer: str
    keyword: str
    value: Any
    source: str = ""


@frozen
class Drop:
    """An inherited erratum, clause, refusal or widest bound that doesn't apply here."""

    id: str
    reason: str


@frozen(slots=False)
class Spec:
    """One api-version. ``document`` is the corrected OpenAPI 3.1 document, ``faithful`` the uncorrected one."""

    version: str
    status: str
    surface: str
    base_path: str
    api_version: ApiVersion
    faithful: Mapping[str, Any] = field(repr=False)
    document: Mapping[str, Any] = field(repr=False)
    live: str = "unknown"
    complete: bool = True
    gaps: tuple[str, ...] = ()
    features: frozenset[str] = frozenset()
    sources: tuple[Source, ...] = ()
    errata: tuple[Erratum, ...] = field(default=(), repr=False)
    wrong_examples: tuple[Mapping[str, str], ...] = field(default=(), repr=False)
    clauses: tuple[Clause, ...] = field(default=(), repr=False)
    refusals: tuple[Refusal, ...] = field(default=(), repr=False)
    widest: tuple[Widest, ...] = field(default=(), repr=False)
    extends: str = ""
    digest: str = ""

    @cached_property
    def clause_by_id(self) -> Mapping[str, Clause]:
        """Clauses by id."""
        return {clause.id: clause for clause in self.clauses}

    def resolve(self, ref: str) -> Any:
        """What an internal ``$ref`` (``#/components/…``) points at in the corrected document.

        Raises :class:`SpecError` when it points nowhere.
        """
        node: Any = self.document
        for token in ref.removeprefix("#/").split("/"):
            key = token.replace("~1", "/").replace("~0", "~")
            try:
                node = node[int(key)] if isinstance(node, list) else node[key]
            except (KeyError, IndexError, ValueError, TypeError):
                raise SpecError(f"$ref {ref} points nowhere", where=self.version) from None
        return node

    def deref(self, node: Any) -> Any:
        """``node``, or what it refers to when it is a ``$ref`` (chains are followed)."""
        for _ in range(32):
            if not (isinstance(node, Mapping) and "$ref" in node):
                return node
            node = self.resolve(node["$ref"])
        raise SpecError("a chain of $ref never ends", where=self.version)


def specs_dir() -> Path:
    """The folder of the versions that come with the suite, in the checkout and in the wheel."""
    here = Path(__file__).resolve().parent
    nested = here / "specs"
    return nested if nested.is_dir() else here.parent / "specs"


def versions(*folders: Path | None) -> tuple[str, ...]:
    """The known api-versions, sorted: those of the suite and those in the given folders."""
    found = {
        path.parent.name
        for folder in (specs_dir(), *folders)
        if folder is not None
        for path in Path(folder).glob("*/version.toml")
    }
    return tuple(sorted(found))


def load(version: str, folder: Path | None = None) -> Spec:
    """Read one api-version; a user's ``folder`` is looked at first.

    Raises :class:`UsageError` for an unknown version (naming the known ones) and :class:`SpecError` for a bad folder.
    """
    for base in (folder, specs_dir()):
        if base is not None and (Path(base) / version / "version.toml").is_file():
            return _load(version, Path(base) / version, folder)
    known = ", ".join(versions(folder)) or "none"
    raise UsageError(f"unknown api-version {version!r}", hint=f"known: {known}")


@lru_cache(maxsize=32)
def _load(version: str, path: Path, folder: Path | None) -> Spec:
    meta = _toml(path / "version.toml")
    clauses = _toml(path / "clauses.toml", optional=True)
    errata = _toml(path / "errata.toml", optional=True)
    base: Spec | None = None
    if "extends" in meta:
        base = load(meta["extends"], folder)
        faithful = apply_overlay(base.faithful, _yaml(path / "overlay.yaml"), where=str(path / "overlay.yaml"))
    else:
        faithful = _yaml(path / "openapi.yaml")
    dropped = {item["id"] for item in meta.get("drop", ())}

    def kept(items: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(item for item in items if item.id not in dropped)

    own_errata = tuple(_erratum(item, version, path) for item in errata.get("erratum", ()))
    all_errata = (kept(base.errata) if base else ()) + own_errata
    document = apply_patch(faithful, all_errata, where=str(path / "errata.toml"))
    api = meta.get("api_version", {})
    return Spec(
        version=meta.get("label", version),
        status=meta.get("status", "preview"),
        surface=meta.get("surface", "dated"),
        base_path=meta.get("base_path", ""),
        api_version=ApiVersion(
            location=api.get("in", "query"),
            name=api.get("name", "api-version"),
            required=api.get("required", True),
            accepted=tuple(api.get("accepted", ())),
        ),
        faithful=faithful,
        document=document,
        live=str(meta.get("live", "unknown")),
        complete=meta.get("complete", True),
        gaps=tuple(meta.get("gaps", ())),
        features=frozenset(meta.get("features", ())),
        sources=tuple(Source(**source) for source in meta.get("source", ())),
        errata=all_errata,
        wrong_examples=tuple(errata.get("wrong_example", ())),
        clauses=(kept(base.clauses) if base else kept(_common()))
        + tuple(_clause(item, version, path) for item in clauses.get("clause", ())),
        refusals=(kept(base.refusals) if base else ())
        + tuple(Refusal(**_listed(item)) for item in clauses.get("refusal", ())),
        widest=(kept(base.widest) if base else ())
        + tuple(Widest(**_listed(item)) for item in clauses.get("widest", ())),
        extends=meta.get("extends", ""),
        digest=_digest(path, base),
    )


@lru_cache(maxsize=1)
def _common() -> tuple[Clause, ...]:
    """The clauses of ``specs/clauses.toml``, which hold in every version."""
    path = specs_dir()
    items = _toml(path / "clauses.toml").get("clause", ())
    return tuple(_clause(item, "", path) for item in items)


def _listed(item: dict[str, Any]) -> dict[str, Any]:
    return {**item, "operations": tuple(item.get("operations", ("*",)))}


def _erratum(item: dict[str, Any], version: str, path: Path) -> Erratum:
    patch = item.get("patch", "[]")
    try:
        operations = tuple(json.loads(patch))
        return Erratum(**{**item, "patch": operations, "version": version})
    except (TypeError, ValueError) as error:
        raise SpecError(f"erratum {item.get('id', '?')}: {error}", where=str(path / "errata.toml")) from None


def _clause(item: dict[str, Any], version: str, path: Path) -> Clause:
    try:
        rule = item.get("rule")
        made = (
            Rule(
                pointer=rule.get("pointer", ""),
                schema=json.loads(rule["schema"]) if "schema" in rule else None,
                breaks=json.loads(rule["break"]) if "break" in rule else None,
                named=rule.get("named", ""),
            )
            if rule
            else None
        )
        fields = {key: value for key, value in item.items() if key not in ("rule", "checks")}
        return Clause(**{**_listed(fields), "checks": tuple(item.get("checks", ())), "rule": made, "version": version})
    except (TypeError, ValueError) as error:
        raise SpecError(f"clause {item.get('id', '?')}: {error}", where=str(path / "clauses.toml")) from None


def _digest(path: Path, base: Spec | None) -> str:
    total = hashlib.sha256((base.digest if base else "").encode() + (specs_dir() / "clauses.toml").read_bytes())
    for file in sorted(path.iterdir()):
        if file.suffix in (".yaml", ".toml"):
            total.update(file.name.encode() + b"\0" + file.read_bytes())
    return total.hexdigest()


def _yaml(path: Path) -> Any:
    try:
        with path.open("rb") as stream:
            return yaml.load(stream, Loader=_YAML_LOADER)  # noqa: S506 - a safe loader, the C one where it exists
    except FileNotFoundError:
        raise SpecError("file is missing", where=str(path)) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        raise SpecError(str(getattr(error, "problem", error)), where=f"{path}{line}") from None


def _toml(path: Path, *, optional: bool = False) -> dict[str, Any]:
    if optional and not path.exists():
        return {}
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise SpecError("file is missing", where=str(path)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SpecError(str(error), where=str(path)) from None
