"""The capability that a deployment must have to answer a request, such as ``chat``, ``chat+vision``, ``embeddings``.

Configuration maps deployments to these words (``aoai-conformance list capabilities``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformance.requests.case import Expect
from conformance.spec.operations import Operation

__all__ = ["capability_of"]


def capability_of(operation: Operation, request: Mapping[str, Any], expect: Expect, needs: tuple[str, ...] = ()) -> str:
    """The capability that a request needs, as words joined by ``+``.

    A request that must be refused needs only a deployment of the right kind: the refusal comes before the model.
    """
    body = request.get("body")
    if expect is Expect.REJECT or not isinstance(body, dict):
        return operation.facts.capability
    # Models differ in some abilities within one kind, so a deployment must name them.
    shown = (each.capability for each in operation.facts.abilities if each.capability and each.shown(body))
    return "+".join(filter(None, [operation.facts.capability, *needs, *shown]))
