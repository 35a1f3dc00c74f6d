"""The kind of deployment that an operation needs, such as ``chat`` or ``embeddings``.

``conformance.requests.capabilities`` adds what the content of a request needs besides.
"""

from __future__ import annotations

from conformance.spec.operations import Operation

__all__ = ["capability_of"]


def capability_of(operation: Operation, needs: tuple[str, ...] = ()) -> str:
    """The word for the kind of deployment that an operation needs, and ``needs``, joined by ``+``."""
    return "+".join(filter(None, (operation.facts.capability, *needs)))
