"""Building blocks of counterexamples: an honest passage, altered in one place."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from attrs import evolve

from conformance.evidence.exchange import Chunk, Response
from conformance.evidence.upstream import UpstreamCall
from conformance.passage.fields import used_by_clients
from conformance.passage.passage import Passage
from conformance.requests.request import Request

__all__ = ["in_answer", "in_arrival", "in_json_answer", "in_json_request", "rewritten", "without_used_fields"]


def in_answer(change: Callable[[Response], Response | None]) -> Callable[[Passage], Passage | None]:
    """A counterexample that alters what the client got."""

    def broken(passage: Passage) -> Passage | None:
        changed = change(passage.got) if passage.got is not None else None
        return None if changed is None else evolve(passage, through=evolve(passage.through, response=changed))

    return broken


def in_arrival(change: Callable[[Request], Request | None]) -> Callable[[Passage], Passage | None]:
    """A counterexample that alters what reached the upstream."""

    def broken(passage: Passage) -> Passage | None:
        call = passage.call
        changed = change(call.request) if call is not None else None
        if call is None or changed is None:
            return None
        return evolve(passage, calls=tuple(_replaced(one, call, changed) for one in passage.calls))

    return broken


def _replaced(one: UpstreamCall, wanted: UpstreamCall, request: Request) -> UpstreamCall:
    """One call, with another request if it is the wanted one."""
    return evolve(one, request=request) if one.number == wanted.number else one


def in_json_answer(change: Callable[[Any], Any]) -> Callable[[Passage], Passage | None]:
    """A counterexample that alters the JSON that the client got. ``change`` returns None where it can't."""

    def broken(response: Response) -> Response | None:
        if not response.is_json:
            return None
        changed = change(json.loads(response.content))
        return None if changed is None else response.with_json(changed)

    return in_answer(broken)


def in_json_request(change: Callable[[Any], Any]) -> Callable[[Passage], Passage | None]:
    """A counterexample that alters the JSON that reached the upstream. ``change`` returns None where it can't."""

    def broken(request: Request) -> Request | None:
        if request.json is None:
            return None
        changed = change(json.loads(request.body))
        return None if changed is None else evolve(request, body=json.dumps(changed).encode())

    return in_arrival(broken)


def without_used_fields(response: Response) -> Response | None:
    """The answer without the header fields that clients use; None if it has none of them."""
    used = used_by_clients(response)
    kept = tuple(pair for pair in response.headers if pair[0].lower() not in used)
    return evolve(response, headers=kept) if used else None


def rewritten(response: Response, data: list[str]) -> Response:
    """A stream with other events, which come as early as its own."""
    body = "".join(f"data: {one}\n\n" for one in data).encode()
    return evolve(response, chunks=(Chunk(response.chunks[0].at, body),) if response.chunks else ())
