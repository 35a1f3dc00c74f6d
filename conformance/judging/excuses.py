"""Refusals that say nothing about conformance: content filter, features of a model or version, quota.

The list follows documented and reported answers of the service; see ARCHITECTURE.md.
"""

from __future__ import annotations

import re
from typing import Any

from attrs import frozen

from conformance.evidence.trace import Observation
from conformance.requests.case import Expect
from conformance.verdict import Outcome

__all__ = ["Excuse", "excuse"]

#: error.code → the outcome of a valid request that is refused with it.
_CODES = {
    "content_filter": Outcome.INCONCLUSIVE,
    "contentfilter": Outcome.INCONCLUSIVE,
    "responsibleaipolicyviolation": Outcome.INCONCLUSIVE,
    "operationnotsupported": Outcome.NOT_APPLICABLE,
    "unsupported_parameter": Outcome.NOT_APPLICABLE,
    "unsupported_value": Outcome.NOT_APPLICABLE,
    "unsupported_model": Outcome.NOT_APPLICABLE,
    "insufficient_quota": Outcome.INCONCLUSIVE,
    "quotaexceeded": Outcome.INCONCLUSIVE,
}

_VERSION_GATE = re.compile(r"enabled only for api versions", re.IGNORECASE)


@frozen
class Excuse:
    """Why the refusal of a valid request is no failure."""

    outcome: Outcome
    reason: str


def _error(value: Any) -> dict[str, Any]:
    """The error object of an answer; empty if there is none."""
    if isinstance(value, dict):
        # The flat form of a gateway has the code at the top.
        inner = value.get("error", value)
        if isinstance(inner, dict):
            return inner
    return {}


def excuse(seen: Observation) -> Excuse | None:
    """The excuse for a 4xx answer to a valid request; None if there is none."""
    status = seen.exchange.status
    if seen.case.expect is not Expect.ACCEPT or status is None or not 400 <= status < 500:
        return None
    error = _error(seen.json)
    code = error.get("code")
    # The service writes the same code in several cases.
    if isinstance(code, str) and code.lower() in _CODES:
        return Excuse(_CODES[code.lower()], f"refused with {code}, which is not about conformance")
    message = error.get("message")
    if isinstance(message, str) and _VERSION_GATE.search(message):
        return Excuse(Outcome.NOT_APPLICABLE, "the model is enabled only for other api-versions")
    return None
