"""Models: the deployments of the emulator, under the names that requests use, and the models that jobs have tuned.

A tuned model can be deleted, a deployment can't.
"""

from __future__ import annotations

from typing import Any

from conformance.emulator import error_answers as errors
from conformance.emulator.behaviour import Deployment
from conformance.emulator.call import Call
from conformance.emulator.handlers import handles
from conformance.emulator.resources.objects import deleted, ids
from conformance.emulator.store import Collection
from conformance.evidence.exchange import Response

__all__ = ["add_tuned"]

#: The creation time of all models: fixed, so that answers repeat.
_CREATED = 1_715_367_049


def _model(deployment: Deployment) -> dict[str, Any]:
    return {"id": deployment.name, "object": "model", "created": _CREATED, "owned_by": "system"}


def _tuned(call: Call) -> Collection:
    return call.store.collection("tuned-models")


def add_tuned(call: Call, name: str) -> None:
    """Store a model that a job has tuned."""
    made = {"id": name, "object": "model", "created": call.clock.now(), "owned_by": "organization-owner"}
    _tuned(call).put(name, made)


@handles("models.list")
def list_(call: Call) -> Response:
    """All models, deployments first. The list has no pages."""
    deployed = [_model(one) for one in call.settings.deployments]
    return call.json({"object": "list", "data": [*deployed, *_tuned(call)]})


def _found(call: Call) -> dict[str, Any]:
    """The model that the path names. Raises 404."""
    name = ids(call)[0]
    deployment = call.settings.by_name.get(name)
    found: dict[str, Any] | None = _tuned(call).get(name) if deployment is None else _model(deployment)
    if found is None:
        raise errors.missing("model", name, param="model")
    return found


@handles("models.get")
def get(call: Call) -> Response:
    """One model."""
    return call.json(_found(call))


@handles("models.delete")
def delete(call: Call) -> Response:
    """Remove a tuned model. The job that tuned it stays."""
    name = _found(call)["id"]
    if _tuned(call).remove(name) is None:
        raise errors.conflict(f"The model {name} is a base model and can't be deleted.", param="model")
    return deleted(call, name, "model")
