"""The chunks of a streamed chat answer, in the order in which the service sends them.

First the filter results of the prompt, then one role per choice, the deltas of all choices in turn, one end per choice,
and the usage if it was requested.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import define, field

from conformance.emulator.call import Call
from conformance.emulator.events import Event
from conformance.emulator.inference import filters
from conformance.emulator.inference.chat_message import audio_of, context_of, speaks, token_logprob, tool_call, usage
from conformance.emulator.inference.conversation import ChatChoice

__all__ = ["Chunks"]

#: A delta and the log probability entries of its token.
Delta = tuple[dict[str, Any], list[dict[str, Any]]]

#: The empty head of chunks that carry nothing but filter results.
_NAMELESS = {"id": "", "object": "", "created": 0, "model": ""}


@define(eq=False)
class Chunks:
    """The chunks of one answer. ``head`` holds the fields that every chunk repeats."""

    call: Call
    head: Mapping[str, Any]
    choice: Sequence[ChatChoice]
    _usage: dict[str, Any] = field(init=False)

    def __attrs_post_init__(self) -> None:
        # If usage is requested, all chunks but the last one have "usage": null (documented for stream_options).
        self._usage = {"usage": None} if self._counted else {}

    @property
    def _counted(self) -> bool:
        """True if the request asks for usage."""
        return bool((self.call.get("stream_options") or {}).get("include_usage"))

    def events(self) -> Iterator[Event]:
        """Yield all chunks except the sentinel."""
        call = self.call
        documented = call.documented.event_data(None)
        if call.settings.filter_first_chunk and documented.has("prompt_filter_results"):
            yield Event({**_NAMELESS, "prompt_filter_results": filters.prompts(), "choices": [], **self._usage})
        for index, one in enumerate(self.choice):
            # All roles come before any text, as in the streams of the service.
            role: dict[str, Any] = {"role": "assistant", "content": None if one.calls else "", "refusal": None}
            yield self._chunk(index, role | ({"context": context_of(call)} if call.get("data_sources") else {}))
        yield from self._turns()
        # The asynchronous filter reports after the text; the synchronous one reports within each chunk.
        late = call.settings.asynchronous_filter and documented.has("choices", "*", "content_filter_results")
        for index, one in enumerate(self.choice):
            yield self._chunk(index, {}, one.finish)
            if late:
                yield self._annotation(index, len("".join(one.tokens)))
        if self._counted:
            yield call.event({**self.head, "choices": [], "usage": usage(call, self.choice)})

    def _turns(self) -> Iterator[Event]:
        """Yield the deltas of the choices in turn, so that a client must tell the choices apart by their index."""
        deltas = [_deltas(self.call, one) for one in self.choice]
        for turn in range(max((len(one) for one in deltas), default=0)):
            for index, one in enumerate(deltas):
                if turn < len(one):
                    yield self._chunk(index, one[turn][0], logprobs=one[turn][1])

    def _chunk(
        self,
        index: int,
        delta: Mapping[str, Any],
        finish: str | None = None,
        logprobs: Sequence[Mapping[str, Any]] = (),
    ) -> Event:
        """A chunk with one choice."""
        choice: dict[str, Any] = {"index": index, "delta": dict(delta), "finish_reason": finish}
        choice["logprobs"] = {"content": list(logprobs), "refusal": None} if logprobs else None
        if not self.call.settings.asynchronous_filter:
            choice["content_filter_results"] = filters.for_choice() if delta.get("content") else {}
        return self.call.event({**self.head, "choices": [choice], **self._usage})

    def _annotation(self, index: int, end: int) -> Event:
        """A chunk with results of the asynchronous filter: it has no delta and may follow the end of its choice."""
        choice = {
            "index": index,
            "finish_reason": None,
            "content_filter_results": filters.for_choice(),
            "content_filter_offsets": {"check_offset": end, "start_offset": 0, "end_offset": end},
        }
        return Event({**_NAMELESS, "choices": [choice], **self._usage})


def _deltas(call: Call, choice: ChatChoice) -> list[Delta]:
    """The deltas of one choice after its role, each with the log probabilities of its token."""
    if speaks(call, choice):
        audio = audio_of(call, choice)
        pieces: list[dict[str, Any]] = [{"id": audio["id"], "transcript": token} for token in choice.tokens]
        # The sound comes in one piece after its transcript, the expiry last.
        pieces += [{"id": audio["id"], "data": audio["data"]}, {"id": audio["id"], "expires_at": audio["expires_at"]}]
        return [({"audio": piece}, []) for piece in pieces]
    if not choice.calls:
        wanted, many = call.get("logprobs") is True, int(call.get("top_logprobs", 0))
        return [
            ({"content": token}, [token_logprob(token, place, many)] if wanted else [])
            for place, token in enumerate(choice.tokens)
        ]
    deltas: list[Delta] = []
    for index, made in enumerate(choice.calls):
        if choice.legacy:
            deltas.append(({"function_call": {"name": made.name, "arguments": ""}}, []))
            deltas += [({"function_call": {"arguments": piece}}, []) for piece in made.arguments]
        else:
            # Id, type and name come once; the deltas after it have only the index and a piece of the arguments.
            deltas.append(({"tool_calls": [{"index": index, **tool_call(call, made, "")}]}, []))
            deltas += [
                ({"tool_calls": [{"index": index, "function": {"arguments": piece}}]}, []) for piece in made.arguments
            ]
    return deltas
