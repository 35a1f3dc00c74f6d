"""Which cases a check is about: small selectors over the request, to be used as ``about=`` of a check."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from conformance.pointer import look_up, tokens
from conformance.requests.case import Case, JsonBody, Multipart
from conformance.spec.operations import StreamShape, operations_of
from conformance.spec.spec import Spec

__all__ = ["ABSENT", "About", "asks", "every", "has", "plain", "protocol", "shape_of", "streams", "value_at", "without"]

About = Callable[[Spec, Case], bool]


class _Absent:
    """What :func:`value_at` gives where the request has no such value: not the same as ``null``."""

    def __repr__(self) -> str:
        return "ABSENT"


#: No value at that place.
ABSENT = _Absent()


def value_at(case: Case, pointer: str) -> Any:
    """The value at a JSON Pointer of the request's body, :data:`ABSENT` where there is none.

    In a form the pointer's one token is the name of a part; its text is read as JSON where it is JSON.
    """
    if isinstance(case.body, Multipart):
        return _part(case.body, pointer)
    return look_up(case.body.value, pointer, ABSENT) if isinstance(case.body, JsonBody) else ABSENT


def _part(form: Multipart, pointer: str) -> Any:
    for part in form.parts:
        if (part.name,) == tokens(pointer) and not part.filename:
            text = part.data.decode("utf-8", "replace")
            try:
                return json.loads(text)
            except ValueError:
                return text
    return ABSENT


def _same(a: Any, b: Any) -> bool:
    # 1 == True in Python, but not in JSON.
    return type(a) is type(b) and bool(a == b)


def shape_of(spec: Spec, case: Case) -> StreamShape | None:
    """How the answer to this case streams; None where the operation doesn't, or the case doesn't ask for it."""
    operation = operations_of(spec).get(case.operation)
    shape = operation.stream if operation else None
    return shape if shape is not None and _same(value_at(case, shape.pointer), shape.value) else None


def streams(spec: Spec, case: Case) -> bool:
    """The operation can stream and the case asks for it."""
    return shape_of(spec, case) is not None


def plain(spec: Spec, case: Case) -> bool:
    """The operation can stream and the case does not ask for it."""
    operation = operations_of(spec).get(case.operation)
    return operation is not None and operation.stream is not None and not streams(spec, case)


def protocol(*names: str) -> About:
    """The case asks for a stream of one of these protocols (``chat-chunks``, ``responses`` …)."""

    def about(spec: Spec, case: Case) -> bool:
        shape = shape_of(spec, case)
        return shape is not None and shape.protocol in names

    return about


def asks(pointer: str, value: Any) -> About:
    """The request's body has exactly this value at a JSON Pointer."""

    def about(spec: Spec, case: Case) -> bool:  # noqa: ARG001 - the selectors share one signature
        return _same(value_at(case, pointer), value)

    return about


def has(pointer: str) -> About:
    """The request's body has a value at a JSON Pointer, ``null`` too."""

    def about(spec: Spec, case: Case) -> bool:  # noqa: ARG001 - the selectors share one signature
        return value_at(case, pointer) is not ABSENT

    return about


def every(*abouts: About) -> About:
    """All of these hold."""
    return lambda spec, case: all(about(spec, case) for about in abouts)


def without(about: About) -> About:
    """The opposite."""
    return lambda spec, case: not about(spec, case)
