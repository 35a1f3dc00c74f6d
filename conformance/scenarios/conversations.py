"""Conversation scenarios: items that are kept, listed and removed, and a response that joins a conversation."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from typing import Any

from conformance.evidence.exchange import Exchange
from conformance.requests.case import Case, Cost, Expect
from conformance.scenarios.lists import Listing, Objects, ids_of, listing
from conformance.scenarios.resource_kinds import kind
from conformance.scenarios.scenario import Scenario, Script, Settings, Step, scenario
from conformance.scenarios.steps import IMPOSSIBLE, MARK, call, create, created_id, poll, request_body
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec

ITEMS = "conversations.items"


def said(text: str, role: str = "user") -> dict[str, Any]:
    """A message whose content is one text."""
    return {"type": "message", "role": role, "content": text}


#: The items that a conversation is made with, and those that are added, in this order. Their texts differ.
FIRST = (said("My name is Ada."), said("Answer in English.", "developer"))
ADDED = (said("I like boats."), said("I live in Oslo. Grüße!"), said("It is Monday."))

#: An item of about 300 words: a response that reads it counts far more tokens than its own question has.
LONG = said("Remember these words: " + " ".join(["boat harbour island"] * 100))
#: The question of the response, and the fewest tokens that a response with the long item before it reads.
QUESTION, FEWEST = "Say hello in one word.", 100


def _on(spec: Spec, name: str, known: Mapping[str, str]) -> Any:
    """A function that makes a case of an operation below ``conversations``."""

    def make(verb: str, *ids: str, role: str, step: str = "", **more: Any) -> Case:
        return call(spec, f"conversations.{verb}", *ids, role=role, known=known, **more).at(name, step or role)

    return make


def _page(on: Any, role: str, number: int = 0, **query: object) -> Case:
    """A page of the conversation's items that has room for all of them."""
    step = f"{role}.{number}" if number else role
    made: Case = on("items.list", "{conversation}", role=role, step=step, query={"limit": 100, **query})
    return made


@scenario(
    "conversations.items",
    operations=("conversations.create", f"{ITEMS}.create", f"{ITEMS}.list", f"{ITEMS}.get", f"{ITEMS}.delete"),
    requests=40,
)
def items(spec: Spec, settings: Settings) -> Script:
    """A conversation is made with items, gets more, and loses one again; a second conversation has none of them."""
    name, item = "conversations.items", kind("conversation")
    first = create(spec, item, "conversation", wanted={"items": list(FIRST)}, role="conversation")
    other = create(spec, item, "other", role="other")
    made = [created_id(seen) for seen in (yield (first.at(name, "conversation"), other.at(name, "other")))]
    if made[0] is None or made[1] is None:
        return
    known = {"conversation": made[0], "other": made[1]}
    on = _on(spec, name, known)
    # The item that is removed later is named, so that the run knows it as its own; the others go with it or with the
    # conversation.
    more = {"creates": {"item": "/data/0/id"}, "undo": on("items.delete", "{conversation}", "{item}", role="undo")}
    (seen,) = yield (on("items.create", "{conversation}", role="add", body={"items": list(ADDED)}, **more),)
    added = ids_of(seen)
    if not added:
        return
    known["item"] = added[0]
    listed = yield from poll(
        lambda number: _page(on, "items", number, order="asc"),
        lambda seen: set(added) <= set(ids_of(seen)),
        settings,
        settings.read_after_write,
    )
    if not listed.ok:
        return
    item_path = ("{conversation}", "{item}")
    yield (
        _page(on, "items.default"),
        on("items.get", *item_path, role="item"),
        on("items.get", "{conversation}", f"msg_{IMPOSSIBLE}", role="item.unknown", expect=Expect.EITHER),
        on("items.get", "{other}", "{item}", role="item.foreign", expect=Expect.EITHER),
        on("items.list", "{other}", role="items.foreign"),
    )
    (gone,) = yield (on("items.delete", *item_path, role="remove"),)
    if not gone.ok:
        return
    yield from poll(
        lambda number: _page(on, "items.after", number, order="asc"),
        lambda seen: known["item"] not in ids_of(seen),
        settings,
        settings.read_after_write,
    )
    yield (on("items.get", *item_path, role="item.removed", expect=Expect.EITHER),)


def _answered(spec: Spec, name: str, known: Mapping[str, str], step: str, conversation: Any, **more: Any) -> Case:
    """A case that creates a response in a conversation; where responses can be deleted it has an undo."""
    wanted = {"model": "{deployment}", "input": QUESTION, "max_output_tokens": 64, "metadata": MARK}
    body = request_body(spec, "responses.create", {**wanted, "conversation": conversation, **more})
    delete = "responses.delete"
    undo = call(spec, delete, f"{{{step}}}", role="undo") if delete in operations_of(spec) else None
    made = call(
        spec, "responses.create", role=step, body=body, known=known, creates={step: "/id"}, undo=undo,
        capability="responses", cost=Cost(tokens=1200),
    )  # fmt: skip
    return made.at(name, step)


@scenario(
    "conversations.response",
    operations=("responses.create", "conversations.create", f"{ITEMS}.list"),
    requests=24,
    tokens=4000,
    features=("responses.conversation",),
)
def response(spec: Spec, settings: Settings) -> Script:
    """A response is asked for in a conversation with one long item; then another one as a stream."""
    name = "conversations.response"
    maker = create(spec, kind("conversation"), "conversation", wanted={"items": [LONG]}, role="conversation")
    (seen,) = yield (maker.at(name, "conversation"),)
    made = created_id(seen)
    if made is None:
        return
    known = {"conversation": made}
    (seen,) = yield (_answered(spec, name, known, "answer", "{conversation}"),)
    if not seen.ok:
        return
    on = _on(spec, name, known)
    # The long item, the question and at least one item of the answer.
    yield from _filled(on, "items", 3, settings)
    more: dict[str, Any] = {"stream": True} if spec.has("responses.stream") else {}
    (seen,) = yield (_answered(spec, name, known, "again", {"id": "{conversation}"}, **more),)
    if seen.ok:
        yield from _filled(on, "items.again", 5, settings)


def _filled(on: Any, role: str, count: int, settings: Settings) -> Generator[Step, tuple[Exchange, ...], None]:
    """Read the items until there are ``count``: they are added when the response has ended."""
    yield from poll(
        lambda number: _page(on, role, number, order="asc"),
        lambda seen: len(ids_of(seen)) >= count,
        settings,
        settings.read_after_write,
    )


def scenarios_for(spec: Spec) -> Iterator[Scenario]:
    """The walk over the items of a conversation."""
    needed = ("conversations.create", f"{ITEMS}.create", f"{ITEMS}.list")
    if set(needed) <= set(operations_of(spec)):
        yield listing(
            spec, Listing(f"{ITEMS}.list", _walked), "Walks over the items of a conversation.", operations=needed
        )


def _walked(spec: Spec, settings: Settings, name: str) -> Generator[Step, tuple[Exchange, ...], Objects | None]:
    """Create a conversation with items and return them, for the walk over their list."""
    maker = create(spec, kind("conversation"), "conversation", wanted={"items": list(FIRST)}, role="conversation")
    (seen,) = yield (maker.at(name, "conversation"),)
    made = created_id(seen)
    if made is None:
        return None
    known = {"conversation": made}
    on = _on(spec, name, known)
    yield (on("items.create", "{conversation}", role="add", body={"items": list(ADDED)}),)
    (page,) = yield (_page(on, "list.all", order="asc"),)
    return Objects(tuple(ids_of(page)), known, ("{conversation}",), own=True)
