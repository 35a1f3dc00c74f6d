"""Ids that no object has ("impossible" ids), and placeholders for objects that the run creates.

A changing request names only objects of its own run or an impossible id. Impossible ids have the form that the service
uses, so a target refuses them because nothing is there, not because they are malformed.
"""

from __future__ import annotations

from conformance.spec.operations import Operation

__all__ = ["IMPOSSIBLE_ID", "IMPOSSIBLE_MODEL", "impossible_id", "placeholder"]

#: The digits in every impossible id.
IMPOSSIBLE_ID = "000000000000000000000000"

#: The name of a deployment or model that no resource has.
IMPOSSIBLE_MODEL = "conformance-no-such-deployment"


def impossible_id(parameter: str, operation: Operation) -> str:
    """The impossible id for a path parameter, with the prefix of such ids in the operation at hand."""
    if parameter in ("model", "deployment-id", "deployment_id"):
        return IMPOSSIBLE_MODEL
    # The prefix keeps the id well-formed, so that a refusal is about its absence.
    return operation.facts.prefixes.get(parameter, "") + IMPOSSIBLE_ID


def placeholder(parameter: str, operation: Operation) -> str:
    """What stands for a path parameter until the run fills it in: ``{assistant_id}``, ``{deployment}``.

    A changing operation on a model never gets the account's deployment: only a model that the run made may be changed.
    """
    deployment = parameter in ("deployment-id", "deployment_id")
    named = parameter == "model" and not operation.mutates
    return "{deployment}" if deployment or named else "{" + parameter + "}"
