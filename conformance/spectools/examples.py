"""Do published examples fit a version? They test its errata: every example fits, or is listed as wrong itself.

The examples are not part of this project. ``specs/examples.toml`` says where they lie below a folder of source material
and which operation a file belongs to. ``spec numbers --shared DIR`` writes the counts into it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import tomlkit
from attrs import field, frozen

from conformance.schema.validators import validator_for
from conformance.spec.loading import load, versions
from conformance.spec.operations import operations_of
from conformance.spec.shipped import specs_dir
from conformance.spec.spec import Spec
from conformance.spec.textfile import read_toml
from conformance.spectools.document_rules import route

__all__ = ["Body", "Verdicts", "bodies", "judge", "ledger", "write"]

#: The line of a reference page that shows the request of an example.
_URL = re.compile(r"^(GET|POST|DELETE|HEAD) (?:https://)?\{endpoint\}/openai(?:/v1)?(/\S*?)(?:\?|$)")


@frozen
class Body:
    """One body of an example. ``side`` is ``request`` or a status."""

    where: str
    operation: str
    side: str
    value: Any = field(repr=False)


@frozen
class Verdicts:
    """The results for the bodies of one version.

    ``fitting`` and ``wrong`` (listed as wrong) are counts. ``unlisted`` are the bodies that don't fit and aren't
    listed, with the first error; ``needless`` those that are listed but fit. ``foreign`` counts bodies of operations
    that the version doesn't have.
    """

    fitting: int
    wrong: int
    unlisted: tuple[tuple[str, str], ...]
    needless: tuple[str, ...]
    foreign: int


def ledger() -> Mapping[str, Any]:
    """The content of ``specs/examples.toml``."""
    return read_toml(specs_dir() / "examples.toml")


def bodies(spec: Spec, shared: Path) -> Iterator[Body]:
    """Yield all bodies of a version's examples. Those of operations that the version doesn't have get "" as
    operation.
    """
    data = ledger()
    for witness in data["witness"]:
        if witness["version"] != spec.version:
            continue
        if "page" in witness:
            yield from _page(spec, shared, witness["page"])
        if "folder" in witness:
            yield from _files(spec, shared, witness["folder"], data["file"])


def _files(spec: Spec, shared: Path, folder: str, rules: list[dict[str, str]]) -> Iterator[Body]:
    """Yield the bodies in a folder of example files, one operation per file."""
    known = operations_of(spec)
    for file in sorted((shared / folder).glob("*.json")):
        name = next((rule["operation"] for rule in rules if fnmatchcase(file.name, rule["name"])), "")
        operation = name if name in known else ""
        data = json.loads(file.read_text("utf-8"))
        where = f"{folder}/{file.name}"
        inner = data.get("parameters", {})
        for holder, place in ((data, "#/body"), (inner, "#/parameters/body")):
            if isinstance(holder.get("body"), dict):
                yield Body(where + place, operation, "request", holder["body"])
        for status, answer in data.get("responses", {}).items():
            value = answer.get("body", answer)
            if isinstance(value, dict) and set(value) == {"type", "example"}:
                value = value["example"]
            yield Body(f"{where}#/responses/{status}", operation, status, value)


def _page(spec: Spec, shared: Path, page: str) -> Iterator[Body]:
    """Yield the bodies of a reference page in text form: a URL, the request's JSON, a status line, the answer's
    JSON.
    """
    known = {route(operation.path, operation.method.lower()): id for id, operation in operations_of(spec).items()}
    lines = (shared / page).read_text("utf-8").split("\n")
    operation, side, counts, at = "", "", dict[str, int](), 0
    while at < len(lines):
        line = lines[at]
        url, status = _URL.match(line), re.match(r"Responses: Status Code: (\d+)", line)
        if url:
            operation, side = known.get(route(url[2], url[1].lower()), ""), "request"
        elif line == "Example":
            counts[operation] = counts.get(operation, 0) + 1
            side = "request"
        elif status:
            side = status[1]
        elif side and line[:1] in ('{"', "{", "[", '"'):
            value, used = _json_at(lines, at)
            if used:
                where = (
                    f"{page}#{operation}/{counts.get(operation, 0)}/{'request' if side == 'request' else 'response'}"
                )
                if side != "request" or isinstance(value, dict):
                    yield Body(where, operation, side, _inner(value) if side != "request" else value)
                at += used
                continue
        at += 1


def _json_at(lines: list[str], start: int) -> tuple[Any, int]:
    """(value, number of lines) of the JSON text that begins on a line; (None, 0) if there is none."""
    # A bound on the length of one example in lines.
    for end in range(start + 1, min(len(lines), start + 4000) + 1):
        try:
            return json.loads("\n".join(lines[start:end])), end - start
        except ValueError:
            continue
    return None, 0


def _inner(value: Any) -> Any:
    """The body, which pages wrap as ``{"body": …}`` or ``{"type": …, "example": …}``."""
    if isinstance(value, dict) and set(value) == {"type", "example"}:
        return value["example"]
    return value["body"] if isinstance(value, dict) and set(value) <= {"body", "headers"} and "body" in value else value


def judge(spec: Spec, shared: Path) -> Verdicts:
    """Validate every body of a version's examples against the corrected document."""
    own = {item["where"] for item in spec.wrong_examples}
    # Some example files are shared by versions; listed as wrong once, a file is wrong for all of them.
    listed = {item["where"] for version in versions() for item in load(version).wrong_examples}
    fitting, wrong, foreign = 0, 0, 0
    unlisted: list[tuple[str, str]] = []
    needless: list[str] = []
    for body in bodies(spec, shared):
        if not body.operation:
            foreign += 1
            continue
        errors = _errors(spec, body)
        if body.where in listed:
            wrong += 1
            if not errors and body.where in own:
                needless.append(body.where)
        elif errors:
            unlisted.append((body.where, errors[0]))
        else:
            fitting += 1
    return Verdicts(fitting, wrong, tuple(unlisted), tuple(needless), foreign)


def _errors(spec: Spec, body: Body) -> list[str]:
    """The schema errors of one body."""
    operation = operations_of(spec)[body.operation]
    if body.side == "request":
        content: Mapping[str, Any] = operation.body
    else:
        content = operation.answer(int(body.side)) or {}
    if not content:
        return [] if body.value in (None, "") else ["the operation documents no body there"]
    plain = [kind for kind in content if "json" not in kind and "event-stream" not in kind]
    kinds = plain if isinstance(body.value, str) and plain else [kind for kind in content if "json" in kind]
    media = content[(kinds or list(content))[0]]
    found = validator_for(spec, media.pointer).errors(body.value)
    return [f"{error.instance_pointer or '/'}: {error.message}" for error in found]


def write(shared: Path) -> None:
    """Count again, and write the counts into ``specs/examples.toml``."""
    data = dict(ledger())
    seen = dict.fromkeys(witness["version"] for witness in data["witness"])
    data["count"] = []
    for version in seen:
        verdicts = judge(load(version), shared)
        row = {"version": version, "fitting": verdicts.fitting, "wrong": verdicts.wrong, "foreign": verdicts.foreign}
        data["count"].append(row | {"unlisted": len(verdicts.unlisted)})
    file = specs_dir() / "examples.toml"
    head = [line for line in file.read_text("utf-8").splitlines() if line.startswith("#")]
    file.write_text("\n".join(head) + "\n\n" + tomlkit.dumps(data), encoding="utf-8")
