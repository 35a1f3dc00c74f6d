"""Retries, keys, budgets and the journal, as seen by a server that counts."""

from __future__ import annotations

import gzip
import json

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
        ({"x-tag": "5e1f07b9c2a84d36a1"}, REDACTED, ["header:x-model", "byte:11"]),
        ({"x-gateway-token": "letters-only"}, REDACTED, ["header:x-model", "byte:11"]),
    ],
)
def test_only_what_is_a_secret_for_sure_is_called_an_echo(
    serve: Serve, open_target: Open, header: dict[str, str], kept: str, told: list[str]
) -> None:
    """``model`` is the name of a deployment here, and stands in every answer. The answer shows the value in its body
    and, as a part of a word, in a header.
    """
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
