"""What a creation without an answer made is found in a list by its own mark, and nobody else's object is touched."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

import pytest
from attrs import evolve

from conformance.requests.case import Case, JsonBody, Multipart, Part
from conformance.spec.loading import load
from conformance.target import cleanup, search
from conformance.target.cleanup import Cleaned
from conformance.target.created import listing_of, marks_of
from conformance.target.guards import with_undo
from conformance.target.journal_folder import journals
from conformance.target.recovery import opener, recover
from conformance.target.target import Target

from .conftest import Open, Serve
from .shelf import cleaned
from .test_target import CREATE as BARE
from .wire_server import WireServer, http

CREATE = Case(
    "assistants.create",
    "POST",
    "/assistants",
    body=JsonBody({"model": "{deployment}", "name": "Conformance {run}", "metadata": {"by": "{run}"}}),
)

#: The clock of the target is a day ahead of ours.
AHEAD = 86_400

Change = Callable[[dict[str, Any]], dict[str, Any]]


class Account:
    """A resource of somebody: it makes assistants, lists them newest first, and closes the connection instead of
    answering to the creations that ``lost`` counts. ``others`` makes objects of others from each of those.
    """

    def __init__(self, serve: Serve) -> None:
        self.objects: list[dict[str, Any]] = []
        self.lost = range(2, 3)
        self.created = 0
        self.asked: list[str] = []
        self.others: list[Change] = []
        self.change: Change = lambda made: made
        self.listed: Callable[[list[dict[str, Any]]], Any] = lambda page: page
        self.page = 2
        self.server: WireServer = serve(self._answer)
        self.url = self.server.url

    def _answer(self, connection: socket.socket, request: bytes, number: int) -> None:
        head, _, body = request.partition(b"\r\n\r\n")
        method, target, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
        path, _, query = target.removeprefix("/openai").partition("?")
        self.asked.append(f"{method} {path}")
        now = int(time.time()) + AHEAD
        date = f"Date: {formatdate(now, usegmt=True)}"
        if method == "POST":
            self.created += 1
            made = {**json.loads(body), "id": f"asst_{self.created}", "created_at": now, "object": "assistant"}
            theirs = [{**made, "id": f"asst_of_others_{n}", **change(made)} for n, change in enumerate(self.others)]
            if self.created not in self.lost:
                self.objects.insert(0, made)
                connection.sendall(http(made, 200, date))
                return
            self.objects[:0] = [{**made, **self.change(made)}, *theirs]
            connection.close()
        elif path == "/assistants":
            after = re.search(r"after=([^&]+)", query)
            ids = [one["id"] for one in self.objects]
            start = ids.index(after[1]) + 1 if after else 0
            page = self.objects[start : start + self.page]
            connection.sendall(
                http({"data": self.listed(page), "has_more": start + self.page < len(self.objects)}, 200, date)
            )
        else:
            found = [one for one in self.objects if path == f"/assistants/{one['id']}"]
            if method == "DELETE":
                self.objects = [one for one in self.objects if one not in found]
            connection.sendall(http(found[0], 200, date) if found else http({}, 404, date))

    @property
    def held(self) -> list[str]:
        return sorted(one["id"] for one in self.objects)


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cleanup, "_PAUSES", ())


@pytest.fixture
def account(serve: Serve) -> Account:
    return Account(serve)


def lose(target: Target, case: Case = CREATE) -> Cleaned:
    """One creation that is answered, one that isn't, and the removal."""
    target.send(CREATE)
    target.send(case)
    return cleaned(target)


def test_what_a_lost_creation_made_is_found_and_removed(account: Account, open_target: Open) -> None:
    target = open_target(account.url, retries=0)
    done = lose(target)
    assert ([], 2, (), ()) == (account.held, done.removed, done.left, done.unanswered)
    assert target.journal is not None
    target.journal.close()
    assert not target.journal.path.exists()


@pytest.mark.parametrize(("answered", "status"), [(4, 500), (3, 500), (4, 503), (99, 500)])
def test_each_repetition_of_a_creation_that_was_answered_5xx_is_found_and_removed(
    account: Account, open_target: Open, answered: int, status: int
) -> None:
    """The server makes an object each time, and answers 5xx until it answers well."""
    account.lost = range(0)
    answer = account.server.script
    later: list[int] = []

    def script(connection: socket.socket, request: bytes, number: int) -> bool | None:
        if not request.startswith(b"POST") or account.created + 1 >= answered:
            return answer(connection, request, number)
        kept, unheard = socket.socketpair()
        with kept, unheard:
            answer(unheard, request, number)
        later.append(number)
        return bool(connection.sendall(http({}, status, f"Date: {formatdate(time.time() + AHEAD, usegmt=True)}")))

    account.server.script = script
    target = open_target(account.url)
    exchanges = [target.send(CREATE) for _ in range(2)]
    sent = sum(1 + len(one.attempts) for one in exchanges)
    assert min(answered, 7) - 1 == len(later)
    assert sent == account.created
    done = cleaned(target)
    assert ([], sent, (), ()) == (account.held, done.removed, done.left, done.unanswered)


#: Objects that look like that of the lost creation and were made in the same second, by others.
SIMILAR: dict[str, Change] = {
    "the name of the run alone": lambda made: {"name": made["name"].rpartition("-")[0]},
    "another request's mark": lambda made: {"name": made["name"][:-4] + "ffff"},
    "capitals": lambda made: {"name": made["name"].upper()},
    "more behind it": lambda made: {"name": made["name"] + " (copy)"},
    "the name without the metadata": lambda made: {"metadata": {}},
    "metadata of a wrong kind": lambda made: {"metadata": [made["metadata"]["by"]]},
    "the metadata without the name": lambda made: {"name": None},
    "the mark in another field": lambda made: {"name": "mine", "description": made["name"]},
    "all in other fields": lambda made: {"name": made["metadata"]["by"], "metadata": {"by": made["name"]}},
}


def test_objects_of_others_made_in_the_same_second_are_never_touched(account: Account, open_target: Open) -> None:
    account.others = list(SIMILAR.values())
    done = lose(open_target(account.url, retries=0))
    assert [f"asst_of_others_{n}" for n in range(len(SIMILAR))] == account.held
    assert (2, ()) == (done.removed, done.unanswered)
    assert {"DELETE /assistants/asst_1", "DELETE /assistants/asst_2"} == {
        line for line in account.asked if line.startswith("DELETE")
    }


@pytest.mark.parametrize("name", SIMILAR)
def test_a_similar_object_is_not_taken_for_one_that_was_never_made(
    account: Account, open_target: Open, name: str
) -> None:
    """The creation made nothing: only the object of somebody else is there."""
    account.change = SIMILAR[name]
    done = lose(open_target(account.url, retries=0))
    (one,) = done.unanswered
    assert ["asst_2"] == account.held
    assert one.text == "assistants.create at /assistants: none of the 2 objects in its list carries its mark"


def test_a_copy_of_the_mark_makes_it_worthless(account: Account, open_target: Open) -> None:
    account.others = [lambda made: {}]
    done = lose(open_target(account.url, retries=0))
    assert ["asst_2", "asst_of_others_0"] == account.held
    assert "2 objects in its list carry its mark, and nobody can say which one is its own" in done.unanswered[0].text


@pytest.mark.parametrize("shift", [-10, 10_000, None, "yesterday", True])
def test_an_object_of_another_time_is_left_alone(account: Account, open_target: Open, shift: Any) -> None:
    def moved(made: dict[str, Any]) -> dict[str, Any]:
        return {"created_at": made["created_at"] + shift if type(shift) is int else shift}

    account.change = moved
    done = lose(open_target(account.url, retries=0))
    assert ["asst_2"] == account.held
    assert "was not created while it was under way" in done.unanswered[0].text


def test_an_object_that_a_journal_line_names_is_not_that_of_the_lost_creation(
    account: Account, open_target: Open
) -> None:
    """A list that shows an object of ours under the mark of another request."""
    account.change = lambda made: {"id": "asst_1"}
    done = lose(open_target(account.url, retries=0))
    assert 1 == len(done.unanswered)


def test_a_request_without_a_mark_is_told(account: Account, open_target: Open) -> None:
    done = lose(open_target(account.url, retries=0), BARE)
    assert ["asst_2"] == account.held
    assert "the request had no field for a mark" in done.unanswered[0].text


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (http({}, 500), "GET /assistants was answered 500"),
        (http({}, 404), "GET /assistants was answered 404"),
        (http({}, 200), "the answer to GET /assistants is no list"),
        (http([], 200), "the answer to GET /assistants is no list"),
        (http({"data": {"id": "asst_2"}}, 200), "the answer to GET /assistants is no list"),
        (http({"data": [None, 7, {}, {"id": 7}, {"id": ""}]}, 200), "none of the 0 objects"),
        (http("no JSON", 200), "the answer to GET /assistants is no list"),
        (b"", "GET /assistants was answered not at all"),
    ],
)
def test_a_list_that_says_nothing_is_told(account: Account, open_target: Open, answer: bytes, told: str) -> None:
    correct = account.server.script

    def script(connection: socket.socket, request: bytes, number: int) -> bool | None:
        if request.startswith(b"GET /openai/assistants?"):
            connection.sendall(answer)
            return None
        return correct(connection, request, number)

    account.server.script = script
    done = lose(open_target(account.url, retries=0))
    assert ["asst_2"] == account.held
    assert told in done.unanswered[0].text


def test_endless_pages_end(account: Account, open_target: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every page has other objects and promises more; the object is on none of them."""
    monkeypatch.setattr(search, "PAGES", 4)
    pages = iter(range(1000))
    correct = account.server.script

    def script(connection: socket.socket, request: bytes, number: int) -> bool | None:
        if request.startswith(b"GET /openai/assistants?"):
            page = {"id": f"asst_page_{next(pages)}", "created_at": time.time() + AHEAD}
            connection.sendall(http({"data": [page], "has_more": True}))
            return None
        return correct(connection, request, number)

    account.server.script = script
    done = lose(open_target(account.url, retries=0))
    assert 4 == next(pages)
    assert "only the first 4 pages of /assistants were read" in done.unanswered[0].text


def test_pages_that_repeat_themselves_end(account: Account, open_target: Open) -> None:
    correct = account.server.script
    asked: list[bytes] = []

    def script(connection: socket.socket, request: bytes, number: int) -> bool | None:
        if request.startswith(b"GET /openai/assistants?"):
            asked.append(request)
            connection.sendall(http({"data": [{"id": "asst_a", "created_at": 1e12}], "has_more": True}))
            return None
        return correct(connection, request, number)

    account.server.script = script
    assert 1 == len(lose(open_target(account.url, retries=0)).unanswered)
    assert 2 == len(asked)


def test_reading_ends_with_what_is_older_than_the_request(account: Account, open_target: Open) -> None:
    account.objects = [{"id": f"asst_old_{n}", "created_at": int(time.time()) + AHEAD - 3600} for n in range(200)]
    done = lose(open_target(account.url, retries=0))
    assert (2, ()) == (done.removed, done.unanswered)
    # The lost one, then a page of old ones.
    assert 2 >= account.asked.count("GET /assistants")


def test_after_a_kill_the_journal_alone_is_enough(account: Account, open_target: Open, tmp_path: Any) -> None:
    account.others = list(SIMILAR.values())
    target = open_target(account.url, retries=0)
    journal = target.journal
    assert journal is not None
    target.send(CREATE)
    target.send(CREATE)
    lines = journal.path.read_bytes()
    journal.close()
    journal.path.write_bytes(lines)
    (done,) = recover(journals(tmp_path), opener(target.config))
    assert (2, (), ()) == (done.cleaned.removed, done.cleaned.left, done.cleaned.unanswered)
    assert all(id.startswith("asst_of_others") for id in account.held)
    assert not journal.path.exists()


def test_two_requests_never_have_the_same_mark(account: Account, open_target: Open) -> None:
    account.lost = range(0)
    target = open_target(account.url, retries=0)
    for _ in range(3):
        target.send(CREATE)
    assert 3 == len({one["name"] for one in account.objects})
    assert all(target.run_id in one["name"] for one in account.objects)


FORM = Multipart((Part("purpose", b"assistants"), Part("file", b"text", "notes-{run}.txt")))


@pytest.mark.parametrize(
    ("body", "marks"),
    [
        (JsonBody({"name": "a {run}"}), {"name": "a R"}),
        (JsonBody({"metadata": {"k": "{run}", "other": "x"}, "name": "plain"}), {"metadata.k": "R"}),
        (JsonBody({"name": "plain", "instructions": "{run}"}), {}),
        (JsonBody(["{run}"]), {}),
        (JsonBody({"metadata": "{run}", "name": None}), {}),
        (FORM, {"filename": "notes-R.txt"}),
        (None, {}),
    ],
)
def test_only_fields_that_the_object_repeats_are_marks(body: Any, marks: dict[str, str]) -> None:
    assert marks == marks_of(evolve(CREATE, body=body), {"run": "R"})


def test_which_lists_are_searched() -> None:
    """What lies inside another object goes with it, and a request that creates something else names another id."""
    spec = load("v1-preview")

    def listing(operation: str, path: str, **more: Any) -> tuple[str, tuple[tuple[str, str], ...]] | None:
        case = with_undo(Case(operation, "POST", path, **more), spec)
        found = listing_of(spec, case)
        return (found.operation, found.query) if found is not None else None

    assert ("vector_stores.list", (("limit", "100"), ("order", "desc"))) == listing(
        "vector_stores.create", "/vector_stores"
    )
    assert ("files.list", ()) == listing("files.upload", "/files")
    job = {"creates": {"job": "/id"}}
    assert ("fine_tuning.jobs.list", (("limit", "100"),)) == listing(
        "fine_tuning.jobs.create", "/fine_tuning/jobs", **job
    )
    assert listing("responses.create", "/responses") is None
    inside = "/vector_stores/{vector_store_id}/files"
    assert listing("vector_stores.files.create", inside, path_params={"vector_store_id": "vs_1"}) is None
