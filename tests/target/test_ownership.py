"""An object is ours only if it is certainly not older than the run; what others made is neither changed nor removed."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace
from typing import Any

import pytest
from attrs import evolve

from conformance.requests.case import Case, JsonBody
from conformance.target import bookkeeping
from conformance.target.limits import Withheld

from .conftest import Open, Serve
from .shelf import DATE, NOON, STORE, Shelf, cleaned, reasons
from .test_target import CREATE, LIST, delete
from .wire_server import http

pytestmark = pytest.mark.usefixtures("no_pauses")


def test_an_object_that_an_answer_names_is_removed_if_it_is_not_older_than_the_run(
    serve: Serve, open_target: Open
) -> None:
    """A service makes vector stores for an assistant. An older one belongs to somebody else, and is only told."""
    shelf = Shelf(
        serve,
        {"id": "asst_1", "tool_resources": {"file_search": {"vector_store_ids": ["vs_new", "vs_old", "vs_sent"]}}},
    )
    shelf.objects |= {f"/vector_stores/vs_{name}": {"created_at": NOON} for name in ("new", "sent")}
    shelf.objects["/vector_stores/vs_old"] = {"created_at": NOON - 60}
    target = open_target(shelf.url)
    target.send(evolve(CREATE, body=JsonBody({"model": "m", "metadata": {"vs": "vs_sent"}})))
    made = cleaned(target)
    assert {"/vector_stores/vs_old", "/vector_stores/vs_sent"} == set(shelf.objects)
    assert ["/vector_stores/vs_old"] == list(reasons(made))
    assert "not certain" in made.left[0].reason
    assert "vector_store_ids in the answer to assistants.create" in made.left[0].text


def test_an_older_object_is_not_removed_although_its_time_is_in_milliseconds(serve: Serve, open_target: Open) -> None:
    shelf = Shelf(serve, {"id": "asst_1", "vector_store_ids": ["vs_new", "vs_old"]})
    shelf.objects["/vector_stores/vs_new"] = {"created_at": 1000 * NOON}
    shelf.objects["/vector_stores/vs_old"] = {"created_at": 1000 * (NOON - 60)}
    target = open_target(shelf.url)
    target.send(CREATE)
    made = cleaned(target)
    assert ["/vector_stores/vs_old"] == [*shelf.objects] == list(reasons(made))


@pytest.mark.parametrize(("created", "ours"), [(NOON - 20, True), (NOON - 60, False)])
def test_what_is_created_before_the_first_answer_is_not_older_than_the_run(
    serve: Serve, open_target: Open, monkeypatch: pytest.MonkeyPatch, created: int, ours: bool
) -> None:
    """The first answer is dated 30 seconds after the run began, because a model thought for so long."""
    monkeypatch.setattr(bookkeeping, "time", SimpleNamespace(time=lambda: time.time() - 30))
    shelf = Shelf(serve, {"id": "vs_1", "name": "a name of its own", "created_at": created})
    target = open_target(shelf.url, live=True)
    target.send(STORE)
    made = cleaned(target)
    assert ([] if ours else ["/vector_stores/vs_1"]) == [*shelf.objects] == list(reasons(made))


def test_lists_of_the_account_and_objects_of_others_name_nothing_of_ours(serve: Serve, open_target: Open) -> None:
    shelf = Shelf(serve)
    shelf.objects["/assistants"] = {"data": [{"id": "asst_9", "tool_resources": {"vector_store_ids": ["vs_9"]}}]}
    shelf.objects["/assistants/asst_9"] = {"id": "asst_9", "vector_store_ids": ["vs_9"]}
    target = open_target(shelf.url)
    target.send(LIST)
    target.send(evolve(delete("asst_9"), operation="assistants.get", method="GET"))
    assert target.journal is not None
    assert () == target.journal.pending


@pytest.mark.parametrize(
    ("live", "answer", "ours"),
    [
        (True, {"created_at": NOON - 60, "name": "theirs"}, False),
        (True, {"created_at": NOON - 60}, False),
        (True, {"created_at": NOON - 60, "name": None}, True),
        (True, {"created_at": NOON, "name": "theirs"}, True),
        (True, {"name": "theirs"}, True),
        (False, {"created_at": NOON - 60, "name": "theirs"}, True),
    ],
)
def test_an_object_that_was_there_before_is_not_ours_although_a_creation_is_answered_with_it(
    serve: Serve, open_target: Open, live: bool, answer: dict[str, Any], ours: bool
) -> None:
    """A service that keeps equal content once answers with what somebody else has stored. ``None``: our own name."""
    shelf = Shelf(serve)

    def ruled(method: str, path: str) -> bytes | None:
        if method != "POST":
            return None
        name = json.loads(shelf.server.requests[-1].partition(b"\r\n\r\n")[2])["name"]
        shown = {"id": "vs_1", **answer}
        shown |= {"name": name} if answer.get("name", "") is None else {}
        shelf.objects.setdefault("/vector_stores/vs_1", shown)
        return http(shown, 200, DATE)

    shelf.ruled = ruled
    target = open_target(shelf.url, live=live)
    assert target.send(STORE).ok
    changes = Case("vector_stores.delete", "DELETE", "/vector_stores/{vector_store_id}", {"vector_store_id": "vs_1"})
    if not ours:
        with pytest.raises(Withheld, match="not certain"):
            target.send(changes)
    made = cleaned(target)
    assert (ours, not ours) == (shelf.objects == {}, bool(made.left))
