"""All scenarios, found by walking ``conformance/scenarios/``. A new one is a new file there and is listed nowhere
else.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import Any

from conformance import scenarios
from conformance.errors import HarnessError
from conformance.requests.profile import Profile
from conformance.scenarios.scenario import Scenario
from conformance.spec.choices import choice_of
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec

__all__ = ["scenarios_of"]


@cache
def _registered() -> tuple[Any, ...]:
    """The scenarios and the factories (``scenarios_for(spec)``, which yields scenarios) of all modules, in module
    order.
    """
    found: list[Any] = []
    for info in pkgutil.walk_packages(scenarios.__path__, scenarios.__name__ + "."):
        module = importlib.import_module(info.name)
        # A scenario that is imported from another module counts only where it was made.
        found.extend(v for v in vars(module).values() if isinstance(v, Scenario) and v.module == info.name)
        if "scenarios_for" in vars(module):
            found.append(module.scenarios_for)
    return tuple(found)


def scenarios_of(spec: Spec, profile: str) -> tuple[Scenario, ...]:
    """The scenarios of a profile whose operations and features the version has, sorted by id.

    A small profile has those of the profile standard that its data names.

    Raises :class:`HarnessError` if two scenarios have the same id.
    """
    known = operations_of(spec)
    choice = choice_of(spec, profile)
    named = frozenset(choice.order) if choice is not None else frozenset()
    found: dict[str, Scenario] = {}
    for item in _registered():
        for made in (item,) if isinstance(item, Scenario) else item(spec):
            needed = (*made.operations, *made.uses)
            there = all(operation in known for operation in needed) and all(map(spec.has, made.features))
            wanted = profile in made.profiles or (made.id in named and Profile.STANDARD in made.profiles)
            if wanted and there:
                if made.id in found:
                    raise HarnessError(f"two scenarios are called {made.id}", where=made.module)
                found[made.id] = made
    return tuple(found[key] for key in sorted(found))
