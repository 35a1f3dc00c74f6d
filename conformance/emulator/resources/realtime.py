"""Realtime conversations and transcriptions: the HTTP side, which hands out secrets for clients and answers calls.

Nothing listens for a secret, and nobody speaks in a call: this emulator has no WebSocket and no media.
"""

from __future__ import annotations

from typing import Any

from conformance.emulator import error_answers as errors
from conformance.emulator.call import Call
from conformance.emulator.handlers import handles
from conformance.emulator.resources.objects import Value, ids, members
from conformance.emulator.store import Collection
from conformance.evidence.exchange import Response

__all__ = ["ring"]

#: How long a secret is valid, in seconds: the documented lifetime.
_LIFETIME = 60

#: What a session has where the request says nothing: the documented defaults.
_TURNS = {"type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300, "silence_duration_ms": 200}
_COMMON = {"modalities": ["audio", "text"], "input_audio_format": "pcm16"}
_SPOKEN = {
    **_COMMON,
    "instructions": "",
    "voice": "alloy",
    "output_audio_format": "pcm16",
    "input_audio_transcription": None,
    "tools": [],
    "tool_choice": "auto",
    "temperature": 0.8,
    "max_response_output_tokens": "inf",
}


#: How long a client secret is valid by default, in seconds.
_SECRET = 600

#: The names of audio formats in requests, and the objects that newer answers have for them.
_FORMATS = {
    "pcm16": {"type": "audio/pcm", "rate": 24_000},
    "g711_ulaw": {"type": "audio/pcmu"},
    "g711_alaw": {"type": "audio/pcma"},
}

#: The states of a call: nobody has taken it, and it is under way.
_RINGING, _ACTIVE = "ringing", "active"


@handles("realtime.sessions.create")
def session(call: Call) -> Response:
    """A session for a conversation. What was asked for stands in the fields of older answers and of newer ones."""
    return call.json(_spoken(call, members(call.body)) | _session(call, "realtime.session", _SPOKEN))


@handles("realtime.transcription_sessions.create")
def transcription_session(call: Call) -> Response:
    """A session that only transcribes."""
    return call.json(_session(call, "realtime.transcription_session", _COMMON))


def _session(call: Call, kind: str, defaults: Value) -> Value:
    """The session as asked for, with a new secret."""
    expires_at = call.clock.now() + _LIFETIME
    given: dict[str, Any] = {name: value for name, value in members(call.body).items() if value is not None}
    if "turn_detection" in given:
        given["turn_detection"] = _TURNS | members(given["turn_detection"])
    return {
        "id": call.store.new_id("sess_"),
        "object": kind,
        "expires_at": expires_at,
        "turn_detection": _TURNS,
        **defaults,
        **given,
        "client_secret": {"value": call.store.new_id("ek_"), "expires_at": expires_at},
    }


@handles("realtime.client_secrets.create")
def client_secret(call: Call) -> Response:
    """A secret for the session that is described, by default one for a conversation."""
    asked = members(call.get("session"))
    lasts = members(call.get("expires_after")).get("seconds", _SECRET)
    expires_at = call.clock.now() + lasts
    secret = {"value": call.store.new_id("ek_"), "expires_at": expires_at}
    spoken = asked.get("type", "realtime") == "realtime"
    session = _spoken(call, asked) if spoken else _heard(asked, secret)
    return call.json({**secret, "session": session})


def _spoken(call: Call, asked: Value) -> Value:
    """The session of a conversation as newer answers describe it. Its own time isn't running yet."""
    named = [one.name for one in call.settings.deployments if "realtime" in one.abilities]
    transcription = asked.get("input_audio_transcription")
    heard: Value = {
        "format": _FORMATS.get(asked.get("input_audio_format", "pcm16"), _FORMATS["pcm16"]),
        **({"transcription": transcription} if transcription else {}),
        "turn_detection": _TURNS | members(asked.get("turn_detection")),
    }
    said = {
        "format": _FORMATS.get(asked.get("output_audio_format", "pcm16"), _FORMATS["pcm16"]),
        "voice": asked.get("voice", "alloy"),
        "speed": asked.get("speed", 1.0),
    }
    given = members(asked.get("audio"))
    return {
        "type": "realtime",
        "object": "realtime.session",
        "id": call.store.new_id("sess_"),
        "expires_at": 0,
        "model": asked.get("model", next(iter(named), "realtime")),
        "output_modalities": asked.get("output_modalities", asked.get("modalities", ["audio"])),
        "instructions": asked.get("instructions", ""),
        "audio": {"input": heard | members(given.get("input")), "output": said | members(given.get("output"))},
        "tools": asked.get("tools", []),
        "tool_choice": asked.get("tool_choice", "auto"),
        "max_output_tokens": asked.get("max_output_tokens", asked.get("max_response_output_tokens", "inf")),
        "tracing": asked.get("tracing") or "auto",
    }


def _heard(asked: Value, secret: Value) -> Value:
    """The session of a transcription, which repeats the secret."""
    transcription = asked.get("input_audio_transcription")
    return {
        "type": "transcription",
        "client_secret": secret,
        "modalities": ["text"],
        "input_audio_format": asked.get("input_audio_format", "pcm16"),
        **({"input_audio_transcription": transcription} if transcription else {}),
        "turn_detection": _TURNS | members(asked.get("turn_detection")),
    }


# -- calls -----------------------------------------------------------------------------------------------------------


def _calls(call: Call) -> Collection:
    return call.store.collection("realtime-calls")


def ring(calls: Collection, id: str) -> None:
    """Let a call come in, as a telephone line would: no request makes one."""
    calls.put(id, {"state": _RINGING})


#: Attributes of an offered medium that its answer repeats: which it is, and how its formats are coded.
_REPEATED = ("a=mid:", "a=rtpmap:", "a=fmtp:")


def _answered(offer: str) -> str:
    """The answer to an offer (RFC 3264 section 6): as many media descriptions, in the same order; only the first of
    audio is taken, the others are declined by port 0.
    """
    lines, taken, repeats = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0"], False, False
    for line in offer.splitlines():
        if line.startswith("m="):
            kind, _, *rest = line.removeprefix("m=").split(" ")
            repeats = kind == "audio" and not taken
            taken = taken or repeats
            lines += [f"m={kind} {9 if repeats else 0} {' '.join(rest)}", "c=IN IP4 0.0.0.0"]
            lines += ["a=setup:active"] if repeats else []
        elif repeats and line.startswith(_REPEATED):
            lines.append(line)
    return "\r\n".join(lines) + "\r\n"


@handles("realtime.calls.create")
def start(call: Call) -> Response:
    """Answer an offer of a browser; the address of the call stands in Location. Raises 400 for what is no SDP."""
    offer: Any = call.body.get("sdp")
    if not isinstance(offer, str) or not offer.startswith("v=0") or "\nm=" not in offer:
        raise errors.invalid("The offer is no session description with media.", param="sdp")
    id = call.store.new_id("rtc_")
    _calls(call).put(id, {"state": _ACTIVE})
    place = f"{call.spec.base_path}{call.operation.path}/{id}"
    return call.bytes(_answered(offer).encode(), "application/sdp", 201, headers=(("location", place),))


def _call(call: Call) -> Value:
    """The call that the path names. Raises 404 if it is over or never was."""
    found: Value = call.found(_calls(call), ids(call)[0], "call")
    return found


def _ringing(call: Call, what: str) -> Value:
    """The call, if nobody has decided about it. Raises 400 for another one."""
    found = _call(call)
    if found["state"] != _RINGING:
        raise errors.conflict(f"The call {ids(call)[0]} is not ringing and can't be {what}.")
    return found


@handles("realtime.calls.accept")
def accept(call: Call) -> Response:
    """Take a call that rings."""
    _ringing(call, "accepted")["state"] = _ACTIVE
    return call.empty(200)


@handles("realtime.calls.reject")
def reject(call: Call) -> Response:
    """Decline a call that rings. Then it is over."""
    _ringing(call, "rejected")
    _calls(call).remove(ids(call)[0])
    return call.empty(200)


@handles("realtime.calls.refer")
def refer(call: Call) -> Response:
    """Ask a caller to turn elsewhere. Until then the call goes on. Raises 400 for a call that nobody has taken."""
    if _call(call)["state"] != _ACTIVE:
        raise errors.conflict(f"The call {ids(call)[0]} was not accepted and can't be referred.")
    return call.empty(200)


@handles("realtime.calls.hangup")
def hang_up(call: Call) -> Response:
    """End a call."""
    _call(call)
    _calls(call).remove(ids(call)[0])
    return call.empty(200)
