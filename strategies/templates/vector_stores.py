"""Templates for vector stores, their files, file batches and searches."""

from __future__ import annotations

from collections.abc import Iterator

from ..drafts import Draft
from ..template_builders import TemplateContext, template


@template("vector_stores.create", "vector_stores.modify")
def stores(context: TemplateContext) -> Iterator[Draft]:
    """Create or modify a vector store."""
    verb = context.operation.id.rsplit(".", 1)[-1]
    role = f"vector-stores.{verb}"
    named = {"name": "Conformance {run}"}
    # A new store with a name can be told from those of others.
    marked = named if verb == "create" else {}
    yield context.draft(role, named)
    yield context.draft(f"{role}.empty", {})
    yield context.draft(f"{role}.expires", {**marked, "expires_after": {"anchor": "last_active_at", "days": 1}})
    yield context.draft(f"{role}.metadata", {"metadata": {"suite": "conformance", "run": "{run}"}})
    yield context.draft(f"{role}.files", {**marked, "file_ids": ["{file_id}"]})
    static = {"type": "static", "static": {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400}}
    yield context.draft(f"{role}.chunks", {**marked, "file_ids": ["{file_id}"], "chunking_strategy": static})


@template("vector_stores.files.create")
def files(context: TemplateContext) -> Iterator[Draft]:
    """Attach a file to a vector store."""
    yield context.draft("vector-stores.file", {"file_id": "{file_id}"})
    static = {"type": "static", "static": {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400}}
    yield context.draft("vector-stores.file.chunks", {"file_id": "{file_id}", "chunking_strategy": static})
    yield context.draft("vector-stores.file.auto", {"file_id": "{file_id}", "chunking_strategy": {"type": "auto"}})
    yield context.draft(
        "vector-stores.file.attributes", {"file_id": "{file_id}", "attributes": {"page": 1, "new": True}}
    )


@template("vector_stores.files.modify")
def attributes(context: TemplateContext) -> Iterator[Draft]:
    """Replace the attributes of an attached file."""
    yield context.draft("vector-stores.file.modify", {"attributes": {"page": 2, "kind": "notes", "new": False}})


@template("vector_stores.file_batches.create")
def batches(context: TemplateContext) -> Iterator[Draft]:
    """Attach several files at once."""
    yield context.draft("vector-stores.batch", {"file_ids": ["{file_id}"]})


@template("vector_stores.search")
def searches(context: TemplateContext) -> Iterator[Draft]:
    """Search a vector store."""
    yield context.draft("vector-stores.search", {"query": "conformance notes"})
    yield context.draft("vector-stores.search.several", {"query": ["conformance", "notes"], "max_num_results": 2})
