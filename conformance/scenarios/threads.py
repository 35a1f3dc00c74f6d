"""Threads that are created with messages."""

from __future__ import annotations

from conformance.scenarios.resource_kinds import kind
from conformance.scenarios.scenario import Script, Settings, scenario
from conformance.scenarios.steps import call, create, created_id
from conformance.spec.spec import Spec

#: The messages of a new thread. Their texts differ, so that each can be found again.
FIRST = tuple(
    {"role": "user", "content": text} for text in ("My name is Ada.", "I like boats.", "It is Monday. Grüße!")
)


@scenario("threads.first-messages", operations=("threads.create", "threads.messages.list"), requests=4)
def first_messages(spec: Spec, settings: Settings) -> Script:
    """A thread is created with three messages, and its messages are read."""
    name = "threads.first-messages"
    (made,) = yield (create(spec, kind("thread"), "thread", wanted={"messages": list(FIRST)}).at(name, "create"),)
    thread = created_id(made)
    if thread is not None:
        query = {"order": "asc", "limit": 100}
        look = call(spec, "threads.messages.list", "{thread}", role="messages", query=query, known={"thread": thread})
        yield (look.at(name, "messages"),)
