"""The lines of ``report.jsonl`` without repetition, and back.

Three things make a line shorter. A member that has its usual value is left out (``schema.json`` states these values as
``default``). Long contents are zlib data (RFC 1950). A value that occurs again and again, such as a header field or the
cases of a scenario, is written once: a ``shared`` line before its use holds the value, and its number stands in its
place. Numbers count all shared values of the file from 0. Only members whose own values are no numbers can be shared,
so a number there is never anything else.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

__all__ = ["DEFAULTS", "LARGEST", "Folding", "Table", "packed", "unpacked"]

#: What a member is that isn't there, by what it is a member of. ``schema.json`` says the same.
DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "case": {
        "path_params": {},
        "query": [],
        "headers": [],
        "body": None,
        "family": "template",
        "expect": "accept",
        "level": "MUST",
        "reason": "",
        "breaks": None,
        "auth": "valid",
        "api_version": "default",
        "capability": "",
        "role": "",
        "scenario": "",
        "step": "",
        "cost": {"tokens": 0, "images": 0, "seconds": 0.0},
        "expensive": "",
        "creates": {},
        "undo": None,
        "cancel_after": None,
        "bindings": {},
    },
    "exchange": {"response": None, "fault": None, "attempts": [], "control_ok": None, "outside": ""},
    "request": {"headers": [], "body": {"text": ""}},
    "response": {"http_version": "HTTP/1.1", "headers": [], "body": {"text": ""}, "chunks": [], "complete": True},
    "verdict": {
        "findings": [],
        "reason": "",
        "errata": [],
        "waived": None,
        "cases": [],
        "unjudged": [],
        "witness": "",
        "cause": "",
        "repeats": {},
        "stable": None,
        "repetition": "",
    },
}

#: Contents of this many bytes are packed if that makes them shorter by a quarter.
LONG, SAVES = 1_024, 0.75

#: The most bytes of one content that is unpacked: a short line could stand for a full memory.
LARGEST = 1 << 30

#: Characters of JSON that a value must have to be shared, and the most that it may have.
SHORTEST, LONGEST = 16, 65_536

#: The most shared values of a file, and of values of which it is known that they occurred.
VALUES, SEEN = 20_000, 100_000

#: The members that may be shared, by what they are members of.
_SHARED: Mapping[str, tuple[str, ...]] = {
    "case": ("undo", "cost", "bindings", "path_params", "creates", "breaks", "headers"),
    "request": ("headers",),
    "verdict": ("cases", "unjudged"),
}


def packed(data: bytes) -> str | None:
    """Bytes as zlib data in base64; None if that isn't much shorter."""
    if len(data) < LONG:
        return None
    text = base64.b64encode(zlib.compress(data, 6)).decode("ascii")
    return text if len(text) < len(data) * SAVES else None


def unpacked(text: str) -> bytes:
    """The inverse of :func:`packed`. Raises :class:`ValueError` for what isn't zlib data in base64, or is too long."""
    reader = zlib.decompressobj()
    try:
        data = reader.decompress(base64.b64decode(text, validate=True), LARGEST)
    except zlib.error as error:
        raise ValueError(f"no zlib data: {error}") from None
    if not reader.eof:
        raise ValueError(f"the zlib data is cut off, or longer than {LARGEST} bytes")
    return data


class Folding:
    """Makes the lines of one file shorter, in their order."""

    def __init__(self) -> None:
        self.table = Table()
        self._numbers: dict[bytes, int] = {}
        #: Header fields that have numbers: most are those of all answers, and writing them as JSON takes time.
        self._fields: dict[tuple[str, str], int] = {}
        self._seen: set[bytes] = set()
        self._new: list[Any] = []

    def lines(self, line: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield a line with all its members in its short form, after a line with the values that it begins to share."""
        return self._sharing(_short(line))

    def moved(self, line: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """The same for a line of which only the shared values were put back (:meth:`Table.put_back`)."""
        return self._sharing(dict(line))

    def _sharing(self, line: dict[str, Any]) -> Iterator[dict[str, Any]]:
        made = _over(line, self._number)
        if self._new:
            shared = {"type": "shared", "values": self._new}
            self.table.add(shared)
            self._new = []
            yield shared
        yield made

    def _number(self, value: Any) -> Any:
        """The number of a value that occurred before, else the value."""
        field = _field(value)
        known = self._fields.get(field) if field is not None else None
        if known is not None:
            return known
        text = json.dumps(value, ensure_ascii=True, separators=(",", ":"), sort_keys=True)
        if not SHORTEST <= len(text) <= LONGEST:
            return value
        key = hashlib.blake2b(text.encode("ascii"), digest_size=16).digest()
        number = self._numbers.get(key)
        if number is not None:
            if field is not None:
                self._fields[field] = number
            return number
        if key not in self._seen:
            if len(self._seen) < SEEN:
                self._seen.add(key)
            return value
        number = len(self._numbers)
        if number >= VALUES:
            return value
        self._numbers[key] = number
        self._new.append(value)
        return number


def _field(value: Any) -> tuple[str, str] | None:
    """Name and value of a header field; None for any other value."""
    if not isinstance(value, list | tuple) or len(value) != 2:
        return None
    name, text = value
    return (name, text) if isinstance(name, str) and isinstance(text, str) else None


class Table:
    """The shared values of one file."""

    def __init__(self) -> None:
        self._values: list[Any] = []

    def add(self, line: Mapping[str, Any]) -> None:
        """Take the values of a ``shared`` line. Raises :class:`TypeError` if they are no list."""
        if not isinstance(line["values"], list):
            raise TypeError("the values of a shared line are no list")
        self._values += line["values"]

    def put_back(self, line: Mapping[str, Any]) -> dict[str, Any]:
        """A line with its shared values in their places. Raises :class:`ValueError` for a number without a value."""
        return _over(dict(line), self._value)

    def whole(self, line: Mapping[str, Any]) -> dict[str, Any]:
        """A line with all its members, packed bodies apart. Raises as :meth:`put_back`."""
        return _long(self.put_back(line))

    def _value(self, value: Any) -> Any:
        """The value of a number, else what was given."""
        if not isinstance(value, int) or isinstance(value, bool):
            return value
        if not 0 <= value < len(self._values):
            raise ValueError(f"no shared value has the number {value}")
        return self._values[value]


def _over(line: dict[str, Any], replace: Callable[[Any], Any]) -> dict[str, Any]:
    """A copy of a line in which a function replaced the values that may be shared: members, and each field of the
    headers of an answer.
    """

    def replaced(kind: str, plain: Mapping[str, Any]) -> dict[str, Any]:
        return {name: replace(value) if name in _SHARED[kind] else value for name, value in plain.items()}

    def exchange(plain: Mapping[str, Any]) -> dict[str, Any]:
        made = {**plain, "request": replaced("request", plain["request"])}
        if plain.get("response"):
            made["response"] = dict(plain["response"])
            if "headers" in made["response"]:
                made["response"]["headers"] = [replace(one) for one in made["response"]["headers"]]
        if plain.get("attempts"):
            made["attempts"] = [exchange(one) for one in plain["attempts"]]
        return made

    match line["type"]:
        case "exchange":
            return {**line, "case": replaced("case", line["case"]), "exchange": exchange(line["exchange"])}
        case "verdict":
            return replaced("verdict", line)
        case _:
            return line


def _without(kind: str, plain: Mapping[str, Any]) -> dict[str, Any]:
    """An object without the members that have their usual values."""
    usual = DEFAULTS[kind]
    return {name: value for name, value in plain.items() if name not in usual or value != usual[name]}


def _short(line: Mapping[str, Any]) -> dict[str, Any]:
    """A line without usual values, with long contents packed."""
    match line["type"]:
        case "exchange":
            return {**line, "case": _short_case(line["case"]), "exchange": _short_exchange(line["exchange"])}
        case "verdict":
            return _without("verdict", line)
        case _:
            return dict(line)


def _short_case(plain: Mapping[str, Any]) -> dict[str, Any]:
    made = _without("case", plain)
    if "undo" in made:
        made["undo"] = _short_case(made["undo"])
    if "body" in made:
        # The order of members counts in what is sent.
        text = packed(json.dumps(made["body"], separators=(",", ":")).encode("ascii"))
        made["body"] = made["body"] if text is None else {"zlib": text}
    return made


def _short_exchange(plain: Mapping[str, Any]) -> dict[str, Any]:
    made = _without("exchange", plain)
    for side in ("request", "response"):
        if made.get(side):
            one = _without(side, made[side])
            if "body" in one:
                one["body"] = _short_body(one["body"])
            made[side] = one
    if "attempts" in made:
        made["attempts"] = [_short_exchange(one) for one in made["attempts"]]
    return made


def _short_body(body: Mapping[str, str]) -> Mapping[str, str]:
    ((form, text),) = body.items()
    data = base64.b64decode(text) if form == "base64" else text.encode("utf-8")
    found = packed(data)
    return body if found is None else {"zlib": found}


def _long(line: dict[str, Any]) -> dict[str, Any]:
    """The inverse of :func:`_short`, packed bodies of requests and answers apart."""
    match line["type"]:
        case "exchange":
            return {**line, "case": _long_case(line["case"]), "exchange": _long_exchange(line["exchange"])}
        case "verdict":
            return {**DEFAULTS["verdict"], **line}
        case _:
            return line


def _long_case(plain: Mapping[str, Any]) -> dict[str, Any]:
    made = {**DEFAULTS["case"], **plain}
    if made["undo"]:
        made["undo"] = _long_case(made["undo"])
    if made["body"] and "zlib" in made["body"]:
        made["body"] = json.loads(unpacked(made["body"]["zlib"]))
    return made


def _long_exchange(plain: Mapping[str, Any]) -> dict[str, Any]:
    made = {**DEFAULTS["exchange"], **plain}
    for side in ("request", "response"):
        if made[side]:
            made[side] = {**DEFAULTS[side], **made[side]}
    made["attempts"] = [_long_exchange(one) for one in made["attempts"]]
    return made
