"""An event stream as one value, whatever its events were cut into: what a client knows once it has read it all.

Texts of deltas are joined. Events are told apart by what they speak of (the choice, the item, the type of the event),
never by their position, because an intermediary may merge, split or interleave them without changing what they say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from conformance.evidence.event_stream import Event, stream_of
from conformance.evidence.exchange import Response

__all__ = ["DONE", "is_stream", "payloads", "told"]

#: The data of the last event of a chat stream.
DONE = "[DONE]"

#: Members whose texts are parts of a longer text.
_PARTS = ("content", "refusal", "arguments", "text", "delta", "reasoning_content", "transcript", "data")

#: Members by which events of one kind are told apart.
_KEYS = ("output_index", "item_id", "content_index", "summary_index", "annotation_index")


def is_stream(response: Response | None) -> bool:
    """True if an answer says that it is an event stream."""
    return response is not None and response.media_type == "text/event-stream"


def payloads(response: Response) -> tuple[Event, ...]:
    """The events with data, in order."""
    return tuple(event for event in stream_of(response).events if event.data)


def told(response: Response) -> dict[str, Any]:
    """What the events of a stream say, as one JSON value.

    ``done`` counts the ``[DONE]`` events, ``choices`` has what the chunks say of each choice, ``types`` what typed
    events say, ``names`` the event fields, ``other`` data that is no JSON object, and every other member of a chunk
    stands under its name with its values in order, each once.
    """
    made: dict[str, Any] = {}
    for event in payloads(response):
        if event.data == DONE:
            made["done"] = made.get("done", 0) + 1
            continue
        value = event.json if event.is_json else None
        if event.name is not None:
            _each_once(made, "names", event.name)
        if not isinstance(value, dict):
            made.setdefault("other", []).append(event.data)
        elif isinstance(value.get("type"), str) and not isinstance(value.get("choices"), list):
            _typed(made.setdefault("types", {}), value)
        else:
            _chunk(made, value)
    return made


def _chunk(made: dict[str, Any], value: Mapping[str, Any]) -> None:
    """Add what a chunk of a chat or completion says."""
    for key, member in value.items():
        if key == "choices" and isinstance(member, list):
            for number, choice in enumerate(member):
                if isinstance(choice, dict):
                    index = choice.get("index", number)
                    _joined(made.setdefault("choices", {}).setdefault(f"choice {index}", {}), choice)
                else:
                    made.setdefault("other", []).append(choice)
        else:
            _each_once(made, key, member)


def _joined(made: dict[str, Any], value: Mapping[str, Any]) -> None:
    """Add what one choice, delta or tool call says to what was said before."""
    for key, member in value.items():
        if key in _PARTS and isinstance(member, str):
            before = made.get(key)
            made[key] = (before if isinstance(before, str) else "") + member
        elif key in _PARTS and member is None:
            made.setdefault(key, None)
        elif isinstance(member, dict) and key in ("delta", "function", "audio"):
            _joined(made.setdefault(key, {}), member)
        elif key == "tool_calls" and isinstance(member, list):
            calls = made.setdefault(key, {})
            for number, call in enumerate(member):
                if isinstance(call, dict):
                    _joined(calls.setdefault(f"call {call.get('index', number)}", {}), call)
        elif key == "logprobs" and isinstance(member, dict):
            for name, values in member.items():
                if isinstance(values, list):
                    made.setdefault(key, {}).setdefault(name, []).extend(values)
        else:
            _each_once(made, key, member)


def _typed(made: dict[str, Any], value: Mapping[str, Any]) -> None:
    """Add what a typed event says. Deltas of one part of one item are joined; ``sequence_number`` counts events."""
    where = " ".join(f"{key} {value[key]}" for key in _KEYS if key in value)
    name = f"{value['type']} {where}".strip()
    plain = {key: member for key, member in value.items() if key not in ("sequence_number", "obfuscation")}
    if isinstance(plain.get("delta"), str):
        _joined(made.setdefault(name, {}), plain)
    else:
        made.setdefault(name, []).append(plain)


def _each_once(made: dict[str, Any], key: str, value: Any) -> None:
    """Note a value, once."""
    values = made.setdefault(key, [])
    if value not in values:
        values.append(value)


def stamps(response: Response) -> Iterator[tuple[float, Event]]:
    """Yield each event with the seconds at which its last byte came."""
    for event in payloads(response):
        yield event.at, event
