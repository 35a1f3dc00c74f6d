"""Realtime secrets and calls, tuned models and copies of files on the v1 surface with the openai package."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import openai
import pytest
from client_recorder import Recorder, documenting

from conformance.requests.session_offer import OFFER

pytestmark = pytest.mark.parametrize("version", documenting("realtime.calls.create", "models.delete", surface="v1"))

Connect = Callable[[str], Recorder]

ROWS = "\n".join(json.dumps({"messages": [{"role": "user", "content": f"row {n}"}]}) for n in range(10)).encode()


@pytest.mark.parametrize("kind", ["realtime", "transcription"])
def test_a_client_secret_for_each_kind_of_session(connect: Connect, version: str, kind: str) -> None:
    lasts: Any = {"anchor": "created_at", "seconds": 60}
    made = connect(version).realtime.client_secrets.create(expires_after=lasts, session={"type": kind})
    assert (kind, True) == (made.session.type, made.value.startswith("ek_"))


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


def test_a_tuned_model_is_read_and_deleted(connect: Connect, version: str) -> None:
    client = connect(version)
    file = client.files.create(file=("rows.jsonl", io.BytesIO(ROWS)), purpose="fine-tune")
    job = client.fine_tuning.jobs.create(model="gpt-4o-mini", training_file=file.id)
    for _ in range(5):
        job = client.fine_tuning.jobs.retrieve(job.id)
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
