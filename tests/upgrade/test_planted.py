"""Planted differences, each an edit of the newer document of a pair: predicted, probed and observed.

Some stand in every pair of shipped versions between which a user may move; sixty more, at places that were chosen by
hand, in the pairs that most users move between.

The server is the emulator that serves the edited document as if it had been imported, so that its answers have what the
edit requires. Requests are those of the smallest profile: what shows a difference must be made for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve, frozen
from moving import moved
from overlaid import overlaid

from conformance.migration.basis import changes_between
from conformance.migration.change import Kind
from conformance.migration.conclusion import Conclusion
from conformance.pointer import follow
from conformance.requests.profile import Profile
from conformance.spec.loading import load, versions
from conformance.spec.operations import operations_of

Edit = Callable[[dict[str, Any]], Any]


@frozen
class Planted:
    """One difference: where it is planted, how, and what must be told."""

    pair: tuple[str, str]
    operation: str
    name: str
    kind: Kind
    where: str
    edit: Callable[[dict[str, Any], str], Any]

    @property
    def id(self) -> str:
        """A name for the test."""
        return f"{self.pair[0]}-{self.pair[1]}-{self.operation}-{self.name}-{self.where}"


def _deref(document: dict[str, Any], node: Any) -> Any:
    """The schema itself, or the target of its references; the object of a union of one and null."""
    while "$ref" in node:
        node = follow(document, node["$ref"])
    for keyword in ("oneOf", "anyOf"):
        rest = [one for one in node.get(keyword, ()) if one.get("type") != "null"]
        if "properties" not in node and len(rest) == 1:
            return _deref(document, rest[0])
    return node


def _operation(document: dict[str, Any], name: str) -> Any:
    return next(
        node
        for item in document["paths"].values()
        for node in item.values()
        if isinstance(node, dict) and node.get("operationId") == name
    )


def _body(document: dict[str, Any], name: str) -> Any:
    content = _deref(document, _operation(document, name)["requestBody"])["content"]
    return _deref(document, next(iter(content.values()))["schema"])


def _answer(document: dict[str, Any], name: str) -> Any:
    answers = _operation(document, name)["responses"]
    status = next(status for status in answers if status[0] == "2")
    return _deref(document, _deref(document, answers[status])["content"]["application/json"]["schema"])


def _at(document: dict[str, Any], node: Any, path: str) -> Any:
    """The schema at a path of members; ``[]`` for the items of an array. A copy of its own replaces a reference."""
    for step in re.findall(r"[^.\[\]]+|\[\]", path):
        holder, key = (node, "items") if step == "[]" else (node["properties"], step)
        found = _deref(document, holder[key])
        holder[key] = found = deepcopy(found) if "$ref" in holder[key] else found
        node = found
    return node


def _add(schema: Any, name: str, value: Any, *, needed: bool = False) -> None:
    schema.setdefault("properties", {})[name] = value
    if needed:
        schema["required"] = [*schema.get("required", ()), name]


def _drop(schema: Any, name: str) -> None:
    del schema["properties"][name]
    schema["required"] = [one for one in schema.get("required", ()) if one != name]


def _nullable(schema: Any, *, yes: bool) -> None:
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    schema["type"] = [*kinds, "null"] if yes else next(kind for kind in kinds if kind != "null")
    if "enum" in schema:
        schema["enum"] = [*schema["enum"], None] if yes else [value for value in schema["enum"] if value is not None]


def _sent(pair: tuple[str, str], operation: str, spots: Mapping[str, Any]) -> Iterator[Planted]:
    """Yield differences of requests: a new field and others at the spots that a version has."""

    def one(name: str, kind: Kind, where: str, change: Callable[[dict[str, Any], Any], Any]) -> Planted:
        return Planted(pair, operation, name, kind, where, lambda doc, op: change(doc, _body(doc, op)))

    yield one("optional", Kind.ADDED, "planted", lambda _, body: _add(body, "planted", {"type": "string"}))
    yield one("needed", Kind.ADDED, "planted", lambda _, body: _add(body, "planted", {"type": "integer"}, needed=True))
    yield one(
        "object",
        Kind.ADDED,
        "planted",
        lambda _, body: _add(body, "planted", {"type": "object", "properties": {"a": {"enum": ["b", "c"]}}}),
    )
    for path in spots.get("dropped", ()):
        around, _, name = path.rpartition(".")
        yield one("dropped", Kind.REMOVED, path, lambda d, b, a=around, n=name: _drop(_at(d, b, a), n))
    for path in spots.get("null", ()):
        yield one("null", Kind.WIDENED, path, lambda d, b, p=path: _nullable(_at(d, b, p), yes=True))
    for path in spots.get("no null", ()):
        yield one("no-null", Kind.NARROWED, path, lambda d, b, p=path: _nullable(_at(d, b, p), yes=False))
    for path in spots.get("value", ()):
        yield one("value", Kind.ADDED, path, lambda d, b, p=path: _at(d, b, p)["enum"].append("planted"))
    for path, value in spots.get("no value", ()):
        yield one("no-value", Kind.REMOVED, path, lambda d, b, p=path, v=value: _at(d, b, p)["enum"].remove(v))
    for path, keyword, bound, kind in spots.get("size", ()):
        yield one(
            f"{keyword}-{bound}", kind, path, lambda d, b, p=path, k=keyword, v=bound: _at(d, b, p).update({k: v})
        )
    for path in spots.get("form", ()):
        yield one("form", Kind.WIDENED, path, lambda d, b, p=path: _at(d, b, p).update({"type": ["string", "integer"]}))
    for path in spots.get("whole", ()):
        yield one("whole", Kind.WIDENED, path, lambda d, b, p=path: _at(d, b, p).update({"type": "number"}))


def _received(
    pair: tuple[str, str], operation: str, dropped: tuple[str, ...], around: str, *, comes: bool = True
) -> Iterator[Planted]:
    """Yield differences of answers: a member that comes, also one inside another, and members that are gone.

    The emulator writes vectors into embeddings at the end, and completes such an answer by no document: nothing comes.
    """

    def one(name: str, kind: Kind, where: str, change: Callable[[dict[str, Any], Any], Any]) -> Planted:
        return Planted(pair, operation, name, kind, where, lambda doc, op: change(doc, _answer(doc, op)))

    if comes:
        yield one("comes", Kind.ADDED, "planted", lambda _, a: _add(a, "planted", {"type": "string"}, needed=True))
    if around:
        yield one(
            "comes-inside",
            Kind.ADDED,
            f"{around}.planted",
            lambda d, a: _add(_at(d, a, around), "planted", {"type": "integer"}, needed=True),
        )
    for path in dropped:
        outer, _, name = path.rpartition(".")
        yield one("gone", Kind.REMOVED, path, lambda d, a, o=outer, n=name: _drop(_at(d, a, o), n))


#: Where a difference is planted in a pair: the first of these operations that both versions have.
SMALL = ("embeddings.create", "threads.create", "assistants.create", "files.list")


def pairs() -> tuple[tuple[str, str], ...]:
    """Every move from an older version to a newer one that have an operation in common."""

    def age(name: str) -> tuple[bool, bool, str]:
        return (not name[0].isdigit(), load(name).status == "ga" and not name[0].isdigit(), name)

    names = sorted(versions(), key=age)
    return tuple(
        (old, new)
        for place, old in enumerate(names)
        for new in names[place + 1 :]
        if operations_of(load(old)).keys() & operations_of(load(new)).keys()
    )


def _simple(pair: tuple[str, str], operation: str) -> dict[str, Any]:
    """The members of the body that both documents describe in the same way, without a reference."""
    old, new = (_body(load(name).document, operation).get("properties", {}) for name in pair)
    return {name: schema for name, schema in new.items() if old.get(name) == schema and "type" in schema}


def _spots(pair: tuple[str, str], operation: str) -> dict[str, Any]:
    """Places for differences of requests, one of each kind where a pair has one."""
    body = _body(load(pair[1]).document, operation)
    found: dict[str, Any] = {}
    for name, schema in _simple(pair, operation).items():
        text = schema["type"] == "string"
        if name not in body.get("required", ()):
            found.setdefault("dropped", (name,))
        if text:
            found.setdefault("null", (name,))
        if text and len(schema.get("enum", ())) > 1:
            found.setdefault("value", (name,))
            found.setdefault("no value", ((name, schema["enum"][-1]),))
        if isinstance(schema["type"], list) and "enum" not in schema:
            found.setdefault("no null", (name,))
        if isinstance(schema.get("maximum"), int | float):
            found.setdefault("size", ((name, "maximum", schema["maximum"] / 2, Kind.NARROWED),))
    return found


def _everywhere() -> Iterator[Planted]:
    """Yield a difference of requests and one of answers for every pair, of each kind in turn."""
    for number, pair in enumerate(pairs()):
        both = operations_of(load(pair[0])).keys() & operations_of(load(pair[1])).keys()
        operation = next(name for name in SMALL if name in both)
        if operations_of(load(pair[1]))[operation].body:
            sent = tuple(_sent(pair, operation, _spots(pair, operation)))
            yield sent[number % len(sent)]
        comes = operation != "embeddings.create"
        yield from tuple(_received(pair, operation, ("object",), "", comes=comes))[-1 - number % 2 * comes :][:1]


def _all() -> Iterator[Planted]:
    october, january = ("2024-06-01", "2024-10-21"), ("2024-12-01-preview", "2025-01-01-preview")
    april, december = ("2025-01-01-preview", "2025-04-01-preview"), ("2024-05-01-preview", "2024-12-01-preview")
    narrower, wider = Kind.NARROWED, Kind.WIDENED
    yield from _sent(
        october,
        "chat.completions.create",
        {
            "dropped": ("user", "logit_bias"),
            "no null": ("temperature", "top_p"),
            "size": (
                ("temperature", "maximum", 1, narrower),
                ("n", "maximum", 200, wider),
                ("n", "minimum", 2, narrower),
            ),
            "form": ("user",),
            "whole": ("top_logprobs",),
        },
    )
    yield from _sent(
        october,
        "embeddings.create",
        {"null": ("user",), "value": ("encoding_format",), "no value": (("encoding_format", "base64"),)},
    )
    yield from _received(october, "chat.completions.create", ("system_fingerprint", "usage.total_tokens"), "usage")
    yield from _received(october, "embeddings.create", ("model",), "", comes=False)
    yield from _sent(
        january,
        "completions.create",
        {
            "dropped": ("suffix", "echo"),
            "size": (("best_of", "maximum", 30, wider), ("top_p", "maximum", 0.5, narrower)),
            "null": ("user",),
        },
    )
    yield from _received(january, "completions.create", ("id",), "usage")
    yield from _sent(
        ("2024-10-21", "v1"),
        "chat.completions.create",
        {"dropped": ("user",), "no null": ("temperature",), "size": (("n", "maximum", 4, narrower),)},
    )
    yield from _received(("2024-10-21", "v1"), "chat.completions.create", ("id",), "")
    yield from _sent(("v1-preview", "v1"), "vector_stores.create", {"dropped": ("name",)})
    yield from _received(("v1-preview", "v1"), "responses.create", ("temperature",), "")
    yield from _sent(
        ("2023-11-06-beta", "2024-05-01-preview"),
        "assistants.create",
        {"dropped": ("description",), "no null": ("instructions",)},
    )
    yield from _received(("2023-11-06-beta", "2024-05-01-preview"), "assistants.create", ("name",), "")
    yield from _sent(
        december,
        "assistants.create",
        {
            "dropped": ("description",),
            "size": (("name", "maxLength", 100, narrower), ("name", "maxLength", 300, wider)),
            "no null": ("instructions",),
        },
    )
    yield from _received(december, "assistants.create", ("instructions",), "")
    yield from _sent(december, "vector_stores.create", {"dropped": ("name",), "null": ("name",)})
    yield from _received(december, "vector_stores.create", ("last_active_at",), "file_counts")
    yield from _sent(april, "threads.create", {})
    yield from _received(april, "threads.create", ("metadata",), "")
    yield from _sent(
        april,
        "images.generations.create",
        {"value": ("quality",), "no value": (("style", "natural"),), "dropped": ("user",)},
    )


CHOSEN = tuple(_all())
PLANTED = tuple({planted.id: planted for planted in (*_everywhere(), *CHOSEN)}.values())

#: What every run tries; ``prove`` has all.
SAMPLE = tuple(one for one in CHOSEN if one.operation == "embeddings.create")[2:5]


def _found(planted: Planted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[int, set[str]]:
    """(the number of predictions of the planted difference, the conclusions on it)."""
    old, plain = (load(name) for name in planted.pair)
    edited = overlaid(plain, lambda document: planted.edit(document, planted.operation), "2030-01-01")
    new = evolve(edited, imported=True)
    only = (planted.operation,)
    before = {change.key for change in changes_between(old, plain, operations=only)}
    changes = tuple(
        change
        for change in changes_between(old, new, operations=only)
        if change.key not in before and (change.where, change.kind) == (planted.where, planted.kind)
    )
    mine = tuple(change for change in changes if change.operation == planted.operation)
    move = moved(
        old,
        new,
        new,
        tmp_path,
        monkeypatch,
        operations=(planted.operation,),
        changes=mine,
        profile=Profile.SMOKE,
    )
    return len(mine), {result.conclusion for result in move.results}


@pytest.mark.parametrize("planted", SAMPLE, ids=lambda one: one.id)
def test_a_planted_difference_is_predicted_and_observed(
    planted: Planted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    predicted, conclusions = _found(planted, tmp_path, monkeypatch)
    assert predicted
    assert {Conclusion.OBSERVED} == conclusions


def test_sixty_differences_are_planted_and_some_in_every_pair() -> None:
    assert len(CHOSEN) >= 60
    assert set(pairs()) == {planted.pair for planted in PLANTED}
    for planted in PLANTED:
        for version in planted.pair:
            assert planted.operation in operations_of(load(version))


@pytest.mark.prove
@pytest.mark.parametrize("planted", PLANTED, ids=lambda one: one.id)
def test_every_planted_difference_is_predicted_and_observed(
    planted: Planted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    test_a_planted_difference_is_predicted_and_observed(planted, tmp_path, monkeypatch)
