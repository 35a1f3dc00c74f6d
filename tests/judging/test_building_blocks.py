"""The building blocks of counterexamples: which exchanges they change, how, and which can't exhibit the defect."""

from __future__ import annotations

import json
from typing import Any

import pytest
from attrs import evolve

from conformance.evidence.exchange import Chunk, Exchange, Response
from conformance.judging import counterexamples as blocks
from conformance.judging import stream_counterexamples as streams
from conformance.judging.check import Counterexample
from conformance.requests.request import Request

JSON, EVENTS = "application/json", "text/event-stream"


def sent(
    value: Any = None, status: int = 200, *, url: str = "/a/b", method: str = "GET", media: str = JSON
) -> Exchange:
    """An exchange with a JSON answer; None for one without a body."""
    bare = Response(status, (("content-type", media),))
    answer = bare if value is None else bare.with_json(value)
    return Exchange(Request(method, f"http://t.example{url}"), answer)


def lost(exchange: Exchange) -> Exchange:
    return evolve(exchange, response=None)


def made_by(counterexample: Counterexample, exchange: Exchange, *earlier: Exchange) -> Any:
    """Status and JSON of the changed answer; None where there is none."""
    changed = counterexample(exchange, earlier)
    return (changed.response.status, changed.response.json) if changed and changed.response else None


# -- requests ---------------------------------------------------------------------------------------------------------


def test_a_path_has_no_query_and_a_query_has_its_last_values() -> None:
    request = Request("GET", "http://t.example/a/b?x=1&x=2&empty=&y=%20")
    assert "/a/b" == blocks.path_of(request)
    assert {"x": "2", "empty": "", "y": " "} == blocks.query_of(request)


@pytest.mark.parametrize(
    ("fits", "method", "url"),
    [
        (True, "GET", "/a/files/f1?x=1"),
        (False, "POST", "/a/files/f1"),
        (False, "GET", "/a/files/f1/content"),
        (False, "GET", "/a/other"),
    ],
)
def test_a_predicate_knows_method_and_end_of_path(fits: bool, method: str, url: str) -> None:
    assert fits is blocks.asked("GET", "/files/[^/]+")(sent(method=method, url=url))


# -- JSON -------------------------------------------------------------------------------------------------------------


def test_a_change_gets_a_copy_of_a_successful_object_and_its_request() -> None:
    def change(value: Any, request: Request) -> Any:
        value["list"].append(request.method)
        return value

    exchange = sent({"list": []})
    assert (200, {"list": ["GET"]}) == made_by(blocks.on_json(change), exchange)
    assert exchange.response is not None
    assert {"list": []} == exchange.response.json


@pytest.mark.parametrize("exchange", [sent([]), sent({}, 400), sent(), lost(sent({}))])
def test_what_is_no_successful_object_is_not_changed(exchange: Exchange) -> None:
    assert None is made_by(blocks.on_json(lambda _value, _request: {"changed": True}), exchange)


def test_a_change_may_find_an_answer_unsuitable() -> None:
    assert None is made_by(blocks.on_json(lambda _value, _request: None), sent({}))
    deletions = blocks.on_json(lambda _value, _request: {}, when=lambda exchange: exchange.request.method == "DELETE")
    assert [None, (200, {})] == [made_by(deletions, sent({"a": 1}, method=method)) for method in ("GET", "DELETE")]


# -- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "status", "statuses"),
    [
        (True, 400, ()),
        (True, 499, ()),
        (False, 399, ()),
        (False, 500, ()),
        (True, 404, (404, 410)),
        (False, 400, (404, 410)),
        (False, 500, (500,)),
    ],
)
def test_a_refusal_is_a_4xx_or_one_of_some(changed: bool, status: int, statuses: tuple[int, ...]) -> None:
    made = blocks.when_refused(blocks.answer_with(200, {"a": 1}), *statuses)
    assert ((200, {"a": 1}) if changed else None) == made_by(made, sent({}, status))
    assert None is made_by(made, lost(sent({}, status)))
    assert None is made_by(blocks.when_refused(lambda _exchange, _response: None), sent({}, status))
    if not statuses:
        assert ((200, {}) if changed else None) == made_by(blocks.admitted, sent({"error": {}}, status))


def test_what_was_not_answered_is_not_admitted() -> None:
    assert None is made_by(blocks.admitted, lost(sent({}, 400)))


@pytest.mark.parametrize(
    ("found", "earlier"),
    [
        ({"n": 2}, [sent({"n": 1}), sent({"n": 2}), sent({"n": 3}, 400)]),
        ({"n": 1}, [sent({"n": 1}), sent({"n": 2}, url="/a/c"), sent({"n": 3}, method="POST")]),
        ({"n": 1}, [sent({"n": 1}, url="/a/b?x=1"), sent({"n": 2}, media="text/plain"), lost(sent({"n": 3}))]),
        (None, []),
    ],
)
def test_the_latest_success_of_the_same_method_and_path(found: Any, earlier: list[Exchange]) -> None:
    good = blocks.earlier_success(sent({}, 404), earlier)
    assert found == (good and good.json)


@pytest.mark.parametrize(
    ("found", "exchange", "earlier"),
    [
        ((200, {"n": 1}), sent({}, 404), [sent({"n": 1}), sent({"n": 2})]),
        ((200, {"n": 2}), sent({}, 404), [sent({"n": 1}, 400), sent({"n": 2})]),
        ((200, {"n": 2}), sent({}, 404), [sent({"n": 1}, url="/a/c"), lost(sent({"n": 1})), sent({"n": 2})]),
        (None, sent({}, 404), [sent({}, 404)]),
        (None, sent({}, 400), [sent({"n": 1})]),
        (None, sent({}, 410), [sent({"n": 1})]),
        (None, sent({}, 404, url="/x"), [sent({"n": 1}, url="/x")]),
        (None, lost(sent({}, 404)), [sent({"n": 1})]),
    ],
)
def test_an_object_that_is_gone_is_answered_as_before(found: Any, exchange: Exchange, earlier: list[Exchange]) -> None:
    assert found == made_by(blocks.still_readable("^/a/"), exchange, *earlier)


# -- streams ----------------------------------------------------------------------------------------------------------


def stream(*events: bytes, status: int = 200, media: str = f"{EVENTS}; charset=utf-8") -> Exchange:
    chunks = tuple(Chunk(float(number), event) for number, event in enumerate(events))
    headers = (("Content-Type", media), ("Content-Length", "7"), ("x", "y"))
    return Exchange(Request("POST", "http://t.example/"), Response(status, headers, chunks))


def data(value: Any, name: str = "") -> bytes:
    text = json.dumps(value, separators=(",", ":"))
    return f"{f'event: {name}' + chr(10) if name else ''}data: {text}\n\n".encode()


def body(exchange: Exchange | None) -> bytes | None:
    return exchange.response.body if exchange and exchange.response else None


def test_an_event_is_written_as_it_came_or_from_its_name_and_lines() -> None:
    assert b"raw" == streams.Draft("a", "n", raw=b"raw").bytes
    assert b"event: n\ndata: a\ndata: b\n\n" == streams.Draft("a\nb", "n").bytes
    assert b"event: \ndata: \n\n" == streams.Draft("", "").bytes
    assert b"data: \xed\xa0\x80\n\n" == streams.Draft("\ud800").bytes
    changed = streams.Draft("1", "n", 2.0, b"raw").with_json({"a": ["é", 1]})
    assert streams.Draft('{"a":["é",1]}', "n", 2.0) == changed
    assert ({"a": ["é", 1]}, None) == (changed.json, streams.Draft("{").json)


def test_a_stream_taken_apart_and_put_together_is_the_same_but_for_its_chunks() -> None:
    response = stream(b": comment\n\ndata: 1\n\nevent: n\n", b"data: 2\n\n").response
    assert response is not None
    drafts = streams.drafts(response)
    assert [("1", None, 0.0), ("2", "n", 1.0)] == [(one.data, one.name, one.at) for one in drafts]
    again = streams.assemble(response, drafts)
    assert ["0.0 data: 1", "1.0 event: n data: 2"] == [
        f"{c.at} {c.data.decode().strip()}".replace("\n", " ") for c in again.chunks
    ]
    assert (str(len(again.body)), "y") == (again.header("content-length"), again.header("x"))


@pytest.mark.parametrize(
    ("protocol", "events"),
    [
        ("assistants", [data({"object": "chat.completion.chunk"}, "thread.run.created")]),
        ("assistants", [data("x"), data({}), data([], "thread.x")]),
        ("responses", [data({"type": "response.created"}, "response.created")]),
        ("audio", [data({"type": "transcript.text.delta"})]),
        ("audio", [data({"type": "speech.audio.delta"})]),
        ("chat-chunks", [data({"object": "x"}), data({"object": "chat.completion.chunk"})]),
        ("completion-chunks", [data({"object": "text_completion"})]),
        ("", [data({"object": "x", "type": "y"}), data([]), b"data: [DONE]\n\n"]),
        ("", []),
    ],
)
def test_a_protocol_is_recognised_by_its_events(protocol: str, events: list[bytes]) -> None:
    response = stream(*events).response
    assert response is not None
    assert protocol == streams.protocol_of(response)


CHUNK = data({"object": "chat.completion.chunk"})


@pytest.mark.parametrize(
    ("changed", "exchange", "protocols"),
    [
        (True, stream(CHUNK), ()),
        (True, stream(CHUNK), ("responses", "chat-chunks")),
        (False, stream(CHUNK), ("responses",)),
        (False, stream(CHUNK, status=400), ()),
        (False, stream(CHUNK, media=JSON), ()),
        (False, stream(b": comment\n\n"), ()),
        (False, lost(stream(CHUNK)), ()),
    ],
)
def test_a_successful_stream_of_a_protocol_is_changed(
    changed: bool, exchange: Exchange, protocols: tuple[str, ...]
) -> None:
    whole = streams.on_body(lambda _exchange, response: response.with_body(b"x"), *protocols)
    parts = streams.on_events(lambda drafts, request: [drafts[0].with_data(request.method)], *protocols)
    assert (b"x" if changed else None) == body(whole(exchange, ()))
    assert (b"data: POST\n\n" if changed else None) == body(parts(exchange, ()))
    assert None is streams.on_body(lambda _exchange, _response: None, *protocols)(exchange, ())
    assert None is streams.on_events(lambda _drafts, _request: None, *protocols)(exchange, ())


def test_each_object_of_a_stream_is_changed_in_its_place() -> None:
    """Events that aren't objects, and those that the change keeps, stay byte by byte."""

    def change(value: dict[str, Any], index: int) -> dict[str, Any] | None:
        value.get("kept", []).append(1)
        return {"n": index} if "n" in value else None

    keeps = b'data: {"kept" : [] }\n\n'
    made = streams.each_json(change)(stream(data([]), data({"n": 7}), keeps, data({"n": 7})), ())
    assert data([]) + data({"n": 1}) + keeps + data({"n": 3}) == body(made)


def test_a_stream_in_which_nothing_changes_shows_no_defect() -> None:
    exchange = stream(b'data: {"n" : 1}\n\n')
    assert None is streams.each_json(lambda value, _index: value)(exchange, ())
    assert None is streams.each_json(lambda _value, _index: None)(exchange, ())
    assert None is streams.each_json(lambda _value, _index: {}, "responses")(exchange, ())
