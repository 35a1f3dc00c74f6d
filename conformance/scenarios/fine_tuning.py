"""Fine-tuning scenarios: jobs that end, are cancelled or paused, and graders. These cost money on a live target."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any

from conformance.evidence.exchange import Exchange
from conformance.requests.case import Case, Expect
from conformance.scenarios.lists import Listing, Objects, ids_of, listing
from conformance.scenarios.resource_kinds import kind
from conformance.scenarios.scenario import Scenario, Script, Settings, Step, scenario
from conformance.scenarios.steps import (
    IMPOSSIBLE,
    answer_of,
    call,
    create,
    created_id,
    poll_status,
    prepared,
    status_of,
)
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec

JOBS = "fine_tuning.jobs"
GET, EVENTS, CHECKPOINTS = f"{JOBS}.get", f"{JOBS}.events.list", f"{JOBS}.checkpoints.list"

#: States of a job that has ended.
ENDS = ("succeeded", "failed", "cancelled")

EXPENSIVE = "fine-tuning"


def made_jobs(
    spec: Spec, name: str, settings: Settings, count: int
) -> Generator[Step, tuple[Exchange, ...], dict[str, str] | None]:
    """Create ``count`` jobs over one training file. Return the ids by placeholder (``job.0`` …), or None if one is
    missing.
    """
    item = kind("job")
    ready = yield from prepared(spec, item, name, settings, 1)
    if ready is None:
        return None
    known = ready.for_object(item, 0)
    cases = [create(spec, item, f"job.{n}", (), known, role="job.create").at(name, f"job.{n}") for n in range(count)]
    answers = yield tuple(cases)
    ids = {f"job.{n}": made for n, seen in enumerate(answers) if (made := created_id(seen))}
    return {**known, **ids} if len(ids) == count else None


@scenario("fine_tuning.job", operations=(f"{JOBS}.create", GET, EVENTS, CHECKPOINTS), requests=40, expensive=EXPENSIVE)
def job(spec: Spec, settings: Settings) -> Script:
    """A job has events from the beginning, ends, and leaves a model, checkpoints and result files."""
    name = "fine_tuning.job"
    known = yield from made_jobs(spec, name, settings, 1)
    if known is None:
        return

    def on(operation: str, role: str, **more: Any) -> Case:
        return call(spec, operation, "{job.0}", role=role, known=known, **more).at(name, role)

    # Asked at once, so that the list is seen while the job has few events.
    yield (on(EVENTS, "events.first"),)
    look = on(GET, "job.get")
    ended = yield from poll_status(look, "job.get", ENDS, settings)
    if status_of(ended) not in ENDS:
        return
    yield (look.at(name, "job.again"), on(EVENTS, "events", query={"limit": 100}), on(CHECKPOINTS, "checkpoints"))
    given = answer_of(ended).get("result_files")
    results = [one for one in given if isinstance(one, str)] if isinstance(given, list) else []
    if results and "files.get" in operations_of(spec):
        known["result"] = results[0]
        look = call(spec, "files.get", "{result}", role="result", known=known, expect=Expect.EITHER)
        yield (look.at(name, "result"),)


@scenario("fine_tuning.stopped", operations=(f"{JOBS}.create", GET, f"{JOBS}.cancel"), requests=40, expensive=EXPENSIVE)
def stopped(spec: Spec, settings: Settings) -> Script:
    """One job is cancelled; another is paused, resumed and cancelled."""
    name = "fine_tuning.stopped"
    known = yield from made_jobs(spec, name, settings, 2)
    if known is None:
        return

    def on(verb: str, number: int, role: str) -> Case:
        # Either outcome: a fast target may have ended the job before.
        made = call(spec, f"{JOBS}.{verb}", f"{{job.{number}}}", role=role, known=known, expect=Expect.EITHER)
        return made.at(name, role)

    (seen,) = yield (on("cancel", 0, "cancel"),)
    if seen.ok:
        look = on("get", 0, "cancelled")
        yield from poll_status(look, "cancelled", ENDS, settings)
        yield (look.at(name, "cancelled.again"),)
        if f"{JOBS}.pause" in operations_of(spec):
            yield (on("pause", 0, "pause-ended"),)
    if {f"{JOBS}.pause", f"{JOBS}.resume"} <= set(operations_of(spec)):
        for verb in ("pause", "resume"):
            yield (on(verb, 1, verb),)
            yield (on("get", 1, f"{verb}.get"),)
    yield (on("cancel", 1, "cancel-other"),)


@scenario("fine_tuning.bad-files", operations=(f"{JOBS}.create", GET, "files.upload"), requests=30, expensive=EXPENSIVE)
def bad_files(spec: Spec, settings: Settings) -> Script:
    """A job over a file for assistants, which holds no JSON lines, and one over a file that nobody uploaded.

    Each may be refused at once, or end without success.
    """
    name, item = "fine_tuning.bad-files", kind("job")
    (seen,) = yield (create(spec, kind("file"), "notes", role="setup").at(name, "notes"),)
    notes = created_id(seen)
    if notes is None:
        return
    files = {"purpose": notes, "unknown": f"file-{IMPOSSIBLE}"}
    for key, file in files.items():
        case = create(spec, item, key, (), {item.needs: file}, role=f"{key}.create", expect=Expect.EITHER)
        (seen,) = yield (case.at(name, f"{key}.create"),)
        made = created_id(seen)
        if made is not None:
            look = call(spec, GET, f"{{{key}}}", role=f"{key}.get", known={key: made}).at(name, f"{key}.get")
            yield from poll_status(look, f"{key}.get", ENDS, settings)


#: A grader that compares two texts.
_SAME = {
    "type": "string_check",
    "name": "same",
    "input": "{{ sample.output_text }}",
    "reference": "yes",
    "operation": "eq",
}
_GRADERS = "fine_tuning.alpha.graders"


@scenario(
    "fine_tuning.graders", operations=(f"{_GRADERS}.run", f"{_GRADERS}.validate"), requests=4, expensive=EXPENSIVE
)
def graders(spec: Spec, settings: Settings) -> Script:
    """A grader that compares texts is validated, then run on an equal text and on a different one."""
    name = "fine_tuning.graders"
    yield (
        call(spec, f"{_GRADERS}.validate", role="validate", body={"grader": _SAME}).at(name, "validate"),
        *(
            call(spec, f"{_GRADERS}.run", role=f"run.{text}",
                 body={"grader": _SAME, "model_sample": text, "item": {}}).at(name, f"run.{text}")
            for text in ("yes", "no")
        ),
    )  # fmt: skip


def scenarios_for(spec: Spec) -> Iterator[Scenario]:
    """The walks over the events and over the checkpoints of a job."""
    for operation, make in ((EVENTS, _parts(EVENTS)), (CHECKPOINTS, _parts(CHECKPOINTS))):
        if {f"{JOBS}.create", operation} <= set(operations_of(spec)):
            what = operation.split(".")[2]
            walk = Listing(operation, make, page=1)
            yield listing(spec, walk, f"Walks over the {what} of a job.", requests=40, expensive=EXPENSIVE)


def _parts(operation: str) -> Any:
    """A maker for :class:`Listing`: it creates a job, waits for its end and returns its events or checkpoints."""

    def make(spec: Spec, settings: Settings, name: str) -> Generator[Step, tuple[Exchange, ...], Objects | None]:
        known = yield from made_jobs(spec, name, settings, 1)
        if known is None:
            return None
        look = call(spec, GET, "{job.0}", role="job.get", known=known).at(name, "job.get")
        yield from poll_status(look, "job.get", ENDS, settings)
        (page,) = yield (
            call(spec, operation, "{job.0}", role="list.all", query={"limit": 100}, known=known).at(name, "list.all"),
        )
        # The list is newest first; ``Objects`` wants the oldest first.
        return Objects(tuple(reversed(ids_of(page))), known, ("{job.0}",), own=True)

    return make
