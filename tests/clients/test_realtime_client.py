"""Realtime secrets and calls, tuned models and copies of files on the v1 surface with the openai package."""

from __future__ import annotations

import io
import json
from typing import Any

import openai
import pytest
from client_recorder import INCOMING, Connect, documenting

from conformance.requests.session_offer import OFFER

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # the client warns of old methods
    pytest.mark.parametrize("version", documenting("realtime.calls.create", "models.delete", surface="v1")),
]

#: Each call can be accepted or rejected once.
incoming = iter(INCOMING)

ROWS = "\n".join(json.dumps({"messages": [{"role": "user", "content": f"row {n}"}]}) for n in range(10)).encode()


@pytest.mark.parametrize("kind", ["realtime", "transcription"])
def test_a_client_secret_for_each_kind_of_session(connect: Connect, version: str, kind: str) -> None:
    lasts: Any = {"anchor": "created_at", "seconds": 60}
    made = connect(version).realtime.client_secrets.create(expires_after=lasts, session={"type": kind})
    assert (kind, True) == (made.session.type, made.value.startswith("ek_"))


def test_sessions_of_the_beta(connect: Connect, version: str) -> None:
    """The package knows no ``type`` there; the document demands it."""
    beta = connect(version).beta.realtime
    kind = {"type": "realtime"}
    made = beta.sessions.create(model="gpt-realtime", voice="echo", instructions="Be brief.", extra_body=kind)
    assert ("echo", "Be brief.") == (made.audio["output"]["voice"], made.instructions)
    heard = beta.transcription_sessions.create(extra_body={"type": "transcription"})
    assert heard.client_secret.value.startswith("ek_")


def test_incoming_calls_are_accepted_or_rejected(connect: Connect, version: str) -> None:
    calls = connect(version).realtime.calls
    taken, declined = next(incoming), next(incoming)
    calls.accept(taken, type="realtime")
    calls.reject(declined)
    with pytest.raises(openai.BadRequestError):
        calls.accept(taken, type="realtime")
    calls.hangup(taken)
    with pytest.raises(openai.NotFoundError):
        calls.hangup(declined)


def test_a_call_is_answered_and_hung_up(connect: Connect, version: str) -> None:
    calls = connect(version).realtime.calls
    answer = calls.create(sdp=OFFER, session={"type": "realtime", "model": "gpt-realtime"})
    assert OFFER.count("\nm=") == answer.text.count("\nm=")
    call = answer.response.headers["location"].rpartition("/")[2]
    with pytest.raises(openai.BadRequestError):
        calls.accept(call, type="realtime")
    calls.refer(call, target_uri="sip:somebody@example.com")
    calls.hangup(call)
    for verb in (calls.hangup, calls.reject):
        with pytest.raises(openai.NotFoundError):
            verb(call)


def assert_shared(client: Any, checkpoint: str) -> None:
    """A checkpoint is shared with projects and no longer shared."""
    permissions = client.fine_tuning.checkpoints.permissions
    made = [one.id for one in permissions.create(checkpoint, project_ids=["p1", "p2", "p3"])]
    assert set(made) == {one.id for one in permissions.list(checkpoint, limit=2)}
    assert set(made) == {one.id for one in permissions.retrieve(checkpoint).data}
    assert permissions.delete(made[0], fine_tuned_model_checkpoint=checkpoint).deleted
    assert set(made[1:]) == {one.id for one in permissions.list(checkpoint)}


def test_a_tuned_model_is_read_and_deleted(connect: Connect, version: str) -> None:
    client = connect(version)
    file = client.files.create(file=("rows.jsonl", io.BytesIO(ROWS)), purpose="fine-tune")
    job = client.fine_tuning.jobs.create(model="gpt-4o-mini", training_file=file.id)
    for _ in range(5):
        job = client.fine_tuning.jobs.retrieve(job.id)
    assert_shared(client, next(iter(client.fine_tuning.jobs.checkpoints.list(job.id))).fine_tuned_model_checkpoint)
    model = job.fine_tuned_model
    assert model in [one.id for one in client.models.list()]
    assert client.models.delete(model).deleted
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve(model)
    with pytest.raises(openai.BadRequestError):
        client.models.delete("gpt-4o")


def test_a_file_is_copied_into_a_container_by_its_id(connect: Connect, version: str) -> None:
    """The client sends JSON then, although the document has only a form."""
    client = connect(version)
    file = client.files.create(file=("notes.txt", io.BytesIO(b"notes")), purpose="assistants")
    container = client.containers.create(name="copies")
    copied = client.containers.files.create(container.id, file_id=file.id)
    assert (5, container.id) == (copied.bytes, copied.container_id)
