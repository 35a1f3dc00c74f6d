"""Vector stores, their files, batches of files, and searches."""

from __future__ import annotations

from collections.abc import Iterator

from ..drafts import Draft
from ..template_builders import Ground, template


@template("vector_stores.create", "vector_stores.modify")
def stores(ground: Ground) -> Iterator[Draft]:
    """A store."""
    verb = ground.operation.id.rsplit(".", 1)[-1]
    role = f"vector-stores.{verb}"
    yield ground.draft(role, {"name": "Conformance {run}"})
    yield ground.draft(f"{role}.empty", {})
    yield ground.draft(f"{role}.expires", {"expires_after": {"anchor": "last_active_at", "days": 1}})
    yield ground.draft(f"{role}.metadata", {"metadata": {"suite": "conformance", "run": "{run}"}})
    yield ground.draft(f"{role}.files", {"file_ids": ["{file_id}"]})
    static = {"type": "static", "static": {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400}}
    yield ground.draft(f"{role}.chunks", {"file_ids": ["{file_id}"], "chunking_strategy": static})


@template("vector_stores.files.create")
def files(ground: Ground) -> Iterator[Draft]:
    """A file in a store."""
    yield ground.draft("vector-stores.file", {"file_id": "{file_id}"})
    static = {"type": "static", "static": {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400}}
    yield ground.draft("vector-stores.file.chunks", {"file_id": "{file_id}", "chunking_strategy": static})
    yield ground.draft("vector-stores.file.auto", {"file_id": "{file_id}", "chunking_strategy": {"type": "auto"}})
    yield ground.draft(
        "vector-stores.file.attributes", {"file_id": "{file_id}", "attributes": {"page": 1, "new": True}}
    )


@template("vector_stores.files.modify")
def attributes(ground: Ground) -> Iterator[Draft]:
    """Other attributes of a file."""
    yield ground.draft("vector-stores.file.modify", {"attributes": {"page": 2, "kind": "notes", "new": False}})


@template("vector_stores.file_batches.create")
def batches(ground: Ground) -> Iterator[Draft]:
    """Several files at once."""
    yield ground.draft("vector-stores.batch", {"file_ids": ["{file_id}"]})


@template("vector_stores.search")
def searches(ground: Ground) -> Iterator[Draft]:
    """A search."""
    yield ground.draft("vector-stores.search", {"query": "conformance notes"})
    yield ground.draft("vector-stores.search.several", {"query": ["conformance", "notes"], "max_num_results": 2})
