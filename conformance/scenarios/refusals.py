"""Whether a target refuses all valid requests of an operation alike: more of them would show nothing new. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable

from conformance.evidence.exchange import Exchange
from conformance.scenarios.scenario import GiveUp

__all__ = ["given_up", "refusal"]

#: Statuses below 500 that say the same of every request of an operation: it isn't served, or is forbidden (RFC 9110,
#: sections 15.5.4 to 15.5.6 and 15.5.11).
_WHOLE = (403, 404, 405, 410)

#: Statuses that concern the key or the load, not the operation.
_OTHERS = (401, 408, 429)


def refusal(exchange: Exchange) -> tuple[object, ...] | None:
    """What a refusal of a valid request has in common with equal ones; None if it may concern this request alone.

    So it is for an answer that names the parameter at fault, and for a target that seems to be down.
    """
    status = exchange.status
    if exchange.fault is not None or status is None or status < 400 or status in _OTHERS:
        return None
    if status >= 500 or status in _WHOLE:
        return None if exchange.control_ok is False else (status,)
    value = exchange.response.json if exchange.response is not None else None
    error = value.get("error", value) if isinstance(value, dict) else value
    if not isinstance(error, dict):
        return (status,)
    if error.get("param") is not None:
        return None
    return (status, *(json.dumps(error.get(name), sort_keys=True) for name in ("code", "message")))


def given_up(operation: str, exchanges: Iterable[Exchange]) -> GiveUp | None:
    """Why the rest of a corpus is left out after these answers to valid requests; None if it isn't."""
    answers = tuple(exchanges)
    kinds = {refusal(exchange) for exchange in answers}
    if len(kinds) != 1 or None in kinds:
        return None
    status = answers[0].status
    reason = (
        f"{len(answers)} valid requests of {operation} were refused alike, with {status}, so nothing more of it was "
        "sent (give_up_after = 0 in [run] sends all)"
    )
    return GiveUp(reason, account=status == 403)
