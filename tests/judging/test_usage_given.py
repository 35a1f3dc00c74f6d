"""A completed response without its usage: the finding says whether it is absent or null."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conformance.checks.catalogue import find_check
from conformance.evidence.exchange import Chunk, Exchange, Response
from conformance.evidence.trace import Observation
from conformance.requests.case import Case, JsonBody
from conformance.requests.request import Request
from conformance.spec.loading import load


@pytest.mark.parametrize(
    ("expected", "value"),
    [
        (["absent"], {"status": "completed"}),
        (["None"], {"status": "completed", "usage": None}),
        (["[]"], {"status": "completed", "usage": []}),
        ([], {"status": "completed", "usage": {"total_tokens": 1}}),
        ([], {"status": "in_progress", "usage": None}),
        ([], []),
    ],
)
def test_a_completed_response_has_a_usage(expected: list[str], value: Any) -> None:
    headers = (("content-type", "application/json"),)
    response = Response(200, headers, (Chunk(0.0, json.dumps(value).encode()),))
    case = Case("responses.create", "POST", "/responses", body=JsonBody({"input": "a"}))
    seen = Observation(case, Exchange(Request("POST", "http://t/responses"), response))
    found = find_check("responses.usage.given").judge(load("v1"), seen)
    assert expected == [finding.actual for finding in found]
