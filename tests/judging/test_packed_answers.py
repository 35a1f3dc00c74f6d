"""An answer that unpacks to more than is read is no broken JSON: it isn't judged. Small ones are."""

from __future__ import annotations

import gzip
import json

import pytest
from attrs import evolve

from conformance.checks.catalogue import all_checks
from conformance.evidence.content_coding import MOST
from conformance.evidence.exchange import Chunk, Exchange, Response
from conformance.evidence.trace import Observation, Trace
from conformance.judging.judge import judge
from conformance.requests.case import Case, JsonBody
from conformance.requests.request import Request
from conformance.spec.loading import load
from conformance.verdict import Outcome

VECTOR = {"object": "embedding", "index": 0, "embedding": [0.5]}
ANSWER = {"object": "list", "model": "m", "data": [VECTOR], "usage": {"prompt_tokens": 1, "total_tokens": 1}}


def played(blanks: int, body: bytes | None = None) -> Trace:
    """An embedding as gzip data, with blanks around its JSON."""
    packed = gzip.compress(json.dumps(ANSWER).encode() + b" " * blanks) if body is None else body
    headers = (("content-type", "application/json"), ("content-encoding", "gzip"))
    case = Case("embeddings.create", "POST", "/embeddings", body=JsonBody({"input": "a"}))
    exchange = Exchange(Request("POST", "http://t/embeddings"), Response(200, headers, (Chunk(0.0, packed),)))
    return Trace("corpus.embeddings.create", (Observation(evolve(case), exchange),))


@pytest.mark.parametrize(
    ("expected", "trace"),
    [
        (Outcome.PASS, played(0)),
        (Outcome.NOT_TESTABLE, played(MOST + 1)),
        (Outcome.FAIL, played(0, b"\x1f\x8b no gzip data")),
    ],
    ids=["small", "too-long", "broken"],
)
@pytest.mark.parametrize("check", ["http.json", "schema.response"])
def test_what_is_too_long_to_be_unpacked_is_not_judged(check: str, expected: Outcome, trace: Trace) -> None:
    verdict = judge(load("2024-10-21"), all_checks()[check], trace)
    assert expected is verdict.outcome, verdict


def test_both_rules_tell_the_same_of_what_is_no_json() -> None:
    (one,) = played(0, b"{\xff")
    first, second = (
        list(all_checks()[name].judge(load("2024-10-21"), one)) for name in ("http.json", "schema.response")
    )
    assert ["{\ufffd"] == [finding.actual for finding in first]
    assert first == second
