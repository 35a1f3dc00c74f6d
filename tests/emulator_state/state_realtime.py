"""The chapter about realtime sessions, client secrets and calls."""

from __future__ import annotations

from state_talk import Talk

from conformance.emulator.resources.realtime import ring
from conformance.requests.session_offer import OFFER
from conformance.spec.operations import operations_of


def _kind_of_session(talk: Talk, kind: str) -> dict[str, object]:
    """The field ``type``, where the version requires it."""
    asked = operations_of(talk.spec)[f"realtime.{kind}.create"].body["application/json"].schema
    typed = "type" in talk.spec.deref(asked).get("required", ())
    return {"type": "realtime" if kind == "sessions" else "transcription"} if typed else {}


def realtime(talk: Talk) -> None:
    for kind in ("sessions", "transcription_sessions"):
        asked: list[dict[str, object]] = [{}, {"input_audio_format": "g711_ulaw"}]
        if kind == "sessions":
            asked.append({"voice": "echo", "instructions": "Be brief.", "max_response_output_tokens": 5})
        for body in asked:
            talk.ok(f"realtime.{kind}.create", body=body | _kind_of_session(talk, kind))
    if talk.has("realtime.client_secrets.create"):
        secrets(talk)
        calls(talk)


def secrets(talk: Talk) -> None:
    now = talk.app.clock.now()
    for seconds in (60, 7200):
        body = {"expires_after": {"anchor": "created_at", "seconds": seconds}}
        assert now + seconds == talk.ok("realtime.client_secrets.create", body=body)["expires_at"]
    for kind in ("realtime", "transcription"):
        made = talk.ok("realtime.client_secrets.create", body={"session": {"type": kind}})
        assert kind == made["session"]["type"]
    assert now + 600 == made["expires_at"]


def calls(talk: Talk) -> None:
    form = {"sdp": OFFER, "session": '{"type": "realtime"}'}
    answer = talk.send("realtime.calls.create", form=form)
    call = (answer.header("location") or "").rpartition("/")[2]
    talk.said.append(("location", answer.status, call))
    assert (201, 2) == (answer.status, answer.body.count(b"\r\nm="))
    assert talk.status("realtime.calls.create", form={"sdp": "hello"}) == 400
    for verb, body in (("accept", {"type": "realtime"}), ("reject", {})):
        assert talk.status(f"realtime.calls.{verb}", call, body=body) == 400
    away = {"target_uri": "sip:a@example.com"}
    talk.send("realtime.calls.refer", call, body=away)
    talk.send("realtime.calls.hangup", call)
    incoming = talk.app.store.collection("realtime-calls")
    for number, (verb, body) in enumerate((("accept", {"type": "realtime"}), ("reject", {"status_code": 486}))):
        ring(incoming, f"rtc_in_{number}")
        assert talk.status("realtime.calls.refer", f"rtc_in_{number}", body=away) == 400
        assert talk.status(f"realtime.calls.{verb}", f"rtc_in_{number}", body=body) == 200
    assert talk.status("realtime.calls.hangup", "rtc_in_0") == 200
    for number in range(2):
        assert talk.status("realtime.calls.hangup", f"rtc_in_{number}") == 404
    assert talk.status("realtime.calls.hangup", call) == 404
