"""Streams that the client closes early, and a stream request that is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformance.requests.case import Break, Case, Cost, Expect
from conformance.scenarios.scenario import Script, Settings, scenario
from conformance.scenarios.steps import call, path_names, request_body
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec

CHAT = "chat.completions.create"

#: The text of the requests after a closed stream. The counterexample of the check recognises them by it.
NEXT = "Answer after a stream was given up."

#: The client closes the stream after this many bytes, which is within the first events.
BYTES = 256


def _chat(spec: Spec, name: str, step: str, wanted: Mapping[str, Any], **more: Any) -> Case:
    """A chat case. In versions with deployment paths the deployment stands in the path, else in ``model``."""
    ids = ["{deployment}" for _ in path_names(operations_of(spec)[CHAT])]
    body = request_body(spec, CHAT, {"stream": True, **wanted, **({} if ids else {"model": "{deployment}"})})
    made = call(spec, CHAT, *ids, role=f"{name}.{step}", body=body, capability="chat", cost=Cost(tokens=100), **more)
    return made.at(name, step)


@scenario("streams.cancelled", operations=(CHAT,), requests=3, tokens=300, features=("chat.stream",))
def cancelled(spec: Spec, settings: Settings) -> Script:
    """A stream is closed early by the client; the next requests must be answered as if nothing had happened."""
    task = [{"role": "user", "content": "Count from 1 to 500 in words."}]
    yield (_chat(spec, "streams.cancelled", "give-up", {"messages": task, "max_tokens": 64}, cancel_after=BYTES),)
    after = {"messages": [{"role": "user", "content": NEXT}], "max_tokens": 32}
    # A step of its own, so that this request is the first that meets the target after the closed stream.
    yield (_chat(spec, "streams.cancelled", "next.stream", after),)
    yield (_chat(spec, "streams.cancelled", "next.plain", {**after, "stream": False}),)


@scenario("streams.refused", operations=(CHAT,), requests=2, tokens=100, features=("chat.stream",))
def refused(spec: Spec, settings: Settings) -> Script:
    """A stream is requested with an invalid body, and with a valid one. If both are refused, nothing is judged."""
    wrong = Break(pointer="/messages", keyword="type")
    right = {"messages": [{"role": "user", "content": "Say yes."}], "max_tokens": 16}
    yield (
        _chat(spec, "streams.refused", "request", {"messages": "none"}, expect=Expect.REJECT, breaks=wrong),
        _chat(spec, "streams.refused", "valid", right),
    )
