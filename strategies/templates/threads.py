"""Templates for threads, messages and runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..drafts import Draft
from ..sample_files import PNG_URL
from ..template_builders import TemplateContext, template
from ..vocabulary import SCRIPTS
from .chat import FORCED, TOOL

HELLO = {"role": "user", "content": "Say hello in one word."}


@template("threads.create")
def threads(context: TemplateContext) -> Iterator[Draft]:
    """A thread, empty or with messages."""
    yield context.draft("threads.create", {})
    # The document allows a POST without any content.
    yield context.draft("threads.create.no-body")
    yield context.draft("threads.create.message", {"messages": [HELLO]})
    replied = [HELLO, {"role": "assistant", "content": "Hello."}, HELLO]
    yield context.draft("threads.create.turns", {"messages": replied})
    yield context.draft("threads.create.metadata", {"metadata": {"suite": "conformance", "run": "{run}"}})


@template("threads.modify", "threads.messages.modify", "threads.runs.modify")
def changes(context: TemplateContext) -> Iterator[Draft]:
    """Modify metadata: set it, empty it, use other scripts."""
    kind = context.operation.id.split(".")[-2]
    yield context.draft(f"{kind}.modify", {"metadata": {"suite": "conformance", "state": "changed"}})
    # An empty object removes all pairs; it must not be taken for a missing field.
    yield context.draft(f"{kind}.modify.empty", {"metadata": {}})
    yield context.draft(f"{kind}.modify.scripts", {"metadata": {"Grüße": SCRIPTS}})


@template("threads.messages.create")
def messages(context: TemplateContext) -> Iterator[Draft]:
    """Messages of a thread with each kind of content."""

    def say(form: str, content: Any = HELLO["content"], either: str = "", **fields: Any) -> Draft:
        return context.draft(f"messages.create.{form}", {"role": "user", "content": content, **fields}, either=either)

    yield say("plain")
    yield say("assistant", role="assistant")
    yield say("scripts", SCRIPTS)
    # White space that must come back unchanged.
    yield say("lines", "one\ttwo\r\nthree")
    yield say("parts", [{"type": "text", "text": "Say hello in one word."}])
    vision = "only models with vision take pictures"
    yield say("picture", [{"type": "image_url", "image_url": {"url": PNG_URL}}], either=vision)
    yield say("metadata", metadata={"suite": "conformance"})
    file = {"file_id": "{file_id}", "tools": [{"type": "file_search"}]}
    yield say("attachment", attachments=[file])


@template("threads.runs.create", "threads.create_and_run")
def runs(context: TemplateContext) -> Iterator[Draft]:
    """Runs: plain, streamed, with instructions, limits and tools."""
    whole = context.operation.id == "threads.create_and_run"

    def run(role: str, either: str = "", **fields: Any) -> Draft:
        body: dict[str, Any] = {"assistant_id": "{assistant_id}"}
        if whole:
            body["thread"] = {"messages": [HELLO]}
        name = "create_and_run" if whole else "runs.create"
        return context.draft(f"{name}.{role}", {**body, **fields}, either=either)

    yield run("plain")
    yield run("instructions", instructions="Answer in one word.")
    yield run("additional", additional_instructions="Answer in English.", additional_messages=[HELLO])
    yield run("model", model="{deployment}")
    yield run("metadata", metadata={"suite": "conformance"})
    yield run("sampling", temperature=0.2, top_p=0.9)
    yield run("limits", max_prompt_tokens=1024, max_completion_tokens=256)
    yield run("truncation.last", truncation_strategy={"type": "last_messages", "last_messages": 1})
    yield run("truncation.auto", truncation_strategy={"type": "auto", "last_messages": None})
    yield run("tools", tools=[TOOL])
    yield run("forced-tool", tools=[TOOL], tool_choice=FORCED)
    yield run("format", response_format="auto")
    yield run("stream", stream=True)
    yield run("stream.forced-tool", stream=True, tools=[TOOL], tool_choice=FORCED)
    if whole:
        # Ends of a stream that a run of its own thread shows best: cut off by its limit, and failed.
        long = {"messages": [{"role": "user", "content": "Count from 1 to 900 in words, one number after the other."}]}
        yield run("stream.limits", stream=True, thread=long, max_completion_tokens=256)
        unknown = "an unknown model may be refused, or the run fails"
        yield run("stream.failed", unknown, stream=True, model="no-such-deployment")


@template("threads.runs.submit_tool_outputs")
def outputs(context: TemplateContext) -> Iterator[Draft]:
    """Submit an output for a tool call that the run may not have made."""
    why = "the run must have asked for this call"
    body = {"tool_outputs": [{"tool_call_id": "call_1", "output": '{"celsius":7}'}]}
    yield context.draft("runs.submit", body, either=why)
    yield context.draft("runs.submit.stream", {**body, "stream": True}, either=why)
