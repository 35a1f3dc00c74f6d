"""Retries, keys, budgets and the journal, as seen by a server that counts."""

from __future__ import annotations

import errno
import gzip
import io
import json
import socket
from pathlib import Path

import pytest
from attrs import evolve

from conformance.checks.http.echoed_secrets import secret_echoed
from conformance.errors import GuardError, UsageError
from conformance.evidence.exchange import Exchange
from conformance.evidence.trace import Observation
from conformance.redaction import HIDDEN
from conformance.requests.case import Auth, Case, Cost, JsonBody
from conformance.requests.headers import REDACTED
from conformance.settings.configuration import Budget, Config
from conformance.settings.configuration import Target as TargetConfig
from conformance.spec.spec import Spec
from conformance.target.cleanup import clean, opener, recover
from conformance.target.journal import Journal, journals, read
from conformance.target.limits import Withheld
from conformance.target.target import Target
from conformance.verdict import Outcome

from .conftest import KEY, Open, Serve
from .test_faults import CHAT
from .wire_server import http

CREATE = Case(
    operation="assistants.create", method="POST", path="/assistants", body=JsonBody({"model": "{deployment}"})
)
LIST = Case(operation="assistants.list", method="GET", path="/assistants")


def delete(object_id: str) -> Case:
    return Case(
        operation="assistants.delete",
        method="DELETE",
        path="/assistants/{assistant_id}",
        path_params={"assistant_id": object_id},
    )


# -- retries ----------------------------------------------------------------------------------------------------------


def test_429_is_repeated_three_times_and_every_attempt_is_kept(serve: Serve, open_target: Open) -> None:
    server = serve(lambda c, r, n: c.sendall(http({}, 429, "Retry-After: 0", f"x-n: {n}")))
    exchange = open_target(server.url).send(CHAT)
    assert [e.response.header("x-n") for e in (*exchange.attempts, exchange) if e.response] == ["1", "2", "3", "4"]


def test_a_retry_waits_as_long_as_it_is_asked(serve: Serve, open_target: Open) -> None:
    answers = [http({}, 429, "retry-after-ms: 120", "Retry-After: 50"), http({})]
    exchange = open_target(serve(lambda c, r, n: c.sendall(answers[n - 1])).url).send(CHAT)
    assert exchange.ok
    assert exchange.started - exchange.attempts[0].started >= 0.12


def test_a_5xx_that_goes_away_is_a_success_with_an_attempt(serve: Serve, open_target: Open) -> None:
    exchange = open_target(serve(lambda c, r, n: c.sendall(http({}, 500 if n == 1 else 200))).url).send(CHAT)
    assert exchange.ok
    assert [attempt.status for attempt in exchange.attempts] == [500]


def test_a_create_without_an_answer_is_never_sent_again(serve: Serve, open_target: Open) -> None:
    server = serve(lambda c, r, n: None)
    target = open_target(server.url)
    exchange = target.send(CREATE)
    assert exchange.fault is not None
    assert len(server.requests) == 1
    assert target.journal is not None
    assert target.journal.unknown == 1


def test_a_create_never_meets_a_connection_that_is_about_to_close(serve: Serve, open_target: Open) -> None:
    server = serve(lambda c, r, n: c.sendall(http({"id": f"asst_{n}"}, 200, "Connection: keep-alive")))
    target = open_target(server.url)
    assert all(target.send(CREATE).ok for _ in range(30))
    assert len(server.requests) == 30


def test_another_request_without_an_answer_is_sent_once_more(serve: Serve, open_target: Open) -> None:
    server = serve(lambda c, r, n: None if n == 1 else c.sendall(http({})))
    assert open_target(server.url).send(CHAT).ok
    assert len(server.requests) == 2


# -- keys -------------------------------------------------------------------------------------------------------------


def evidence(exchange: Exchange) -> str:
    from attrs import asdict

    return json.dumps(asdict(exchange), default=lambda value: value.decode("latin-1"))


def test_the_key_is_in_no_evidence(serve: Serve, open_target: Open) -> None:
    def echo(c: object, r: bytes, n: int) -> None:
        c.sendall(http({"key": KEY, "auth": r.decode()}, 200, f"X-Echo: Key {KEY}", f"Set-Cookie: {KEY}"))  # type: ignore[attr-defined]

    target = open_target(serve(echo).url, headers={"x-gateway": f"token {KEY}"})
    case = evolve(CHAT, body=JsonBody({"messages": [{"role": "user", "content": f"say {KEY}"}]}))
    exchange = target.send(case)
    assert KEY not in evidence(exchange)
    assert KEY not in repr(target.config)
    assert exchange.request.header("api-key") == REDACTED


def test_a_key_across_chunks_is_hidden_too(serve: Serve, open_target: Open) -> None:
    half = len(KEY) // 2
    parts = [KEY[:half].encode(), KEY[half:].encode()]
    body = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body
    assert KEY not in evidence(open_target(serve(lambda c, r, n: c.sendall(answer)).url).send(CHAT))


@pytest.mark.parametrize("headers", [("Content-Encoding: gzip",), ()])
def test_a_key_in_a_packed_body_is_hidden_too(serve: Serve, open_target: Open, headers: tuple[str, ...]) -> None:
    """The standard library's gzip packs it and unpacks what is kept: the rest of the body and its length are right."""
    body = gzip.compress(json.dumps({"key": KEY, "kept": "as it was"}).encode())
    lines = ("HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers, "", "")
    answer = "\r\n".join(lines).encode() + body
    exchange = open_target(serve(lambda c, r, n: c.sendall(answer)).url).send(CHAT)
    assert exchange.response is not None
    assert {"key": REDACTED, "kept": "as it was"} == json.loads(gzip.decompress(exchange.response.body))
    assert str(len(exchange.response.body)) == exchange.response.header("content-length")


@pytest.mark.parametrize("lost", [1, 9])
def test_of_a_packed_body_with_a_key_that_is_broken_nothing_is_kept(serve: Serve, open_target: Open, lost: int) -> None:
    """Who unpacks its beginning would find the key."""
    body = gzip.compress(json.dumps({"key": KEY}).encode(), compresslevel=0)[:-lost]
    answer = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    exchange = open_target(serve(lambda c, r, n: c.sendall(answer)).url).send(CHAT)
    assert exchange.response is not None
    assert exchange.response.shortened is not None
    assert (b"", len(body)) == (exchange.response.body, exchange.response.size)


def echoes(exchange: Exchange, spec: Spec) -> list[str]:
    """What is said of secrets that an answer shows."""
    return [finding.place for finding in secret_echoed.judge(spec, Observation(CHAT, exchange))]


@pytest.mark.parametrize(
    ("header", "kept", "told"),
    [
        ({"x-model": "gpt-4o-mini"}, HIDDEN, []),
        ({"x-model": "model"}, "model", []),
        ({"x-tag": "5e1f07b9c2a84d36a1"}, REDACTED, ["byte:11"]),
        ({"x-gateway-token": "letters-only"}, REDACTED, ["byte:11"]),
    ],
)
def test_only_what_is_a_secret_for_sure_is_called_an_echo(
    serve: Serve, open_target: Open, header: dict[str, str], kept: str, told: list[str]
) -> None:
    """``model`` is the name of a deployment here, and stands in every answer."""
    (value,) = header.values()
    target = open_target(
        serve(lambda c, r, n: c.sendall(http({"model": value}, 200, f"X-Model: {value}x"))).url, headers=header
    )
    exchange = target.send(CHAT)
    assert exchange.response is not None
    assert {"model": kept} == exchange.response.json
    assert told == echoes(exchange, target.spec)


@pytest.mark.parametrize("auth", [Auth.NONE, Auth.WRONG])
def test_probes_carry_no_credential_not_even_in_extra_headers(serve: Serve, open_target: Open, auth: Auth) -> None:
    server = serve(lambda c, r, n: c.sendall(http({}, 401)))
    headers = {"Authorization": "Bearer other", "x-gateway": KEY, "x-plain": "stays"}
    open_target(server.url, headers=headers).send(evolve(CHAT, auth=auth))
    sent = server.requests[0].decode().lower()
    assert KEY not in sent
    assert "bearer" not in sent
    assert "x-plain: stays" in sent
    assert ("api-key:" in sent) == (auth is Auth.WRONG)


def test_bearer_goes_into_authorization(serve: Serve, open_target: Open) -> None:
    server = serve(lambda c, r, n: c.sendall(http({})))
    open_target(server.url, auth="bearer").send(CHAT)
    assert f"authorization: bearer {KEY}" in server.requests[0].decode().lower()
    assert "api-key" not in server.requests[0].decode().lower()


# -- guards -----------------------------------------------------------------------------------------------------------


def test_foreign_objects_are_never_touched(serve: Serve, open_target: Open) -> None:
    server = serve(lambda c, r, n: c.sendall(http({})))
    with pytest.raises(GuardError, match="asst_somebody"):
        open_target(server.url).send(delete("asst_somebody"))
    assert server.requests == []


def test_own_and_impossible_objects_may_be_touched(serve: Serve, open_target: Open) -> None:
    server = serve(lambda c, r, n: c.sendall(http({"id": "asst_mine"})))
    target = open_target(server.url)
    target.send(CREATE)
    assert target.send(delete("asst_mine")).ok
    assert target.send(delete("asst_" + "0" * 24)).ok


def test_plain_http_off_loopback_needs_the_flag(spec: Spec) -> None:
    settings = TargetConfig(url="http://example.invalid", key=KEY)
    with pytest.raises(UsageError, match="clear text"):
        Target(Config(target=settings), spec)
    Target(Config(target=evolve(settings, allow_http=True)), spec).close()


# -- budget -----------------------------------------------------------------------------------------------------------


def test_caps_are_checked_before_sending(serve: Serve, open_target: Open) -> None:
    server = serve(lambda c, r, n: c.sendall(http({})))
    target = open_target(server.url, budget=Budget(requests=2))
    target.send(CHAT)
    target.send(CHAT)
    with pytest.raises(Withheld, match="budget of 2 requests") as stop:
        target.send(CHAT)
    assert (stop.value.final, stop.value.outcome) == (True, Outcome.INCONCLUSIVE)
    assert len(server.requests) == 2


def test_tokens_are_counted_by_their_bound(serve: Serve, open_target: Open) -> None:
    target = open_target(serve(lambda c, r, n: c.sendall(http({}))).url, budget=Budget(tokens=100))
    target.send(evolve(CHAT, cost=Cost(tokens=70)))
    with pytest.raises(Withheld, match="tokens"):
        target.send(evolve(CHAT, cost=Cost(tokens=70)))
    assert target.send(evolve(CHAT, cost=Cost(tokens=30))).ok


def test_no_retry_goes_over_the_cap(serve: Serve, open_target: Open) -> None:
    server = serve(lambda c, r, n: c.sendall(http({}, 429, "Retry-After: 0")))
    exchange = open_target(server.url, budget=Budget(requests=2)).send(CHAT)
    assert exchange.status == 429
    assert len(server.requests) == 2


def test_a_live_resource_gets_two_wrong_keys_and_three_filter_answers(serve: Serve, open_target: Open) -> None:
    answer = http({"error": {"code": "content_filter", "message": "no"}}, 400)
    server = serve(lambda c, r, n: c.sendall(answer if KEY.encode() in r else http({}, 401)))
    target = open_target(server.url, live=True)
    wrong = evolve(CHAT, auth=Auth.WRONG)
    assert [target.send(wrong).status for _ in range(2)] == [401, 401]
    with pytest.raises(Withheld, match="wrong key"):
        target.send(wrong)
    assert [target.send(CHAT).status for _ in range(3)] == [400, 400, 400]
    with pytest.raises(Withheld, match="content filter"):
        target.send(CHAT)
    assert target.send(LIST).status == 400


def test_what_a_script_gets_is_real_and_what_is_kept_is_hidden(serve: Serve, open_target: Open) -> None:
    """An id of somebody else must be sent back as it came; the copy that is judged and stored has a hash of it."""
    theirs = {"id": "asst_theirs", "object": "assistant", "name": "Secret plan", "metadata": {}, "created_at": 1}
    mine = {"id": "asst_mine", "object": "assistant", "name": "Ours"}
    page = {"object": "list", "data": [theirs, mine], "first_id": "asst_theirs", "last_id": "asst_mine"}
    server = serve(lambda c, r, n: c.sendall(http(mine if n == 1 else page)))
    target = open_target(server.url, live=True)
    target.send(CREATE)
    exchange = target.send(LIST)
    assert exchange.response is not None
    assert page == exchange.response.json
    foreign = target.foreign()
    assert foreign is not None
    kept = foreign.hidden(Observation(LIST, exchange)).exchange.response
    assert kept is not None
    assert mine == kept.json["data"][1]
    assert [] == [word for word in (b"Secret", b"asst_theirs") if word in kept.body]
    assert kept.json["first_id"] == kept.json["data"][0]["id"]
    assert ("assistant", 1) == (kept.json["data"][0]["object"], kept.json["data"][0]["created_at"])


def test_an_emulator_has_no_foreign_objects(open_target: Open) -> None:
    assert open_target("http://127.0.0.1:1", live=False).foreign() is None


# -- journal and cleanup ----------------------------------------------------------------------------------------------


def test_what_was_created_is_removed_newest_first(serve: Serve, open_target: Open) -> None:
    server = serve(lambda c, r, n: c.sendall(http({"id": f"asst_{n}"})))
    target = open_target(server.url)
    journal = target.journal
    assert journal is not None
    for _ in range(3):
        target.send(CREATE)
    made = clean(target, journal)
    assert (made.removed, made.left) == (3, ())
    assert [line.split(b"?")[0] for line in server.requests[3:]] == [
        b"DELETE /openai/assistants/asst_%d" % n for n in (3, 2, 1)
    ]
    journal.close()
    assert not journal.path.exists()


def test_a_refused_create_and_an_own_delete_leave_nothing(serve: Serve, open_target: Open) -> None:
    server = serve(lambda c, r, n: c.sendall(http({"id": "asst_1"}, 400 if n == 1 else 200)))
    target = open_target(server.url)
    journal = target.journal
    assert journal is not None
    target.send(CREATE)
    target.send(CREATE)
    target.send(delete("asst_1"))
    assert (journal.pending, journal.unknown) == ((), 0)


def test_the_intent_is_on_disk_before_the_request_leaves(serve: Serve, open_target: Open) -> None:
    target = open_target("http://127.0.0.1:1")
    journal = target.journal
    assert journal is not None
    seen: list[str] = []

    def look(c: object, r: bytes, n: int) -> None:
        seen.append(journal.path.read_text())
        c.sendall(http({"id": "asst_1"}))  # type: ignore[attr-defined]

    other = Target(Config(target=evolve(target.config.target, url=serve(look).url)), target.spec, journal=journal)
    with other:
        other.send(CREATE)
    assert [json.loads(line)["event"] for line in seen[0].splitlines()] == ["intent"]


def test_a_killed_run_is_recovered_by_its_journal_alone(serve: Serve, open_target: Open, tmp_path: Path) -> None:
    server = serve(lambda c, r, n: c.sendall(http({"id": f"asst_{n}"})))
    target = open_target(server.url)
    journal = target.journal
    assert journal is not None
    target.send(CREATE)
    assert journals(tmp_path) == (), "a living run holds its journal"
    killed = journal.path.read_text() + '{"event":"crea'
    journal.close()
    journal.path.write_text(killed)
    assert journals(tmp_path) == (journal.path,)

    elsewhere = evolve(target.config, target=evolve(target.config.target, url="http://127.0.0.1:1"))
    (kept,) = recover([tmp_path], opener(elsewhere))
    assert (kept.cleaned.removed, len(kept.cleaned.left)) == (0, 1)
    (done,) = recover([tmp_path], opener(target.config))
    assert (done.cleaned.removed, done.cleaned.left) == (1, ())
    assert server.requests[-1].startswith(b"DELETE /openai/assistants/asst_1?")
    assert not journal.path.exists()


def test_what_can_not_be_removed_stays_in_the_journal(serve: Serve, open_target: Open, tmp_path: Path) -> None:
    server = serve(lambda c, r, n: c.sendall(http({"id": "asst_1"}, 200 if n == 1 else 400)))
    target = open_target(server.url)
    journal = target.journal
    assert journal is not None
    target.send(CREATE)
    assert len(clean(target, journal).left) == 1
    journal.close()
    entries, unknown = read(journal.path)
    assert ([dict(entry.ids) for entry in entries], unknown) == ([{"created": "asst_1"}], 0)


class FullDisk(io.StringIO):
    """A file on a full disk. ``takes`` is how many lines still fit."""

    takes = 0

    def write(self, text: str) -> int:
        if not self.takes:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.takes -= 1
        return super().write(text)

    def fileno(self) -> int:
        return 1


def test_on_a_full_disk_nothing_is_created_and_nothing_that_was_created_is_forgotten(
    serve: Serve, open_target: Open
) -> None:
    """Without a written intent nothing is sent. An id that came when the disk was full is still removed."""
    server = serve(lambda c, r, n: c.sendall(http({"id": f"asst_{n}"})))
    target = open_target(server.url)
    journal = target.journal
    assert journal is not None
    journal._file.close()
    disk = journal._file = FullDisk()
    with pytest.raises(Withheld, match=r"journal can't be written .*No space left") as told:
        target.send(CREATE)
    assert (Outcome.INCONCLUSIVE, []) == (told.value.outcome, server.requests)
    disk.takes = 1  # the intent fits on the disk, what follows does not
    assert target.send(CREATE).ok
    assert "No space left" in journal.trouble
    assert ["asst_1"] == [name for entry in journal.pending for name in entry.ids.values()]


def test_creating_needs_a_journal(open_target: Open) -> None:
    with pytest.raises(UsageError, match="journal"):
        open_target("http://127.0.0.1:1", journaled=False).send(CREATE)


def test_journals_of_two_processes_never_meet(tmp_path: Path) -> None:
    names = set()
    for worker in ("gw0", "gw1", "gw1"):
        with Journal(tmp_path, target="t", api_version="v", worker=worker) as journal:
            names.add(journal.path)
    assert len(names) == 3


def test_what_a_stream_created_is_removed_too_even_when_it_was_cut_off(serve: Serve, open_target: Open) -> None:
    events = b'event: thread.run.created\ndata: {"id": "run_1", "thread_id": "thread_1"}\n\ndata: {"id"'
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    cut = head + b"%x\r\n%s\r\n" % (len(events), events)
    server = serve(lambda c, r, n: c.sendall(cut if n == 1 else http({})))
    undo = Case("threads.delete", "DELETE", "/threads/{thread_id}", {"thread_id": "{thread}"})
    case = Case("threads.runs.createThreadAndRun", "POST", "/threads/runs", creates={"thread": "/thread_id"}, undo=undo)
    target = open_target(server.url)
    assert target.journal is not None
    assert target.send(case).fault is not None
    assert clean(target, target.journal).removed == 1
    assert server.requests[-1].startswith(b"DELETE /openai/threads/thread_1?")


def test_what_lay_inside_a_removed_object_is_gone_too(serve: Serve, open_target: Open) -> None:
    answers = {b"POST /openai/vector_stores?": {"id": "vs_1"}, b"POST /openai/vector_stores/vs_1/files?": {"id": ""}}

    def answer(c: socket.socket, r: bytes, n: int) -> None:
        c.sendall(http(next((value for start, value in answers.items() if r.startswith(start)), {})))

    target = open_target(serve(answer).url)
    journal = target.journal
    assert journal is not None
    target.send(Case("vector_stores.create", "POST", "/vector_stores"))
    inside = Case(
        "vector_stores.files.create", "POST", "/vector_stores/{id}/files", {"id": "vs_1"}, creates={"f": "/id"}
    )
    target.send(evolve(inside, undo=Case("vector_stores.files.delete", "DELETE", "/vector_stores/{id}/files/{f}")))
    assert journal.unknown == 1, "it was accepted without an id"
    made = clean(target, journal)
    assert (made.removed, made.left, made.unknown) == (1, (), 0)
