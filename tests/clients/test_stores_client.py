"""Files and vector stores with the openai package."""

from __future__ import annotations

import io
from typing import Any

import openai
import pytest
from client_recorder import Connect, Recorder, documenting

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the client warns of old methods

V1 = documenting("vector_stores.list", "files.upload", surface="v1")
STORES = [*documenting("vector_stores.list", surface="dated"), *V1]
FILES = [*documenting("files.upload", surface="dated", location="none"), *V1]
SEARCHED = [one for surface in ("dated", "v1") for one in documenting("vector_stores.search", surface=surface)]
WITH_CONTENT = documenting("files.content", surface="v1")
FAST: Any = {"poll_interval_ms": 1}
DATA = bytes(range(256)) + b"\r\nline\n"


def named(name: str, data: bytes = DATA) -> Any:
    return (name, io.BytesIO(data))


@pytest.mark.parametrize("version", FILES)
def test_files(connect: Connect, version: str) -> None:
    files = connect(version).files
    made = [files.create(file=named(f"f{n}.txt"), purpose="assistants") for n in range(3)]
    assert ("f0.txt", len(DATA), "assistants") == (made[0].filename, made[0].bytes, made[0].purpose)
    assert made[0].id == files.retrieve(made[0].id).id
    assert {one.id for one in made} <= {one.id for one in files.list(purpose="assistants")}
    assert not {one.id for one in made} & {one.id for one in files.list(purpose="fine-tune")}
    assert files.delete(made[0].id).deleted
    with pytest.raises(openai.NotFoundError):
        files.retrieve(made[0].id)


@pytest.mark.parametrize("version", WITH_CONTENT)
def test_file_content_comes_back_byte_for_byte(connect: Connect, version: str) -> None:
    files = connect(version).files
    made = files.create(file=named("a.jsonl"), purpose="batch", expires_after={"anchor": "created_at", "seconds": 3600})
    assert made.created_at + 3600 == made.expires_at
    assert "processed" == files.wait_for_processing(made.id, poll_interval=0.001).status
    assert DATA == files.content(made.id).content
    text = files.create(file=named("b.txt", b"plain"), purpose="fine-tune")
    assert "plain" == files.retrieve_content(text.id)


@pytest.mark.parametrize("version", STORES)
def test_vector_stores(connect: Connect, version: str) -> None:
    stores = connect(version).vector_stores
    policy: Any = {"anchor": "last_active_at", "days": 3}
    made = [stores.create(name=f"s{n}", metadata={"n": str(n)}, expires_after=policy).id for n in range(5)]
    assert made == [one.id for one in stores.list(limit=2, order="asc") if one.id in made]
    changed = stores.update(made[0], name="other")
    assert ("other", {"n": "0"}, 3) == (changed.name, changed.metadata, changed.expires_after.days)
    assert changed == stores.retrieve(made[0])
    assert stores.delete(made[0]).deleted
    with pytest.raises(openai.NotFoundError):
        stores.retrieve(made[0])


def file_ids(client: Recorder, version: str, many: int, text: str = "") -> list[str]:
    """Files to put into a store: uploaded where the version has uploads, else ids from elsewhere."""
    if version in V1:
        files = [named(f"v{n}.txt", f"{text} {n}".encode() if text else DATA) for n in range(many)]
        return [client.files.create(file=file, purpose="assistants").id for file in files]
    return [f"file-{version}-{n}" for n in range(many)]


@pytest.mark.parametrize("version", STORES)
def test_vector_store_files(connect: Connect, version: str) -> None:
    client = connect(version)
    stores = client.vector_stores
    ids = file_ids(client, version, 4)
    store = stores.create(file_ids=ids[:1]).id
    assert "completed" == stores.files.create_and_poll(ids[1], vector_store_id=store, **FAST).status
    assert "in_progress" == stores.files.create(store, file_id=ids[2]).status
    assert "completed" == stores.files.poll(ids[2], vector_store_id=store, **FAST).status
    assert ids[0] == stores.files.retrieve(ids[0], vector_store_id=store).id
    assert ids[:3] == [one.id for one in stores.files.list(store, limit=1, order="asc")]
    assert (3, 3) == (stores.retrieve(store).file_counts.completed, stores.retrieve(store).file_counts.total)
    assert stores.files.delete(ids[0], vector_store_id=store).deleted
    with pytest.raises(openai.NotFoundError):
        stores.files.retrieve(ids[0], vector_store_id=store)
    batch = stores.file_batches.create_and_poll(store, file_ids=ids, **FAST)
    assert ("completed", 4, 4) == (batch.status, batch.file_counts.completed, batch.file_counts.total)
    other = stores.file_batches.create(store, file_ids=ids)
    assert "cancelled" == stores.file_batches.cancel(other.id, vector_store_id=store).status
    assert 4 == stores.file_batches.retrieve(other.id, vector_store_id=store).file_counts.cancelled
    assert "cancelled" == stores.file_batches.poll(other.id, vector_store_id=store, **FAST).status
    listed = stores.file_batches.list_files(batch.id, vector_store_id=store, limit=2)
    assert sorted(ids) == sorted(one.id for one in listed)


@pytest.mark.parametrize("version", V1)
def test_upload_straight_into_a_store(connect: Connect, version: str) -> None:
    client = connect(version)
    stores = client.vector_stores
    store = stores.create().id
    fixed: Any = {"type": "static", "static": {"max_chunk_size_tokens": 200, "chunk_overlap_tokens": 50}}
    up = stores.files.upload_and_poll(vector_store_id=store, file=named("u.txt"), chunking_strategy=fixed, **FAST)
    assert ("completed", len(DATA)) == (up.status, up.usage_bytes)
    assert 200 == up.chunking_strategy.static.max_chunk_size_tokens
    assert {"a": "b"} == stores.files.update(up.id, vector_store_id=store, attributes={"a": "b"}).attributes
    assert "in_progress" == stores.files.upload(vector_store_id=store, file=named("w.txt")).status
    batch = stores.file_batches.upload_and_poll(store, files=[named("x.txt"), named("y.txt")], **FAST)
    assert ("completed", 2) == (batch.status, batch.file_counts.completed)
    assert stores.files.delete(up.id, vector_store_id=store).deleted
    assert up.id == client.files.retrieve(up.id).id


@pytest.mark.parametrize("version", SEARCHED)
def test_a_store_is_searched(connect: Connect, version: str) -> None:
    """Where files come from elsewhere, their text is made up from their ids."""
    client = connect(version)
    stores = client.vector_stores
    store = stores.create(name="books").id
    ids = file_ids(client, version, 3, "A tale of two cities, part")
    for number, one in enumerate(ids):
        stores.files.create_and_poll(one, vector_store_id=store, **FAST)
        stores.files.update(one, vector_store_id=store, attributes={"page": number})
    (text,) = [part.text for part in stores.files.content(ids[1], vector_store_id=store)]
    word = text.split()[0]
    found = list(stores.search(store, query=word))
    assert set(ids) == {one.file_id for one in found}
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert text in [one.content[0].text for one in found]
    late: Any = {"type": "gte", "key": "page", "value": 1}
    assert set(ids[1:]) == {one.file_id for one in stores.search(store, query=word, filters=late)}
    assert 1 == len(list(stores.search(store, query=word, max_num_results=1)))
    with pytest.raises(openai.NotFoundError):
        stores.search("vs_none", query=word)
