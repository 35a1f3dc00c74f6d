"""Where the id of a created object stands: in the answer, or in the events of a stream."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.evidence.created_ids import created_ids
from conformance.evidence.exchange import Chunk, Exchange, Response
from conformance.requests.case import LOCATION, Case
from conformance.requests.request import Request
from conformance.target.created import made_at

CASE = Case("responses.create", "POST", "/responses", creates={"made": "/id"})


@pytest.mark.parametrize(
    ("ids", "status", "body"),
    [
        ({"made": "r1"}, 200, b'{"id": "r1"}'),
        ({"made": "r1"}, 200, b'event: response.created\ndata: {"type": "x", "response": {"id": "r1"}}\n\n'),
        ({"made": "r1"}, 200, b'data: {"id": "r1"}\n\ndata: [DONE]\n\n'),
        ({"made": "r1"}, 200, b'data: {"response": {"id": "r1"}}\n\ndata: {"cut'),
        ({"made": "r1"}, 200, b'data: {"response": {"id": "r1"}}'),
        ({"made": "r1"}, 200, b'data: {"response": {"id": "r1"}}\ndata: {"cut'),
        ({"made": "r1"}, 200, b'data:{"id": "r1"}\r\rdata: [DONE]\r\r'),
        ({"made": "r1"}, 200, b'\xef\xbb\xbfdata: {"id": "r1"}\n\n'),
        ({"made": "r1"}, 200, b'data: {\ndata: "id": "r1"\ndata: }\n\n'),
        ({"made": "r1"}, 200, b'data: {"id": "r1", "x": NaN}\n\n'),
        (
            {"made": "r1"},
            200,
            b'data: \xff\n\n: comment\n\ndata: {"id": ""}\n\ndata: {"id": "r1"}\n\ndata: {"id": "r2"}\n\n',
        ),
        ({"made": "r1"}, 200, b"data: " + b"[" * 100_000 + b'\n\ndata: {"id": "r1"}\n\n'),
        ({"made": "r1"}, 299, b'{"id": "r1"}'),
        ({}, 199, b'{"id": "r1"}'),
        ({}, 300, b'{"id": "r1"}'),
        ({}, 200, b'data: {"inner":\ndata: {"id": "r1"}\ndata: }\n\n'),
        ({}, 200, b'data: {"response": {"i'),
        ({}, 400, b'{"id": "r1"}'),
        ({}, 200, b'{"id": ""}'),
    ],
)
def test_ids_are_read_wherever_they_stand(ids: dict[str, str], status: int, body: bytes) -> None:
    exchange = Exchange(Request("POST", "http://t/r"), Response(status, chunks=(Chunk(0.0, body),)))
    assert ids == created_ids(CASE, exchange)


@pytest.mark.parametrize(
    ("ids", "headers"),
    [
        ({"made": "c 1"}, (("Location", "/v1/realtime/calls/c%201"),)),
        ({"made": "c1"}, (("Location", "https://other.example/v1/realtime/calls/c1/?x=/y"),)),
        ({}, (("Location", "/"),)),
        ({}, (("Location", "http://[broken"),)),
        ({}, ()),
    ],
)
def test_an_id_may_stand_at_the_end_of_a_location(ids: dict[str, str], headers: tuple[tuple[str, str], ...]) -> None:
    case = Case("realtime.calls.create", "POST", "/realtime/calls", creates={"made": LOCATION})
    assert ids == created_ids(case, Exchange(Request("POST", "http://t/r"), Response(201, headers)))


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (1_704_110_400, {"created_at": 1_704_110_400}),
        (1_704_110_400, {"created": 1_704_110_400}),
        (1_704_110_400.5, {"created_at": 1_704_110_400.5}),
        (1_704_110_400, {"created_at": 1_704_110_400_000}),
        (1_704_110_400, {"created_at": 1_704_110_400_000_000_000}),
        *(
            (0, {"created_at": told})
            for told in ("2024-01-01T12:00:00Z", "1704110400", None, True, 0, -1, float("inf"), 10**400, [], {})
        ),
        (0, {}),
        (0, [1_704_110_400]),
    ],
)
def test_the_time_of_a_creation_is_in_seconds_whatever_the_unit(seconds: float, told: Any) -> None:
    assert seconds == made_at(told)
