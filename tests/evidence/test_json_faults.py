"""A body that is no JSON is told with its cause, in the words of RFC 8259; the parser has the same opinion."""

from __future__ import annotations

import pytest

from conformance.evidence.exchange import Chunk, Response
from conformance.evidence.json_faults import why_not_json

DEEP = b"[" * 200_000


@pytest.mark.parametrize(
    ("expected", "content"),
    [
        ("it is empty", b" \r\n"),
        ("byte order mark", b"\xef\xbb\xbf{}"),
        ("UTF-16", '{"a": 1}'.encode("utf-16")),
        ("UTF-16", '{"a": 1}'.encode("utf-16-le")),
        ("charset is not UTF-8 (RFC 8259 section 8.1), see byte E9 at 7", '{"a": "é"}'.encode("latin-1")),
        ("at character 8", b'{"a": 1 '),
        ("5 more characters follow the JSON text, the first at 3", b"{}\n<!---"),
        ("10 more characters", b'{"a": 1}\n{"a": "b"}'),
        ("NaN is no JSON value", b'{"a": NaN}'),
        ("-Infinity is no JSON value", b'{"a": -Infinity}'),
        ("nested too deeply", DEEP),
    ],
)
def test_the_cause_is_named(expected: str, content: bytes) -> None:
    assert expected in why_not_json(content)
    assert not Response(200, (), (Chunk(0.0, content),)).is_json


@pytest.mark.parametrize("content", [b"{}", b' \r\n\t{"a": "\xc3\xa9"} \n', b"null", b'"NaN"', b'{"a": "-Infinity"}'])
def test_of_json_nothing_is_said(content: bytes) -> None:
    assert Response(200, (), (Chunk(0.0, content),)).is_json
    assert "it is JSON" == why_not_json(content)
