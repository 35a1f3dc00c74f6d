"""What can be done with the checkpoints of a job: projects are permitted to use them, and they are copied.

A permission belongs to the name of a checkpoint, which is also that of a model. A copy goes to another resource, of
which this emulator knows nothing: any destination is accepted, and the copy is finished at the next look.
"""

from __future__ import annotations

from conformance.emulator import error_answers as errors
from conformance.emulator.call import Call
from conformance.emulator.handlers import handles
from conformance.emulator.resources.objects import Value, deleted, ids
from conformance.emulator.store import Collection
from conformance.evidence.exchange import Response

#: The words of this list for its orders, and those of other lists.
_ORDERS = {"ascending": "asc", "descending": "desc"}


def _named(call: Call) -> str:
    """The checkpoint that the path names. Raises 404 if no job has it."""
    name = ids(call)[0]
    kept = call.store.everything().items()
    checkpoints = (one for (kind, _), of_job in kept if kind == "fine-tuning-checkpoints" for one in of_job)
    known = any(one["fine_tuned_model_checkpoint"] == name for one in checkpoints)
    if not known and call.store.collection("tuned-models").get(name) is None:
        raise errors.missing("fine-tuned model checkpoint", name, param="fine_tuned_model_checkpoint")
    return name


def _permissions(call: Call) -> Collection:
    return call.store.collection("checkpoint-permissions", _named(call))


@handles("fine_tuning.checkpoints.permissions.create")
def permit(call: Call) -> Response:
    """A permission for each project. A project that has one keeps it."""
    kept, made = _permissions(call), []
    for project in call.body["project_ids"]:
        found = next((one for one in kept if one["project_id"] == project), None)
        if found is None:
            found = {
                "id": call.store.new_id("cp_"),
                "object": "checkpoint.permission",
                "created_at": call.clock.now(),
                "project_id": project,
            }
            kept.put(found["id"], found)
        made.append(found)
    edges = {"first_id": made[0]["id"] if made else None, "last_id": made[-1]["id"] if made else None}
    return call.json({"object": "list", "data": made, **edges, "has_more": False})


@handles("fine_tuning.checkpoints.permissions.list")
def permissions(call: Call) -> Response:
    """A page of the permissions of a checkpoint, on request only those of one project."""
    project = call.query.get("project_id")
    order = _ORDERS.get(str(call.query.get("order")), "desc")
    page = call.page(_permissions(call), where=lambda one: project in (None, one["project_id"]), order=order)
    return call.json(page)


@handles("fine_tuning.checkpoints.permissions.delete")
def withdraw(call: Call) -> Response:
    """Remove a permission."""
    kept, id = _permissions(call), ids(call)[1]
    call.found(kept, id, "permission")
    kept.remove(id)
    return deleted(call, id, "checkpoint.permission")


def _checkpoint(call: Call) -> Value:
    """The checkpoint of a job. Raises 404."""
    job = call.found(call.store.collection("fine-tuning-jobs"), ids(call)[0], "fine-tuning job")
    found: Value = call.found(call.store.collection("fine-tuning-checkpoints", job["id"]), ids(call)[1], "checkpoint")
    return found


def _copies(call: Call, checkpoint: Value) -> Value:
    """What is known of the copies of a checkpoint."""
    made = call.store.collection("checkpoint-copies", checkpoint["id"])
    return {
        "checkpointedModelName": checkpoint["fine_tuned_model_checkpoint"],
        "fineTuningJobId": checkpoint["fine_tuning_job_id"],
        "copiedAccountDetails": [dict(one) for one in made],
    }


@handles("fine_tuning.jobs.checkpoints.copies.create")
def copy(call: Call) -> Response:
    """Begin to copy a checkpoint to another resource; a second copy to the same place takes that of the first."""
    checkpoint = _checkpoint(call)
    place = {name: call.body[name] for name in ("destinationResourceId", "region")}
    made = call.store.collection("checkpoint-copies", checkpoint["id"])
    made.put(place["destinationResourceId"], {**place, "status": "InProgress"})
    return call.json(_copies(call, checkpoint))


@handles("fine_tuning.jobs.checkpoints.copies.get")
def copied(call: Call) -> Response:
    """The copies of a checkpoint. Each look finds those that were under way as finished. 404 if there are none."""
    checkpoint = _checkpoint(call)
    made = call.store.collection("checkpoint-copies", checkpoint["id"])
    if not len(made):
        raise errors.missing("copy of the checkpoint", checkpoint["id"])
    for one in made:
        one["status"] = "Completed"
    return call.json(_copies(call, checkpoint))
