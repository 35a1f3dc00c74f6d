"""Objects that one scenario creates for others. Not thread-safe: the runner's lock guards it.

A scenario that is given objects starts after those that create them. If one of them made nothing, was refused or runs
in another process, the scenario creates all for itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import define, evolve, field

from conformance.evidence.created_ids import created_ids
from conformance.evidence.exchange import Exchange
from conformance.requests.case import Case
from conformance.run.scenario_state import ScenarioState
from conformance.scenarios.scenario import Scenario, Settings

__all__ = ["SharedObjects"]


@define(eq=False)
class SharedObjects:
    """What was created so far, and the scenarios that wait for it."""

    _states: Mapping[str, ScenarioState]
    _made: dict[str, Mapping[str, str]] = field(factory=dict, init=False)
    _held: list[ScenarioState] = field(factory=list, init=False)
    _wanted: frozenset[str] = field(init=False)

    def __attrs_post_init__(self) -> None:
        given = (one for state in self._states.values() for one in state.scenario.given.values())
        self._wanted = frozenset(one.case for one in given)

    def note(self, case: Case, exchange: Exchange) -> None:
        """Note what the answer to a case created, if another scenario is given it."""
        if case.id in self._wanted:
            self._made[case.id] = created_ids(case, exchange)

    def holds(self, state: ScenarioState) -> bool:
        """Return True, and remember the scenario, if one that creates something for it has not ended."""
        if not self._under_way(state):
            return False
        self._held.append(state)
        return True

    def released(self) -> Iterable[ScenarioState]:
        """The scenarios that need not wait any more."""
        free = [state for state in self._held if not self._under_way(state)]
        self._held = [state for state in self._held if state not in free]
        return free

    def settings(self, settings: Settings, scenario: Scenario) -> Settings:
        """The settings with the ids of the objects that a scenario is given, as far as they were created."""
        made = {name: self._made.get(one.case, {}).get(one.name) for name, one in scenario.given.items()}
        return evolve(settings, given={name: id for name, id in made.items() if id is not None})

    def _under_way(self, state: ScenarioState) -> bool:
        makers = (self._states.get(one.scenario) for one in state.scenario.given.values())
        return any(maker is not None and not maker.done.is_set() for maker in makers)
