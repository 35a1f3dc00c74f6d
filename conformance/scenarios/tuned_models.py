"""Scenarios of what a job leaves: the tuned model, permissions to use its checkpoints, and copies of them.

Each begins with a job, which costs money on a live target. Requests that change something name only the model and the
checkpoints of this job; the target lets them pass if they are certainly not older than the run.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any

from conformance.evidence.exchange import Exchange
from conformance.requests.case import Case, Expect
from conformance.scenarios.fine_tuning import CHECKPOINTS, ENDS, EXPENSIVE, GET, JOBS, made_jobs
from conformance.scenarios.lists import OBJECTS, Listing, Objects, listing
from conformance.scenarios.scenario import Scenario, Script, Settings, Step, scenario
from conformance.scenarios.steps import answer_of, call, created_id, listed_in, poll, poll_status
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec

PERMISSIONS = "fine_tuning.checkpoints.permissions"
COPIES = "fine_tuning.jobs.checkpoints.copies"

#: Projects that get a permission. Whether a target knows them is its owner's matter.
PROJECTS = ("proj_conformance_one", "proj_conformance_two")

#: Where a copy goes: a resource that nobody has, because the subscription is the nil UUID.
DESTINATION = {
    "destinationResourceId": "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/conformance/providers/"
    "Microsoft.CognitiveServices/accounts/conformance-no-such-resource",
    "region": "swedencentral",
}

#: The states of a copy that is finished.
COPIED = ("Completed", "Failed")


def _tuned(
    spec: Spec, name: str, settings: Settings
) -> Generator[Step, tuple[Exchange, ...], tuple[dict[str, str], str]]:
    """Make a job and wait for its end. Return the known ids, with the job as ``job.0``, and the name of the tuned
    model; "" if there is none.
    """
    known = yield from made_jobs(spec, name, settings, 1)
    if known is None:
        return {}, ""
    look = call(spec, GET, "{job.0}", role="job.get", known=known).at(name, "job.get")
    ended = yield from poll_status(look, "job.get", ENDS, settings)
    model = answer_of(ended).get("fine_tuned_model")
    return known, model if isinstance(model, str) else ""


@scenario(
    "lifecycle.models",
    operations=("models.get", "models.list", "models.delete"),
    uses=(f"{JOBS}.create", GET),
    requests=50,
    expensive=EXPENSIVE,
)
def models(spec: Spec, settings: Settings) -> Script:
    """A tuned model can be read and is listed; after its deletion it is gone. The model that a job began with stays."""
    name = "lifecycle.models"
    known, model = yield from _tuned(spec, name, settings)
    if not model:
        return
    known["model"] = model

    def on(verb: str, role: str, *, expect: Expect = Expect.ACCEPT) -> Case:
        ids = () if verb == "list" else ("{model}",)
        return call(spec, f"models.{verb}", *ids, role=role, known=known, expect=expect).at(name, role)

    def numbered(verb: str, role: str) -> Any:
        return lambda n: on(verb, role, expect=Expect.EITHER).at(name, f"{role}.{n}" if n else role)

    # No request creates a model; what is read first stands for the answer to its creation.
    first = yield from poll(numbered("get", "create"), lambda seen: seen.ok, settings, settings.read_after_write)
    if not first.ok:
        return
    yield on("get", "get"), on("list", "list")
    (gone,) = yield (on("delete", "delete"),)
    if not gone.ok:
        return
    yield from poll(numbered("get", "deleted"), lambda seen: not seen.ok, settings, settings.read_after_write)
    yield from poll(
        numbered("list", "list-after"),
        lambda seen: model not in [one.get("id") for one in listed_in(seen, "data")],
        settings,
        settings.read_after_write,
    )
    yield (on("delete", "delete-again", expect=Expect.EITHER),)


def _checkpoint(
    spec: Spec, name: str, settings: Settings
) -> Generator[Step, tuple[Exchange, ...], dict[str, str] | None]:
    """Make a job and wait for its end. Return the known ids, with its newest checkpoint as ``checkpoint`` and the name
    of this as ``tuned``; None if there is none.
    """
    known, model = yield from _tuned(spec, name, settings)
    if not model:
        return None
    (page,) = yield (call(spec, CHECKPOINTS, "{job.0}", role="checkpoints", known=known).at(name, "checkpoints"),)
    for one in listed_in(page, "data"):
        id, tuned = one.get("id"), one.get("fine_tuned_model_checkpoint")
        if isinstance(id, str) and isinstance(tuned, str):
            return {**known, "checkpoint": id, "tuned": tuned}
    return None


def permission(spec: Spec, known: dict[str, str], key: str, project: str, **more: Any) -> Case:
    """A case that permits one project to use the checkpoint ``tuned``; the permission gets the placeholder ``key``.

    Either outcome is right: only the owner of a target knows its projects.
    """
    undo = call(spec, f"{PERMISSIONS}.delete", "{tuned}", f"{{{key}}}", role="undo", known=known)
    return call(
        spec,
        f"{PERMISSIONS}.create",
        "{tuned}",
        body={"project_ids": [project]},
        known=known,
        creates={key: "/data/0/id"},
        undo=undo,
        expect=Expect.EITHER,
        expensive=EXPENSIVE,
        **more,
    )


@scenario(
    "fine_tuning.permissions",
    operations=tuple(f"{PERMISSIONS}.{verb}" for verb in ("create", "list", "delete")),
    uses=(f"{JOBS}.create", GET, CHECKPOINTS),
    requests=50,
    expensive=EXPENSIVE,
)
def permissions(spec: Spec, settings: Settings) -> Script:
    """Two projects may use a checkpoint; the list shows both, or one of them. One permission is withdrawn."""
    name = "fine_tuning.permissions"
    known = yield from _checkpoint(spec, name, settings)
    if known is None:
        return
    keys = ("first", "second")
    sent = [permission(spec, known, k, p, role=k).at(name, k) for k, p in zip(keys, PROJECTS, strict=True)]
    answers = yield tuple(sent)
    for key, seen in zip(keys, answers, strict=True):
        id = created_id(seen, "/data/0/id")
        if id is None:
            return
        known[key] = id

    def on(verb: str, *ids: str, role: str, **more: Any) -> Case:
        return call(spec, f"{PERMISSIONS}.{verb}", "{tuned}", *ids, role=role, known=known, **more).at(name, role)

    yield on("list", role="list"), on("list", role="list.project", query={"project_id": PROJECTS[0]})
    (gone,) = yield (on("delete", "{first}", role="delete"),)
    if not gone.ok:
        return
    yield on("list", role="list-after"), on("delete", "{first}", role="delete-again", expect=Expect.EITHER)


@scenario(
    "fine_tuning.copies",
    operations=(f"{COPIES}.create", f"{COPIES}.get"),
    uses=(f"{JOBS}.create", GET, CHECKPOINTS),
    requests=50,
    expensive=EXPENSIVE,
)
def copies(spec: Spec, settings: Settings) -> Script:
    """A checkpoint is copied to another resource, and looked at until the copy is finished.

    The resource doesn't exist. A target that asks it refuses the copy, or says that it failed.
    """
    name = "fine_tuning.copies"
    known = yield from _checkpoint(spec, name, settings)
    if known is None:
        return

    def on(verb: str, role: str, expect: Expect = Expect.ACCEPT, **more: Any) -> Case:
        ids = ("{job.0}", "{checkpoint}")
        return call(spec, f"{COPIES}.{verb}", *ids, role=role, known=known, expect=expect, **more).at(name, role)

    (seen,) = yield (on("create", "copy", Expect.EITHER, body=DESTINATION, expensive=EXPENSIVE),)
    if not seen.ok:
        return

    def over(look: Exchange) -> bool:
        return all(one.get("status") in COPIED for one in listed_in(look, "copiedAccountDetails"))

    def look(number: int) -> Case:
        return on("get", "copy.get").at(name, f"copy.get.{number}" if number else "copy.get")

    yield from poll(look, over, settings, settings.deadline)
    yield (on("get", "copy.again"),)


def scenarios_for(spec: Spec) -> Iterator[Scenario]:
    """The walk over the permissions of a checkpoint."""
    needed = {f"{JOBS}.create", CHECKPOINTS, f"{PERMISSIONS}.create", f"{PERMISSIONS}.list"}
    if needed <= set(operations_of(spec)):
        walk = Listing(f"{PERMISSIONS}.list", _permitted)
        yield listing(
            spec, walk, "Walks over the permissions of a checkpoint.", requests=80, expensive=EXPENSIVE,
            operations=tuple(f"{PERMISSIONS}.{verb}" for verb in ("create", "list", "delete")),
        )  # fmt: skip


def _permitted(spec: Spec, settings: Settings, name: str) -> Generator[Step, tuple[Exchange, ...], Objects | None]:
    """Make a job and permissions for its newest checkpoint, one after the other."""
    known = yield from _checkpoint(spec, name, settings)
    if known is None:
        return None
    ids: list[str] = []
    for number in range(OBJECTS):
        key = f"permission.{number}"
        case = permission(spec, known, key, f"proj_conformance_{number}", role="create")
        (seen,) = yield (case.at(name, f"create.{number}"),)
        made = created_id(seen, "/data/0/id")
        if made is None:
            return None
        ids.append(made)

    def more(role: str) -> Case:
        return permission(spec, known, "more", "proj_conformance_more", role=role).at(name, role)

    def remove(index: int) -> Case:
        placeholders, of = ("{tuned}", f"{{permission.{index}}}"), {**known, f"permission.{index}": ids[index]}
        made = call(spec, f"{PERMISSIONS}.delete", *placeholders, role="change.delete", known=of)
        return made.at(name, "change.delete")

    return Objects(tuple(ids), known, ("{tuned}",), own=True, more=more, remove=remove)
