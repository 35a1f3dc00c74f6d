"""Mutants of realtime sessions: no secret, a secret without an end, a session other than the one asked for."""

from __future__ import annotations

from conformance.emulator.call import Call
from conformance.emulator.edits import with_fields
from conformance.emulator.handlers import Handler
from conformance.emulator.mutants import mutant
from conformance.evidence.exchange import Response

SESSIONS = ("realtime.sessions.create", "realtime.transcription_sessions.create")


@mutant("realtime.no-secret", "A session comes with a secret.", *SESSIONS, about="client_secret")
def no_secret(call: Call, answer: Handler) -> Response:
    return with_fields(answer(call), client_secret={})


@mutant("realtime.endless-secret", "A secret says when it ends.", *SESSIONS, about="client_secret")
def endless_secret(call: Call, answer: Handler) -> Response:
    return with_fields(answer(call), client_secret={"value": "ek_1", "expires_at": None})


@mutant("realtime.another-modality", "The modalities of a session are text and audio.", *SESSIONS, about="modalities")
def another_modality(call: Call, answer: Handler) -> Response:
    return with_fields(answer(call), modalities=[1])
