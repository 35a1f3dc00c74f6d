"""Fine-tuning jobs. Each read of a job takes it one state further; a paused job stays in its state."""

from __future__ import annotations

from typing import Any

from conformance.emulator import error_answers as errors
from conformance.emulator.call import Call
from conformance.emulator.handlers import handles
from conformance.emulator.resources.files import content_of, rows_of, store_file
from conformance.emulator.resources.models import add_tuned
from conformance.emulator.resources.objects import Value, ids, members
from conformance.emulator.store import Collection
from conformance.evidence.exchange import Response

_ENDED = frozenset({"succeeded", "failed", "cancelled"})
#: The state after each state.
_NEXT = {"validating_files": "queued", "queued": "running", "running": "succeeded"}
#: The message of the event when a state is entered.
_SAYS = {
    "queued": "Files validated, moving job to queued state",
    "running": "Fine-tuning job started",
    "succeeded": "The job has successfully completed",
    "failed": "The job failed",
    "cancelled": "The job was cancelled",
}
#: Epochs of a training, each with a checkpoint.
_EPOCHS = 3
#: Seconds that a job is estimated to take.
_ESTIMATE = 3600


def _jobs(call: Call) -> Collection:
    return call.store.collection("fine-tuning-jobs")


def _events(call: Call, job: Value) -> Collection:
    return call.store.collection("fine-tuning-events", job["id"])


def _found(call: Call) -> Value:
    found: Value = call.found(_jobs(call), ids(call)[0], "fine-tuning job")
    return found


def _log(call: Call, job: Value, message: str, *, level: str = "info", data: Any = None) -> None:
    """Add an event to a job."""
    event: Value = {
        "id": call.store.new_id("ftevent-"),
        "object": "fine_tuning.job.event",
        "created_at": call.clock.now(),
        "level": level,
        "message": message,
        "type": "metrics" if data else "message",
        "data": data or {},
    }
    _events(call, job).put(event["id"], event)


def _moved(call: Call, job: Value, status: str) -> None:
    """Put the job into a state, with its event."""
    job["status"] = status
    if status in _ENDED:
        job["finished_at"], job["estimated_finish"] = call.clock.now(), None
    _log(call, job, _SAYS[status], level="error" if status == "failed" else "info")


def _advance(call: Call, job: Value) -> None:
    """Take the job one state further."""
    # Polling must see a paused job stay as it is.
    if job["status"] in _ENDED or job["paused"]:
        return
    following = _NEXT[job["status"]]
    # Files are checked at the first step: the documented state ``validating_files`` comes after the creation.
    if following == "queued" and not _valid(call, job):
        return
    if following == "running":
        job["estimated_finish"] = call.clock.now() + _ESTIMATE
    if following == "succeeded":
        _train(call, job)
    _moved(call, job, following)


def _valid(call: Call, job: Value) -> bool:
    """Return True if the files exist and are JSON Lines; else let the job fail."""
    for name in ("training_file", "validation_file"):
        # A job without a validation file has nothing to check there.
        data = content_of(call, job[name]) if job[name] else b"{}"
        if data is None or rows_of(data) is None:
            why = "does not exist" if data is None else "is not a JSON Lines file"
            job["error"] = {"code": f"invalid_{name}", "message": f"The file {job[name]} {why}.", "param": name}
            _moved(call, job, "failed")
            return False
    return True


def _train(call: Call, job: Value) -> None:
    """Add a checkpoint per epoch with its metrics, the result file and the name of the model."""
    base = f"{job['model']}.ft-{job['id'].removeprefix('ftjob-')[:12]}"
    job["fine_tuned_model"] = f"{base}-{job['user_provided_suffix']}" if job["user_provided_suffix"] else base
    add_tuned(call, job["fine_tuned_model"])
    data = content_of(call, job["training_file"]) or b""
    # About four bytes are a token.
    job["trained_tokens"] = _EPOCHS * max(1, len(data) // 4)
    lines = ["step,train_loss,train_accuracy"]
    for step in range(1, _EPOCHS + 1):
        loss = round(1 / (step + 1), 4)
        metrics = {"step": step, "train_loss": loss, "train_mean_token_accuracy": round(1 - loss / 2, 4)}
        _log(call, job, f"Step {step}: training loss={loss}", data=metrics)
        checkpoint: Value = {
            "id": call.store.new_id("ftchkpt-"),
            "object": "fine_tuning.job.checkpoint",
            "created_at": call.clock.now(),
            "fine_tuned_model_checkpoint": f"{job['fine_tuned_model']}:ckpt-step-{step}",
            "fine_tuning_job_id": job["id"],
            "metrics": metrics,
            "step_number": step,
        }
        call.store.collection("fine-tuning-checkpoints", job["id"]).put(checkpoint["id"], checkpoint)
        lines.append(f"{step},{loss},{metrics['train_mean_token_accuracy']}")
    results = store_file(call, "\n".join(lines).encode(), "results.csv", "fine-tune-results", status="processed")
    job["result_files"] = [results["id"]]


@handles("fine_tuning.jobs.create")
def create(call: Call) -> Response:
    """A new job. Its files are checked when it starts: a missing file makes the job fail."""
    method = call.get("method", {"type": "supervised", "supervised": {"hyperparameters": {}}})
    # The newer form has the parameters within the method, the older one at the top.
    asked = members(members(method.get(method["type"])).get("hyperparameters")) or call.get("hyperparameters", {})
    auto = {"n_epochs": "auto", "batch_size": "auto", "learning_rate_multiplier": "auto"}
    job: Value = {
        "id": call.store.new_id("ftjob-"),
        "object": "fine_tuning.job",
        "created_at": call.clock.now(),
        "model": call.body["model"],
        "status": "validating_files",
        "training_file": call.body["training_file"],
        "validation_file": call.get("validation_file"),
        "hyperparameters": {**auto, **{name: asked[name] for name in auto if name in asked}},
        "method": method,
        "seed": call.get("seed", 42),
        "user_provided_suffix": call.get("suffix"),
        "integrations": call.get("integrations", []),
        "metadata": call.get("metadata", {}),
        "organization_id": "",
        "result_files": [],
        "trained_tokens": None,
        "fine_tuned_model": None,
        "finished_at": None,
        "estimated_finish": None,
        "error": None,
        "paused": False,
    }
    _jobs(call).put(job["id"], job)
    _log(call, job, "Created fine-tuning job")
    return call.json(job)


@handles("fine_tuning.jobs.list")
def list_(call: Call) -> Response:
    """A page of jobs, newest first."""
    return call.json(call.page(_jobs(call)))


@handles("fine_tuning.jobs.get")
def get(call: Call) -> Response:
    """One job. Each read takes it one state further."""
    job = _found(call)
    _advance(call, job)
    return call.json(job)


def _running(call: Call, what: str) -> Value:
    """The job that the path names. Raises 400 if it has ended."""
    job = _found(call)
    if job["status"] in _ENDED:
        raise errors.conflict(f"The job {job['id']} has status '{job['status']}' and can't be {what}.")
    return job


@handles("fine_tuning.jobs.cancel")
def cancel(call: Call) -> Response:
    """Stop a job."""
    job = _running(call, "cancelled")
    _moved(call, job, "cancelled")
    return call.json(job)


@handles("fine_tuning.jobs.pause")
def pause(call: Call) -> Response:
    """Pause a job."""
    job = _running(call, "paused")
    job["paused"] = True
    _log(call, job, "The job was paused")
    return call.json(job)


@handles("fine_tuning.jobs.resume")
def resume(call: Call) -> Response:
    """Continue a paused job."""
    job = _running(call, "resumed")
    if not job["paused"]:
        raise errors.conflict(f"The job {job['id']} is not paused.")
    job["paused"] = False
    _log(call, job, "The job was resumed")
    return call.json(job)


@handles("fine_tuning.jobs.events.list")
def list_events(call: Call) -> Response:
    """A page of a job's events, newest first."""
    return call.json(call.page(_events(call, _found(call))))


@handles("fine_tuning.jobs.checkpoints.list")
def list_checkpoints(call: Call) -> Response:
    """A page of a job's checkpoints, newest first."""
    return call.json(call.page(call.store.collection("fine-tuning-checkpoints", _found(call)["id"])))
