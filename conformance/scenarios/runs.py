"""Run scenarios: polled and streamed, waiting for tool outputs, cancelled, limited, and the lock on the thread.

Where a rule concerns an active run, the run is kept in ``requires_action``: it stays there until outputs are submitted,
however fast or slow the target is.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping
from typing import Any

from attrs import frozen

from conformance.evidence.exchange import Exchange
from conformance.requests.case import Break, Case, Cost, Expect
from conformance.scenarios.lists import ANOTHER_SECOND, OBJECTS, Listing, Objects, ids_of, listing
from conformance.scenarios.resource_kinds import WEATHER, kind
from conformance.scenarios.scenario import Scenario, Script, Settings, Step, scenario
from conformance.scenarios.steps import (
    IMPOSSIBLE,
    MARK,
    call,
    create,
    created_id,
    documents,
    poll_status,
    request_body,
    status_of,
)
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec
from conformance.verdict import Level

__all__ = ["ENDS", "MAKES", "STOPS", "RunSetup", "begin", "calls_of", "finish", "run_setup"]

RUNS, GET, STEPS = "threads.runs.create", "threads.runs.get", "threads.runs.steps.list"
SUBMIT, CANCEL = "threads.runs.submit_tool_outputs", "threads.runs.cancel"
MESSAGES = "threads.messages.list"
CALLS = ("assistants.functions",)  # a run that waits for the outputs of functions needs this feature

#: The final states of a run.
ENDS = ("completed", "cancelled", "failed", "expired", "incomplete")

#: States in which a run does nothing until the client acts.
STOPS = (*ENDS, "requires_action")

#: A second function, so that a run can be given outputs for a part of its calls only.
POPULATION = {
    "type": "function",
    "function": {
        "name": "get_population",
        "description": "Number of people in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}

ASK = "Call both functions for Oslo, then say what you found in one sentence."
HELLO = "Say hello in one short sentence."
LONG = "Count from 1 to 900 in words, one number after the other, without leaving out any."

#: What :func:`run_setup` sends. A version may have threads and no assistants.
MAKES = ("assistants.create", "threads.create")

#: Upper bound of the tokens of one run, both ways.
_TOKENS = 2000


@frozen
class RunSetup:
    """An assistant and a thread for runs, with the scenario's name and ids by placeholder."""

    spec: Spec
    name: str
    known: Mapping[str, str]

    def call(self, operation: str, *ids: str, role: str, step: str = "", **more: Any) -> Case:
        """A case on the thread or on something below it."""
        known = {**self.known, **more.pop("known", {})}
        made = call(self.spec, operation, "{thread}", *ids, role=role, known=known, **more)
        return made.at(self.name, step or role)

    def has(self, operation: str) -> bool:
        """Return True if the version has the operation."""
        return operation in operations_of(self.spec)


def run_setup(
    spec: Spec, name: str, said: str = HELLO, tools: Iterable[Any] = ()
) -> Generator[Step, tuple[Exchange, ...], RunSetup | None]:
    """Create an assistant with tools and a thread with one message. Return None if one could not be created."""
    one, two = kind("assistant"), kind("thread")
    assistant = create(spec, one, "assistant", wanted={"tools": list(tools)}, role="setup")
    talk = {"messages": [{"role": "user", "content": said}]}
    thread = create(spec, two, "thread", wanted=talk, role="setup")
    answers = yield (assistant.at(name, "assistant"), thread.at(name, "thread"))
    ids = [created_id(seen) for seen in answers]
    return RunSetup(spec, name, {"assistant": ids[0], "thread": ids[1]}) if ids[0] and ids[1] else None


def begin(at: RunSetup, step: str = "run", role: str = "run.create", **wanted: Any) -> Case:
    """The case that starts a run. Fields that the version doesn't document are left out."""
    body = request_body(at.spec, RUNS, {"assistant_id": "{assistant}", "metadata": MARK, **wanted})
    return at.call(
        RUNS,
        role=role,
        step=step,
        body=body,
        # The id of a streamed run comes in its events; deleting the thread removes the run as well.
        creates={} if body.get("stream") else {step: "/id"},
        capability="assistants",
        cost=Cost(tokens=_TOKENS),
    )


def finish(
    at: RunSetup, run: str, settings: Settings, role: str = "run.get", until: Iterable[str] = STOPS
) -> Generator[Step, tuple[Exchange, ...], Exchange]:
    """Poll a run until it has one of the states ``until``, or until the deadline. Return the last answer."""
    case = at.call(GET, "{run}", role=role, known={"run": run})
    return (yield from poll_status(case, role, until, settings))


def calls_of(exchange: Exchange) -> list[str]:
    """The ids of the tool calls whose outputs a run waits for."""
    value: Any = exchange.response.json if exchange.ok and exchange.response else None
    for key in ("required_action", "submit_tool_outputs", "tool_calls"):
        value = value.get(key) if isinstance(value, dict) else None
    return [str(one.get("id")) for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _outputs(ids: Iterable[str], **more: Any) -> dict[str, Any]:
    """The body that submits an output for each call."""
    return {"tool_outputs": [{"tool_call_id": one, "output": "42"} for one in ids], **more}


def _forced(spec: Spec) -> dict[str, Any]:
    """The request fields that make a run call a function."""
    return {"tool_choice": {"type": "function", "function": {"name": "get_weather"}}}


@scenario("runs.completed", operations=(RUNS, GET, STEPS, MESSAGES), requests=30, tokens=_TOKENS, uses=MAKES)
def completed(spec: Spec, settings: Settings) -> Script:
    """A run without tools ends completed; its message is in the thread, and its steps refer to it."""
    at = yield from run_setup(spec, "runs.completed", tools=[WEATHER])
    if at is None:
        return
    other = create(spec, kind("thread"), "elsewhere", role="setup").at(at.name, "elsewhere")
    first = begin(at, instructions="Answer with one short sentence.", tools=[])
    answers = yield (other, first)
    run, elsewhere = created_id(answers[1]), created_id(answers[0])
    if run is None:
        return
    ended = yield from finish(at, run, settings)
    if status_of(ended) not in ENDS:
        return
    yield tuple(_after(at, run, elsewhere))
    changed = at.call("threads.runs.modify", "{run}", role="run.modify", body={"metadata": {**MARK, "step": "later"}},
                      known={"run": run})  # fmt: skip
    (seen,) = yield (changed,)
    if seen.ok:
        yield (at.call(GET, "{run}", role="run.modified", known={"run": run}),)


def _after(at: RunSetup, run: str, elsewhere: str | None) -> Iterable[Case]:
    """Yield requests about a run that has ended, among them a late cancel and a read under another thread."""
    known = {"run": run}
    yield at.call(GET, "{run}", role="run.get", step="get.again", known=known)
    yield at.call(STEPS, "{run}", role="steps", known=known)
    yield at.call(MESSAGES, role="messages")
    if any(p.name == "run_id" for p in operations_of(at.spec)[MESSAGES].parameters):
        yield at.call(MESSAGES, role="messages.of-run", query={"run_id": "{run}"}, known=known)
    yield at.call("threads.runs.list", role="runs.list")
    yield at.call(CANCEL, "{run}", role="cancel-late", known=known, expect=Expect.EITHER)
    if elsewhere is not None:
        known = {**known, "elsewhere": elsewhere}
        foreign = call(at.spec, GET, "{elsewhere}", "{run}", role="run.foreign", known=known, expect=Expect.EITHER)
        yield foreign.at(at.name, "run.foreign")


def _refused(reason: str, level: Level = Level.SHOULD) -> dict[str, Any]:
    """What a case expects that must be refused because of the state of the run or thread."""
    return {"expect": Expect.REJECT, "level": level, "reason": reason, "breaks": Break("", reason, "state")}


@scenario(
    "runs.tools", operations=(RUNS, GET, SUBMIT, STEPS), requests=40, tokens=2 * _TOKENS, features=CALLS, uses=MAKES
)
def tools(spec: Spec, settings: Settings) -> Script:
    """A run waits for the outputs of its functions, locks its thread meanwhile, and goes on when it has them all."""
    at = yield from run_setup(spec, "runs.tools", ASK, [WEATHER, POPULATION])
    if at is None:
        return
    # A deterministic target calls both functions by itself; another one is forced to call at least one.
    (made,) = yield (begin(at, **({} if settings.deterministic else _forced(spec))),)
    run = created_id(made)
    if run is None:
        return
    waiting = yield from finish(at, run, settings, "run.waits")
    wanted = calls_of(waiting)
    if status_of(waiting) != "requires_action" or not wanted:
        return
    known = {"run": run}
    hello = {"role": "user", "content": "This message comes too early."}
    locked = _refused("the thread is locked by an active run", Level.MUST)
    late = _outputs([*wanted[:-1], "call_" + IMPOSSIBLE])
    refused = [
        at.call("threads.messages.create", role="locked.message", body=hello, creates={"early": "/id"}, **locked),
        at.call(RUNS, role="locked.run", body={"assistant_id": "{assistant}"}, creates={"second": "/id"}, **locked),
        at.call(SUBMIT, "{run}", role="submit.unknown", body=late, known=known, **_refused("an unknown call")),
    ]
    if len(wanted) > 1:
        some = _refused("outputs are missing")
        refused.append(at.call(SUBMIT, "{run}", role="submit.some", body=_outputs(wanted[:1]), known=known, **some))
    yield (*refused, at.call(STEPS, "{run}", role="steps.waiting", known=known))
    (given,) = yield (at.call(SUBMIT, "{run}", role="submit", body=_outputs(wanted), known=known, cost=Cost(_TOKENS)),)
    if not given.ok:
        return
    # A model that is free to choose may call functions again; a deterministic one must not.
    ended = yield from finish(at, run, settings, "run.get", ENDS if settings.deterministic else STOPS)
    if status_of(ended) not in ENDS:
        return
    again = _refused("the run waits for nothing")
    yield (
        at.call(STEPS, "{run}", role="steps", known=known),
        at.call(MESSAGES, role="messages"),
        at.call(SUBMIT, "{run}", role="submit.late", body=_outputs(wanted), known=known, **again),
        at.call("threads.messages.create", role="free", body={**hello, "content": "Now it is free."},
                creates={"late": "/id"}),
    )  # fmt: skip


@scenario("runs.cancelled", operations=(RUNS, GET, CANCEL), requests=24, tokens=_TOKENS, features=CALLS, uses=MAKES)
def cancelled(spec: Spec, settings: Settings) -> Script:
    """A run that is cancelled while it waits for outputs ends cancelled, and its thread is unlocked."""
    at = yield from run_setup(spec, "runs.cancelled", ASK, [WEATHER])
    if at is None:
        return
    (made,) = yield (begin(at, **_forced(spec)),)
    run = created_id(made)
    if run is None:
        return
    waiting = yield from finish(at, run, settings, "run.waits")
    if status_of(waiting) != "requires_action":
        return
    (asked,) = yield (at.call(CANCEL, "{run}", role="cancel", known={"run": run}),)
    if not asked.ok:
        return
    ended = yield from finish(at, run, settings, "cancelled", ENDS)
    if status_of(ended) in ENDS:
        body = {"role": "user", "content": "The thread is free."}
        yield (at.call("threads.messages.create", role="free", body=body, creates={"late": "/id"}),)


def _limited(spec: Spec, settings: Settings) -> Script:
    """A token limit ends a run early and is named as the reason; a truncated thread doesn't make a run fail."""
    at = yield from run_setup(spec, "runs.limited", LONG)
    if at is None:
        return
    (made,) = yield (begin(at, role="limit.create", max_completion_tokens=256),)
    run = created_id(made)
    if run is None:
        return
    ended = yield from finish(at, run, settings, "limit", ENDS)
    if status_of(ended) not in ENDS:
        return
    yield (at.call("threads.messages.create", role="free", body={"role": "user", "content": HELLO},
                   creates={"more": "/id"}),)  # fmt: skip
    last = {"type": "last_messages", "last_messages": 1}
    (made,) = yield (begin(at, "run.truncated", truncation_strategy=last, max_prompt_tokens=1024),)
    run = created_id(made)
    if run is not None:
        yield from finish(at, run, settings)


@scenario("runs.with-thread", operations=("threads.create_and_run", GET), requests=20, tokens=_TOKENS, uses=MAKES)
def with_thread(spec: Spec, settings: Settings) -> Script:
    """A thread is created together with its run, in one request."""
    name, operation = "runs.with-thread", "threads.create_and_run"
    maker = create(spec, kind("assistant"), "assistant", wanted={"tools": []}, role="setup").at(name, "assistant")
    (seen,) = yield (maker,)
    assistant = created_id(seen)
    if assistant is None:
        return
    body = {
        "assistant_id": "{assistant}",
        "thread": {"messages": [{"role": "user", "content": HELLO}], "metadata": MARK},
        "metadata": MARK,
        "instructions": "Answer with one short sentence.",
    }
    case = call(
        spec,
        operation,
        role="run.create",
        body=request_body(spec, operation, body),
        known={"assistant": assistant},
        creates={"thread": "/thread_id", "run": "/id"},
        undo=call(spec, "threads.delete", "{thread}", role="undo"),
        capability="assistants",
        cost=Cost(tokens=_TOKENS),
    )
    (made,) = yield (case.at(name, "run"),)
    run, thread = created_id(made), created_id(made, "/thread_id")
    if run is None or thread is None:
        return
    at = RunSetup(spec, name, {"assistant": assistant, "thread": thread})
    ended = yield from finish(at, run, settings)
    if status_of(ended) in ENDS:
        yield (
            at.call(GET, "{run}", role="run.get", step="get.again", known={"run": run}),
            at.call(STEPS, "{run}", role="steps", known={"run": run}),
            at.call(MESSAGES, role="messages"),
        )


def _streamed(spec: Spec, settings: Settings) -> Script:
    """A run as an event stream: what the events say is what can be read afterwards."""
    at = yield from run_setup(spec, "runs.streamed", HELLO, [WEATHER])
    if at is None:
        return
    yield (begin(at, "run.stream", "stream", stream=True, tools=[]),)
    yield (at.call(MESSAGES, role="stream.messages"), at.call("threads.runs.list", role="stream.runs"))
    (made,) = yield (begin(at, "run.waiting", **_forced(spec)),)
    run = created_id(made)
    if run is None:
        return
    waiting = yield from finish(at, run, settings, "run.waits")
    wanted = calls_of(waiting)
    if not wanted or not documents(spec, SUBMIT, "stream"):
        return
    known, body = {"run": run}, _outputs(wanted, stream=True)
    yield (at.call(SUBMIT, "{run}", role="submit.stream", body=body, known=known, cost=Cost(_TOKENS)),)
    yield (
        at.call(MESSAGES, role="stream.messages", step="stream.messages.later"),
        at.call(GET, "{run}", role="run.get", known=known),
    )


#: Scenarios that need not only operations but also these fields of the run request: fields, id, script, operations,
#: requests.
_BY_FIELDS = (
    (("max_completion_tokens", "truncation_strategy"), "runs.limited", _limited, (RUNS, GET), 40),
    (("stream",), "runs.streamed", _streamed, (RUNS, GET, SUBMIT, MESSAGES), 16),
)


def scenarios_for(spec: Spec) -> Iterator[Scenario]:
    """Yield the scenarios whose request fields the version documents, and the walks over runs and their steps."""
    for fields, id, script, operations, requests in _BY_FIELDS:
        if documents(spec, RUNS, *fields):
            yield scenario(id, operations=operations, requests=requests, tokens=3 * _TOKENS, uses=MAKES)(script)
    if {RUNS, GET, "threads.runs.list"} <= set(operations_of(spec)):
        walk = Listing("threads.runs.list", _many_runs)
        yield listing(spec, walk, "Walks over the runs of a thread.", requests=60, tokens=6 * _TOKENS, uses=MAKES)
        walk = Listing(STEPS, _many_steps, page=1)
        yield listing(spec, walk, "Walks over the steps of a run.", requests=40, tokens=2 * _TOKENS, uses=MAKES)


def _many_runs(spec: Spec, settings: Settings, name: str) -> Generator[Step, tuple[Exchange, ...], Objects | None]:
    """Create five runs of one thread, one after the other: a thread has at most one active run."""
    at = yield from run_setup(spec, name)
    if at is None:
        return None
    ids: list[str] = []
    for number in range(OBJECTS):
        if number == OBJECTS // 2 + 1:
            yield ANOTHER_SECOND
        (made,) = yield (begin(at, f"run.{number}", "create"),)
        run = created_id(made)
        if run is None:
            return None
        ids.append(run)
        look = at.call(GET, "{run}", role="run.get", known={"run": run})
        ended = yield from poll_status(look, f"run.{number}.get", ENDS, settings)
        if status_of(ended) not in ENDS:
            return None
    return Objects(tuple(ids), at.known, ("{thread}",), own=True)


def _many_steps(spec: Spec, settings: Settings, name: str) -> Generator[Step, tuple[Exchange, ...], Objects | None]:
    """Create a run with several steps (it calls a function, then answers) and return the steps."""
    at = yield from run_setup(spec, name, ASK, [WEATHER])
    if at is None:
        return None
    (made,) = yield (begin(at, **_forced(spec)),)
    run = created_id(made)
    if run is None:
        return None
    known = {"run": run}
    wanted = calls_of((yield from finish(at, run, settings, "run.waits")))
    if wanted:
        body = _outputs(wanted)
        yield (at.call(SUBMIT, "{run}", role="submit", body=body, known=known, cost=Cost(_TOKENS)),)
        yield from finish(at, run, settings, until=ENDS)
    (page,) = yield (at.call(STEPS, "{run}", role="list.all", query={"limit": 100, "order": "asc"}, known=known),)
    ids = ids_of(page)
    if ids:
        known["step"] = ids[0]
        yield (at.call("threads.runs.steps.get", "{run}", "{step}", role="step.get", known=known),)
    return Objects(tuple(ids), {**at.known, **known}, ("{thread}", "{run}"), own=True)
