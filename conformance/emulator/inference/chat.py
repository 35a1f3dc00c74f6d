"""Chat completions: one conversation in, ``n`` choices out, as one object or as chunks."""

from __future__ import annotations

from conformance.emulator.call import Call
from conformance.emulator.handlers import handles
from conformance.emulator.inference import filters
from conformance.emulator.inference.chat_message import fingerprint, logprobs_of, message_of, usage, with_logprobs
from conformance.emulator.inference.chat_stream import Chunks
from conformance.emulator.inference.conversation import chat_choice
from conformance.evidence.exchange import Response

__all__ = ["create"]


@handles("chat.completions.create")
def create(call: Call) -> Response:
    """The completion of a conversation."""
    deployment = call.deployment("chat")
    answers = [chat_choice(call, deployment, index) for index in range(int(call.choice("n", 1)))]
    head = {
        "id": call.store.new_id("chatcmpl-", 29),
        "object": "chat.completion",
        "created": call.clock.now(),
        "model": deployment.model,
        "system_fingerprint": fingerprint(deployment),
    }
    if call.wants_stream():
        return call.stream(Chunks(call, head | {"object": "chat.completion.chunk"}, answers).events())
    choices = [
        {
            "index": index,
            "finish_reason": one.finish,
            "logprobs": {"content": logprobs_of(call, one), "refusal": None} if with_logprobs(call, one) else None,
            "message": message_of(call, one),
            "content_filter_results": filters.for_choice(),
        }
        for index, one in enumerate(answers)
    ]
    return call.json(
        head | {"choices": choices, "usage": usage(call, answers), "prompt_filter_results": filters.prompts()}
    )
