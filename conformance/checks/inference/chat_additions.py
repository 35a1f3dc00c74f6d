"""Checks of what a chat message holds besides its text: a context and audio only where they were asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from conformance.checks.inference.chat import CHAT, body_of, choices_of, message_of, plain_object, posted
from conformance.evidence.trace import Observation
from conformance.judging.check import Needs, check
from conformance.judging.counterexamples import on_json
from conformance.requests.case import Case
from conformance.requests.request import Request
from conformance.spec.spec import Spec
from conformance.streams.chunks import choices_in
from conformance.verdict import Finding, Level


def _cited(value: Any, request: Request) -> Any:
    """Counterexample: a context of nothing."""
    if (request.json or {}).get("data_sources"):
        return None
    for _, choice in choices_in(value):
        choice["message"]["context"] = {"citations": [], "intent": "[]"}
    return value if value.get("choices") else None


@check(
    "chat.context.only-when-asked",
    Level.MUST,
    clause="chat-context-needs-data-source",
    counterexample=on_json(_cited, when=posted),
    operations=CHAT,
    about=lambda spec, case: plain_object(spec, case) and not body_of(case).get("data_sources"),
    needs=Needs.SUCCESS,
    features=("chat.data_sources",),
)
def context_only_when_asked(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """A message has a context only if the request names a data source.

    A context says which documents an answer rests on. Without a data source there are none.
    """
    for index, choice in enumerate(choices_of(seen)):
        if message_of(choice).get("context") is not None:
            yield seen.finding(
                "a context although no data source was named",
                place=f"/choices/{index}/message/context",
                expected="no context",
                actual=str(message_of(choice)["context"])[:80],
            )


def _asks_audio(case: Case) -> bool:
    """Return True if the request asks for spoken answers."""
    modalities = body_of(case).get("modalities")
    return isinstance(modalities, list) and "audio" in modalities


def _spoken(value: Any, request: Request) -> Any:
    """Counterexample: audio that nobody asked for."""
    if "audio" in ((request.json or {}).get("modalities") or ()):
        return None
    for _, choice in choices_in(value):
        choice["message"]["audio"] = {"id": "audio_1", "data": "AAAA", "expires_at": 1, "transcript": "Hi"}
    return value if value.get("choices") else None


@check(
    "chat.audio.only-when-asked",
    Level.MUST,
    clause="chat-modalities-text",
    counterexample=on_json(_spoken, when=posted),
    operations=CHAT,
    about=lambda spec, case: plain_object(spec, case) and not _asks_audio(case),
    needs=Needs.SUCCESS,
    features=("chat.audio",),
)
def audio_only_when_asked(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """Without the modality ``audio`` a message has no audio: the answer is text."""
    for index, choice in enumerate(choices_of(seen)):
        if message_of(choice).get("audio") is not None:
            yield seen.finding(
                "audio although none was asked for", place=f"/choices/{index}/message/audio", expected="no audio"
            )


def _without_transcript(value: Any, request: Request) -> Any:
    """Counterexample: audio without its transcript."""
    changed = False
    for _, choice in choices_in(value):
        audio = (choice.get("message") or {}).get("audio")
        if isinstance(audio, dict) and "transcript" in audio:
            del audio["transcript"]
            changed = True
    return value if changed else None


_AUDIO = ("id", "expires_at", "data", "transcript")


@check(
    "chat.audio.answer",
    Level.MUST,
    clause="chat-audio-answer",
    counterexample=on_json(_without_transcript, when=posted),
    operations=CHAT,
    about=lambda spec, case: plain_object(spec, case) and _asks_audio(case),
    needs=Needs.SUCCESS,
    features=("chat.audio",),
    entails=("schema.response",),
)
def audio_answer(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """With the modality ``audio`` an answer that ends normally has audio: id, expires_at, data and transcript."""
    for index, choice in enumerate(choices_of(seen)):
        message = message_of(choice)
        if choice.get("finish_reason") != "stop" or message.get("refusal") or message.get("tool_calls"):
            continue
        audio = message.get("audio")
        missing = [name for name in _AUDIO if not isinstance(audio, dict) or audio.get(name) in (None, "")]
        if missing:
            yield seen.finding(
                f"the audio lacks {', '.join(missing)}",
                place=f"/choices/{index}/message/audio",
                expected=", ".join(_AUDIO),
                actual=sorted(audio) if isinstance(audio, dict) else audio,
            )
