"""JSON Pointers (RFC 6901): the only module that parses, builds and follows them.

A *pattern* is a pointer in which the token ``*`` stands for every item of an array and every member of an object.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import jsonpointer

__all__ = ["Step", "escape", "follow", "look_up", "matches", "pointer_to", "tokens"]

#: One step of a path into a value: the name of a member, or the index of an item.
Step = str | int

_NOTHING = object()


@lru_cache(maxsize=16_384)
def tokens(pointer: str) -> tuple[str, ...]:
    """The reference tokens of a pointer, unescaped. Raises :class:`ValueError` for a text that is no pointer."""
    try:
        return tuple(jsonpointer.JsonPointer(pointer).parts)
    except jsonpointer.JsonPointerException as error:
        raise ValueError(f"{pointer!r} is no JSON Pointer: {error}") from None


def escape(token: str) -> str:
    """One reference token as it stands in a pointer (section 3)."""
    return str(jsonpointer.escape(token))


def pointer_to(path: Iterable[Step]) -> str:
    """The pointer of a path of names and indices."""
    return "".join([f"/{jsonpointer.escape(str(step))}" for step in path])


def look_up(value: Any, pointer: str, default: Any = None) -> Any:
    """The value that a pointer names, or the default if there is none. Raises ValueError for a text that is no
    pointer.
    """
    # jsonpointer's own walk takes four times as long, and resolves "-" (the place after the last item) to an object.
    node = value
    for token in tokens(pointer):
        if isinstance(node, dict):
            if token not in node:
                return default
            node = node[token]
        elif isinstance(node, list):
            index = _index(token)
            if index is None or index >= len(node):
                return default
            node = node[index]
        else:
            return default
    return node


def follow(value: Any, pointer: str) -> Any:
    """The value that a pointer, or a fragment (``#/components/…``), names.

    Raises :class:`KeyError` if there is none or if the text is no pointer.
    """
    try:
        found = look_up(value, pointer.removeprefix("#"), _NOTHING)
    except ValueError:
        found = _NOTHING
    if found is _NOTHING:
        raise KeyError(pointer)
    return found


def matches(value: Any, pattern: str) -> Iterator[tuple[tuple[Step, ...], Any]]:
    """Yield (path, value) for every place that a pattern names, in the order of the value.

    Raises :class:`ValueError` for a pattern that is no pointer.
    """
    return _matches(value, tokens(pattern), ())


def _matches(value: Any, rest: tuple[str, ...], path: tuple[Step, ...]) -> Iterator[tuple[tuple[Step, ...], Any]]:
    """Yield the matches below ``path`` for the remaining tokens."""
    if not rest:
        yield path, value
        return
    for step in _steps(value, rest[0]):
        yield from _matches(value[step], rest[1:], (*path, step))


def _steps(value: Any, word: str) -> Iterable[Step]:
    """The steps that one token of a pattern allows from a value."""
    if isinstance(value, list):
        index = _index(word)
        return range(len(value)) if word == "*" else (index,) if index is not None and index < len(value) else ()
    if isinstance(value, Mapping):
        return tuple(value) if word == "*" else (word,) if word in value else ()
    return ()


def _index(word: str) -> int | None:
    """The index that a token names in an array: decimal digits without a leading zero (section 4)."""
    # str.isdigit() accepts "²", which int() refuses.
    plain = word.isascii() and word.isdigit() and (word == "0" or word[0] != "0")
    return int(word) if plain else None
