"""Streams that their reader gives up, and streams that are refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformance.requests.case import Break, Case, Cost, Expect
from conformance.scenarios.scenario import Script, Settings, scenario
from conformance.scenarios.steps import call, path_names, request_body
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec

CHAT = "chat.completions.create"

#: What the request after a given-up stream says; its counterexample knows it by this.
NEXT = "Answer after a stream was given up."

#: The stream is given up after this many bytes: within its first events.
BYTES = 256


def _chat(spec: Spec, name: str, step: str, wanted: Mapping[str, Any], **more: Any) -> Case:
    ids = ["{deployment}" for _ in path_names(operations_of(spec)[CHAT])]
    body = request_body(spec, CHAT, {"stream": True, **wanted, **({} if ids else {"model": "{deployment}"})})
    made = call(spec, CHAT, *ids, role=f"{name}.{step}", body=body, capability="chat", cost=Cost(tokens=100), **more)
    return made.at(name, step)


@scenario("streams.cancelled", operations=(CHAT,), requests=3, tokens=300)
def cancelled(spec: Spec, settings: Settings) -> Script:
    """A stream is closed early; the next requests are answered as if nothing had happened."""
    task = [{"role": "user", "content": "Count from 1 to 500 in words."}]
    yield (_chat(spec, "streams.cancelled", "give-up", {"messages": task, "max_tokens": 64}, cancel_after=BYTES),)
    after = {"messages": [{"role": "user", "content": NEXT}], "max_tokens": 32}
    yield (_chat(spec, "streams.cancelled", "next.stream", after),)
    yield (_chat(spec, "streams.cancelled", "next.plain", {**after, "stream": False}),)


@scenario("streams.refused", operations=(CHAT,), requests=1)
def refused(spec: Spec, settings: Settings) -> Script:
    """A stream is asked for in a request that can't be served."""
    wrong = Break(pointer="/messages", keyword="type")
    yield (_chat(spec, "streams.refused", "request", {"messages": "none"}, expect=Expect.REJECT, breaks=wrong),)
