"""Lint rules for clauses, errata, refusals, widest bounds and facts of a version, and for what all versions share."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from conformance.checks.catalogue import all_checks
from conformance.pointer import follow
from conformance.requests.field_rules import known_names
from conformance.requests.profile import Profile
from conformance.scenarios.registry import scenarios_of
from conformance.spec.folder import listed_problems
from conformance.spec.loading import load, versions
from conformance.spec.operations import operations_of
from conformance.spec.shipped import specs_dir
from conformance.spec.spec import Clause, Spec
from conformance.spec.tables import Problem
from conformance.spec.textfile import read_toml, toml_lines
from conformance.spectools.request_pointers import named_operations, request_schemas

__all__ = ["common_problems", "ledger_problems"]

#: Index of an item → its problem.
Found = dict[int, str]


def ledger_problems(spec: Spec) -> Iterator[Problem]:
    """Yield the problems of the TOML files of one version."""
    path = spec.path or specs_dir() / spec.version
    yield from _version(spec, path)
    clauses = read_toml(path / "clauses.toml", optional=True)
    errata = read_toml(path / "errata.toml", optional=True)
    own = [clause for clause in spec.clauses if clause.version == path.name]
    inherited = {clause.id for clause in spec.clauses if clause.version != path.name}
    found = {index: text for index, clause in enumerate(own) if (text := _clause(spec, clause, inherited))}
    yield from listed_problems(path / "clauses.toml", clauses, "clause", found)
    for table in ("refusal", "widest"):
        items = clauses.get(table, ())
        found = {index: text for index, item in enumerate(items) if (text := _bound(spec, item))}
        yield from listed_problems(path / "clauses.toml", clauses, table, found)
    yield from listed_problems(path / "errata.toml", errata, "erratum", _errata(spec, errata))
    yield from _unclaimed(spec, path)


def _version(spec: Spec, path: Path) -> Iterator[Problem]:
    """Yield the problems of ``version.toml``."""
    file = path / "version.toml"
    lines = toml_lines(file.read_text("utf-8"))
    if spec.version != path.name:
        yield Problem(str(file), lines.get(("", 0, "label"), 1), "label", f"the folder is called {path.name}")
    if not spec.complete and not spec.gaps:
        yield Problem(
            str(file), lines.get(("", 0, "complete"), 1), "gaps", "an incomplete version says what is missing"
        )
    if spec.complete and spec.gaps:
        yield Problem(str(file), lines.get(("", 0, "gaps"), 1), "gaps", "a complete version has no gaps")
    if not spec.sources:
        yield Problem(str(file), 1, "source", "a version names its sources")
    base = load(spec.extends, path.parent) if spec.extends else None
    groups = (base.errata, base.clauses, base.refusals, base.widest) if base else (_common(),)
    known = {item.id for group in groups for item in group}
    for index, drop in enumerate(spec.drops):
        if drop.id not in known:
            line = lines.get(("drop", index, "id"), 1)
            yield Problem(str(file), line, f"drop {drop.id}", f"nothing inherited has this id{_near(drop.id, known)}")


def _common() -> tuple[Any, ...]:
    """The shared clauses, including those that this version drops: their ids are taken too."""
    data = read_toml(specs_dir() / "clauses.toml")
    return tuple(Clause(id=item["id"], text="", source="", provenance="", keyword="") for item in data["clause"])


def _clause(spec: Spec, clause: Clause, inherited: set[str]) -> str:
    """The problem of a clause, or ""."""
    if clause.id in inherited:
        return "the id is already used by an inherited or shared clause"
    # A clause says in exactly one way how it is tested, or why it is not.
    ties = sum(map(bool, (clause.checks, clause.state, clause.excluded)))
    if ties == 0 and clause.rule is None:
        return "needs one of checks, rule, state or excluded"
    if ties > 1:
        return "has more than one of checks, state and excluded"
    for id in clause.checks:
        if id not in all_checks():
            return f"no check is called {id}{_near(id, all_checks())}"
    for glob in clause.operations:
        if not named_operations(spec, (glob,)):
            return f"operations: {glob} names no operation of this version"
    return _rule(spec, clause)


def _rule(spec: Spec, clause: Clause) -> str:
    """The problem of a clause's rule, or ""."""
    rule = clause.rule
    if rule is None:
        return ""
    if not rule.named and (rule.schema is None or rule.breaks is None):
        return "a rule needs schema and break, or a name"
    if rule.named and rule.named not in known_names():
        return f"no rule is called {rule.named}{_near(rule.named, known_names())}"
    if rule.schema is not None:
        try:
            Draft202012Validator.check_schema(rule.schema)
        except SchemaError as error:
            return f"rule.schema is no JSON Schema: {error.message}"
    for operation in named_operations(spec, clause.operations):
        if operation.body and not request_schemas(spec, operation, rule.pointer):
            return f"rule.pointer {rule.pointer} names no place in the request of {operation.id}"
    return ""


def _bound(spec: Spec, item: Mapping[str, Any]) -> str:
    """The problem of a refusal or of a widest bound, or ""."""
    for glob in item["operations"]:
        if not named_operations(spec, (glob,)):
            return f"operations: {glob} names no operation of this version"
    named = named_operations(spec, tuple(item["operations"]))
    # A refusal with the keyword "*" is about an undocumented field, which has no place in the document.
    places = [place for operation in named for place in request_schemas(spec, operation, item["pointer"])]
    if not places and item["keyword"] != "*":
        return f"pointer {item['pointer']} names no place in the request of {named[0].id}"
    return ""


def _errata(spec: Spec, errata: Mapping[str, Any]) -> Found:
    """The problems of errata: an id that is used twice, or a place that exists neither before nor after the
    corrections.
    """
    found: Found = {}
    older = {erratum.id for erratum in spec.errata if erratum.version != spec.version}
    for index, item in enumerate(errata.get("erratum", ())):
        if item["id"] in older:
            found[index] = "the id is already used by an inherited erratum"
        places = 0
        for view in (spec.faithful, spec.document):
            try:
                follow(view, item["where"])
                places += 1
            except KeyError:
                continue
        if not places:
            found[index] = f"where: {item['where']} names no place in the document"
    return found


def _unclaimed(spec: Spec, path: Path) -> Iterator[Problem]:
    """Every check that covers an operation of a version rests on a clause of that version.

    If the version doesn't have the clause, the operations that the clause names in other versions count: if none of
    them exists here, the check has nothing to judge here. Neither has it if no scenario that it judges runs here.
    """
    shared = {clause.id for clause in _common()}
    sent = tuple(_sent(spec))
    for check in all_checks().values():
        if check.clause in spec.clause_by_id:
            if check.id not in spec.clause_by_id[check.clause].checks and path.parent == specs_dir():
                message = f"the check {check.id} rests on this clause, which does not name it in checks"
                yield _at_clause(spec, path, check.clause, message)
            continue
        if check.clause in shared or not set(check.features) <= spec.features:
            continue
        globs = _elsewhere(check.clause)
        judged = {one for scenario, operations in sent for one in operations if check.concerns(scenario, (one,))}
        covered = [op.id for op in named_operations(spec, globs or ("*",)) if op.id in judged]
        if covered:
            message = f"the check {check.id} covers {covered[0]} and rests on a clause that this version has not"
            yield Problem(str(path / "clauses.toml"), 0, f"clause {check.clause}", message)


def _sent(spec: Spec) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield (scenario, operations) of the corpora of a version and of the scripts that run in it."""
    yield from ((f"corpus.{operation}", (operation,)) for operation in operations_of(spec))
    for profile in Profile.ALL:
        yield from ((made.id, made.operations) for made in scenarios_of(spec, profile))


@cache
def _elsewhere(id: str) -> tuple[str, ...]:
    """The operations that a clause names in the versions of the suite that have it."""
    held = (load(version).clause_by_id.get(id) for version in versions())
    return tuple(sorted({glob for clause in held if clause is not None for glob in clause.operations}))


def _at_clause(spec: Spec, path: Path, id: str, message: str) -> Problem:
    """A problem that names the file and line of a clause."""
    home = spec.clause_by_id[id].version
    file = (path.parent / home if home else specs_dir()) / "clauses.toml"
    items = read_toml(file)["clause"]
    index = next(index for index, item in enumerate(items) if item["id"] == id)
    return Problem(str(file), toml_lines(file.read_text("utf-8"))["clause", index, ""], f"clause {id}", message)


def common_problems(specs: Sequence[Spec]) -> Iterator[Problem]:
    """Yield the problems of the shared clauses and of the choice of the default version."""
    file = specs_dir() / "clauses.toml"
    data = read_toml(file)
    found: Found = {}
    for index, item in enumerate(data["clause"]):
        for id in item.get("checks", ()):
            if id not in all_checks():
                found[index] = f"no check is called {id}{_near(id, all_checks())}"
    yield from listed_problems(file, data, "clause", found)
    chosen = [spec for spec in specs if spec.default]
    for spec in chosen[1:]:
        path = (spec.path or specs_dir()) / "version.toml"
        line = toml_lines(path.read_text("utf-8")).get(("", 0, "default"), 1)
        yield Problem(str(path), line, "default", f"{chosen[0].version} is the default already")


def _near(word: str, known: Any) -> str:
    """A hint to the known word that is most similar, or ""."""
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""
