"""What an answer says of a request: it was taken, refused, or nothing can be said."""

from __future__ import annotations

from enum import StrEnum

from conformance.evidence.exchange import Exchange
from conformance.evidence.trace import Observation
from conformance.judging.excuses import excuse
from conformance.requests.case import Case

__all__ = ["Outcome", "outcome_of", "told"]


class Outcome(StrEnum):
    """``excused`` is a refusal for a reason of the model or the account: the document may be right all the same."""

    TAKEN = "accepted"
    REFUSED = "refused"
    EXCUSED = "refused for its model or account"
    UNCLEAR = "unclear"


def outcome_of(case: Case, exchange: Exchange | None) -> Outcome:
    """What an answer says. Network, overload, keys and redirects say nothing."""
    status = exchange.status if exchange is not None else None
    if exchange is None or status is None or exchange.fault is not None or exchange.unreached:
        return Outcome.UNCLEAR
    if 200 <= status < 300:
        return Outcome.TAKEN
    if status in (401, 403, 408, 429) or not 400 <= status < 500:
        return Outcome.UNCLEAR
    return Outcome.EXCUSED if excuse(Observation(case, exchange)) is not None else Outcome.REFUSED


def told(exchange: Exchange | None) -> str:
    """An answer in a few words: ``200``, ``400 unsupported_parameter``, ``not sent``."""
    if exchange is None:
        return "not sent"
    if exchange.fault is not None:
        return exchange.fault.kind.value
    response = exchange.response
    error = response.json.get("error") if response is not None and isinstance(response.json, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    return (
        f"{exchange.status} {code}"
        if isinstance(code, str) and code not in ("", f"{exchange.status}")
        else f"{exchange.status}"
    )
