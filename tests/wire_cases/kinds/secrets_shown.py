"""Answers that quote a secret of the request. The evidence holds a mark in its place."""

from __future__ import annotations

import json

from wire_stage import Example, Played, WireCase, answer, exchanged, played

from conformance.requests.case import Expect
from conformance.requests.headers import REDACTED


def echoed(example: Example) -> Played:
    """A refusal. The configured value is hidden wherever it stands, as it is before anything is judged."""
    secret = example["config"].split('"')[1]
    hidden = json.loads(json.dumps(dict(example)).replace(secret, REDACTED))
    hidden["headers"] = [["Content-Type", "application/json"], *hidden["headers"]]
    return played(exchanged("embeddings.create", {"input": "a"}, answer(hidden), expect=Expect.EITHER))


def _refused(message: str, *headers: list[str]) -> Example:
    body = {"error": {"code": "400", "message": message}}
    return {"config": 'X-Key = "a-value-of-ours"', "status": 400, "headers": list(headers), "body": body}


CASES = (
    WireCase(
        "secret-of-an-extra-header-echoed",
        "warn",
        echoed,
        _refused("x-key was a-value-of-ours", ["X-Echo", "a-value-of-ours"]),
        told={"http.secret-echoed": "secret"},
        near=[_refused("x-key was wrong", ["X-Echo", "no"])],
    ),
    WireCase(
        "secret-among-the-words-of-a-header",
        "warn",
        echoed,
        _refused("x-key was wrong", ["X-Echo", "You sent a-value-of-ours."]),
        told={"http.secret-echoed": "header"},
        near=[_refused("x-key was wrong", ["X-Echo", "You sent something."])],
    ),
)
