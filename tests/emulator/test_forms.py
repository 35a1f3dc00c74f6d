"""Multipart bodies: fields and files as they were sent, converted to what the document says they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from conformance.emulator.call import Part
from conformance.emulator.error_answers import Refused
from conformance.emulator.forms import parse_form
from conformance.emulator.validation import Validation
from conformance.spec.operations import Media, Operation
from conformance.spec.spec import Spec

TYPE = "multipart/form-data; boundary=b"


def written(*parts: tuple[str, bytes]) -> bytes:
    return b"".join(f"--b\r\n{head}\r\n\r\n".encode() + data + b"\r\n" for head, data in parts) + b"--b--\r\n"


def field(name: str, data: bytes, more: str = "") -> tuple[str, bytes]:
    return f'Content-Disposition: form-data; name="{name}"{more}', data


def test_fields_and_files_come_back_as_sent() -> None:
    binary = bytes(range(256)) + b"\r\n--not the boundary\r\n"
    body = written(
        field("a", "é\r\n".encode()),
        field("a", b""),
        field("f", binary, "; filename=\"x 'y'.bin\"\r\nContent-Type: image/png"),
    )
    form = parse_form(body, TYPE)
    assert ("é\r\n", "") == form["a"]
    assert (Part("f", "x 'y'.bin", "image/png", binary),) == form["f"]


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (b"", TYPE),
        (b"nothing", TYPE),
        (written(field("a", b"1"))[:-8], TYPE),
        (written(field("a", b"1")), "multipart/form-data"),
        (written(field("a", b"1")), "multipart/form-data; boundary=other"),
    ],
)
def test_a_broken_form_is_refused(body: bytes, media_type: str) -> None:
    with pytest.raises(Refused) as refused:
        parse_form(body, media_type)
    assert 400 == refused.value.problem.status


@pytest.fixture
def convert(small: Callable[..., Spec]) -> Callable[..., Any]:
    """The values of a form whose schema has these properties."""

    spec = small("2000-01-01")

    def call(properties: dict[str, Any], *parts: tuple[str, bytes]) -> Any:
        schema = {"type": "object", "properties": properties}
        media = Media("multipart/form-data", schema, "")
        operation = Operation("x", "POST", "/x", "x", (), {"multipart/form-data": media}, True, {}, "")
        return Validation(spec).form(operation, parse_form(written(*parts), TYPE))

    return call


NUMBER = {"type": "number"}
TEXTS = {"type": "array", "items": {"type": "string"}}
FILE = {"type": "string", "format": "binary"}
OBJECT = {"type": "object", "properties": {"anchor": {"type": "string"}, "seconds": {"type": "integer"}}}


@pytest.mark.parametrize(
    ("properties", "parts", "value"),
    [
        ({"n": {"type": "integer"}}, [field("n", b"7")], {"n": 7}),
        ({"n": NUMBER}, [field("n", b"0.5")], {"n": 0.5}),
        ({"n": {"type": "boolean"}}, [field("n", b"true")], {"n": True}),
        ({"n": {"type": "string"}}, [field("n", b"7")], {"n": "7"}),
        ({"n[]": TEXTS}, [field("n[]", b"a,b"), field("n[]", b"c")], {"n[]": ["a,b", "c"]}),
        ({"n": TEXTS}, [field("n[]", b"a"), field("n[]", b"b")], {"n": ["a", "b"]}),
        ({"n": TEXTS}, [field("n", b'["a", "b"]')], {"n": ["a", "b"]}),
        ({"n": OBJECT}, [field("n", b'{"seconds": 5}')], {"n": {"seconds": 5}}),
        (
            {"n": OBJECT},
            [field("n[anchor]", b"created_at"), field("n[seconds]", b"5")],
            {"n": {"anchor": "created_at", "seconds": 5}},
        ),
        ({}, [field("unknown", b"x")], {"unknown": "x"}),
    ],
)
def test_fields_become_what_the_document_says(
    convert: Callable[..., Any], properties: dict[str, Any], parts: list[tuple[str, bytes]], value: Any
) -> None:
    assert value == convert(properties, *parts)


def test_several_files_are_a_list(convert: Callable[..., Any]) -> None:
    parts = [field("image[]", name, f'; filename="{name.decode()}"') for name in (b"a", b"b")]
    properties = {"image": {"anyOf": [FILE, {"type": "array", "items": FILE}]}}
    assert ["a", "b"] == [part.filename for part in convert(properties, *parts)["image"]]
    assert "a" == convert(properties, field("image", b"a", '; filename="a"'))["image"].filename


@pytest.mark.parametrize("sent", [b"warm", b"", b"1e999", b"0x1"])
def test_what_can_not_be_converted_is_refused(convert: Callable[..., Any], sent: bytes) -> None:
    with pytest.raises(Refused) as refused:
        convert({"n": NUMBER}, field("n", sent))
    assert "n" == refused.value.problem.param
