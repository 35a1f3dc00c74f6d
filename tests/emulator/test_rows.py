"""Lines of a file with one JSON object each."""

from __future__ import annotations

from conformance.emulator.resources.files import rows_of


def test_a_line_that_is_nested_too_deep_makes_a_file_without_rows() -> None:
    assert rows_of(b'{"a":' + b"[" * 200_000 + b"]" * 200_000 + b"}") is None


def test_a_file_of_objects_has_a_row_for_each_line() -> None:
    assert [{"a": 1}, {"b": 2}] == rows_of(b'{"a":1}\n\n{"b":2}\n')
