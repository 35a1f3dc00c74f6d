"""What the service makes on the way belongs to the run only if it is certainly not older; nothing else is changed."""

from __future__ import annotations

import pytest
from attrs import evolve

from conformance.errors import GuardError
from conformance.requests.case import LOCATION, Case
from conformance.spec.loading import load
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec
from conformance.target.created import kinds_of
from conformance.target.limits import Withheld
from conformance.target.parts import PartLists
from conformance.target.target import Target

from .conftest import Open, Serve
from .shelf import NOON, Shelf, cleaned
from .wire_server import http

JOB = "/fine_tuning/jobs/{fine_tuning_job_id}"
CHECKPOINTS = f"{JOB}/checkpoints"


@pytest.fixture(scope="session")
def spec() -> Spec:
    """The version that can delete a model and copy a checkpoint."""
    return load("v1")


def read(operation: str, path: str, **ids: str) -> Case:
    return Case(operation, "GET", path, ids)


def a_job(shelf: Shelf, target: Target) -> None:
    """Make a job and read it: it names the model that it tuned."""
    undo = Case("fine_tuning.jobs.cancel", "POST", f"{JOB}/cancel", {"fine_tuning_job_id": "{job}"})
    target.send(Case("fine_tuning.jobs.create", "POST", "/fine_tuning/jobs", creates={"job": "/id"}, undo=undo))
    shelf.objects["/fine_tuning/jobs/job_1"] = {"id": "job_1", "fine_tuned_model": "m.ft-1"}
    target.send(read("fine_tuning.jobs.get", JOB, fine_tuning_job_id="job_1"))


DELETE = Case("models.delete", "DELETE", "/models/{model}", {"model": "m.ft-1"})


class RootedShelf(Shelf):
    """A shelf that has the same objects under ``/v1`` too."""

    def _correct(self, method: str, path: str) -> bytes:
        return super()._correct(method, path.removeprefix("/v1"))


def shelf_of(serve: Serve) -> Shelf:
    return RootedShelf(serve, {"id": "job_1"}, {"id": "job_1", "status": "cancelled"})


@pytest.mark.parametrize("created", [NOON, NOON + 60])
def test_a_model_of_our_job_may_be_deleted(serve: Serve, open_target: Open, created: int) -> None:
    shelf = shelf_of(serve)
    shelf.objects["/models/m.ft-1"] = {"id": "m.ft-1", "created": created}
    target = open_target(shelf.url)
    a_job(shelf, target)
    with pytest.raises(Withheld):
        target.send(DELETE)
    target.send(read("models.get", "/models/{model}", model="m.ft-1"))
    assert target.send(DELETE).ok
    assert "/models/m.ft-1" not in shelf.objects


def test_an_older_model_is_never_deleted_whoever_names_it(serve: Serve, open_target: Open) -> None:
    shelf = shelf_of(serve)
    shelf.objects["/models/m.ft-1"] = {"id": "m.ft-1", "created": NOON - 60}
    target = open_target(shelf.url)
    a_job(shelf, target)
    target.send(read("models.get", "/models/{model}", model="m.ft-1"))
    with pytest.raises(Withheld, match="not certain"):
        target.send(DELETE)
    with pytest.raises(GuardError):
        target.send(evolve(DELETE, path_params={"model": "gpt-4o"}))
    cleaned(target)
    assert "/models/m.ft-1" in shelf.objects
    assert not [path for method, path in shelf.seen if method == "DELETE"]


def test_a_model_that_nobody_deleted_goes_at_the_end(serve: Serve, open_target: Open) -> None:
    shelf = shelf_of(serve)
    shelf.objects["/models/m.ft-1"] = {"id": "m.ft-1", "created": NOON}
    target = open_target(shelf.url)
    a_job(shelf, target)
    cleaned(target)
    assert "/models/m.ft-1" not in shelf.objects


@pytest.mark.parametrize(("created", "ours"), [(NOON, True), (NOON - 60, False), (None, False)])
def test_checkpoints_belong_to_the_run_unless_they_are_older(
    serve: Serve, open_target: Open, created: int | None, ours: bool
) -> None:
    shelf = shelf_of(serve)
    item = {"id": "ck_1", "fine_tuned_model_checkpoint": "m.ft-1:step", "created_at": created}
    shelf.objects["/fine_tuning/jobs/job_1/checkpoints"] = {"data": [item, "text", {}]}
    target = open_target(shelf.url)
    a_job(shelf, target)
    target.send(read("fine_tuning.jobs.checkpoints.list", CHECKPOINTS, fine_tuning_job_id="job_1"))
    assert target.journal is not None
    assert ours == ({"ck_1", "m.ft-1:step"} <= target.journal.owned)
    ids = {"fine_tuning_job_id": "job_1", "fine_tuning_checkpoint_id": "ck_1"}
    copy = Case(
        "fine_tuning.jobs.checkpoints.copies.create", "POST", f"{CHECKPOINTS}/{{fine_tuning_checkpoint_id}}/copy", ids
    )
    shelf.ruled = lambda method, path: http({}) if method == "POST" else None
    if ours:
        assert target.send(copy).ok
    else:
        with pytest.raises(Withheld):
            target.send(copy)


@pytest.mark.parametrize(("status", "removed"), [(200, 1), (404, 1), (409, 0)])
def test_a_call_is_hung_up_at_the_end(serve: Serve, open_target: Open, status: int, removed: int) -> None:
    shelf = shelf_of(serve)
    hangup = "/realtime/calls/{call_id}/hangup"
    located = b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\nLocation: /v1/realtime/calls/rtc_1\r\n\r\n"
    shelf.ruled = lambda method, path: http({}, status) if path.endswith("/hangup") else located
    undo = Case("realtime.calls.hangup", "POST", hangup, {"call_id": "{call}"})
    target = open_target(shelf.url)
    target.send(Case("realtime.calls.create", "POST", "/realtime/calls", creates={"call": LOCATION}, undo=undo))
    made = cleaned(target)
    assert removed == made.removed
    assert 1 - removed == len(made.left)
    assert shelf.seen[-1][1].endswith("/realtime/calls/rtc_1/hangup")


def test_a_call_that_a_scenario_hung_up_is_not_hung_up_again(serve: Serve, open_target: Open) -> None:
    shelf = shelf_of(serve)
    located = b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\nLocation: /v1/realtime/calls/rtc_1\r\n\r\n"
    shelf.ruled = lambda method, path: http({}) if path.endswith("/hangup") else located
    undo = Case("realtime.calls.hangup", "POST", "/realtime/calls/{call_id}/hangup", {"call_id": "{call}"})
    target = open_target(shelf.url)
    target.send(Case("realtime.calls.create", "POST", "/realtime/calls", creates={"call": LOCATION}, undo=undo))
    target.send(evolve(undo, path_params={"call_id": "rtc_1"}))
    sent = len(shelf.seen)
    assert () == cleaned(target).left
    assert sent == len(shelf.seen)


def test_parts_and_kinds_are_read_from_the_document(spec: Spec) -> None:
    assert "model" in kinds_of(spec)
    assert {"fine_tuning.jobs.checkpoints.list"} == PartLists.of(spec).operations
    assert {"id", "fine_tuned_model_checkpoint", "fine_tuning_checkpoint_id"} <= set(PartLists.of(spec).names)
    older = load("2024-05-01-preview")
    assert frozenset() == PartLists.of(older).operations
    assert "models.delete" in operations_of(spec)
