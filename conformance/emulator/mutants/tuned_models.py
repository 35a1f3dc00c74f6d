"""Mutants of what a job leaves: models that stay, permissions for others, copies that go elsewhere."""

from __future__ import annotations

from conformance.emulator.call import Call
from conformance.emulator.edits import path_ids, restored, with_fields, with_items
from conformance.emulator.handlers import Handler
from conformance.emulator.mutants import mutant
from conformance.evidence.exchange import Response

PERMISSIONS = "fine_tuning.checkpoints.permissions"
COPIES = "fine_tuning.jobs.checkpoints.copies"


#: Only a job makes a model that can be deleted.
_TUNED = "fine_tuning.jobs.create"


@mutant("models.delete-keeps", "A deleted model is gone.", "models.delete", seen_by=_TUNED)
def model_kept(call: Call, answer: Handler) -> Response:
    return restored(call, answer, call.store.collection("tuned-models"), path_ids(call)[0])


@mutant("models.delete-denies", "A deletion says that it was done.", "models.delete", seen_by=_TUNED)
def deletion_denied(call: Call, answer: Handler) -> Response:
    return with_fields(answer(call), deleted=False)


@mutant("permissions.another-project", "A permission is given to the project that was named.", f"{PERMISSIONS}.create")
def another_project(call: Call, answer: Handler) -> Response:
    return with_items(answer(call), lambda data: [{**one, "project_id": "proj_of_another"} for one in data])


@mutant("permissions.first-only", "Every permission of a checkpoint is listed.", f"{PERMISSIONS}.list")
def first_only(call: Call, answer: Handler) -> Response:
    return with_items(answer(call), lambda data: data[:1])


@mutant("permissions.every-project", "A list for one project shows only its permissions.", f"{PERMISSIONS}.list")
def every_project(call: Call, answer: Handler) -> Response:
    call.query = {name: value for name, value in call.query.items() if name != "project_id"}
    return answer(call)


@mutant(
    "permissions.withdraws-all",
    "Only the permission that was named is withdrawn.",
    f"{PERMISSIONS}.delete",
    seen_by=f"{PERMISSIONS}.list",
)
def withdraws_all(call: Call, answer: Handler) -> Response:
    response = answer(call)
    call.store.drop("checkpoint-permissions", path_ids(call)[0])
    return response


@mutant(
    "copies.elsewhere", "A copy goes to the region that was asked for.", f"{COPIES}.create", seen_by=f"{COPIES}.get"
)
def elsewhere(call: Call, answer: Handler) -> Response:
    call.body = {**call.body, "region": "nowhere"}
    return answer(call)


@mutant("copies.restart", "A copy that has ended keeps its state.", f"{COPIES}.get")
def restarted(call: Call, answer: Handler) -> Response:
    again = call.store.count("copies.restart") % 2 == 0
    response = answer(call)
    if not again or response.status != 200:
        return response
    found = response.json["copiedAccountDetails"]
    return with_fields(response, copiedAccountDetails=[{**one, "status": "InProgress"} for one in found])
