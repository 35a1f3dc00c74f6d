"""Mutants of what a request sends along: overrides, messages, choices of tools, vector stores, training files."""

from __future__ import annotations

from attrs import evolve

from conformance.emulator.call import Call
from conformance.emulator.edits import Value, each_object
from conformance.emulator.handlers import Handler
from conformance.emulator.mutants import mutant
from conformance.evidence.exchange import Response


def _without(call: Call, *names: str) -> Call:
    """The call without some fields of its body."""
    body = call.body if isinstance(call.body, dict) else {}
    return evolve(call, body={name: value for name, value in body.items() if name not in names})


@mutant(
    "run.override-kept",
    "What a run overrides does not change its assistant.",
    "threads.runs.create",
    seen_by="assistants.get",
)
def override_kept(call: Call, answer: Handler) -> Response:
    response = answer(call)
    assistant = call.store.collection("assistants").get(call.body["assistant_id"])
    assistant |= {name: call.body[name] for name in ("instructions", "tools") if name in call.body}
    return response


@mutant(
    "run.additional-messages-lost",
    "The additional messages of a run are in its thread.",
    "threads.runs.create",
    about="truncation_strategy",
)
def additional_messages_lost(call: Call, answer: Handler) -> Response:
    return answer(_without(call, "additional_messages"))


@mutant(
    "run.choice-none-ignored",
    "A run that may call no tool calls none.",
    "threads.runs.create",
    about="tool_choice",
)
def choice_none_ignored(call: Call, answer: Handler) -> Response:
    return answer(_without(call, "tool_choice") if call.body.get("tool_choice") == "none" else call)


@mutant(
    "thread.first-messages-lost",
    "A thread holds the messages that it was created with.",
    "threads.create",
    seen_by="threads.messages.list",
)
def first_messages_lost(call: Call, answer: Handler) -> Response:
    return answer(_without(call, "messages"))


@mutant(
    "thread.store-not-made",
    "A thread names the vector store that was made for it.",
    "threads.create",
    seen_by="vector_stores.get",
)
def store_not_made(call: Call, answer: Handler) -> Response:
    def forget(one: Value) -> None:
        one["tool_resources"] = {}

    return each_object(answer(call), forget)


@mutant(
    "eval.all-rows-pass",
    "A string check passes the rows in which its comparison holds, and no others.",
    "evals.runs.output_items.list",
)
def all_rows_pass(call: Call, answer: Handler) -> Response:
    def passed(one: Value) -> None:
        one["status"] = "pass"
        for result in one["results"]:
            result["passed"] = True

    return each_object(answer(call), passed)
