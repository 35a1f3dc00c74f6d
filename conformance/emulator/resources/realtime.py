"""Sessions of realtime conversations and transcriptions: the HTTP side, which hands out a secret for a client.

Nothing listens for the secret: this emulator has no WebSocket.
"""

from __future__ import annotations

from typing import Any

from conformance.emulator.call import Call
from conformance.emulator.handlers import handles
from conformance.emulator.resources.objects import Value, members
from conformance.evidence.exchange import Response

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


@handles("realtime.sessions.create")
def session(call: Call) -> Response:
    """A session for a conversation."""
    return call.json(_session(call, "realtime.session", _SPOKEN))


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
