"""Eval scenarios: a run over five rows with its items and states, and a run that is cancelled."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any

from conformance.evidence.exchange import Exchange
from conformance.requests.case import Break, Case, Expect
from conformance.scenarios.lists import ANOTHER_SECOND, Listing, Objects, ids_of, listing
from conformance.scenarios.resource_kinds import kind
from conformance.scenarios.scenario import Scenario, Script, Settings, Step, scenario
from conformance.scenarios.steps import call, create, created_id, poll_status, status_of
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec
from conformance.verdict import Level

RUN, ITEMS = "evals.runs.get", "evals.runs.output_items.list"

#: The states of a run that has ended. Documents spell the last one in both ways.
ENDS = ("completed", "failed", "canceled", "cancelled")


def _ran(
    spec: Spec, name: str, settings: Settings
) -> Generator[Step, tuple[Exchange, ...], tuple[dict[str, str], bool] | None]:
    """Create an eval and a run, and poll the run to its end.

    Return the ids and whether the run is completed, or None if one could not be created.
    """
    (seen,) = yield (create(spec, kind("eval"), "eval", role="setup").at(name, "eval"),)
    made = created_id(seen)
    if made is None:
        return None
    known = {"eval": made}
    (seen,) = yield (create(spec, kind("eval_run"), "run", ("{eval}",), known, role="run.create").at(name, "run"),)
    run = created_id(seen)
    if run is None:
        return None
    known["run"] = run
    look = call(spec, RUN, "{eval}", "{run}", role="run.get", known=known, expensive="evals").at(name, "run.get")
    ended = yield from poll_status(look, "run.get", ENDS, settings)
    return known, status_of(ended) == "completed"


@scenario("evals.run", operations=("evals.create", "evals.runs.create", RUN, ITEMS), requests=40, expensive="evals")
def run(spec: Spec, settings: Settings) -> Script:
    """A run over five rows ends, counts the rows that passed, and keeps an item for each row."""
    name = "evals.run"
    made = yield from _ran(spec, name, settings)
    if made is None or not made[1]:
        return
    known = made[0]

    def on(operation: str, *ids: str, role: str, **more: Any) -> Case:
        return call(spec, operation, *ids, role=role, known=known, **more).at(name, role)

    above = ("{eval}", "{run}")
    answers = yield (
        on(ITEMS, *above, role="items", query={"limit": 100}),
        on(ITEMS, *above, role="items.pass", query={"status": "pass"}),
        on(ITEMS, *above, role="items.fail", query={"status": "fail"}),
        on(RUN, *above, role="run.again"),
        on("evals.runs.list", "{eval}", role="runs.completed", query={"status": "completed"}),
        on("evals.runs.list", "{eval}", role="runs.queued", query={"status": "queued"}),
    )
    items = ids_of(answers[0])
    # A single item can be read only if the list named one.
    if items:
        known["item"] = items[0]
        yield (on("evals.runs.output_items.get", *above, "{item}", role="item.get"),)


#: Criterion → its operation. No name begins with another one: answers may append something to a name.
COMPARISONS = {"is-equal": "eq", "is-different": "ne", "contains": "like", "any-case": "ilike"}

#: Words that the four comparisons tell apart from the reference "yes".
_WORDS = ("yes", "no", "YES", "maybe")


def _refused(field: str, reason: str) -> dict[str, Any]:
    """What a case expects that a document rules out: no source says that the service refuses it."""
    broken = Break(field, "reference", "body")
    return {"expect": Expect.REJECT, "level": Level.SHOULD, "reason": reason, "breaks": broken}


@scenario(
    "evals.comparisons", operations=("evals.create", "evals.runs.create", RUN, ITEMS), requests=20, expensive="evals"
)
def comparisons(spec: Spec, settings: Settings) -> Script:
    """A run compares four words in four ways. An unknown variable and a source of another kind are refused."""
    name = "evals.comparisons"
    criteria = [
        {"type": "string_check", "name": key, "input": "{{ item.word }}", "reference": "yes", "operation": operation}
        for key, operation in COMPARISONS.items()
    ]
    maker = create(spec, kind("eval"), "eval", wanted={"testing_criteria": criteria}, role="setup")
    stray = [{**criteria[0], "input": "{{ item.unheard_of }}"}]
    unknown = create(spec, kind("eval"), "stray", wanted={"testing_criteria": stray}, role="stray",
                     **_refused("/testing_criteria/0/input", "the data has no such variable"))  # fmt: skip
    answers = yield (maker.at(name, "eval"), unknown.at(name, "stray"))
    made = created_id(answers[0])
    if made is None:
        return
    known = {"eval": made}
    rows = [{"item": {"word": word}} for word in _WORDS]
    source = {"type": "jsonl", "source": {"type": "file_content", "content": rows}}
    other = {"type": "completions", "model": "{deployment}", "source": {"type": "responses"}}
    cases = (
        create(spec, kind("eval_run"), "run", ("{eval}",), known, wanted={"data_source": source}, role="run.create"),
        create(spec, kind("eval_run"), "other", ("{eval}",), known, wanted={"data_source": other}, role="other-source",
               **_refused("/data_source/source/type", "responses feed runs of the type responses")),
    )  # fmt: skip
    answers = yield tuple(case.at(name, case.role) for case in cases)
    run = created_id(answers[0])
    if run is None:
        return
    known["run"] = run
    look = call(spec, RUN, "{eval}", "{run}", role="run.get", known=known, expensive="evals").at(name, "run.get")
    ended = yield from poll_status(look, "run.get", ENDS, settings)
    if status_of(ended) == "completed":
        page = call(spec, ITEMS, "{eval}", "{run}", role="items", query={"limit": 100}, known=known)
        yield (page.at(name, "items"),)


@scenario("evals.cancelled", operations=("evals.runs.create", "evals.runs.cancel", RUN), requests=30, expensive="evals")
def cancelled(spec: Spec, settings: Settings) -> Script:
    """A run that is cancelled at once doesn't end completed. If it ended before, there is nothing to judge."""
    name = "evals.cancelled"
    (seen,) = yield (create(spec, kind("eval"), "eval", role="setup").at(name, "eval"),)
    made = created_id(seen)
    if made is None:
        return
    known = {"eval": made}
    (seen,) = yield (create(spec, kind("eval_run"), "run", ("{eval}",), known, role="run.create").at(name, "run"),)
    run_id = created_id(seen)
    if run_id is None:
        return
    known["run"] = run_id
    # Either outcome: a small run may be over before the request arrives.
    ask = call(spec, "evals.runs.cancel", "{eval}", "{run}", role="cancel", known=known, expect=Expect.EITHER)
    (seen,) = yield (ask.at(name, "cancel"),)
    look = call(spec, RUN, "{eval}", "{run}", role="cancelled", known=known).at(name, "cancelled")
    yield from poll_status(look, "cancelled", ENDS, settings)
    by_state = call(spec, "evals.runs.list", "{eval}", role="runs", query={"status": "canceled"}, known=known)
    yield (by_state.at(name, "runs"), look.at(name, "cancelled.again"))


@scenario("evals.order-by", operations=("evals.create", "evals.modify", "evals.list"), requests=11, expensive="evals")
def order_by(spec: Spec, settings: Settings) -> Script:
    """Of two evals the older one is modified: ordered by creation it is the older, ordered by last change the newer
    one.

    Each page begins after one of the two, because other clients may have created more evals than a page can hold.
    """
    name, item, ids = "evals.order-by", kind("eval"), list[str]()
    for key in ("older", "newer"):
        (seen,) = yield (create(spec, item, key, role="setup").at(name, key),)
        made = created_id(seen)
        if made is None:
            return
        ids.append(made)
        # Times are whole seconds; without a pause both evals could have the same one.
        yield ANOTHER_SECOND
    known = {"older": ids[0], "newer": ids[1]}
    body = {"name": "Conformance probe, changed last"}
    (seen,) = yield (call(spec, "evals.modify", "{older}", role="modify", body=body, known=known).at(name, "modify"),)
    if seen.ok:
        pages = [
            (f"{field}.{key}", {"order_by": field, "order": "desc", "limit": 100, "after": f"{{{key}}}"})
            for field in ("created_at", "updated_at")
            for key in known
        ]
        yield tuple(
            call(spec, "evals.list", role=f"by.{step}", query=query, known=known).at(name, step)
            for step, query in pages
        )


def scenarios_for(spec: Spec) -> Iterator[Scenario]:
    """The walk over the output items of a run, where the version has them."""
    if {"evals.create", "evals.runs.create", ITEMS} <= set(operations_of(spec)):
        yield listing(
            spec, Listing(ITEMS, _items), "Walks over the items of an eval's run.", requests=60, expensive="evals"
        )


def _items(spec: Spec, settings: Settings, name: str) -> Generator[Step, tuple[Exchange, ...], Objects | None]:
    """Create an eval run and return its items, for the walk over their list."""
    made = yield from _ran(spec, name, settings)
    if made is None:
        return None
    above = ("{eval}", "{run}")
    every = call(spec, ITEMS, *above, role="list.all", query={"limit": 100, "order": "asc"}, known=made[0])
    (page,) = yield (every.at(name, "list.all"),)
    return Objects(tuple(ids_of(page)), made[0], above, own=True)
