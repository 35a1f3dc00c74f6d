"""Checks of the HTTP side of realtime conversations: client secrets and calls."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from attrs import evolve

from conformance.checks.objects.lifecycle import one, sent_in
from conformance.evidence.created_ids import created_ids
from conformance.evidence.exchange import Exchange
from conformance.evidence.trace import Observation, Trace
from conformance.judging.check import Needs, check, trace_check
from conformance.judging.counterexamples import asked, on_json
from conformance.requests.case import Expect
from conformance.requests.request import Request
from conformance.scenarios.realtime import LASTS
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level

SECRETS, CALL = ("realtime.secrets",), ("realtime.call",)

#: Seconds by which the ends of two secrets may differ from what was asked for: the requests are sent together, and one
#: may wait for the other.
_TOLERANCE = 120

_SECRET, _START = asked("POST", r"/client_secrets"), asked("POST", r"/realtime/calls")
_HANGUP = asked("POST", r"/hangup")


def _asked_to_last(request: Request) -> Any:
    sent = request.json if isinstance(request.json, dict) else {}
    after = sent.get("expires_after")
    return after.get("seconds") if isinstance(after, dict) else None


def _all_alike(value: Any, request: Request) -> Any:
    """Counterexample: a secret ends ten minutes after the request, whatever was asked for."""
    seconds = _asked_to_last(request)
    if not isinstance(seconds, int) or not isinstance(value.get("expires_at"), int):
        return None
    return {**value, "expires_at": value["expires_at"] - seconds + 600}


@trace_check(
    "realtime.secrets.end",
    Level.SHOULD,
    clause="realtime-secret-expires",
    counterexample=on_json(_all_alike, when=_SECRET),
    scenarios=SECRETS,
    needs=("short", "long"),
)
def secrets_end(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """Of two secrets that were asked for together, one ends as much later as it was asked to."""
    short, long = one(trace, "short"), one(trace, "long")
    if short is None or long is None:
        return
    ends = [seen.json.get("expires_at") for seen in (short, long)]
    wanted = LASTS["long"] - LASTS["short"]
    # Another type is reported by the schema.
    if all(type(end) is int for end in ends) and abs(ends[1] - ends[0] - wanted) > _TOLERANCE:
        yield long.finding(
            "it ends at another time", place="/expires_at", expected=f"{wanted} s after the other secret",
            actual=f"{ends[1] - ends[0]} s",
        )  # fmt: skip


def _other_session(value: Any, request: Request) -> Any:
    """Counterexample: the secret is for a conversation, although a transcription was asked for."""
    session = value.get("session")
    if not isinstance(session, dict) or session.get("type") != "transcription":
        return None
    return {**value, "session": {"type": "realtime"}}


@trace_check(
    "realtime.secrets.session",
    Level.SHOULD,
    clause="realtime-secret-session",
    counterexample=on_json(_other_session, when=_SECRET),
    scenarios=SECRETS,
    needs=("short", "long"),
)
def secrets_session(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A secret is for a session of the type that was asked for."""
    for role in LASTS:
        seen = one(trace, role)
        session = seen.json.get("session") if seen is not None else None
        if seen is None or not isinstance(session, dict):
            continue
        wanted = sent_in(seen)["session"]["type"]
        if session.get("type") != wanted:
            yield seen.finding("another type", place="/session/type", expected=wanted, actual=session.get("type"))


def _nowhere(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: the answer to an offer doesn't say where the call is."""
    response = exchange.response
    if response is None or not exchange.ok or not _START(exchange) or response.header("location") is None:
        return None
    left = tuple((name, value) for name, value in response.headers if name.lower() != "location")
    return exchange.answered(evolve(response, headers=left))


@trace_check(
    "realtime.call.located",
    Level.SHOULD,
    clause="realtime-call-located",
    counterexample=_nowhere,
    scenarios=CALL,
)
def located(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """The answer to an offer names the call in Location. Without it nobody can end the call."""
    for seen in trace.role("call"):
        if seen.exchange.ok and not created_ids(seen.case, seen.exchange):
            yield seen.finding("the call has no address", place="header:location", expected="its address")


def _media(text: str) -> list[str]:
    """What each medium of a session description is: audio, video, application (RFC 8866 section 5.14)."""
    return [line[2:].split(" ", 1)[0] for line in text.splitlines() if line.startswith("m=")]


def _offered(seen: Observation | Exchange) -> list[str]:
    request = seen.exchange.request if isinstance(seen, Observation) else seen.request
    return _media(request.body.decode("utf-8", "replace"))


def _one_medium(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: the answer leaves out the last medium of the offer."""
    response = exchange.response
    if response is None or not exchange.ok or not _START(exchange) or len(_offered(exchange)) < 2:
        return None
    whole = response.body.decode("utf-8", "replace")
    head, found, _ = whole.rpartition("m=")
    return exchange.answered(response.with_body(head.encode())) if found and head else None


@check(
    "realtime.call.media",
    Level.MUST,
    clause="realtime-call-media",
    counterexample=_one_medium,
    provenance="standard",
    operations=("realtime.calls.create",),
    about=lambda _spec, case: case.expect is not Expect.REJECT,
    needs=Needs.SUCCESS,
)
def media(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """An answer has a description of each medium of the offer, in the same order. A browser refuses any other."""
    offered = _offered(seen)
    response = seen.exchange.response
    answered = _media(response.body.decode("utf-8", "replace")) if response is not None else []
    if offered and answered != offered:
        yield seen.finding("other media than offered", place="body", expected=offered, actual=answered)


def _never_over(exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: a call that was hung up is hung up again."""
    if exchange.response is None or exchange.response.status != 404 or not _HANGUP(exchange):
        return None
    before = (x.response for x in earlier if x.ok and x.request.url == exchange.request.url)
    good = next((response for response in before if response is not None), None)
    return exchange.answered(good) if good is not None else None


@trace_check(
    "realtime.call.over",
    Level.SHOULD,
    clause="realtime-call-over",
    counterexample=_never_over,
    scenarios=CALL,
    needs=("call", "hangup"),
)
def over(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A call that was hung up is over: it can't be hung up again. Nor can one that never was."""
    for role, what in (("hangup-again", "an ended call"), ("hangup-unknown", "a call that never was")):
        for seen in trace.role(role):
            if seen.exchange.ok:
                yield seen.finding(f"{what} is hung up", place="status", expected="4xx", actual=seen.exchange.status)
