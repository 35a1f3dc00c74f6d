"""Reading a file of recorded traffic: its format is recognised by what is in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from conformance.errors import UsageError
from conformance.recordings.form import Node
from conformance.recordings.formats import formats
from conformance.recordings.recorded import Recorded

__all__ = ["LARGEST", "read_file"]

#: Bytes of the largest file that is read. A file is read as a whole, and takes several times its size.
LARGEST = 256 * 1024 * 1024

#: The safe loader builds plain values only; the one written in C is ten times faster where it is there.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_file(path: Path) -> Iterator[Recorded]:
    """Yield the exchanges of a file in their order.

    Raises :class:`UsageError` with file and place if it can't be read, is too large, or has no known format.
    """
    document = _parsed(_text(path), str(path))
    for each in formats():
        if each.recognises(document):
            try:
                yield from each.read(Node(document, str(path)))
            except RecursionError:
                raise UsageError("nested too deeply", where=str(path)) from None
            return
    known = ", ".join(each.TITLE for each in formats())
    raise UsageError("no recorded traffic in a known form", where=str(path), hint=f"known: {known}")


def _text(path: Path) -> str:
    """The text of a file."""
    try:
        if path.is_dir():
            raise UsageError("this is a folder", where=str(path), hint="name the files in it")
        if path.stat().st_size > LARGEST:
            raise UsageError(f"larger than {LARGEST // 2**20} MiB", where=str(path), hint="divide it")
        # Some browsers write a byte order mark.
        return path.read_bytes().decode("utf-8-sig")
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
        if text.lstrip()[0] not in "{[":
            return yaml.load(text, Loader=_LOADER)  # noqa: S506 - a safe loader, see above
        return _json(text, where)
    except RecursionError:
        raise UsageError("nested too deeply", where=where) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{where}:{mark.line + 1}:{mark.column + 1}" if mark else where
        raise UsageError(f"neither JSON nor YAML: {getattr(error, 'problem', error)}", where=place) from None
    except ValueError as error:  # a timestamp of YAML that is no date
        raise UsageError(f"a value can't be read: {error}", where=where) from None


def _json(text: str, where: str) -> Any:
    """One JSON value, or the list of the values of all lines."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        lines = text.splitlines()
        # More text behind a whole value is the sign of one JSON value on each line.
        if error.msg != "Extra data" or len(lines) < 2:
            raise _not_json(error, f"{where}:{error.lineno}:{error.colno}") from None
    made = []
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                made.append(json.loads(line))
            except json.JSONDecodeError as error:
                raise _not_json(error, f"{where}:{number}:{error.colno}") from None
    return made


def _not_json(error: json.JSONDecodeError, place: str) -> UsageError:
    return UsageError(f"not JSON: {error.msg}", where=place)
