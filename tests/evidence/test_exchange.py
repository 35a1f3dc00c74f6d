"""Exchanges: how bodies, header fields and faults are interpreted, by RFC 8259 (JSON) and RFC 9110 (HTTP)."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
from attrs import evolve

from conformance.evidence.event_stream import stream_of
from conformance.evidence.exchange import BROKEN_OFF, Chunk, Exchange, Fault, FaultKind, Response
from conformance.requests.request import Request

ASKED = Request("GET", "http://t.example/p")


def answer(body: bytes = b"", *headers: tuple[str, str], status: int = 200) -> Response:
    return Response(status, headers, (Chunk(0.5, body),) if body else ())


def test_an_answer_made_by_hand_is_whole_and_took_no_time() -> None:
    bare = Response(200)
    assert (True, 0.0, 0.0, b"", "HTTP/1.1") == (
        bare.complete,
        bare.elapsed,
        bare.headers_at,
        bare.body,
        bare.http_version,
    )
    assert (None, None, (), 0.0, None) == (
        Exchange(ASKED).response,
        Exchange(ASKED).fault,
        Exchange(ASKED).attempts,
        Exchange(ASKED).started,
        Exchange(ASKED).control_ok,
    )


@pytest.mark.parametrize(
    ("media_type", "headers"),
    [
        ("application/json", [("Content-Type", "Application/JSON; charset=utf-8")]),
        ("text/event-stream", [("content-type", " text/event-stream ;a=b;c")]),
        ("text/plain", [("CONTENT-TYPE", "text/plain"), ("content-type", "text/html")]),
        ("", [("x-content-type", "text/plain")]),
        ("", []),
    ],
)
def test_the_media_type_has_no_case_and_no_parameters(media_type: str, headers: list[tuple[str, str]]) -> None:
    assert media_type == answer(b"", *headers).media_type


@pytest.mark.parametrize(
    ("is_json", "value", "body"),
    [
        (True, None, b"null"),
        (True, {"a": [1]}, b' {"a":[1]}\n'),
        (True, "é", b'"\xc3\xa9"'),
        (False, None, b""),
        (False, None, b"{"),
        (False, None, b"NaN"),
        (False, None, b"[Infinity]"),
        (False, None, b"[-Infinity]"),
        (False, None, b'"\xe9"'),
        (False, None, b"\xef\xbb\xbf{}"),
        (False, None, '"a"'.encode("utf-16")),
        (False, None, b"[" * 100_000 + b"]" * 100_000),
    ],
)
def test_json_is_what_rfc_8259_says(is_json: bool, value: Any, body: bytes) -> None:
    """UTF-8 without a byte order mark (section 8.1), no NaN (section 6), and no depth that makes us fall."""
    assert (is_json, value) == (answer(body).is_json, answer(body).json)


def test_a_body_is_all_its_chunks() -> None:
    response = Response(200, (), (Chunk(1.0, b"a"), Chunk(2.0, b""), Chunk(3.0, b"b")))
    assert b"ab" == response.body


def test_another_body_keeps_the_time_and_corrects_the_length() -> None:
    old = Response(200, (("Content-Length", "2"), ("x-a", "b")), (Chunk(1.0, b"a"), Chunk(2.0, b"b")), headers_at=0.5)
    new = old.with_body(b"four")
    assert ((Chunk(2.0, b"four"),), (("Content-Length", "4"), ("x-a", "b"))) == (new.chunks, new.headers)
    assert ((), (("Content-Length", "0"), ("x-a", "b"))) == (old.with_body(b"").chunks, old.with_body(b"").headers)
    assert (Chunk(0.5, b"x"),) == old.with_body(b"").with_body(b"x").chunks


def test_another_json_body_is_short_utf8() -> None:
    assert '{"a":["é",1]}'.encode() == answer(b"x").with_json({"a": ["é", 1]}).body
    assert rb'{"a":["\u00e9\ud800",1]}' == answer(b"x").with_json({"a": ["é\ud800", 1]}).body


@pytest.mark.parametrize(
    ("is_json", "value"), [(True, {"a": ["é", 1]}), (True, None), (True, "\ud800"), (False, [float("nan")])]
)
def test_another_json_body_is_read_as_it_was_written(is_json: bool, value: Any) -> None:
    made = answer(b"x").with_json(value)
    assert (is_json, value if is_json else None) == (made.is_json, made.json)
    assert (is_json, value if is_json else None) == (evolve(made).is_json, evolve(made).json)


def test_a_header_field_is_replaced_or_removed_without_case() -> None:
    old = answer(b"", ("X-A", "1"), ("x-b", "2"), ("x-a", "3"))
    assert (("x-b", "2"), ("x-A", "4")) == old.with_header("x-A", "4").headers
    assert (("x-b", "2"),) == old.with_header("x-A", None).headers
    assert (("x-b", "2"), ("x-A", "")) == old.with_header("x-A", "").headers


@pytest.mark.parametrize(
    ("ok", "status"), [(False, 199), (True, 200), (True, 204), (True, 299), (False, 300), (False, 404), (False, 500)]
)
def test_a_success_is_a_whole_2xx(ok: bool, status: int) -> None:
    """RFC 9110 section 15."""
    assert (ok, status) == (
        Exchange(ASKED, answer(status=status)).ok,
        Exchange(ASKED, answer(status=status)).status,
    )
    assert False is Exchange(ASKED, answer(status=status), Fault(FaultKind.CLOSED, "", 0.0)).ok


def test_without_an_answer_there_is_no_status_and_no_success() -> None:
    assert (None, False) == (Exchange(ASKED).status, Exchange(ASKED).ok)


def network(kind: FaultKind) -> bool:
    return kind in (
        FaultKind.CONNECT,
        FaultKind.DNS,
        FaultKind.TLS,
        FaultKind.CONNECT_TIMEOUT,
        FaultKind.CANCELLED,
    )


@pytest.mark.parametrize("kind", list(FaultKind))
def test_nothing_is_judged_by_a_fault_of_the_network_or_by_a_target_that_went_away(kind: FaultKind) -> None:
    fault = Fault(kind, "m", 0.0)
    assert [network(kind), network(kind), True] == [
        Exchange(ASKED, None, fault, control_ok=control).unreached for control in (None, True, False)
    ]
    assert [False] * 3 == [Exchange(ASKED, answer(), control_ok=control).unreached for control in (None, True, False)]


def test_an_answer_that_stopped_coming_is_no_fault_of_the_network() -> None:
    assert {FaultKind.CLOSED, FaultKind.READ_TIMEOUT, FaultKind.TOTAL_TIMEOUT} == set(BROKEN_OFF)


def test_another_answer_takes_the_place_of_the_fault() -> None:
    good = Exchange(ASKED, None, Fault(FaultKind.CLOSED, "", 0.0), started=7.0).answered(answer(b"x"))
    assert (b"x", None, 7.0) == (good.response and good.response.body, good.fault, good.started)


def test_why_nothing_can_be_judged() -> None:
    """What lies outside the contract comes first; a target that went away is told beside its fault."""
    closed, dns = Fault(FaultKind.CLOSED, "reset", 0.0), Fault(FaultKind.DNS, "unknown", 0.0)
    assert [
        "",
        "",
        "closed: reset; then the target was away",
        "dns: unknown",
        "the account",
        "the account",
    ] == [
        Exchange(ASKED, answer()).unreached_because,
        Exchange(ASKED, None, closed, control_ok=True).unreached_because,
        Exchange(ASKED, None, closed, control_ok=False).unreached_because,
        Exchange(ASKED, None, dns, control_ok=True).unreached_because,
        Exchange(ASKED, answer(), outside="the account").unreached_because,
        Exchange(ASKED, None, dns, outside="the account").unreached_because,
    ]
    assert (True, "") == (Exchange(ASKED, answer(), outside="x").unreached, Exchange(ASKED).outside)


@pytest.mark.parametrize(("kept", "size"), [(500, 499), (500, 500), (500, 501), (500, 9_999)])
def test_the_message_of_a_fault_is_cut_after_500_characters(kept: int, size: int) -> None:
    """Libraries quote bytes of the target in their messages."""
    message = "a" * (size - 1) + "b"
    wanted = message if size <= kept else "a" * (kept - 1) + "…"
    assert wanted == Fault(FaultKind.CLOSED, message, 0.0).message


@pytest.mark.parametrize(("forgotten", "size"), [(False, 65_536), (True, 65_537)])
def test_the_parsed_form_of_a_large_body_is_kept_until_the_next_one(forgotten: bool, size: int) -> None:
    one, two = (answer(b"[" + b" " * (size - 2) + b"]") for _ in range(2))
    assert [] == one.json == two.json
    assert forgotten is ("_parsed" not in vars(one))
    assert "_parsed" in vars(two)


def test_a_large_body_that_is_looked_at_again_is_not_parsed_again() -> None:
    one = answer(b"[" + b" " * 70_000 + b"]")
    first = one.json
    stream_of(one)
    assert first is one.json


def test_a_large_stream_is_forgotten_when_another_answer_is_parsed() -> None:
    one, two = (answer(b"data: " + b"x" * 70_000 + b"\n\n") for _ in range(2))
    stream_of(one)
    stream_of(two)
    assert ("_stream" not in vars(one), "_stream" in vars(two)) == (True, True)


@pytest.mark.parametrize(
    ("content", "body", "coding"),
    [
        (b"text", gzip.compress(b"text", mtime=0), "gzip"),
        (b"text", b"text", "identity"),
        (b"text", b"text", "gzip"),
        (b"text", b"text", "br"),
    ],
)
def test_content_is_the_body_without_the_codings_that_were_applied(content: bytes, body: bytes, coding: str) -> None:
    """RFC 9110 section 8.4."""
    assert content == answer(body, ("Content-Encoding", coding)).content


def test_another_body_is_not_coded() -> None:
    made = answer(gzip.compress(b"text"), ("Content-Encoding", "gzip"), ("x", "y")).with_body(b"other")
    assert ((("x", "y"),), b"other") == (made.headers, made.content)


def test_the_arrival_times_of_an_answer_are_known_unless_it_says_otherwise() -> None:
    assert (True, 3) == (answer(b"abc").timed, answer(b"abc").size)


def test_nothing_comes_after_the_end_of_an_answer_unless_it_says_so() -> None:
    assert 0 == Response(200).surplus
