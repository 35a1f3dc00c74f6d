"""Text completions: prompts in, ``n`` choices per prompt out, as one object or as chunks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import frozen

from conformance.emulator.call import Call
from conformance.emulator.events import Event
from conformance.emulator.handlers import handles
from conformance.emulator.inference import filters
from conformance.emulator.inference.chat_message import fingerprint
from conformance.emulator.inference.text import Written, alternatives, count, cut, logprob, offsets, reply, tokenize
from conformance.evidence.exchange import Response

__all__ = ["create"]

#: The prompt that stands in for a missing one, as documented: the start of a new document.
_NO_PROMPT = "<|endoftext|>"


@frozen
class _Choice:
    """One choice: the generated text, preceded by the prompt if ``echo`` was requested."""

    index: int
    echoed: tuple[str, ...]
    written: Written

    @property
    def tokens(self) -> tuple[str, ...]:
        return self.echoed + self.written.tokens


@handles("completions.create")
def create(call: Call) -> Response:
    """The completions of one or several prompts, in the order of the prompts."""
    deployment = call.deployment("completions")
    prompts = _prompts(call.get("prompt"))
    choices = _choices(call, prompts)
    head = {
        "id": call.store.new_id("cmpl-", 29),
        "object": "text_completion",
        "created": call.clock.now(),
        "model": deployment.model,
        "system_fingerprint": fingerprint(deployment),
    }
    if call.wants_stream():
        return call.stream(_chunks(call, head, prompts, choices))
    shown = [
        {
            "index": one.index,
            "text": "".join(one.tokens),
            "finish_reason": one.written.finish,
            "logprobs": _logprobs(call, one.tokens, 0, 0),
            "content_filter_results": filters.for_choice(),
        }
        for one in choices
    ]
    body = {**head, "choices": shown, "usage": _usage(prompts, choices)}
    return call.json(body | {"prompt_filter_results": filters.prompts(len(prompts))})


def _prompts(prompt: Any) -> list[str]:
    """Each prompt as text. A token id becomes a made-up word; a list of numbers is one prompt."""
    if prompt is None:
        return [_NO_PROMPT]
    if isinstance(prompt, str):
        return [prompt]
    if prompt and not isinstance(prompt[0], (str, list)):
        return [_words(prompt)]
    return [one if isinstance(one, str) else _words(one) for one in prompt]


def _words(ids: Sequence[Any]) -> str:
    """Made-up words for token ids."""
    return "".join(f" t{int(one) % 10_000}" for one in ids)


def _choices(call: Call, prompts: Sequence[str]) -> list[_Choice]:
    """All choices: ``n`` for each prompt, numbered through."""
    many = int(call.choice("n", 1))
    # 16 is the documented default, which chat doesn't have.
    limit = int(call.choice("max_tokens", 16))
    stop = call.get("stop", [])
    choices: list[_Choice] = []
    for prompt in prompts:
        echoed = tuple(tokenize(prompt)) if call.get("echo") is True else ()
        for number in range(many):
            text = reply(prompt, f"{call.get('seed', '')}/{number}/{call.get('suffix', '')}")
            # With a space in front, because ``echo`` puts the text right after the prompt.
            written = cut(f" {text}", stop=[stop] if isinstance(stop, str) else stop, limit=limit)
            choices.append(_Choice(len(choices), echoed, written))
    return choices


def _usage(prompts: Sequence[str], choices: Sequence[_Choice]) -> dict[str, Any]:
    """Token counts over all prompts and choices."""
    prompt = sum(count(one) for one in prompts)
    completion = sum(len(one.written.tokens) for one in choices)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        # Such models cache nothing, and neither hear, speak nor predict; where the counts are documented they are 0.
        "prompt_tokens_details": {"audio_tokens": 0, "cached_tokens": 0},
        "completion_tokens_details": {
            "accepted_prediction_tokens": 0,
            "audio_tokens": 0,
            "reasoning_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _logprobs(call: Call, tokens: Sequence[str], place: int, offset: int) -> dict[str, Any] | None:
    """Parallel lists over the tokens. ``place`` and ``offset`` are the position of the first one, in tokens and
    characters.

    ``logprobs: 0`` gives the chosen tokens without alternatives.
    """
    asked = call.get("logprobs")
    if asked is None or isinstance(asked, bool):
        return None
    places = range(place, place + len(tokens))
    return {
        "tokens": list(tokens),
        "token_logprobs": [logprob(token, at) for token, at in zip(tokens, places, strict=True)],
        "top_logprobs": [dict(alternatives(token, at, int(asked))) for token, at in zip(tokens, places, strict=True)],
        "text_offset": offsets(tokens, offset),
    }


def _chunks(call: Call, head: Mapping[str, Any], prompts: Sequence[str], choices: Sequence[_Choice]) -> Iterator[Event]:
    """Yield the filter results of the prompts, the tokens of all choices in turn, one end per choice, usage if
    requested.
    """
    # Some versions document the usage of a stream and not the field that asks for it.
    asked = call.body.get("stream_options") if call.documented.event_data(None).has("usage") else None
    counted = isinstance(asked, dict) and asked.get("include_usage") is True
    usage: dict[str, Any] = {"usage": None} if counted else {}
    if call.settings.filter_first_chunk and call.documented.event_data(None).has("prompt_filter_results"):
        annotated = {"prompt_filter_results": filters.prompts(len(prompts)), "choices": []}
        yield Event({"id": "", "object": "", "created": 0, "model": "", **annotated, **usage})

    def chunk(one: _Choice, tokens: Sequence[str], place: int, finish: str | None = None) -> Event:
        offset = len("".join(one.tokens[:place]))
        choice = {
            "index": one.index,
            "text": "".join(tokens),
            "finish_reason": finish,
            "logprobs": _logprobs(call, tokens, place, offset) if tokens else None,
            "content_filter_results": filters.for_choice() if tokens else {},
        }
        return call.event({**head, "choices": [choice], **usage})

    for place in range(max((len(one.tokens) for one in choices), default=0)):
        for one in choices:
            if place < len(one.tokens):
                yield chunk(one, one.tokens[place : place + 1], place)
    for one in choices:
        yield chunk(one, (), len(one.tokens), one.written.finish)
    if counted:
        yield call.event({**head, "choices": [], "usage": _usage(prompts, choices)})
