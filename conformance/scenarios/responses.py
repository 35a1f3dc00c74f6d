"""Response scenarios: stored or not, continued, cut off, in the background, and the list of input items."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any

from conformance.evidence.created_ids import created_ids
from conformance.evidence.exchange import Exchange
from conformance.requests.case import Break, Case, Cost, Expect
from conformance.scenarios.lists import Listing, Objects, ids_of, listing
from conformance.scenarios.resource_kinds import WEATHER
from conformance.scenarios.scenario import Scenario, Script, Settings, Step, scenario
from conformance.scenarios.steps import IMPOSSIBLE, MARK, call, created_id, listed_in, poll_status, request_body
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec
from conformance.verdict import Level

CREATE, GET, DELETE, ITEMS = "responses.create", "responses.get", "responses.delete", "responses.input_items.list"
CANCEL = "responses.cancel"

#: States of a response that has ended.
ENDS = ("completed", "failed", "incomplete", "cancelled")

#: Input items in both documented forms, with and without ``type``.
TALK = [
    {"role": "user", "content": "My name is Ada."},
    {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "I live in Oslo."}]},
    {"role": "user", "content": "I like boats."},
    {"role": "user", "content": "It is Monday."},
    {"role": "user", "content": "Answer with one word: what is my name?"},
]

_TOOL = {"type": "function", "strict": False, **WEATHER["function"]}  # type: ignore[dict-item]


def _create(spec: Spec, name: str, step: str, **wanted: Any) -> Case:
    """A case that creates a response. Undocumented fields are left out; where responses can be deleted it has an
    undo.
    """
    more = {key: wanted.pop(key) for key in ("known", "expect", "level", "breaks", "reason") if key in wanted}
    body = request_body(spec, CREATE, {"model": "{deployment}", "max_output_tokens": 64, "metadata": MARK, **wanted})
    undo = call(spec, DELETE, f"{{{step}}}", role="undo") if DELETE in operations_of(spec) else None
    made = call(
        spec, CREATE, role=step, body=body, creates={step: "/id"}, undo=undo,
        capability="responses", cost=Cost(tokens=256), **more,
    )  # fmt: skip
    return made.at(name, step)


def _look(spec: Spec, name: str, id: str, role: str, expect: Expect = Expect.ACCEPT) -> Case:
    """A case that reads a response. The first word of the role is the placeholder of its id."""
    key = role.split(".", maxsplit=1)[0]
    return call(spec, GET, f"{{{key}}}", role=role, known={key: id}, expect=expect).at(name, role)


@scenario(
    "responses.chain",
    operations=(CREATE, GET, ITEMS, DELETE),
    requests=16,
    tokens=1000,
    features=("responses.previous_response_id",),
)
def chain(spec: Spec, settings: Settings) -> Script:
    """A response is stored, read, continued and deleted; a deleted one can't be continued."""
    name = "responses.chain"
    told = "Answer with one word."
    (seen,) = yield (_create(spec, name, "first", input="Remember the word boat.", instructions=told),)
    first = created_id(seen)
    if first is None:
        return
    known = {"first": first}
    nothing: dict[str, Any] = {
        "expect": Expect.REJECT, "level": Level.SHOULD, "reason": "the response isn't there",
        "breaks": Break("/previous_response_id", "unknown", "body"),
    }  # fmt: skip
    second = _create(spec, name, "second", input=TALK, previous_response_id="{first}", known=known)
    unknown = _create(spec, name, "unknown", input="Go on.", previous_response_id="resp_" + IMPOSSIBLE, **nothing)
    answers = yield (
        _look(spec, name, first, "first.get"),
        second,
        unknown,
        call(spec, ITEMS, "{first}", role="first.items", known=known).at(name, "first.items"),
    )
    next_id = created_id(answers[1])
    if next_id is None:
        return
    known["second"] = next_id
    yield (
        _look(spec, name, next_id, "second.get"),
        call(spec, ITEMS, "{second}", role="second.items", query={"order": "asc"}, known=known).at(name, "items"),
    )
    (gone,) = yield (call(spec, DELETE, "{first}", role="first.delete", known=known).at(name, "first.delete"),)
    if gone.ok:
        # The predecessor is gone now, so it can't be continued.
        late = _create(spec, name, "late", input="Go on.", previous_response_id="{first}", known=known, **nothing)
        yield (late, _look(spec, name, next_id, "second.get").at(name, "second.get.later"))


@scenario("responses.forms", operations=(CREATE, GET), requests=16, tokens=1000)
def forms(spec: Spec, settings: Settings) -> Script:
    """A response that isn't stored, one that must call a function, and one that is cut off by its token limit."""
    name = "responses.forms"
    call_it = {"tools": [_TOOL], "tool_choice": {"type": "function", "name": "get_weather"}}
    forced = _create(spec, name, "forced", input="How is the weather in Oslo?", **call_it)
    made = {
        "unkept": _create(spec, name, "unkept", input="Say hello.", store=False),
        **({"forced": forced} if settings.can(forced) else {}),
        "cut": _create(
            spec, name, "cut", input="Count from 1 to 900 in words, leaving none out.", max_output_tokens=32
        ),
    }
    answers = dict(zip(made, (yield tuple(made.values())), strict=True))
    ids = {key: created_id(seen) for key, seen in answers.items()}
    # A response that isn't stored need not be readable.
    looks = [
        _look(spec, name, id, f"{key}.get", Expect.EITHER if key == "unkept" else Expect.ACCEPT)
        for key, id in ids.items()
        if id is not None
    ]
    if looks:
        yield tuple(looks)
    said = listed_in(answers["forced"], "output") if "forced" in answers else []
    asked = next((item for item in said if item.get("type") == "function_call"), None)
    if asked is not None and ids["forced"] is not None:
        # The call id is the model's own, so the answer can be built only from the response.
        output = {"type": "function_call_output", "call_id": str(asked.get("call_id")), "output": "sunny"}
        more = {"previous_response_id": "{forced}", "tools": [_TOOL], "known": {"forced": ids["forced"]}}
        yield (_create(spec, name, "answered", input=[output], **more),)


@scenario("responses.streamed", operations=(CREATE, GET), requests=24, tokens=1600, features=("responses.stream",))
def streamed(spec: Spec, settings: Settings) -> Script:
    """A text, a function call and a cut-off text, each as an event stream and as one object; then a stored stream."""
    name = "responses.streamed"
    forced = {"tools": [_TOOL], "tool_choice": {"type": "function", "name": "get_weather"}}
    wanted: dict[str, dict[str, Any]] = {
        "text": {"input": "Say hello in one sentence."},
        "call": {"input": "How is the weather in Oslo?", **forced},
        "cut": {"input": "Count from 1 to 900 in words.", "max_output_tokens": 32},
    }
    # A target that calls itself deterministic is held to it: the role tells the check.
    full = ".full" if settings.deterministic else ""
    step = [
        *(_create(spec, name, key, stream=True, store=False, **body) for key, body in wanted.items()),
        *(_create(spec, name, f"plain.{key}{full}", store=False, **body) for key, body in wanted.items()),
    ]
    # A deployment without tools still gets the other requests.
    ready = tuple(filter(settings.can, step))
    if not ready:
        return
    yield ready
    kept = _create(spec, name, "kept", input="Say hello in one sentence.", stream=True)
    (seen,) = yield (kept,)
    made = created_ids(kept, seen).get("kept")
    if made is not None:
        yield (_look(spec, name, made, "kept.get"),)


@scenario("responses.background", operations=(CREATE, GET), requests=40, tokens=256, features=("responses.background",))
def background(spec: Spec, settings: Settings) -> Script:
    """A response that runs in the background is polled until it ends."""
    name = "responses.background"
    (seen,) = yield (_create(spec, name, "later", input="Say hello.", background=True),)
    later = created_id(seen)
    if later is not None:
        look = _look(spec, name, later, "later.get")
        yield from poll_status(look, "later.get", ENDS, settings)
        yield (look.at(name, "later.again"),)


@scenario(
    "responses.cancelled",
    operations=(CREATE, GET, CANCEL),
    requests=40,
    tokens=512,
    features=("responses.background",),
)
def cancelled(spec: Spec, settings: Settings) -> Script:
    """A response in the background is cancelled at once and read until it has ended; one that isn't in the background
    can't be cancelled.
    """
    name = "responses.cancelled"
    made = (
        _create(spec, name, "later", input="Count from 1 to 900 in words.", background=True),
        _create(spec, name, "done", input="Say hello."),
    )
    later, done = map(created_id, (yield made))
    if later is not None:
        # A fast target may have ended it before.
        (seen,) = yield (_cancel(spec, name, "later", later, expect=Expect.EITHER),)
        if seen.ok:
            look = _look(spec, name, later, "later.get")
            yield from poll_status(look, "later.get", ENDS, settings)
            yield (look.at(name, "later.again"),)
    if done is not None:
        nothing: dict[str, Any] = {
            "expect": Expect.REJECT, "level": Level.SHOULD, "reason": "the response isn't in the background",
            "breaks": Break("response_id", "state", "path"),
        }  # fmt: skip
        yield (_cancel(spec, name, "done", done, **nothing),)
        yield (_look(spec, name, done, "done.get"),)


def _cancel(spec: Spec, name: str, key: str, id: str, **more: Any) -> Case:
    return call(spec, CANCEL, f"{{{key}}}", role=f"{key}.cancel", known={key: id}, **more).at(name, f"{key}.cancel")


def scenarios_for(spec: Spec) -> Iterator[Scenario]:
    """The walk over the input items of a response."""
    if {CREATE, ITEMS} <= set(operations_of(spec)):
        yield listing(spec, Listing(ITEMS, _items), "Walks over the input of a response.", tokens=256)


def _items(spec: Spec, settings: Settings, name: str) -> Generator[Step, tuple[Exchange, ...], Objects | None]:
    """Create a response and return its input items, for the walk over their list."""
    (seen,) = yield (_create(spec, name, "response", input=TALK),)
    made = created_id(seen)
    if made is None:
        return None
    known = {"response": made}
    every = call(spec, ITEMS, "{response}", role="list.all", query={"limit": 100, "order": "asc"}, known=known)
    (page,) = yield (every.at(name, "list.all"),)
    return Objects(tuple(ids_of(page)), known, ("{response}",), own=True)
