"""The asynchronous clients of the openai package: many requests in flight, pages and streams awaited."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from client_recorder import documenting
from openai import AsyncAzureOpenAI, AsyncOpenAI

from conformance.spec.loading import load

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the client warns of the assistants surface

MODEL = "gpt-4o"
KEY = "emulator-key"


@pytest.mark.parametrize("version", documenting("assistants.list", "threads.runs.list", surface="dated")[-1:])
def test_twenty_assistants_run_at_once(base: Callable[[str], str], version: str) -> None:
    async def one(client: AsyncAzureOpenAI, number: int) -> str:
        assistant = await client.beta.assistants.create(model=MODEL, name=f"n{number}")
        run = await client.beta.threads.create_and_run_poll(
            assistant_id=assistant.id,
            thread={"messages": [{"role": "user", "content": f"hello {number}"}]},
            poll_interval_ms=1,
        )
        answers = [one async for one in client.beta.threads.messages.list(run.thread_id) if one.role == "assistant"]
        assert ("completed", 1) == (run.status, len(answers))
        return assistant.id

    async def story() -> None:
        async with AsyncAzureOpenAI(
            azure_endpoint=base(version), api_key=KEY, api_version=version, max_retries=0, timeout=20
        ) as client:
            made = await asyncio.gather(*(one(client, number) for number in range(20)))
            walked = [found.id async for found in client.beta.assistants.list(limit=3) if found.id in made]
            assert sorted(made) == sorted(walked)

    asyncio.run(story())


@pytest.mark.parametrize("version", documenting("responses.create", surface="v1"))
def test_responses_and_stores_awaited(base: Callable[[str], str], version: str) -> None:
    async def story() -> None:
        url = f"{base(version)}{load(version).base_path}"
        async with AsyncOpenAI(base_url=url, api_key=KEY, max_retries=0, timeout=20) as client:
            stream: Any = await client.responses.create(model=MODEL, input="hello", stream=True)
            text = "".join([event.delta async for event in stream if event.type == "response.output_text.delta"])
            whole = await client.responses.create(model=MODEL, input="hello")
            assert whole.output_text == text != ""
            files = [("a.txt", b"one"), ("b.txt", b"two"), ("c.txt", b"three")]
            store = await client.vector_stores.create(name="async")
            batch = await client.vector_stores.file_batches.upload_and_poll(store.id, files=files, poll_interval_ms=1)
            assert ("completed", 3) == (batch.status, batch.file_counts.completed)
            sizes = [one.usage_bytes async for one in client.vector_stores.files.list(store.id, limit=1)]
            assert [3, 3, 5] == sorted(sizes)

    asyncio.run(story())
