"""What a target claims, and what preflight found it to serve. Pure functions.

A target claims everything that its api-version documents, unless ``[target.unsupported]`` lists it with a reason.
"""

from __future__ import annotations

from collections.abc import Iterable

from attrs import frozen

from conformance.requests.case import Case
from conformance.scenarios.scenario import Scenario
from conformance.settings.configuration import Config
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec
from conformance.target.preflight import Preflight

__all__ = ["Claims"]


@frozen
class Claims:
    """The claims of a configuration, and the result of the preflight."""

    spec: Spec
    config: Config
    found: Preflight

    def not_run(self, scenario: Scenario) -> str | None:
        """Why a scenario isn't run against this target; None if it is."""
        known = operations_of(self.spec)
        for name in scenario.operations:
            resource = known[name].resource if name in known else scenario.resource
            reason = self._not_there(name, resource)
            if reason is not None:
                return reason
        return None

    def withheld(self, case: Case) -> str | None:
        """Why a request of a scenario, or of its setup, isn't sent to this target; None if it may be sent.

        What a target doesn't claim isn't touched, even if another resource would need it as a prerequisite.
        """
        known = operations_of(self.spec).get(case.operation)
        return self._not_there(case.operation, known.resource if known else case.operation.split(".")[0])

    def _not_there(self, operation: str, resource: str) -> str | None:
        """Why an operation isn't claimed or isn't served; None if it is both."""
        reason = self.config.target.unclaimed(operation, resource)
        if reason is not None:
            return f"{operation} is not claimed: {reason}"
        missing = self.found.missing(operation, resource)
        return f"{operation} is not served (judged once): {missing}" if missing is not None else None

    def unclaimed(self, features: Iterable[str]) -> str | None:
        """Why a check of these features doesn't apply; None if it does."""
        for name in features:
            if name == "auth" and self.config.target.auth == "none":
                return "target.auth is none: the target asks for no key"
            reason = self.config.target.unsupported_reason(name)
            if reason is not None:
                return f"{name} is not claimed: {reason}"
        return None
