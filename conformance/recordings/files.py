"""Reading a file of recorded traffic: its format is recognised by what is in it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance._parts import late
from conformance.errors import SpecError, UsageError
from conformance.recordings.form import Node
from conformance.recordings.formats import formats
from conformance.recordings.recorded import Recorded
from conformance.settings.files import TooLong, read_text
from conformance.spec.textfile import yaml_value

if TYPE_CHECKING:
    from reports import packed
else:
    packed = late("reports.packed")

__all__ = ["LARGEST", "document_of", "exchanges_in", "read_file", "text_of"]

#: Bytes of the largest file that is read. A file is read as a whole, and takes several times its size.
LARGEST = 256 * 1024 * 1024


def read_file(path: Path) -> Iterator[Recorded]:
    """Yield the exchanges of a file in their order.

    Raises :class:`UsageError` with file and place if it can't be read, is too large, or has no known format. YAML is
    read by the rules of the documents: nothing in it makes reading endless.
    """
    yield from exchanges_in(document_of(path), path)


def document_of(path: Path) -> Any:
    """What a file holds: one JSON value, a list of JSON lines, or YAML. Raises :class:`UsageError` as reading does."""
    return _parsed(text_of(path), str(path))


def exchanges_in(document: Any, path: Path) -> Iterator[Recorded]:
    """Yield the exchanges of the document that a file holds. Raises :class:`UsageError` if it has no known format."""
    for each in formats():
        if each.recognises(document):
            try:
                yield from each.read(Node(document, str(path)))
            except RecursionError:
                raise UsageError("nested too deeply", where=str(path)) from None
            return
    known = ", ".join(each.TITLE for each in formats())
    raise UsageError("no recorded traffic in a known form", where=str(path), hint=f"known: {known}")


def text_of(path: Path) -> str:
    """The text of a file, unpacked. Raises :class:`UsageError` if it can't be read, or is too large."""
    try:
        # Some browsers write a byte order mark.
        return read_text(packed.plain(path), LARGEST).removeprefix("\ufeff")
    except IsADirectoryError:
        raise UsageError("this is a folder", where=str(path), hint="name the files in it") from None
    except TooLong:
        raise UsageError(f"larger than {LARGEST // 2**20} MiB", where=str(path), hint="divide it") from None
    except OSError as error:
        raise UsageError(f"can't be read: {error.strerror}", where=str(path)) from None
    except UnicodeDecodeError as error:
        raise UsageError(f"not UTF-8 text: byte {error.start}", where=str(path)) from None


def _parsed(text: str, where: str) -> Any:
    """The document: one JSON value, a list of JSON lines, or YAML."""
    if not text.strip():
        raise UsageError("the file is empty", where=where)
    try:
        # JSON begins with one of them; everything else can only be YAML.
        return _json(text, where) if text.lstrip()[0] in "{[" else yaml_value(text, where=where)
    except RecursionError:
        raise UsageError("nested too deeply", where=where) from None
    except SpecError as error:
        raise UsageError(error.message.replace("not YAML", "neither JSON nor YAML"), where=error.where) from None


def _json(text: str, where: str) -> Any:
    """One JSON value, or the list of the values of all lines."""
    try:
        return _value(text, where)
    except json.JSONDecodeError as error:
        # More text behind a whole value is the sign of one JSON value on each line.
        if error.msg != "Extra data" or len(text.splitlines()) < 2:
            raise _not_json(error, f"{where}:{error.lineno}:{error.colno}") from None
    made = []
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                made.append(_value(line, where, number))
            except json.JSONDecodeError as error:
                raise _not_json(error, f"{where}:{number}:{error.colno}") from None
    return made


def _value(text: str, where: str, first: int = 1) -> Any:
    """One JSON value whose text begins on the line ``first`` of the file."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        raise
    except ValueError:
        # Python converts no longer integers, and doesn't say where they stand.
        limit = sys.get_int_max_str_digits()
    long: list[str] = []

    def noted(digits: str) -> None:
        if len(digits.lstrip("-")) > limit:
            long.append(digits)

    json.loads(text, parse_int=noted)
    line = first + text.count("\n", 0, text.index(long[0]))
    raise UsageError(f"an integer of more than {limit} digits", where=f"{where}:{line}")


def _not_json(error: json.JSONDecodeError, place: str) -> UsageError:
    return UsageError(f"not JSON: {error.msg}", where=place)
