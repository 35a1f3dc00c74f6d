"""What the end of a job leaves: checkpoints with permissions and copies, and a model that can be deleted."""

from __future__ import annotations

from state_steps import MODEL
from state_talk import Talk

PERMISSIONS, COPIES = "fine_tuning.checkpoints.permissions", "fine_tuning.jobs.checkpoints.copies"


def checkpoints(talk: Talk, job: str, other: str) -> None:
    """``job`` and ``other`` are ids of jobs that have succeeded."""
    made = talk.ok("fine_tuning.jobs.checkpoints.list", job)["data"][0]
    permissions(talk, made["fine_tuned_model_checkpoint"])
    copies(talk, job, other, made["id"])
    model = talk.ok("fine_tuning.jobs.get", job)["fine_tuned_model"]
    assert model in [one["id"] for one in talk.ok("models.list")["data"]]
    talk.ok("models.get", model)
    talk.ok("models.delete", model)
    assert model not in [one["id"] for one in talk.ok("models.list")["data"]]
    for operation in ("models.get", "models.delete"):
        assert talk.status(operation, model) == 404
    assert talk.status("models.delete", MODEL) == 400
    talk.ok("models.get", MODEL)


def permissions(talk: Talk, tuned: str) -> None:
    projects = [f"proj_{n}" for n in range(5)]
    given = talk.ok(f"{PERMISSIONS}.create", tuned, body={"project_ids": projects})["data"]
    assert projects == [one["project_id"] for one in given]
    again = talk.ok(f"{PERMISSIONS}.create", tuned, body={"project_ids": projects[:1]})["data"]
    assert given[:1] == again
    assert [given[4]] == talk.ok(f"{PERMISSIONS}.list", tuned, query={"project_id": "proj_4"})["data"]
    assert given == talk.ok(f"{PERMISSIONS}.list", tuned, query={"order": "ascending"})["data"]
    page = talk.ok(f"{PERMISSIONS}.list", tuned, query={"limit": 2})
    rest = talk.ok(f"{PERMISSIONS}.list", tuned, query={"limit": 9, "after": page["data"][-1]["id"]})
    assert given[::-1] == [*page["data"], *rest["data"]]
    talk.ok(f"{PERMISSIONS}.delete", tuned, given[0]["id"])
    assert talk.status(f"{PERMISSIONS}.delete", tuned, given[0]["id"]) == 404
    assert given[1:] == talk.ok(f"{PERMISSIONS}.list", tuned, query={"order": "ascending"})["data"]
    assert talk.status(f"{PERMISSIONS}.list", "no-such-checkpoint") == 404


def copies(talk: Talk, job: str, other: str, checkpoint: str) -> None:
    place = {"destinationResourceId": "/subscriptions/x", "region": "r"}
    assert talk.status(f"{COPIES}.get", job, checkpoint) == 404
    assert talk.status(f"{COPIES}.create", other, checkpoint, body=place) == 404
    begun = talk.ok(f"{COPIES}.create", job, checkpoint, body=place)
    assert {**place, "status": "InProgress"} in begun["copiedAccountDetails"]
    for _ in range(2):
        found = talk.ok(f"{COPIES}.get", job, checkpoint)
    assert (job, [{**place, "status": "Completed"}]) == (found["fineTuningJobId"], found["copiedAccountDetails"])
