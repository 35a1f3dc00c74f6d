"""Models: the deployments of the emulator, under the names that requests use."""

from __future__ import annotations

from typing import Any

from conformance.emulator import error_answers as errors
from conformance.emulator.behaviour import Deployment
from conformance.emulator.call import Call
from conformance.emulator.handlers import handles
from conformance.emulator.resources.objects import ids
from conformance.evidence.exchange import Response

#: The creation time of all models: fixed, so that answers repeat.
_CREATED = 1_715_367_049


def _model(deployment: Deployment) -> dict[str, Any]:
    return {"id": deployment.name, "object": "model", "created": _CREATED, "owned_by": "system"}


@handles("models.list")
def list_(call: Call) -> Response:
    """All models. The list has no pages."""
    return call.json({"object": "list", "data": [_model(one) for one in call.settings.deployments]})


@handles("models.get")
def get(call: Call) -> Response:
    """One model."""
    found = call.settings.by_name.get(ids(call)[0])
    if found is None:
        raise errors.missing("model", ids(call)[0], param="model")
    return call.json(_model(found))
