"""The words that a list has for its two orders: ``asc`` and ``desc``, or longer ones that begin so."""

from __future__ import annotations

from conformance.spec.operations import Operation
from conformance.spec.spec import Spec

__all__ = ["ASCENDING", "DESCENDING", "order_words"]

#: The beginnings of the words for oldest first and for newest first.
ASCENDING, DESCENDING = "asc", "desc"


def order_words(spec: Spec, operation: Operation) -> tuple[str, str]:
    """What the query ``order`` of a list is called for oldest first and for newest first."""
    parameter = operation.parameter("query", "order")
    listed = spec.deref(parameter.schema).get("enum", ()) if parameter is not None else ()
    words = [word for word in listed if isinstance(word, str)]
    ascending = next((word for word in words if word.startswith(ASCENDING)), ASCENDING)
    return ascending, next((word for word in words if word.startswith(DESCENDING)), DESCENDING)
