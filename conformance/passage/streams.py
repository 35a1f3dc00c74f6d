"""An event stream as one value, whatever its events were cut into: what a client knows once it has read it all.

Texts of deltas are joined. Events are told apart by what they speak of (the choice, the item, the type of the event),
never by their position, because an intermediary may merge, split or interleave them without changing what they say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from conformance.evidence.event_stream import Event, stream_of
from conformance.evidence.exchange import Response

__all__ = ["DONE", "USAGE", "is_stream", "payloads", "special", "told"]

#: The data of the last event of a chat stream.
DONE = "[DONE]"

#: The name of a chunk that has the usage and no choices.
USAGE = "usage chunk"

#: Members whose texts are parts of a longer text.
_PARTS = ("content", "refusal", "arguments", "text", "delta", "reasoning_content", "transcript", "data")

#: Members by which events of one kind are told apart.
_KEYS = ("output_index", "item_id", "content_index", "summary_index", "annotation_index")


class _Once(list[Any]):
    """Values in their order, each once."""


def is_stream(response: Response | None) -> bool:
    """True if an answer says that it is an event stream."""
    return response is not None and response.media_type == "text/event-stream"


def payloads(response: Response) -> tuple[Event, ...]:
    """The events with data, in order."""
    return tuple(event for event in stream_of(response).events if event.data)


def special(event: Event) -> str:
    """The name of a chunk without text: of prompt filter results, of usage, of filter results, of nothing at all; ""
    for others.
    """
    value = event.json if event.is_json else None
    if not isinstance(value, dict) or not isinstance(value.get("choices"), list):
        return ""
    if not value["choices"]:
        if value.get("prompt_filter_results"):
            return "prompt filter chunk"
        return USAGE if value.get("usage") else "empty chunk"
    bare = all(isinstance(choice, dict) and not choice.get("delta", choice.get("text")) for choice in value["choices"])
    filtered = any("content_filter_results" in choice for choice in value["choices"] if isinstance(choice, dict))
    ended = any(choice.get("finish_reason") for choice in value["choices"] if isinstance(choice, dict))
    return "filter result chunk" if bare and filtered and not ended else ""


def told(events: Iterable[Event]) -> dict[str, Any]:
    """What events say, as one JSON value.

    ``[DONE]`` counts the events that end a stream, ``choices`` has what the chunks say of each choice, ``types`` what
    typed events say, ``names`` the event fields, ``other`` data that is no JSON object. Every other member of a chunk
    stands under its name with its value, or with all its values in order if they differ. A member that is null is
    taken for absent: chunks repeat their form and say something in few of its members.
    """
    made: dict[str, Any] = {}
    for event in events:
        if event.data == DONE:
            made[DONE] = made.get(DONE, 0) + 1
            continue
        value = event.json if event.is_json else None
        if event.name is not None:
            _each_once(made, "names", event.name)
        if not isinstance(value, dict):
            _held(made, "other", list).append(event.data)
        elif isinstance(value.get("type"), str) and not isinstance(value.get("choices"), list):
            _typed(_held(made, "types", dict), value)
        else:
            _chunk(made, value)
    settled = _settled(made)
    assert isinstance(settled, dict)  # noqa: S101 - for the type checker: a table stays one
    return settled


def _settled(value: Any) -> Any:
    """The value without lists around a single value."""
    if isinstance(value, _Once):
        return value[0] if len(value) == 1 else list(value)
    if isinstance(value, dict):
        return {key: _settled(member) for key, member in value.items()}
    return value


def _chunk(made: dict[str, Any], value: Mapping[str, Any]) -> None:
    """Add what a chunk of a chat or completion says."""
    for key, member in value.items():
        if key == "choices" and isinstance(member, list):
            for number, choice in enumerate(member):
                if isinstance(choice, dict):
                    index = choice.get("index", number)
                    _joined(_held(_held(made, "choices", dict), f"choice {index}", dict), choice)
                else:
                    _held(made, "other", list).append(choice)
        else:
            _each_once(made, key, member)


def _joined(made: dict[str, Any], value: Mapping[str, Any]) -> None:
    """Add what one choice, delta or tool call says to what was said before."""
    for key, member in value.items():
        if member is None:
            continue
        if key in _PARTS and isinstance(member, str) and isinstance(made.get(key, ""), str):
            made[key] = made.get(key, "") + member
        elif isinstance(member, dict) and key in ("delta", "function", "audio"):
            _joined(_held(made, key, dict), member)
        elif key == "tool_calls" and isinstance(member, list):
            calls = _held(made, key, dict)
            for number, call in enumerate(member):
                if isinstance(call, dict):
                    _joined(_held(calls, f"call {call.get('index', number)}", dict), call)
        elif key == "logprobs" and isinstance(member, dict):
            for name, values in member.items():
                if isinstance(values, list):
                    _held(_held(made, key, dict), name, list).extend(values)
        else:
            _each_once(made, key, member)


def _typed(made: dict[str, Any], value: Mapping[str, Any]) -> None:
    """Add what a typed event says. Deltas of one part of one item are joined; ``sequence_number`` counts events."""
    where = " ".join(f"{key} {value[key]}" for key in _KEYS if key in value)
    name = f"{value['type']} {where}".strip()
    plain = {key: member for key, member in value.items() if key not in ("sequence_number", "obfuscation")}
    if isinstance(plain.get("delta"), str):
        _joined(_held(made, name, dict), plain)
    else:
        _held(made, name, list).append(plain)


def _each_once(made: dict[str, Any], key: str, value: Any) -> None:
    """Note a value, once; null says nothing."""
    if value is None:
        return
    values = _held(made, key, _Once)
    if value not in values:
        values.append(value)


def _held(made: dict[str, Any], key: str, kind: type[Any]) -> Any:
    """The list or table under a key. What a stream says may contradict itself: then both stand side by side."""
    name = key
    while not isinstance(made.setdefault(name, kind()), kind):
        name += " also"
    return made[name]
