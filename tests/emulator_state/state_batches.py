"""Chapters about batches and their files."""

from __future__ import annotations

import json
from typing import Any

from state_steps import MODEL, paged, uploaded
from state_talk import Talk


def rows(*contents: str) -> bytes:
    """A request for each text; an empty text makes one that is refused."""
    made = [
        {
            "custom_id": f"row-{number}",
            "method": "POST",
            "url": "/v1/chat/completions",
            "body": {"model": MODEL, "messages": [{"role": "user", "content": content}] if content else []},
        }
        for number, content in enumerate(contents)
    ]
    return "\n".join(map(json.dumps, made)).encode()


def batches(talk: Talk) -> None:
    file = uploaded(talk, "rows.jsonl", rows("one", "", "three"), "batch")
    make = {"input_file_id": file, "endpoint": "/v1/chat/completions", "completion_window": "24h"}
    made: list[dict[str, Any]] = [talk.ok("batches.create", body=make) for _ in range(4)]
    ids = [one["id"] for one in made]
    states = [talk.ok("batches.get", ids[0]) for _ in range(4)]
    assert ["in_progress", "finalizing", "completed", "completed"] == [one["status"] for one in states]
    for name in ("output_file_id", "error_file_id"):
        talk.ok("files.get", states[-1][name])
        assert talk.send("files.content", states[-1][name]).body
    assert talk.status("batches.cancel", ids[0]) == 400
    talk.ok("batches.get", ids[0])
    talk.ok("batches.get", ids[1])
    talk.ok("batches.cancel", ids[1])
    stopped = [talk.ok("batches.get", ids[1]) for _ in range(2)]
    assert ["cancelled", "cancelled"] == [one["status"] for one in stopped]
    # One row was answered before.
    assert 1 == len(talk.send("files.content", stopped[-1]["output_file_id"]).body.splitlines())
    paged(talk, "batches.list")
    assert talk.status("batches.get", "batch_nowhere") == 404
    for data in (b"no JSON", rows("one") + b"\n" + rows("two")):
        broken = talk.ok("batches.create", body={**make, "input_file_id": uploaded(talk, "b.jsonl", data, "batch")})
        assert "failed" == talk.ok("batches.get", broken["id"])["status"]
    notes = uploaded(talk)
    talk.send("batches.create", body={**make, "input_file_id": notes})
    talk.send("batches.create", body={**make, "completion_window": "48h"})
