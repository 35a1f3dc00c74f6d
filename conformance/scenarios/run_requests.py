"""Scenarios about what the request of a run asks for: overrides, added messages, no tools, one call, JSON."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any

from conformance.evidence.exchange import Exchange
from conformance.requests.case import Case
from conformance.scenarios.resource_kinds import WEATHER
from conformance.scenarios.runs import (
    ASK,
    CALLS,
    CANCEL,
    ENDS,
    GET,
    HELLO,
    MAKES,
    MESSAGES,
    POPULATION,
    RUNS,
    STEPS,
    RunSetup,
    begin,
    finish,
    run_setup,
)
from conformance.scenarios.scenario import Scenario, Script, Settings, Step, scenario
from conformance.scenarios.steps import call, created_id, documents, status_of
from conformance.spec.spec import Spec

#: Messages that are sent together with a run.
ADDED = (
    {"role": "user", "content": "I live in Oslo."},
    {"role": "user", "content": "Where do I live? Answer with one word."},
)

#: Upper bound of the tokens of one scenario, both ways.
_TOKENS = 4000


def _ended(
    at: RunSetup, case: Case, settings: Settings, role: str
) -> Generator[Step, tuple[Exchange, ...], tuple[str, Exchange] | None]:
    """Start a run and poll it until it stops. Return its id and the last answer, or None if it wasn't created."""
    (made,) = yield (case,)
    run = created_id(made)
    if run is None:
        return None
    return run, (yield from finish(at, run, settings, role))


def _all_messages(at: RunSetup, role: str) -> Case:
    """A case that reads the messages of the thread in the order in which they came."""
    return at.call(MESSAGES, role=role, query={"order": "asc", "limit": 100})


@scenario(
    "runs.overrides",
    operations=(RUNS, GET, MESSAGES, "assistants.get"),
    requests=20,
    tokens=_TOKENS,
    features=CALLS,
    uses=MAKES,
)
def overrides(spec: Spec, settings: Settings) -> Script:
    """A run brings its own instructions, tools and messages; the assistant stays as it was."""
    at = yield from run_setup(spec, "runs.overrides", HELLO, [WEATHER])
    if at is None:
        return
    case = begin(at, instructions="Answer with one word.", tools=[], additional_messages=list(ADDED))
    made = yield from _ended(at, case, settings, "run.get")
    if made is None or status_of(made[1]) not in ENDS:
        return
    look = call(spec, "assistants.get", "{assistant}", role="assistant.after", known=at.known)
    yield (look.at(at.name, "assistant.after"), _all_messages(at, "messages"))


def _no_tools(spec: Spec, settings: Settings) -> Script:
    """A run that may call no tool answers by itself, although its assistant has tools."""
    at = yield from run_setup(spec, "runs.no-tools", ASK, [WEATHER])
    if at is None:
        return
    case = begin(at, role="none.create", tool_choice="none", additional_instructions="Answer with one word.")
    made = yield from _ended(at, case, settings, "none.get")
    if made is not None and status_of(made[1]) in ENDS:
        yield (at.call(STEPS, "{run}", role="none.steps", known={"run": made[0]}),)


def _one_call(spec: Spec, settings: Settings) -> Script:
    """A run that may not call tools in parallel asks for one output at a time. It is cancelled then."""
    at = yield from run_setup(spec, "runs.one-call", ASK, [WEATHER, POPULATION])
    if at is None:
        return
    case = begin(at, role="single.create", parallel_tool_calls=False)
    made = yield from _ended(at, case, settings, "single.waits")
    if made is not None and status_of(made[1]) == "requires_action":
        known = {"run": made[0]}
        (asked,) = yield (at.call(CANCEL, "{run}", role="cancel", known=known),)
        if asked.ok:
            yield from finish(at, made[0], settings, "cancelled", ENDS)


def _json(spec: Spec, settings: Settings) -> Script:
    """A run with the response format json_object writes one JSON text."""
    at = yield from run_setup(spec, "runs.json", "Name one colour.")
    if at is None:
        return
    told = "Answer with a JSON object that has one key, colour."
    # The run names a model of its own, so that it goes to a deployment with this capability.
    wanted: dict[str, Any] = {"model": "{deployment}", "response_format": {"type": "json_object"}}
    case = begin(at, role="json.create", instructions=told, **wanted)
    if not settings.can(case):
        return
    made = yield from _ended(at, case, settings, "json.get")
    if made is not None and status_of(made[1]) in ENDS:
        yield (_all_messages(at, "json.messages"),)


#: Script, and the fields that the version must document for the request of a run.
_BY_FIELDS = (
    ("runs.no-tools", _no_tools, ("tool_choice",), (RUNS, GET, STEPS), CALLS),
    ("runs.one-call", _one_call, ("parallel_tool_calls",), (RUNS, GET, CANCEL), CALLS),
    ("runs.json", _json, ("response_format", "model"), (RUNS, GET, MESSAGES), ()),
)


def scenarios_for(spec: Spec) -> Iterator[Scenario]:
    """Yield the scenarios whose request fields the version documents."""
    for name, script, fields, operations, features in _BY_FIELDS:
        if documents(spec, RUNS, *fields):
            yield scenario(name, operations=operations, requests=20, tokens=_TOKENS, features=features, uses=MAKES)(
                script
            )
