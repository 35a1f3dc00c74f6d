"""Batches with the openai package."""

from __future__ import annotations

import json
from typing import Any

import openai
import pytest
from client_recorder import Connect, documenting

pytestmark = pytest.mark.parametrize("version", documenting("batches.create", surface="v1"))


def rows(*contents: str) -> bytes:
    """A request for each text; an empty text makes one that is refused."""
    made = [
        {
            "custom_id": f"row-{number}",
            "method": "POST",
            "url": "/v1/chat/completions",
            "body": {"model": "gpt-4o", "messages": [{"role": "user", "content": content}] if content else []},
        }
        for number, content in enumerate(contents)
    ]
    return "\n".join(map(json.dumps, made)).encode()


def batch_of(client: Any, data: bytes, purpose: str = "batch") -> Any:
    file = client.files.create(file=("rows.jsonl", data), purpose=purpose)
    return client.batches.create(input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h")


def ended(client: Any, id: str) -> Any:
    """The batch at its end; it needs a few looks."""
    for _ in range(10):
        batch = client.batches.retrieve(id)
        if batch.status in ("completed", "failed", "cancelled"):
            return batch
    raise AssertionError(f"the batch is still {batch.status}")


def lines(client: Any, file: str) -> list[Any]:
    return [json.loads(line) for line in client.files.content(file).text.splitlines()]


def test_each_row_is_answered_into_the_output_or_the_error_file(connect: Connect, version: str) -> None:
    client = connect(version)
    batch = ended(client, batch_of(client, rows("one", "", "three")).id)
    assert ("completed", 3, 2, 1) == (
        batch.status,
        batch.request_counts.total,
        batch.request_counts.completed,
        batch.request_counts.failed,
    )
    output, failed = lines(client, batch.output_file_id), lines(client, batch.error_file_id)
    assert ["row-0", "row-2"] == [line["custom_id"] for line in output]
    assert [200, 200] == [line["response"]["status_code"] for line in output]
    assert {"chat.completion"} == {line["response"]["body"]["object"] for line in output}
    assert [("row-1", 400)] == [(line["custom_id"], line["response"]["status_code"]) for line in failed]


def test_a_file_that_holds_no_requests_fails_the_batch(connect: Connect, version: str) -> None:
    client = connect(version)
    batch = ended(client, batch_of(client, b"no JSON\n").id)
    assert ("failed", "invalid_json_line") == (batch.status, batch.errors.data[0].code)
    with pytest.raises(openai.BadRequestError):
        batch_of(client, rows("one"), purpose="assistants")


def test_batches_are_listed_and_cancelled(connect: Connect, version: str) -> None:
    client = connect(version)
    made = [batch_of(client, rows("one")).id for _ in range(3)]
    assert list(reversed(made)) == [batch.id for batch in client.batches.list(limit=2)][:3]
    assert "cancelling" == client.batches.cancel(made[0]).status
    assert "cancelled" == ended(client, made[0]).status
    with pytest.raises(openai.BadRequestError):
        client.batches.cancel(made[0])
