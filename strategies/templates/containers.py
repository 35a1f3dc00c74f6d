"""Templates for containers of the code interpreter and their files."""

from __future__ import annotations

from collections.abc import Iterator

from ..drafts import Draft
from ..template_builders import TemplateContext, template


@template("containers.create")
def containers(context: TemplateContext) -> Iterator[Draft]:
    """A container, plain, with an expiry, with a memory limit and with a file."""
    named = {"name": "conformance-{run}"}
    yield context.draft("containers.create", named)
    yield context.draft(
        "containers.create.expires", {**named, "expires_after": {"anchor": "last_active_at", "minutes": 20}}
    )
    yield context.draft("containers.create.memory", {**named, "memory_limit": "1g"})
    yield context.draft("containers.create.files", {**named, "file_ids": ["{file_id}"]})


@template("containers.files.create")
def files(context: TemplateContext) -> Iterator[Draft]:
    """A file of text, and one with other bytes."""
    yield context.draft("containers.files.create", {"file": "file:text"})
    yield context.draft("containers.files.create.scripts", {"file": "file:unicode"})
