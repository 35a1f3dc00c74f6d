"""How planted gateways edit messages: JSON, events, header fields, targets."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from attrs import evolve

from .forwarder import Alter, Message

__all__ = ["body_in", "drop", "events_in", "field", "in_json", "more", "put", "rename", "target"]


def in_json(change: Callable[[Any], Any]) -> Alter:
    """Edit a JSON body in place; ``change`` may return another value. Bodies that aren't JSON pass."""

    def alter(message: Message) -> Message:
        try:
            value = json.loads(message.body)
        except ValueError:
            return message
        result = change(value)
        new = value if result is None else result
        return evolve(message, body=json.dumps(new, ensure_ascii=False, separators=(",", ":")).encode())

    return alter


def field(name: str, value: Any) -> Alter:
    """Set a member of a JSON object, with anything that has a body."""
    return in_json(lambda body: body.update({name: value}) if isinstance(body, dict) else None)


def drop(*path: str | int) -> Alter:
    """Remove a member deep in a JSON value, where it is."""

    def change(body: Any) -> None:
        inner = body
        for step in path[:-1]:
            try:
                inner = inner[step]
            except (KeyError, IndexError, TypeError):
                return
        if isinstance(inner, dict):
            inner.pop(path[-1], None)
        elif isinstance(inner, list) and inner:
            del inner[int(path[-1])]

    return in_json(change)


def put(value: Any, *path: str | int) -> Alter:
    """Replace a member deep in a JSON value, where it is."""

    def change(body: Any) -> None:
        inner = body
        for step in path[:-1]:
            try:
                inner = inner[step]
            except (KeyError, IndexError, TypeError):
                return
        if isinstance(inner, dict) and path[-1] in inner:
            inner[path[-1]] = value(inner[path[-1]]) if callable(value) else value

    return in_json(change)


def more(name: str, value: str) -> Alter:
    """Add a header field."""
    return lambda message: message.having(name, value)


def rename(old: str, new: str) -> Alter:
    """Give a header field another name."""
    return lambda message: message.without(old).having(new, message.header(old)) if message.header(old) else message


def target(change: Callable[[str], str]) -> Alter:
    """Edit the target of a request."""
    return lambda message: evolve(message, line=(message.line[0], change(message.line[1])))


def body_in(change: Callable[[bytes], bytes]) -> Alter:
    """Edit the bytes of a body."""
    return lambda message: evolve(message, body=change(message.body)) if message.body else message


def events_in(change: Callable[[list[str]], list[str]]) -> Alter:
    """Edit the events of a stream: their data, in order. Other answers pass."""

    def alter(message: Message) -> Message:
        if "text/event-stream" not in message.header("content-type"):
            return message
        events = [one for one in message.body.decode("utf-8", "replace").split("\n\n") if one]
        data = change([one.removeprefix("data: ") for one in events])
        return evolve(message, body="".join(f"data: {one}\n\n" for one in data).encode())

    return alter
