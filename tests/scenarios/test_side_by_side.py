"""A slow target is waited for once, not once for each request: what doesn't depend on each other is sent together."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from typing import Any

import offline
import pytest

from conformance.emulator.app import App
from conformance.emulator.store import Clock
from conformance.evidence.created_ids import created_ids
from conformance.evidence.exchange import Exchange, Response
from conformance.evidence.trace import Observation
from conformance.requests.case import Case
from conformance.requests.profile import Profile
from conformance.requests.request import Request
from conformance.requests.wire import to_request
from conformance.scenarios.registry import scenarios_of
from conformance.scenarios.scenario import Wait
from conformance.scenarios.together import Part, together
from conformance.spec.loading import load, versions
from conformance.spec.operations import operations_of

VERSION = "2024-05-01-preview"

Step = tuple[Observation, ...]


def said(text: str) -> Case:
    return Case("o", "GET", f"/{text}")


def answered(case: Case) -> Exchange:
    return Exchange(Request("GET", f"http://t.example{case.path}"), Response(200))


def part(got: list[str], name: str, *sizes: int) -> Part:
    """A part whose steps have so many cases; it notes what came for each of them."""
    for number, size in enumerate(sizes):
        came = yield tuple(said(f"{name}{number}.{place}") for place in range(size))
        got += [seen.request.url.rpartition("/")[2] for seen in came]


def steps_of(script: Generator[tuple[Case, ...], tuple[Exchange, ...], None]) -> list[list[str]]:
    found: list[list[str]] = []
    try:
        step = next(script)
        while True:
            found.append([case.path[1:] for case in step])
            step = script.send(tuple(map(answered, step)))
    except StopIteration:
        return found


def test_each_step_holds_what_every_part_sends_next_and_each_part_gets_its_own_answers() -> None:
    got: list[str] = []
    found = steps_of(together(part(got, "a", 1, 2), part(got, "b"), part(got, "c", 2, 0, 1)))
    assert [["a0.0", "c0.0", "c0.1"], ["a1.0", "a1.1"], ["c2.0"]] == found
    assert ["a0.0", "c0.0", "c0.1", "a1.0", "a1.1", "c2.0"] == got


def test_without_parts_there_are_no_steps() -> None:
    assert [] == steps_of(together()) == steps_of(together(part([], "a"), part([], "b")))


def test_a_part_may_wait_for_what_another_one_finds() -> None:
    order: list[str] = []

    def first() -> Part:
        yield (said("a"),)
        yield (said("b"),)
        order.append("found")

    def second() -> Part:
        while not order:
            yield ()
        yield (said("c"),)

    assert [["a"], ["b"], ["c"]] == steps_of(together(first(), second()))


class Walked:
    """A scenario that is played by the emulator: its steps with their answers, and the pauses between them."""

    def __init__(self, version: str, name: str, changed: Callable[[Exchange], Exchange] = lambda one: one) -> None:
        spec = load(version)
        app = App([spec], clock=Clock.fixed())
        answer = offline.answering(app, spec)
        (scenario,) = [one for one in scenarios_of(spec, Profile.STANDARD) if one.id == name]
        self.steps: list[Step] = []
        self.pauses: list[float] = []
        script = scenario.script(spec, offline.SETTINGS)
        values = {"run": "r"}
        step: Any = next(script)
        try:
            while True:
                if isinstance(step, Wait):
                    self.pauses.append(step.seconds)
                    app.clock.advance(step.seconds)
                    step = script.send(())
                    continue
                assert isinstance(step, tuple)
                seen = []
                for case in step:
                    able = {"deployment": offline.deployment_for(app.settings, case.capability), **values}
                    request = to_request(case, spec, origin="http://emulator", bindings=able)
                    seen.append(Observation(case, changed(answer(case, request))))
                self.steps.append(tuple(seen))
                step = script.send(tuple(one.exchange for one in seen))
        except StopIteration:
            pass

    def places(self, role: str) -> list[int]:
        """The steps with a case of a role."""
        return [n for n, step in enumerate(self.steps) if any(one.case.role.startswith(role) for one in step)]

    def shown(self, role: str, before: int) -> set[str]:
        """The ids that the pages of a role showed before a step."""
        pages = (one.json for step in self.steps[:before] for one in step if one.case.role == role)
        return {item["id"] for value in pages if isinstance(value, dict) for item in value.get("data", [])}


def walks(version: str) -> Iterable[str]:
    """The walks in both orders with an object that is removed meanwhile."""
    known = operations_of(load(version))
    for one in scenarios_of(load(version), Profile.STANDARD):
        lists = [name for name in one.operations if name.endswith(".list") and known[name].parameter("query", "order")]
        if one.id.startswith("lists.") and lists and any(name.endswith(".delete") for name in one.operations):
            yield one.id


def test_a_walk_through_the_list_of_an_account_takes_ten_steps() -> None:
    """Four creations, two steps of walks with all other pages beside them, and two changes with a page after each."""
    seen = Walked(VERSION, "lists.assistants")
    assert 10 == len([step for step in seen.steps if step])
    assert 24 == sum(map(len, seen.steps))


@pytest.mark.parametrize(("version", "name"), [(one, name) for one in versions() for name in walks(one)])
def test_nothing_is_removed_that_a_walk_beside_it_must_still_show(version: str, name: str) -> None:
    seen = Walked(version, name)
    (removed,) = seen.places("change.delete")
    creations = (one for step in seen.steps for one in step if one.case.role.startswith("create"))
    made = {id for one in creations for id in created_ids(one.case, one.exchange).values()}
    for role in ("walk.asc", "walk.desc"):
        first = next(one.case for step in seen.steps for one in step if one.case.role == role)
        assert made <= seen.shown(role, removed) | {first.bindings.get("cursor", "")}
    assert max([*seen.places("walk.again"), *seen.places("list.before"), *seen.places("list.both")]) < removed


def test_objects_of_two_seconds_need_no_pause_where_the_target_is_slow() -> None:
    """Each creation takes it a second: the first two steps give two times already."""

    def slow(exchange: Exchange) -> Exchange:
        value = exchange.response.json if exchange.response else None
        if exchange.request.method != "POST" or exchange.response is None or not isinstance(value, dict):
            return exchange
        made = int(value["created_at"]) + times.pop(0)
        return exchange.answered(exchange.response.with_json({**value, "created_at": made}))

    times = [0, *[1] * 9]
    assert [] == Walked(VERSION, "lists.assistants", slow).pauses
    assert [1.1] == Walked(VERSION, "lists.assistants").pauses
