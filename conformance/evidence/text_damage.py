"""What can be seen of a text that was decoded or cut wrongly on its way, without reading its prose."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from attrs import frozen

__all__ = ["Damage", "damage", "shows_none", "strings", "told_once"]

#: The kinds of JSON values that are or may hold strings.
_HOLDERS = frozenset((str, dict, list))

_SURROGATE = re.compile("[\ud800-\udfff]")
#: The control characters U+0080 to U+009F. No text of a model or a person has a use for them.
_C1 = re.compile("[\x80-\x9f]")


@frozen
class Damage:
    """What is wrong with a text. ``certain`` is False where a model could have written such a text on its own."""

    message: str
    shown: str
    certain: bool = True


def damage(text: str) -> Damage | None:
    """The damage of a text; None where it shows none.

    Certain are halves of surrogate pairs, which have no UTF-8 form (RFC 3629 section 3, RFC 8259 section 8.2), and
    UTF-8 that was read as Latin-1 or Windows-1252 and encoded again: every character beyond ASCII belongs to a sequence
    that is UTF-8 in that encoding.
    """
    half = _SURROGATE.search(text)
    if half:
        return Damage("the text has half of a surrogate pair, which UTF-8 can't hold", ascii(half.group()))
    if not text.isascii():
        for encoding, name in (("latin-1", "Latin-1"), ("cp1252", "Windows-1252")):
            meant = _again(text, encoding)
            if meant is not None:
                return Damage(
                    f"the text is UTF-8 that was read as {name} and encoded again", f"{text[:40]!r} for {meant[:40]!r}"
                )
        control = _C1.search(text)
        if control:
            return Damage("the text has a C1 control character", ascii(control.group()), certain=False)
        if "\ufffd" in text:
            return Damage("the text has U+FFFD, the sign of bytes that could not be decoded", text[:40], certain=False)
    return None


def shows_none(content: bytes) -> bool:
    """True for a JSON text whose strings can show no damage: all that is beyond ASCII, or an escape for it, is
    absent. That is quickly seen; a look at each string takes a twentieth of a run.
    """
    return content.isascii() and b"\\u" not in content


def told_once(found: Iterable[tuple[str, Damage]]) -> Iterator[tuple[str, Damage, str]]:
    """Yield (place, damage, message) for the first place of each kind of damage; certain ones come first.

    One damaged text stands in several places: in its deltas, in the finished part, in the finished answer. The message
    says how many there are.
    """
    kinds: dict[str, list[tuple[str, Damage]]] = {}
    for place, harm in found:
        kinds.setdefault(harm.message, []).append((place, harm))
    for message, places in sorted(kinds.items(), key=lambda kind: not kind[1][0][1].certain):
        place, harm = places[0]
        yield place, harm, f"{message} (in {len(places)} places)" if len(places) > 1 else message


def _again(text: str, encoding: str) -> str | None:
    """What a text was before it was read in an encoding; None if it wasn't."""
    try:
        meant = text.encode(encoding).decode("utf-8")
    except UnicodeError:
        return None
    return meant if len(meant) < len(text) else None


def strings(value: Any, pointer: str = "") -> Iterator[tuple[str, str]]:
    """Yield (JSON Pointer, text) of every string in a JSON value, member names included."""
    stack = [(pointer, value)]
    while stack:
        place, one = stack.pop()
        if isinstance(one, str):
            yield place, one
        elif isinstance(one, dict):
            for name, inner in one.items():
                yield place, name
                stack.append((f"{place}/{name}", inner))
        # Most long lists hold numbers alone. A look at each of them would take most of the time of a run.
        elif isinstance(one, list) and not _HOLDERS.isdisjoint(map(type, one)):
            stack.extend((f"{place}/{i}", inner) for i, inner in enumerate(one) if type(inner) in _HOLDERS)
