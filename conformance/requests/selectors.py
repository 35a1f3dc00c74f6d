"""Selectors: functions that tell by the request alone whether a check is about a case. They are used as ``about=``."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from attrs import frozen

from conformance.pointer import look_up, tokens
from conformance.requests.case import Case, JsonBody, Multipart
from conformance.spec.operations import Operation, StreamShape, operations_of
from conformance.spec.spec import Spec

__all__ = [
    "ABSENT",
    "About",
    "Selector",
    "asks",
    "every",
    "has",
    "plain",
    "protocol",
    "shape_of",
    "streams",
    "value_at",
    "without",
]

#: Returns True if a check is about the case.
About = Callable[[Spec, Case], bool]


def _of_any(_operation: Operation) -> bool:
    return True


@frozen
class Selector:
    """A selector that says beforehand where it selects nothing, so that no item is made there.

    ``speaks_of`` is False for an operation of which no case is selected. With ``derived`` it selects only requests that
    are derived from the document, such as one with a wrong key: the steps of scripts are never such requests.
    """

    selects: About
    speaks_of: Callable[[Operation], bool] = _of_any
    derived: bool = False

    def __call__(self, spec: Spec, case: Case) -> bool:
        return self.selects(spec, case)


class _Absent:
    """The type of :data:`ABSENT`."""

    def __repr__(self) -> str:
        return "ABSENT"


#: Returned if the request has no value in a place; None would be the JSON value null.
ABSENT = _Absent()


def value_at(case: Case, pointer: str) -> Any:
    """The value at a JSON Pointer of the request's body, or :data:`ABSENT`.

    In a form the pointer is the name of a part; its text is read as JSON if possible.
    """
    if isinstance(case.body, Multipart):
        return _part(case.body, pointer)
    return look_up(case.body.value, pointer, ABSENT) if isinstance(case.body, JsonBody) else ABSENT


def _part(form: Multipart, pointer: str) -> Any:
    """The value of a form field, or :data:`ABSENT`."""
    for part in form.parts:
        # A file is content, no value that a request asks for.
        if (part.name,) == tokens(pointer) and not part.filename:
            text = part.data.decode("utf-8", "replace")
            try:
                return json.loads(text)
            except ValueError:
                return text
    return ABSENT


def _same(a: Any, b: Any) -> bool:
    """Return True if two JSON values are equal."""
    # 1 == True in Python, but not in JSON.
    return type(a) is type(b) and bool(a == b)


def shape_of(spec: Spec, case: Case) -> StreamShape | None:
    """How the answer to this case is streamed; None if the operation can't stream or the case doesn't ask for it."""
    operation = operations_of(spec).get(case.operation)
    shape = operation.stream if operation else None
    asked = shape is not None and (shape.always or _same(value_at(case, shape.pointer), shape.value))
    return shape if asked else None


def streams(spec: Spec, case: Case) -> bool:
    """The operation can stream, and the case asks for it."""
    return shape_of(spec, case) is not None


def plain(spec: Spec, case: Case) -> bool:
    """The operation can stream, and the case doesn't ask for it."""
    operation = operations_of(spec).get(case.operation)
    return operation is not None and operation.stream is not None and not streams(spec, case)


def protocol(*names: str) -> About:
    """Selects cases that ask for a stream of one of these protocols (``chat-chunks``, ``responses`` …)."""

    def about(spec: Spec, case: Case) -> bool:
        shape = shape_of(spec, case)
        return shape is not None and shape.protocol in names

    return about


def asks(pointer: str, value: Any) -> About:
    """Selects cases whose body has exactly this value at a JSON Pointer."""

    def about(spec: Spec, case: Case) -> bool:  # noqa: ARG001 - the selectors share one signature
        return _same(value_at(case, pointer), value)

    return about


def has(pointer: str) -> About:
    """Selects cases whose body has any value at a JSON Pointer, null included."""

    def about(spec: Spec, case: Case) -> bool:  # noqa: ARG001 - the selectors share one signature
        return value_at(case, pointer) is not ABSENT

    return about


def every(*abouts: About) -> About:
    """Selects cases that all of the selectors select."""
    return lambda spec, case: all(about(spec, case) for about in abouts)


def without(about: About) -> About:
    """Selects cases that the selector doesn't select."""
    return lambda spec, case: not about(spec, case)
