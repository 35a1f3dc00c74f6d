"""Reading the parts of a recording: each function names the place and what was expected there if it is something
else.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from conformance.errors import UsageError
from conformance.requests.headers import Headers

__all__ = ["Node", "json_bytes", "text_bytes", "unbase64"]


def json_bytes(value: Any) -> bytes:
    """The bytes of a JSON value of which a recording keeps only the value."""
    return text_bytes(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def text_bytes(text: str) -> bytes:
    """A text as UTF-8. Half a surrogate pair stays what it is, so that a bad text is judged as one."""
    return text.encode("utf-8", "surrogatepass")


def unbase64(text: str, where: str) -> bytes:
    """The bytes of a base64 text. Raises :class:`UsageError` if it is none."""
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise UsageError(f"not base64: {error}", where=where) from None


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

    def number(self, default: float = 0.0) -> float:
        """The number; the default where nothing is."""
        if self.value is None:
            return default
        if isinstance(self.value, bool) or not isinstance(self.value, int | float):
            raise self._wrong("a number")
        return float(self.value)

    def status(self) -> int:
        """A status code: a number from 100 to 999, or a text of one; 0 where nothing is."""
        value = self.value
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) == len("200"):
            value = int(value)
        if value is None or value == 0:
            return 0
        # In Python a boolean is an integer.
        if isinstance(value, bool) or not isinstance(value, int) or not 100 <= value <= 999:
            raise self._wrong("a status code")
        return value

    def seconds(self) -> float:
        """A date and time of RFC 3339, or a number, as seconds since the epoch; 0 where nothing readable is."""
        if isinstance(self.value, datetime):
            return self.value.replace(tzinfo=self.value.tzinfo or UTC).timestamp()
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
                (str(name), Node(one, f"{self.where}: {name}").text(""))
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
