"""Mutants of realtime sessions, secrets and calls: another end or session, a call without an address."""

from __future__ import annotations

from attrs import evolve

from conformance.emulator.call import Call
from conformance.emulator.edits import path_ids, restored, with_fields
from conformance.emulator.handlers import Handler
from conformance.emulator.mutants import mutant
from conformance.evidence.exchange import Response

SECRETS, CALLS = "realtime.client_secrets.create", "realtime.calls"
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


@mutant("realtime.secret-forever", "A secret ends when it was asked to.", SECRETS)
def secret_forever(call: Call, answer: Handler) -> Response:
    return with_fields(answer(call), expires_at=call.clock.now() + 600)


@mutant("realtime.secret-for-another", "A secret is for the session that was asked for.", SECRETS)
def secret_for_another(call: Call, answer: Handler) -> Response:
    return with_fields(answer(call), session={"type": "realtime"})


@mutant("realtime.call-nowhere", "The answer to an offer says where the call is.", f"{CALLS}.create")
def call_nowhere(call: Call, answer: Handler) -> Response:
    response = answer(call)
    left = tuple((name, value) for name, value in response.headers if name != "location")
    return evolve(response, headers=left)


@mutant("realtime.call-fewer-media", "An answer describes each medium of the offer.", f"{CALLS}.create")
def fewer_media(call: Call, answer: Handler) -> Response:
    response = answer(call)
    return response.with_body(response.body.rpartition(b"m=")[0]) if response.status == 201 else response


@mutant("realtime.call-goes-on", "A call that was hung up is over.", f"{CALLS}.hangup")
def call_goes_on(call: Call, answer: Handler) -> Response:
    return restored(call, answer, call.store.collection("realtime-calls"), path_ids(call)[0])
