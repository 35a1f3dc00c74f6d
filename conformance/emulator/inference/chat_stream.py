"""The chunks of a streamed chat answer, in the order in which the service sends them.

Filter results of the prompt, a role per choice, deltas in turn, an end per choice, usage where it was asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import define, field

from conformance.emulator.call import Call
from conformance.emulator.events import Event
from conformance.emulator.inference import filters
from conformance.emulator.inference.chat_message import audio_of, context_of, speaks, token_logprob, tool_call, usage
from conformance.emulator.inference.conversation import Said

__all__ = ["Chunks"]

Delta = tuple[dict[str, Any], list[dict[str, Any]]]

#: The head of chunks that carry filter results only.
_NAMELESS = {"id": "", "object": "", "created": 0, "model": ""}


@define(eq=False)
class Chunks:
    """The chunks of one answer; ``head`` holds the fields that every chunk repeats."""

    call: Call
    head: Mapping[str, Any]
    said: Sequence[Said]
    _usage: dict[str, Any] = field(init=False)

    def __attrs_post_init__(self) -> None:
        # where usage is asked for, the chunks before the last carry null
        self._usage = {"usage": None} if self._counted else {}

    @property
    def _counted(self) -> bool:
        return bool((self.call.get("stream_options") or {}).get("include_usage"))

    def events(self) -> Iterator[Event]:
        """All chunks but the sentinel."""
        call = self.call
        documented = call.surface.event_data(None)
        if call.settings.filter_first_chunk and documented.has("prompt_filter_results"):
            yield Event({**_NAMELESS, "prompt_filter_results": filters.prompts(), "choices": [], **self._usage})
        for index, one in enumerate(self.said):
            role: dict[str, Any] = {"role": "assistant", "content": None if one.calls else "", "refusal": None}
            yield self._chunk(index, role | ({"context": context_of(call)} if call.get("data_sources") else {}))
        yield from self._turns()
        late = call.settings.asynchronous_filter and documented.has("choices", "*", "content_filter_results")
        for index, one in enumerate(self.said):
            yield self._chunk(index, {}, one.finish)
            if late:
                yield self._annotation(index, len("".join(one.tokens)))
        if self._counted:
            yield call.event({**self.head, "choices": [], "usage": usage(call, self.said)})

    def _turns(self) -> Iterator[Event]:
        """Choices take turns, so that a reader has to tell them apart by their index."""
        deltas = [_deltas(self.call, one) for one in self.said]
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
        choice: dict[str, Any] = {"index": index, "delta": dict(delta), "finish_reason": finish}
        choice["logprobs"] = {"content": list(logprobs), "refusal": None} if logprobs else None
        if not self.call.settings.asynchronous_filter:
            choice["content_filter_results"] = filters.for_choice() if delta.get("content") else {}
        return self.call.event({**self.head, "choices": [choice], **self._usage})

    def _annotation(self, index: int, end: int) -> Event:
        """Results of the asynchronous filter: no delta, and they may follow the end of the choice."""
        choice = {
            "index": index,
            "finish_reason": None,
            "content_filter_results": filters.for_choice(),
            "content_filter_offsets": {"check_offset": end, "start_offset": 0, "end_offset": end},
        }
        return Event({**_NAMELESS, "choices": [choice], **self._usage})


def _deltas(call: Call, said: Said) -> list[Delta]:
    """The deltas of one choice after its role, each with the logprobs of its token."""
    if speaks(call, said):
        audio = audio_of(call, said)
        pieces: list[dict[str, Any]] = [{"id": audio["id"], "transcript": token} for token in said.tokens]
        pieces += [{"id": audio["id"], "data": audio["data"]}, {"id": audio["id"], "expires_at": audio["expires_at"]}]
        return [({"audio": piece}, []) for piece in pieces]
    if not said.calls:
        wanted, many = call.get("logprobs") is True, int(call.get("top_logprobs", 0))
        return [
            ({"content": token}, [token_logprob(token, place, many)] if wanted else [])
            for place, token in enumerate(said.tokens)
        ]
    deltas: list[Delta] = []
    for index, made in enumerate(said.calls):
        if said.legacy:
            deltas.append(({"function_call": {"name": made.name, "arguments": ""}}, []))
            deltas += [({"function_call": {"arguments": piece}}, []) for piece in made.arguments]
        else:
            deltas.append(({"tool_calls": [{"index": index, **tool_call(call, made, "")}]}, []))
            deltas += [
                ({"tool_calls": [{"index": index, "function": {"arguments": piece}}]}, []) for piece in made.arguments
            ]
    return deltas
