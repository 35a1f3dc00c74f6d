"""Realtime scenarios: client secrets with different ends, and a call from its offer to its end. The HTTP side only."""

from __future__ import annotations

from typing import Any

from conformance.evidence.created_ids import created_ids
from conformance.requests.case import LOCATION, Case, Expect, Multipart, Part
from conformance.requests.session_offer import OFFER
from conformance.scenarios.scenario import Script, Settings, scenario
from conformance.scenarios.steps import IMPOSSIBLE, call
from conformance.spec.spec import Spec

SECRETS, CALLS = "realtime.client_secrets", "realtime.calls"

#: Role → seconds after which a client secret ends.
LASTS = {"short": 60, "long": 3600}


@scenario("realtime.secrets", operations=(f"{SECRETS}.create",), requests=4)
def secrets(spec: Spec, settings: Settings) -> Script:
    """Two secrets are asked for at the same time, with different ends; one is for a transcription."""
    kinds = {"short": "realtime", "long": "transcription"}
    bodies = {
        role: {"expires_after": {"anchor": "created_at", "seconds": LASTS[role]}, "session": {"type": kind}}
        for role, kind in kinds.items()
    }
    yield tuple(
        call(spec, f"{SECRETS}.create", role=role, body=body, capability="realtime").at("realtime.secrets", role)
        for role, body in bodies.items()
    )


@scenario(
    "realtime.call",
    operations=(f"{CALLS}.create", f"{CALLS}.hangup"),
    requests=8,
    expensive="realtime",
)
def conversation(spec: Spec, settings: Settings) -> Script:
    """An offer is answered, the call is hung up, and is over then. A call that never was can't be hung up."""
    name = "realtime.call"
    session = Part("session", b'{"type":"realtime","model":"{deployment}"}', content_type="application/json")
    form = Multipart((Part("sdp", OFFER.encode(), content_type="application/sdp"), session))
    more: dict[str, Any] = {"expensive": "realtime", "capability": "realtime"}
    undo = call(spec, f"{CALLS}.hangup", "{call}", role="undo")
    start = call(spec, f"{CALLS}.create", role="call", form=form, creates={"call": LOCATION}, undo=undo, **more).at(
        name, "call"
    )
    (seen,) = yield (start,)
    known = created_ids(start, seen)
    if not known:
        return

    def hang_up(role: str, id: str = "{call}", expect: Expect = Expect.ACCEPT) -> Case:
        return call(spec, f"{CALLS}.hangup", id, role=role, known=known, expect=expect).at(name, role)

    (ended,) = yield (hang_up("hangup"),)
    never = f"rtc_{IMPOSSIBLE}"
    if ended.ok:
        yield hang_up("hangup-again", expect=Expect.EITHER), hang_up("hangup-unknown", never, Expect.EITHER)
