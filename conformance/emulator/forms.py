"""Multipart bodies (RFC 7578): bytes → fields and files. No I/O."""

from __future__ import annotations

import logging
from email.message import Message
from typing import Any

from attrs import define, field
from python_multipart.multipart import MultipartParser

from conformance.emulator import error_answers as errors
from conformance.emulator.call import Form, Part

__all__ = ["parse_form"]

# A malformed form is the caller's fault and answered with 400; the parser must not log it on stderr as well.
logging.getLogger("python_multipart").addHandler(logging.NullHandler())


@define(eq=False)
class _Reader:
    """Collects the parts that the parser announces by its callbacks. ``whole`` becomes True at the closing boundary."""

    found: dict[str, tuple[Part | str, ...]] = field(factory=dict)
    _headers: dict[str, str] = field(factory=dict)
    _name: bytearray = field(factory=bytearray)
    _value: bytearray = field(factory=bytearray)
    _data: bytearray = field(factory=bytearray)
    whole: bool = False

    def part_begin(self) -> None:
        self._headers, self._data = {}, bytearray()

    def header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def header_end(self) -> None:
        self._headers[self._name.decode("latin-1").lower()] = self._value.decode("utf-8", "replace")
        self._name, self._value = bytearray(), bytearray()

    def part_data(self, data: bytes, start: int, end: int) -> None:
        self._data += data[start:end]

    def part_end(self) -> None:
        """Add the part that has ended: a file if it has a filename, else a text."""
        # The parser of mail headers handles quoting and encoded names (RFC 7578 section 4.2).
        message = Message()
        message["content-disposition"] = self._headers.get("content-disposition", "")
        name = message.get_param("name", "", "content-disposition")
        filename = message.get_filename()
        value: Part | str
        if filename is None:
            value = self._data.decode("utf-8", "replace")
        else:
            media_type = self._headers.get("content-type", "application/octet-stream")
            value = Part(str(name), filename, media_type, bytes(self._data))
        self.found[str(name)] = (*self.found.get(str(name), ()), value)

    def end(self) -> None:
        self.whole = True


def parse_form(body: bytes, content_type: str) -> Form:
    """The fields by name, each with all its values in order. Raises 400 for a malformed body."""
    header = Message()
    header["content-type"] = content_type
    boundary = header.get_param("boundary")
    if not boundary:
        raise errors.invalid("The multipart body has no boundary.", code="invalid_multipart")
    reader = _Reader()
    callbacks: Any = {
        "on_part_begin": reader.part_begin,
        "on_header_field": reader.header_field,
        "on_header_value": reader.header_value,
        "on_header_end": reader.header_end,
        "on_part_data": reader.part_data,
        "on_part_end": reader.part_end,
        "on_end": reader.end,
    }
    try:
        parser = MultipartParser(str(boundary).encode("latin-1", "replace"), callbacks)
        parser.write(body)
        parser.finalize()
    except ValueError as error:
        raise errors.invalid("The multipart body can't be parsed.", code="invalid_multipart") from error
    # The parser accepts a body without its closing boundary, which was cut off on the way (RFC 7578).
    if not reader.whole:
        raise errors.invalid("The multipart body ends too early.", code="invalid_multipart")
    return reader.found
