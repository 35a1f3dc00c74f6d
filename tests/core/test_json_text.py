"""What counts as a JSON body (RFC 8259): UTF-8, no byte order mark, no NaN."""

from __future__ import annotations

import pytest

from conformance.evidence.exchange import Chunk, Response

GOOD = '{"ä": 1}'


@pytest.mark.parametrize(
    ("is_json", "body"),
    [
        (True, GOOD.encode()),
        (True, b'"\\ud83d"'),
        (False, GOOD.encode("utf-16")),
        (False, GOOD.encode("utf-16-le")),
        (False, GOOD.encode("utf-8-sig")),
        (False, GOOD.encode("latin-1")),
        (False, b'{"a": NaN}'),
        (False, b"[" * 100_000),
        (False, b""),
    ],
)
def test_only_json_in_utf_8_is_json(is_json: bool, body: bytes) -> None:
    assert is_json == Response(200, chunks=(Chunk(0.0, body),)).is_json
