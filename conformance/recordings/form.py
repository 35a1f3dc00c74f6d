"""Reading the parts of a recording: each function names the place and what was expected there if it is something
else.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

from conformance.errors import UsageError
from conformance.requests.headers import Headers

__all__ = ["Node", "json_bytes", "must_rise", "text_bytes", "unbase64"]


def json_bytes(value: Any, where: str) -> bytes:
    """The bytes of a JSON value of which a recording keeps only the value. Raises :class:`UsageError` for what JSON
    doesn't have, such as a date of YAML.
    """
    try:
        return text_bytes(json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False))
    except (TypeError, ValueError) as error:
        raise UsageError(f"a value that JSON can't hold: {error}", where=where) from None


def text_bytes(text: str) -> bytes:
    """A text as UTF-8. Half a surrogate pair stays what it is, so that a bad text is judged as one."""
    return text.encode("utf-8", "surrogatepass")


def unbase64(text: str, where: str) -> bytes:
    """The bytes of a base64 text. Raises :class:`UsageError` if it is none."""
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise UsageError(f"not base64: {error}", where=where) from None


def must_rise(times: Iterable[float], where: str) -> None:
    """Raise :class:`UsageError` unless these are seconds after a request, in order."""
    known = (0.0, *times)
    # Written like this, it is false for what is no number (NaN) too.
    if not all(before <= after < math.inf for before, after in pairwise(known)):
        raise UsageError("times must be seconds after the request, in order", where=where)


class Node:
    """A value of a recording and where it stands. Its methods raise :class:`UsageError` with the place."""

    def __init__(self, value: Any, where: str) -> None:
        self.value, self.where = value, where

    def _wrong(self, expected: str) -> UsageError:
        found = "nothing" if self.value is None else type(self.value).__name__
        return UsageError(f"expected {expected}, found {found}", where=self.where)

    def get(self, *names: str) -> Node:
        """The member with the first of these names that is there; a node of None if none is. Raises if this is no
        object.
        """
        known = self.mapping()
        # Several programs write the same format with other names; a null counts as absent.
        name = next((one for one in names if known.get(one) is not None), names[0])
        return Node(known.get(name), f"{self.where}: {name}")

    def mapping(self) -> Mapping[str, Any]:
        """The object; empty where nothing is."""
        if self.value is None:
            return {}
        if not isinstance(self.value, dict):
            raise self._wrong("an object")
        return self.value

    def items(self, what: str) -> Iterator[Node]:
        """The items of a list, each with its number from 1 as its place."""
        if not isinstance(self.value, list):
            raise self._wrong("a list")
        parent = self.where.rpartition(": ")[0] or self.where
        for number, value in enumerate(self.value, start=1):
            yield Node(value, f"{parent}: {what} {number}")

    def text(self, default: str | None = None) -> str:
        """The text; the default where nothing is, if there is a default."""
        if self.value is None and default is not None:
            return default
        if not isinstance(self.value, str):
            raise self._wrong("a text")
        return self.value

    def field_value(self) -> str:
        """The value of a header field: a text, or a number that YAML made of one."""
        plain = isinstance(self.value, int | float) and not isinstance(self.value, bool)
        return str(self.value) if plain else self.text("")

    def number(self, default: float = 0.0) -> float:
        """The number; the default where nothing is."""
        if self.value is None:
            return default
        if isinstance(self.value, bool) or not isinstance(self.value, int | float):
            raise self._wrong("a number")
        try:
            number = float(self.value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise UsageError("not a finite number", where=self.where)
        return number

    def length(self) -> int:
        """A number of bytes; 0 where nothing is."""
        number = self.number()
        if number < 0 or not number.is_integer():
            raise UsageError("not a number of bytes", where=self.where)
        return int(number)

    def url(self) -> str:
        """A URL that can be taken apart (RFC 3986)."""
        text = self.text()
        try:
            urlsplit(text)
        except ValueError as error:
            raise UsageError(f"not a URL: {error}", where=self.where) from None
        return text

    def arrivals(self) -> Iterator[tuple[float, Node]]:
        """What arrived when: pairs of the seconds after the request, which never fall, and of what came."""
        if self.value is None:
            return
        pairs = [tuple(pair.items("part")) for pair in self.items("arrival")]
        if any(len(pair) != 2 for pair in pairs):
            raise self._wrong("pairs of seconds and what came")
        must_rise((at.number() for at, _ in pairs), self.where)
        yield from ((at.number(), came) for at, came in pairs)

    def status(self) -> int:
        """A status code: a number from 100 to 999, or a text of one; 0 where nothing is."""
        value = self.value
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) == 3:
            value = int(value)
        if value is None or value == 0:
            return 0
        # In Python a boolean is an integer.
        if isinstance(value, bool) or not isinstance(value, int) or not 100 <= value <= 999:
            raise self._wrong("a status code")
        return value

    def seconds(self) -> float:
        """A date and time of RFC 3339, or a number, as seconds since the epoch; 0 where nothing readable is."""
        if isinstance(self.value, str):
            try:
                read = datetime.fromisoformat(self.value)
            except ValueError:
                return 0.0
            return read.replace(tzinfo=read.tzinfo or UTC).timestamp()
        return self.number()

    def headers(self) -> Headers:
        """Header fields: an object of texts or lists of texts, a list of pairs, or a list of ``name`` and ``value``."""
        if self.value is None:
            return ()
        if isinstance(self.value, dict):
            return tuple(
                (str(name), Node(one, f"{self.where}: {name}").field_value())
                for name, value in self.value.items()
                for one in (value if isinstance(value, list) else [value])
            )
        made = []
        for each in self.items("field"):
            if isinstance(each.value, list) and len(each.value) == 2:
                made.append((Node(each.value[0], each.where).text(), Node(each.value[1], each.where).text("")))
            else:
                made.append((each.get("name").text(), each.get("value").text("")))
        return tuple(made)
