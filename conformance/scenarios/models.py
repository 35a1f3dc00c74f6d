"""Model scenarios: each model is listed once, and can be read by the id that the list gives."""

from __future__ import annotations

from conformance.requests.case import Expect
from conformance.scenarios.lists import ids_of
from conformance.scenarios.scenario import Script, Settings, scenario
from conformance.scenarios.steps import IMPOSSIBLE, call
from conformance.spec.spec import Spec


@scenario("models.listed", operations=("models.list", "models.get"), requests=3)
def listed(spec: Spec, settings: Settings) -> Script:
    """The first model of the list can be read; an id that no model has can't."""
    name = "models.listed"
    (page,) = yield (call(spec, "models.list", role="list").at(name, "list"),)
    unknown = f"conformance-{IMPOSSIBLE}"
    looks = [call(spec, "models.get", unknown, role="get-unknown", expect=Expect.EITHER).at(name, "get-unknown")]
    ids = ids_of(page)
    # An account may have no model at all.
    if ids:
        looks.append(call(spec, "models.get", "{model}", role="get", known={"model": ids[0]}).at(name, "get"))
    yield tuple(looks)
